"""The command line: reads arguments, calls the flow, shows results. Nothing is computed here."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from siliconv.commands.build_command import build
from siliconv.commands.calibrate_command import calibrate
from siliconv.commands.check_command import check
from siliconv.commands.compare_command import compare, history, write_schema
from siliconv.commands.doctor_command import doctor
from siliconv.commands.explain_command import explain
from siliconv.commands.fit_command import fit
from siliconv.commands.help_page import GREETING, GroupedCommands
from siliconv.commands.options import (
    DataOption,
    ForceOption,
    JsonOption,
    ProjectArgument,
    QuietOption,
    VerboseOption,
    known_boards,
    known_presets,
    open_project,
    print_json,
    refuse_empty,
)
from siliconv.commands.outcome import outcome_of
from siliconv.commands.running import LAST, run_stages
from siliconv.commands.search_command import search
from siliconv.commands.terminal import console as _console
from siliconv.commands.terminal import legible
from siliconv.commands.terminal import show as _show
from siliconv.commands.verify_command import verify
from siliconv.errors import ProjectError, WorkSaysNoError

if TYPE_CHECKING:
    from siliconv.actions.predict import Prediction

app = typer.Typer(
    name="siliconv",
    cls=GroupedCommands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command()(fit)
app.command()(search)
app.command()(build)
app.command()(calibrate)
app.command()(compare)
app.command()(history)
app.command(name="schema")(write_schema)


@app.callback()
def start(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="show the version and end", is_eager=True)] = False,
) -> None:
    """From a Keras CNN to FPGA firmware that is proven to compute the same numbers."""
    if version:
        from siliconv import __version__

        sys.stdout.write(f"siliconv {__version__}\n")
        raise typer.Exit
    if context.invoked_subcommand is None:
        sys.stdout.write(GREETING)


def run_command_line(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 the work says no, 2 wrong input, 3 a tool is missing."""
    given = sys.argv[1:] if arguments is None else arguments

    def work() -> Any:
        refuse_empty(given)
        return app(args=arguments, prog_name="siliconv", standalone_mode=False)

    return outcome_of(work, given)


UNTIL_HELP = (
    "the last stage to run: data, train, quantize, lower, convert, csim, estimate, report; or of the SystemVerilog "
    "core rtl, rtlsim, synth, place, bitstream"
)


@app.command()
def run(
    project: ProjectArgument,
    data: DataOption = None,
    until: Annotated[str, typer.Option("--until", metavar="STAGE", help=UNTIL_HELP)] = LAST,
    force: ForceOption = False,
    json_output: JsonOption = False,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
    paranoid: Annotated[
        bool, typer.Option("--paranoid", help="hash large files of earlier stages too, not only small ones")
    ] = False,
    changed: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="FIELD=VALUE",
            help="a variant, built beside the others; may be given several times. Values with commas between them "
            "(quantize.weights=3,4,5) run a variant each and compare them. A value that has commas itself stands in "
            "brackets or quotes: [3, 4]",
        ),
    ] = None,
) -> int:
    """Run all stages: images, training, quantization, firmware, C simulation, report.

    Stages whose inputs did not change are skipped. A run that was stopped goes on where it was. With --set
    quantize.weights=4 a variant is run beside the others, in runs/; the project file stays as it is. With --set
    quantize.weights=3,4,5 one is run for each value, and their comparison is shown.
    """
    return run_stages(project, data, until, force, json_output, verbose, quiet, paranoid, changed or ())


def _stage_command(stage: str, help_text: str) -> None:
    def command(
        project: ProjectArgument,
        data: DataOption = None,
        force: ForceOption = False,
        json_output: JsonOption = False,
        verbose: VerboseOption = False,
        quiet: QuietOption = False,
    ) -> int:
        return run_stages(project, data, stage, force, json_output, verbose, quiet)

    app.command(name=stage, help=help_text)(command)


_stage_command("train", "Train the float network (run --until train).")
_stage_command("quantize", "Fine-tune the quantized network (run --until quantize).")
_stage_command("convert", "Write the firmware project (run --until convert).")
_stage_command("csim", "Simulate the firmware and compare every bit; exits 1 when one differs (run --until csim).")
_stage_command("report", "Write the report (run --until report).")


@app.command()
def estimate(
    project: Annotated[str | None, typer.Argument(metavar="[PROJECT]", help="a project (run --until estimate)")] = None,
    records: Annotated[
        Path | None,
        typer.Option(
            "--records", metavar="FILE", help="predict the synthesis records of a file, beside what was reported"
        ),
    ] = None,
    data: DataOption = None,
    force: ForceOption = False,
    json_output: JsonOption = False,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
) -> int:
    """Estimate latency and resources of a project, or of published synthesis records, without any vendor tool."""
    if (project is None) == (records is None):
        raise ProjectError(
            "ESTIMATE-WHAT",
            "neither or both of PROJECT and --records",
            where="siliconv estimate",
            fix="give one of them",
        )
    if project is not None:
        return run_stages(project, data, "estimate", force, json_output, verbose, quiet)
    assert records is not None  # one of the two was given
    from siliconv import estimate_records

    found = estimate_records(records)
    if found.calibration:
        _console.print(found.calibration, markup=False)
    if json_output:
        print_json(found.as_json())
    else:
        sys.stdout.write(f"{found!r}\n")
    return 0


@app.command()
def boards(json_output: JsonOption = False) -> None:
    """List the boards that siliconv knows, with what their devices hold."""
    from siliconv import boards as known_boards

    if json_output:
        print_json([asdict(board) for board in known_boards()])
        return
    table = Table("board", "device", "LUT", "FF", "DSP", "BRAM18", "URAM", "clock ns", "hls4ml back end")
    for board in known_boards():
        counts = (f"{count:,}" for count in (board.lut, board.ff, board.dsp, board.bram18, board.uram))
        table.add_row(board.name, board.part, *counts, f"{board.clock_ns:g}", board.backend or "none")
    _show(table)


@app.command()
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="name of the project, or a path")],
    preset: Annotated[
        str | None,
        typer.Option(
            "--preset",
            metavar="NAME",
            help="the network to start from, such as lecture, svhn or jets (docs/models.md); digits by default",
            autocompletion=known_presets,
        ),
    ] = None,
    model: Annotated[
        Path | None, typer.Option("--from", metavar="MODEL", help="a Keras or QKeras file, in place of a preset")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            metavar="PATH",
            help="a folder of photos, a folder a class, or a file of arrays or a table: the network is made for it",
        ),
    ] = None,
    board: Annotated[
        str | None,
        typer.Option(
            "--board",
            metavar="BOARD",
            help="the board to write firmware for (siliconv boards); a ZCU104's device by default",
            autocompletion=known_boards,
        ),
    ] = None,
    task: Annotated[
        str,
        typer.Option(
            "--task",
            metavar="TASK",
            help="what the network is asked, where the data do not say it: classification, multilabel, regression, "
            "autoencoder or none",
        ),
    ] = "auto",
) -> None:
    """Make a project: siliconv new mine --data PHOTOS --board pynq-z2, and it runs as it is.

    With a preset alone, every setting stands in the file with its default, commented out.
    """
    from siliconv import Project

    path = Project.new(name, preset=preset, model=model, data=data, board=board, task=task).file
    _console.print(f"Wrote {path}\nNext: siliconv run {shlex.quote(name)}", markup=False)


@app.command()
def demo(json_output: JsonOption = False, verbose: VerboseOption = False, quiet: QuietOption = False) -> int:
    """Take the handwritten digits from images to firmware and report, a minute or two; no download."""
    from siliconv import Project

    folder = Project.demo().folder
    if not quiet:
        _console.print(f"The project is {folder}", markup=False)
    return run_stages(str(folder), None, "report", False, json_output, verbose, quiet)


@app.command()
def summary(project: ProjectArgument, json_output: JsonOption = False) -> None:
    """Show layers, shapes, parameters, multiplications and, once they are chosen, types."""
    opened = open_project(project)
    rows = opened.summary()
    if (line := opened.chosen_data) is not None:
        _console.print(legible(line))
    if json_output:
        print_json([asdict(row) for row in rows])
        return
    table = Table("layer", "kind", "shape", *(("parameters", "multiplications", "type")), title=opened.name)
    for row in rows:
        shape = " x ".join(map(str, row.shape))
        table.add_row(row.name, row.kind, shape, f"{row.parameters:,}", f"{row.multiplications:,}", row.type or "")
    parameters, products = sum(row.parameters for row in rows), sum(row.multiplications for row in rows)
    table.add_row("total", "", "", f"{parameters:,}", f"{products:,}", "", style="bold")
    _show(table)


@app.command()
def predict(
    project: ProjectArgument,
    images: Annotated[
        list[Path], typer.Argument(metavar="INPUT...", help="image files of any size; numbers as .csv or .npy")
    ],
    json_output: JsonOption = False,
) -> None:
    """Show what the float network, the quantized one and the firmware say of images or numbers, side by side.

    Exits 1 if firmware and integer network differ.
    """
    predictions = open_project(project).predict(images)
    if json_output:
        print_json([asdict(prediction) for prediction in predictions])
        _require_exact(project, predictions)
        return
    table = Table("input", "float", "quantized", "firmware", "firmware = quantized")
    for one in predictions:
        shown = (str(said) for said in (one.float_model, one.quantized, one.firmware))
        table.add_row(one.image, *shown, "every bit" if one.same_bits else "NO")
    _show(table)
    _require_exact(project, predictions)


def _require_exact(project: str, predictions: Sequence[Prediction]) -> None:
    wrong = [one.image for one in predictions if not one.exact]
    if wrong:
        raise WorkSaysNoError(
            "PREDICT-DIFFERS",
            f"firmware and integer network differ on {len(wrong)} of {len(predictions)} images, first: {wrong[0]}",
            where=f"project '{project}'",
            fix=f"do not deploy this firmware; siliconv explain {project} says where and why",
        )


app.command()(check)
app.command()(explain)
app.command()(verify)


@app.command()
def export(
    project: ProjectArgument,
    qonnx: Annotated[bool, typer.Option("--qonnx", help="as QONNX, for FINN, hls4ml and Netron")] = False,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="where to write; into build/ else")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace a file that siliconv did not write")] = False,
    json_output: JsonOption = False,
) -> None:
    """Write the integer network in another format: siliconv export PROJECT --qonnx [FILE]."""
    if not qonnx:
        raise ProjectError("EXPORT-FORMAT", "no format is named", where="siliconv export", fix="add --qonnx")
    done = open_project(project).export_qonnx(file, overwrite=overwrite)
    if json_output:
        print_json(asdict(done))
        return
    checked = (
        f"executed by qonnx {done.qonnx}: {done.values} values, every bit equal"
        if done.qonnx
        else "not executed, because the qonnx package is not installed: pip install 'siliconv[qonnx]'"
    )
    _console.print(f"Wrote {done.file}, ending with '{done.output}'; {checked}", markup=False, soft_wrap=True)


app.command()(doctor)
