"""Settings of the SystemVerilog core that fit a board, searched on a project's integer network."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from siliconv.errors import ProjectError, WorkSaysNoError
from siliconv.hardware.boards import Board
from siliconv.network import network_file
from siliconv.project.finding import as_argument
from siliconv.project.project import PROJECT_FILE, load_project
from siliconv.project.project_edit import set_fields
from siliconv.project.remembered_front import point_of_front, remember_front
from siliconv.rtl.configuration import FAMILY_OF_BOARD, RtlConfig
from siliconv.rtl.fit.rtl_fit import MOST_SHARES, RtlChoice, choices, chosen_of, family_of
from siliconv.rtl.resources.predicted_cells import error_of
from siliconv.rtl.synthesis.nextpnr import PARTS

_SHOWN = 4


@dataclass(frozen=True)
class RtlFit:
    """The outcome for a project: the chosen design first, then slower and faster ones beside it.

    `beyond` is the next faster one where it does not fit; None where the core has nothing faster. `front` are all that
    were counted, the slowest first.
    """

    path: Path
    board: Board
    family: str
    target: str
    chosen: RtlChoice | None
    best: tuple[RtlChoice, ...]
    beyond: RtlChoice | None
    notes: tuple[str, ...]
    written: tuple[str, ...]
    front: tuple[RtlChoice, ...] = ()

    def refusal(self) -> WorkSaysNoError:
        """Give the error ``FIT-NONE`` for when nothing was chosen: what binds."""
        nearest, tight = self.best[0], self.beyond or self.best[0]
        name, share = tight.binding
        why = f"takes {share:.0%} of the {name.upper()}" if not tight.fits else "is the fastest that the blocks can be"
        which = "That design" if tight is nearest else "The next faster one"
        what = (
            f"nothing fits as it was asked for ({self.target}). The nearest design on {self.board.title} reaches "
            f"{nearest.images_per_second:,.1f} images/s with {nearest.latency_us:,.1f} µs of latency. {which} {why}"
        )
        return WorkSaysNoError(
            "FIT-NONE",
            what,
            where=str(self.path),
            fix="ask for less, take a larger board, or quantize to fewer bits",
        )

    def as_json(self) -> dict[str, Any]:
        """Give the outcome for machines."""
        return {
            "core": "rtl",
            "board": asdict(self.board),
            "family": self.family,
            "target": self.target,
            "chosen": self.chosen.as_json() if self.chosen else None,
            "best": [one.as_json() for one in self.best],
            "beyond": self.beyond.as_json() if self.beyond else None,
            "front": [point_of_front(one, surely=one.fits) for one in self.front],
            "notes": list(self.notes),
            "written": list(self.written),
        }


def fit_rtl(
    folder: Path,
    board: Board,
    *,
    images_per_second: float | None = None,
    latency_us: float | None = None,
    clock_ns: float | None = None,
    write: bool = True,
) -> RtlFit:
    """Search the interval of a project's SystemVerilog core for a board, and write it into the project file.

    Parameters
    ----------
    folder
        Of the project; its integer network has to be there.
    board
        The device.
    images_per_second, latency_us
        What has to be reached; the fastest that fits without either.
    clock_ns
        The period to count with; the board's usual one by default.
    write
        Whether the project file is changed.

    Raises
    ------
    ProjectError
        ``FIT-BUILD`` where there is no integer network yet.
    FirmwareError
        ``RTL-BOARD`` for a device that the core is not counted on, ``RTL-NODE-KIND``.
    """
    project = load_project(folder)
    built = folder / "build" / "network"
    if not built.is_dir():
        raise ProjectError(
            "FIT-BUILD",
            "there is no integer network yet, on which the SystemVerilog core is counted",
            where=str(built),
            fix=f"siliconv run {as_argument(folder)} --until lower",
        )
    clock_mhz = round(1e3 / (clock_ns or board.clock_ns), 3)
    family = family_of(board)
    found = choices(network_file.load(built), board, clock_mhz)
    chosen = chosen_of(found, images_per_second, latency_us)
    target = "the fastest that fits"
    if images_per_second is not None:
        target = f"{images_per_second:,.6g} images/s"
    if latency_us is not None:
        target = f"{target}, {latency_us:,.6g} µs" if images_per_second is not None else f"{latency_us:,.6g} µs"
    changes = _changes(chosen, project.rtl, board, family) if chosen is not None else {}
    if write and changes:
        set_fields(folder / PROJECT_FILE, changes)
    best = _beside(found, chosen)
    faster = [one for one in found if one.interval < best[0].interval]
    outcome = RtlFit(
        folder / PROJECT_FILE,
        board,
        family,
        target,
        chosen,
        best,
        faster[0] if faster and not faster[0].fits else None,
        _notes(family),
        tuple(changes) if write else (),
        found,
    )
    remember_front(folder, "fit-rtl", outcome.as_json())
    return outcome


def _changes(chosen: RtlChoice, old: RtlConfig, board: Board, family: str) -> dict[str, Any]:
    """Give the fields of the project file that make the chosen design; what an older one left is taken back."""
    changes: dict[str, Any] = {"rtl.interval": chosen.interval, "rtl.family": family, "rtl.clock_mhz": chosen.clock_mhz}
    if board.part in PARTS:
        changes["rtl.part"] = board.part
    named: dict[str, tuple[Any, Any]] = {
        "rtl.multipliers": (old.multipliers, chosen.multipliers),
        "rtl.rom": (old.rom, dict(chosen.roms)),
    }
    named["rtl.lanes"] = (old.lanes, {})
    known = board.name if board.name in FAMILY_OF_BOARD else None
    kept = old.board if old.board and FAMILY_OF_BOARD[old.board] == family else None
    named["rtl.board"] = (old.board, known or kept)
    return changes | {name: new for name, (before, new) in named.items() if new != before}


def _beside(found: tuple[RtlChoice, ...], chosen: RtlChoice | None) -> tuple[RtlChoice, ...]:
    """Give the chosen one and its neighbours, or those that come nearest."""
    if chosen is None:
        fitting = [one for one in found if one.fits] or list(found[:1])
        return (fitting[-1],)
    place = found.index(chosen)
    others = [found[n] for n in (place - 1, place + 1, place - 2) if 0 <= n < len(found)]
    return (chosen, *others)[:_SHOWN]


def _notes(family: str) -> tuple[str, ...]:
    error = error_of(family)
    shares = ", ".join(f"{share:.0%} of {name.upper()}" for name, share in MOST_SHARES.items() if name != "uram")
    return (
        "multipliers, memories and FF are counted, LUT fitted to runs of Yosys: on other networks off by up to "
        f"{error['lut']:.1%} (LUT) and {error['ff']:.1%} (FF) nine times of ten",
        f"at most {shares} are used; rings are sized when the core is written, which only makes them smaller",
        "the clock is what is counted with; siliconv run PROJECT --until place says what is reached on an ECP5",
    )
