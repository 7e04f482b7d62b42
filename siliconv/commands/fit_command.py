"""`siliconv fit`: settings of the firmware that fit a board, written into the project file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from siliconv.commands.options import CoreOption, JsonOption, ProjectArgument, known_boards, open_project, print_json
from siliconv.commands.terminal import console, note, show
from siliconv.errors import ProjectError

if TYPE_CHECKING:
    from siliconv.actions.fit_project import ProjectFit
    from siliconv.actions.fit_rtl import RtlFit
    from siliconv.api.projects import Project
    from siliconv.hardware.boards import Board
    from siliconv.hls.fit.candidates import Configuration, Fit

BoardOption = Annotated[
    str,
    typer.Option("--board", metavar="BOARD", help="a board by name: see siliconv boards", autocompletion=known_boards),
]
RateOption = Annotated[
    float | None, typer.Option("--fps", min=0, metavar="N", help="images a second that have to be reached")
]
LatencyOption = Annotated[
    float | None, typer.Option("--latency-us", min=0, metavar="N", help="latency in microseconds to stay within")
]
ClockOption = Annotated[
    list[float] | None,
    typer.Option("--clock-ns", min=0.1, metavar="NS", help="clock period to try; may be given several times"),
]
_PLACES = {"auto": "auto", "shift_registers": "LUTs", "luts": "LUTs", "block": "blocks"}
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="write nothing into the project file")]


def fit(
    project: ProjectArgument,
    board: BoardOption,
    fps: RateOption = None,
    latency_us: LatencyOption = None,
    clock_ns: ClockOption = None,
    core: CoreOption = "hls",
    dry_run: DryRunOption = False,
    json_output: JsonOption = False,
) -> int:
    """Search reuse factors, strategies and clock for a board, and write the best into the project file.

    Works on the project's integer network, or before any training on its architecture. Without a rate or a latency the
    fastest that fits is chosen, else the smallest that reaches it. Exits 1 when nothing does, and says what would help.
    """
    if core == "rtl":
        return _fit_rtl(open_project(project), board, fps, latency_us, clock_ns, dry_run, json_output)
    if core != "hls":
        raise ProjectError("FIT-CORE", f"there is no core '{core}'", where="--core", fix="use hls or rtl")
    found = open_project(project).fit(
        board, images_per_second=fps, latency_us=latency_us, clocks_ns=clock_ns or None, write=not dry_run
    )
    if json_output:
        print_json(found.as_json())
    else:
        _show(found, found.fit.board)
    if found.fit.chosen is None:
        raise found.refusal()
    if found.no_firmware:
        raise ProjectError(
            "BOARD-BACKEND",
            found.no_firmware,
            where=f"--board {found.fit.board.name}",
            fix="nothing was written; choose a board with an AMD device (siliconv boards), or for an "
            "ECP5 the other core: --core rtl",
        )
    if found.written:
        console.print(f"Wrote {', '.join(found.written)} into {found.path}", markup=False)
    elif not dry_run:
        console.print(f"{found.path} has these settings already", markup=False)
    return 0


def _fit_rtl(
    project: Project,
    board: str,
    fps: float | None,
    latency_us: float | None,
    clock_ns: list[float] | None,
    dry_run: bool,
    json_output: bool,
) -> int:
    found = project.fit_rtl(
        board,
        images_per_second=fps,
        latency_us=latency_us,
        clock_ns=clock_ns[0] if clock_ns else None,
        write=not dry_run,
    )
    if json_output:
        print_json(found.as_json())
    else:
        show(rtl_table(found))
        for one in found.notes:
            console.print(note(one), markup=False)
    if found.chosen is None:
        raise found.refusal()
    if found.written and not json_output:
        console.print(f"Wrote {', '.join(found.written)} into {found.path}", markup=False)
    return 0


def rtl_table(found: RtlFit) -> Table:
    """Make the table of the chosen design of the SystemVerilog core and those beside it."""
    shown = Table(
        "",
        *("images/s", "latency µs", "interval", "products", "LUT", "FF", "DSP", "block memories"),
        title=f"{found.board.title}, SystemVerilog: {found.target}",
    )
    for one in found.best:
        cells = (f"{count:,.0f} {one.shares[name]:.0%}" for name, count in one.cells.by_resource().items())
        verdict = "chosen" if one is found.chosen else "fits" if one.fits else "too large"
        speed = (f"{one.images_per_second:,.0f}", f"{one.latency_us:,.1f}", f"{one.interval:,}")
        shown.add_row(verdict, *speed, f"{one.design.products:,}", *cells)
    return shown


def _show(found: ProjectFit, board: Board) -> None:
    if found.fit.best:
        show(table(found.fit, board))
    for one in found.notes:
        console.print(note(one), markup=False)


def table(found: Fit, board: Board) -> Table:
    """Make the table of the best configurations; resources are those of logic synthesis, and their share."""
    shown = Table(
        "",
        *("images/s", "latency µs", "clock ns", "LUT", "FF", "DSP", "BRAM18", "FIFOs, weights in", "reuse factors"),
        title=f"{board.title}: {found.target}",
    )
    risky = [found.at_risk] if found.at_risk is not None and found.at_risk not in found.best else []
    for one in [*found.best[:1], *risky, *found.best[1:]]:
        cells = (
            f"{getattr(one.estimate, name).value:,.0f} {one.shares[name]:.0%}"
            for name in ("lut", "ff", "dsp", "bram18")
        )
        speed = (f"{one.images_per_second:,.0f}", f"{one.latency_us:,.1f}", f"{one.clock_ns:g}")
        place = f"{_PLACES[one.fifo_memory]}, {_PLACES[one.weight_memory]}"
        place += ", outside" if one.bram_factor is not None else ""
        shown.add_row(_verdict(one, found), *speed, *cells, place, _factors(one))
    return shown


def _verdict(one: Configuration, found: Fit) -> str:
    if one is found.chosen:
        return "chosen"
    if not one.fits:
        return "too large"
    if not one.meets:
        return "too slow"
    return "fits" if one.surely else f"at risk, {one.chance:.0%}"


def _factors(one: Configuration) -> str:
    """Write the reuse factors in the order of the layers, L behind one of the Latency strategy, xN for N pixels."""
    parts = []
    for name, factor in one.reuse_factors.items():
        pixels = one.parallelization_factors.get(name, 1)
        letter = "" if str(one.strategies[name]) == "resource" else str(one.strategies[name])[0].upper()
        parts.append(f"{factor}{letter}" + (f"x{pixels}" if pixels > 1 else ""))
    return " ".join(parts)
