"""`siliconv search`: few bits where they suffice, accuracy against hardware."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from siliconv.commands.fit_command import CoreOption, LatencyOption, RateOption
from siliconv.commands.options import JsonOption, ProjectArgument, known_boards, open_project, print_json
from siliconv.commands.terminal import console, legible, show
from siliconv.errors import ProjectError, WorkSaysNoError

if TYPE_CHECKING:
    from siliconv.api.projects import Project
    from siliconv.flow.flow import StageResult
    from siliconv.search.run_record import RunRecord
    from siliconv.search.search_study import SearchOutcome

BoardOption = Annotated[
    str | None,
    typer.Option("--board", metavar="BOARD", help="a board by name: see siliconv boards", autocompletion=known_boards),
]
DropOption = Annotated[
    float,
    typer.Option("--accuracy-drop", min=0.0, max=100.0, metavar="POINTS", help="percent points that accuracy may lose"),
]
TargetOption = Annotated[
    int | None,
    typer.Option(
        "--target", min=1, metavar="N", help="span bit operations to be driven to; else a ramp, a whole front"
    ),
]
ByOption = Annotated[
    str,
    typer.Option(
        "--by", metavar="gradient|trial", help="one training that learns the bits, or trials of widths of all tensors"
    ),
]
EpochsOption = Annotated[
    int | None,
    typer.Option(
        "--epochs",
        min=1,
        max=100_000,
        metavar="N",
        help="of the training that learns the bits, or of the longest fine-tuning by trial",
    ),
]
TrialsOption = Annotated[
    int | None,
    typer.Option(
        "--trials",
        min=1,
        max=10_000,
        metavar="N",
        help="candidates that are fine-tuned and judged: 6, or 24 by trial",
    ),
]
WorkersOption = Annotated[
    int, typer.Option("--workers", min=-1, max=1024, metavar="N", help="trials side by side; -1 for one a core")
]
DaskOption = Annotated[
    str | None,
    typer.Option("--dask", metavar="ADDRESS", help="have the workers of a Dask cluster do the trials"),
]
HoursOption = Annotated[
    float | None, typer.Option("--hours", min=0.0, metavar="H", help="after which no further trial begins")
]
SeedOption = Annotated[int, typer.Option("--seed", min=0, max=2**31 - 1, metavar="N", help="of all that is random")]
ApplyOption = Annotated[
    str | None, typer.Option("--apply", metavar="ID", help="write the recipe of a trial into the project file")
]


def search(
    project: ProjectArgument,
    board: BoardOption = None,
    core: CoreOption = "hls",
    by: ByOption = "gradient",
    accuracy_drop: DropOption = 0.5,
    latency_us: LatencyOption = None,
    fps: RateOption = None,
    target: TargetOption = None,
    epochs: EpochsOption = None,
    trials: TrialsOption = None,
    hours: HoursOption = None,
    workers: WorkersOption = 1,
    dask: DaskOption = None,
    seed: SeedOption = 1,
    apply: ApplyOption = None,
    json_output: JsonOption = False,
) -> int:
    """Search few bits that suffice: of weights, activations and the input, by layer.

    Bits are trained with a cost in the loss, or, with --by trial, proposed and tried. Candidates are fine-tuned, made
    integer networks and judged by the estimate of the core. The cheapest that loses no more than --accuracy-drop on the
    validation images is chosen; --apply writes a trial into the project file. A search that was stopped goes on.
    """
    opened = open_project(project)
    if apply is not None:
        return _apply(opened, apply, project, json_output)
    if board is None:
        raise ProjectError(
            "SEARCH-BOARD",
            "no board is named, and candidates are judged on one",
            where="siliconv search",
            fix="add --board BOARD (see siliconv boards), or --apply ID to take a trial",
        )
    found = opened.search(
        board,
        core=core,  # type: ignore[arg-type]  # another is refused
        images_per_second=fps,
        latency_us=latency_us,
        accuracy_drop=accuracy_drop,
        target=target,
        epochs=epochs,
        trials=trials,
        hours=hours,
        seed=seed,
        by=by,  # type: ignore[arg-type]  # another is refused
        workers=workers,
        dask=dask,
        command="siliconv " + shlex.join(sys.argv[1:]),
        on_event=_say,
    )
    if json_output:
        print_json(found.as_json())
    else:
        show(table(found))
    if found.chosen is None:
        raise WorkSaysNoError(
            "SEARCH-NONE",
            f"none of {len(found.records)} trials fits {found.settings.wanted.board.title} as it was asked for",
            where=str(opened.folder / "runs" / found.study),
            fix="ask for less, take a larger board, or a smaller network",
        )
    if not json_output:
        _tell_choice(found, found.chosen, project)
    return 0


def table(found: SearchOutcome) -> Table:
    """Make the table of all trials: those of the front first, the cheapest on top."""
    wanted = found.settings.wanted
    shown = Table(
        "",
        *(
            "trial",
            "validation",
            "test",
            "span bit operations",
            "LUT",
            "FF",
            "DSP",
            "images/s",
            "bits: weights/activations",
        ),
        title=f"{wanted.board.title}, core {wanted.core}; float: {found.reference.value:.4f} on validation",
    )
    front = {one.id for one in found.front}
    for one in sorted(found.records, key=lambda one: (one.id not in front, one.costs[found.cost])):
        verdict = "chosen" if one is found.chosen else "front" if one.id in front else ""
        costs = (f"{one.costs[name]:,.0f}" for name in ("span_operations", "lut", "ff", "dsp", "images_per_second"))
        shown.add_row(
            verdict if one.feasible else "no fit", one.id, _score(one), f"{one.test.value:.4f}", *costs, bits(one)
        )
    return shown


def bits(record: RunRecord) -> str:
    """Write the bits of a trial in the order of the layers, the input's first."""
    data = record.changes.get("data.input", {})
    given = record.changes.get("data.pixel_bits", data.get("bits") if isinstance(data, dict) else None)
    layers = record.changes.get("quantize.layers", {})
    said = [f"{one.get('weights', '')}/{one.get('activations', '')}".rstrip("/") for one in layers.values()]
    return " ".join([*([f"input {given}"] if given is not None else []), *said])


def _score(record: RunRecord) -> str:
    found = record.judged
    interval = f" ({found.low:.3f} to {found.high:.3f})" if found.low is not None else ""
    return f"{found.value:.4f}{interval}"


def _tell_choice(found: SearchOutcome, chosen: RunRecord, project: str) -> None:
    if chosen.judged.goodness < found.least:
        console.print(
            f"None is within {found.settings.accuracy_drop:g} points of the float network on the validation images; "
            f"{chosen.id} comes nearest",
            markup=False,
        )
    console.print(f"To take it: siliconv search {shlex.quote(project)} --apply {chosen.id}", markup=False)


def _apply(opened: Project, run: str, project: str, json_output: bool) -> int:
    done = opened.apply(run)
    if json_output:
        print_json({"id": done.record.id, "file": str(done.path), "fields": list(done.fields)})
        return 0
    beside = f", and {done.weights.name} beside it" if done.weights is not None else ""
    console.print(f"Wrote {', '.join(done.fields)} into {done.path}{beside}", markup=False, soft_wrap=True)
    console.print(f"Next: siliconv run {shlex.quote(project)}", markup=False)
    return 0


def _say(event: StageResult | str) -> None:
    console.print(legible(event if isinstance(event, str) else f"{event.name:<9} {event.record.summary}"))
