"""Block design, overlay and check of a core with AXI-Stream ports on boards that PYNQ runs on.

No board and no vendor tool was at hand: the script is run against stubs that know Vivado's commands alone, and the
check against a stand-in for PYNQ.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from siliconv.hardware.beat_format import BeatFormat
from siliconv.hardware.boards import Board, boards

BLOCK_DESIGN, OVERLAY = "block_design.tcl", "overlay"
CHECK = "check_board.py"


@dataclass(frozen=True)
class StreamCore:
    """A core in Vivado's catalogue with one AXI-Stream port in and one out, of docs/stream_format.md.

    ``name``: of the IP; ``repository``: the folder that holds it, from the script's; ``input``, ``output``: its beats.
    """

    name: str
    repository: str
    input: BeatFormat
    output: BeatFormat


def board_for(part: str, name: str | None = None) -> Board | None:
    """Give the board with a part, of that name where one is asked for, that a block design is known for; else None."""
    known = (board for board in boards() if board.processing_system and board.part == part)
    return next((board for board in known if name in (None, board.name)), None)


def write_board_design(board: Board, core: StreamCore, top: str, clock_ns: float, folder: Path) -> None:
    """Write the script that builds a board's bitstream, and the check that runs on the board.

    Parameters
    ----------
    board
        One that `board_for` gave.
    core
        What stands between the DMA's two streams.
    top
        Name of the network: the overlay's files are called so.
    clock_ns
        Period of the core's clock; the processing system makes the nearest one that it can, and timing is checked
        with that.
    folder
        The generated project; the script goes there, the check beside the driver.
    """
    values = {
        "board": board,
        "core": core,
        "top": top,
        "megahertz": f"{1000 / clock_ns:.6f}",
        "overlay": OVERLAY,
        "memory_bits": {name: max(32, beats.beat_bits) for name, beats in (("in", core.input), ("out", core.output))},
    }
    (folder / BLOCK_DESIGN).write_text(_templates().get_template("block_design.tcl.j2").render(values), "utf-8")
    check = folder / "driver" / CHECK
    check.write_text(_templates().get_template("check_board.py.j2").render(values), "utf-8")


@lru_cache(maxsize=1)
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("siliconv.hardware.board_design"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        autoescape=False,
    )
