"""The last line of a certificate: what check_board.py found on the board that runs the firmware."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field

from siliconv.bounded_reading import UnreadableError, read_as
from siliconv.errors import ProjectError
from siliconv.hardware.board_design.board_design import OVERLAY
from siliconv.hardware.claims import Claim, Ground
from siliconv.hardware.file_hashes import file_hash
from siliconv.hls.conversion.testbench import GOLDEN_VECTORS, INPUT_VECTORS, VECTORS_FOLDER

BOARD_RESULT = "board.json"
_FOLDERS = (Path("synthesis") / OVERLAY, Path())
"""Where it may lie in the build folder: with the overlay that was copied to the board, or by itself."""

_Count = Annotated[int, Field(ge=0, strict=True)]


@dataclass(frozen=True)
class BoardResult:
    """What check_board.py wrote: vectors sent, and how many came back different, in one transfer and one by one."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    exact: Annotated[bool, Field(strict=True)]
    board: Annotated[str, Field(min_length=1, max_length=100)]
    vectors: Annotated[int, Field(gt=0, strict=True)]
    differing: _Count
    differing_one_by_one: _Count
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    sha256: dict[str, Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]]


def board_claim(build: Path) -> Claim | None:
    """Give what a board showed of the firmware in a build folder; None where no board result lies there.

    Raises
    ------
    ProjectError
        ``BOARD-RESULT`` for a file that is none, contradicts itself, or speaks of another bitstream or other vectors
        than those of this build.
    """
    path = next((build / one / BOARD_RESULT for one in _FOLDERS if (build / one / BOARD_RESULT).is_file()), None)
    if path is None:
        return None
    try:
        found = read_as(path, BoardResult)
    except UnreadableError as error:
        raise _refused(path, f"it can't be read: {error}") from error
    if found.exact != (found.differing == found.differing_one_by_one == 0):
        raise _refused(path, "it contradicts itself: exact does not go with the vectors that differ")
    if max(found.differing, found.differing_one_by_one) > found.vectors:
        raise _refused(path, "it contradicts itself: more vectors differ than there are")
    for what, expected in _expected(build, found.sha256):
        digests = [file_hash(one) for one in expected if one.is_file()]
        if digests[:1] != [found.sha256[what]]:
            raise _refused(path, f"the board had another {what} than the one of this build")
    return Claim(
        "the core on the board computes the integer network's results",
        f"check_board.py on {found.board}",
        "bitstream",
        Ground.TEST,
        found.vectors,
        "vectors, one by one and in one transfer",
        found.exact,
        () if found.exact else (f"{found.differing} differ in one transfer, {found.differing_one_by_one} one by one",),
    )


def _expected(build: Path, said: dict[str, str]) -> list[tuple[str, Sequence[Path]]]:
    """Give each file that the board had, and where this build has it; all of them have to be named."""
    vectors, overlay = build / "firmware" / VECTORS_FOLDER, build / "synthesis" / OVERLAY
    bitstreams = [name for name in said if name.endswith(".bit") and Path(name).name == name]
    if len(bitstreams) != 1 or set(said) != {bitstreams[0], INPUT_VECTORS, GOLDEN_VECTORS}:
        raise _refused(build / BOARD_RESULT, "it does not name one bitstream and the vectors")
    return [
        (bitstreams[0], (overlay / bitstreams[0],)),
        *((name, (vectors / name,)) for name in (INPUT_VECTORS, GOLDEN_VECTORS)),
    ]


def _refused(path: Path, what: str) -> ProjectError:
    return ProjectError(
        "BOARD-RESULT",
        what,
        where=str(path),
        fix="run check_board.py in the overlay of this build (siliconv build --bitstream), and copy its board.json",
    )
