"""The command line: reads arguments, calls the flow, shows results. Nothing is computed here."""

from __future__ import annotations

import json
import logging
import sys
import tempfile
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from siliconv.commands.build_command import build
from siliconv.commands.calibrate_command import calibrate
from siliconv.commands.check_command import check
from siliconv.commands.explain_command import explain
from siliconv.commands.fit_command import fit
from siliconv.commands.options import DataOption, ForceOption, JsonOption, ProjectArgument, VerboseOption, print_json
from siliconv.commands.terminal import console as _console
from siliconv.commands.terminal import show as _show
from siliconv.commands.verify_command import verify
from siliconv.errors import ProjectError, SiliconvError, WorkSaysNoError

app = typer.Typer(
    name="siliconv",
    help="From a Keras CNN to FPGA firmware that is proven to compute the same numbers.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command()(fit)
app.command()(build)
app.command()(calibrate)

INTERRUPTED, INTERNAL = 130, 70


def run_command_line(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 the work says no, 2 wrong input, 3 a tool is missing."""
    try:
        result = app(args=arguments, prog_name="siliconv", standalone_mode=False)
    except typer.TyperException as error:
        _console.print(f"Error: {error.format_message()}\n  fix:   see siliconv --help", markup=False, soft_wrap=True)
        return error.exit_code
    except typer.Exit as error:
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        _console.print("Stopped. What was finished is kept; the same command goes on from there.")
        return INTERRUPTED
    except SiliconvError as error:
        _console.print(f"Error {error}", markup=False, soft_wrap=True)
        return error.exit_code
    except Exception as error:  # noqa: BLE001  (the last resort: whatever it is, the user gets one message)
        with tempfile.NamedTemporaryFile("w", prefix="siliconv-crash-", suffix=".txt", delete=False) as file:
            traceback.print_exc(file=file)
        _console.print(
            f"Internal error: {type(error).__name__}: {error}\n  This is a defect of siliconv. "
            f"Please report it with {file.name}",
            markup=False,
            soft_wrap=True,
        )
        return INTERNAL
    return result if isinstance(result, int) else 0


@app.command()
def run(
    project: ProjectArgument,
    data: DataOption = None,
    until: Annotated[str, typer.Option("--until", metavar="STAGE", help="the last stage to run")] = "report",
    force: ForceOption = False,
    json_output: JsonOption = False,
    verbose: VerboseOption = False,
) -> int:
    """Run all stages: images, training, quantization, firmware, C simulation, report.

    Stages whose inputs did not change are skipped. A run that was stopped goes on where it was.
    """
    return _run(project, data, until, force, json_output, verbose)


def _stage_command(stage: str, help_text: str) -> None:
    def command(
        project: ProjectArgument,
        data: DataOption = None,
        force: ForceOption = False,
        json_output: JsonOption = False,
        verbose: VerboseOption = False,
    ) -> int:
        return _run(project, data, stage, force, json_output, verbose)

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
) -> int:
    """Estimate latency and resources of a project, or of published synthesis records, without any vendor tool."""
    from siliconv.hls.calibration.record_estimates import as_lines, estimate_records
    from siliconv.project.calibration_file import calibrated

    if (project is None) == (records is None):
        raise ProjectError(
            "ESTIMATE-WHAT",
            "neither or both of PROJECT and --records",
            where="siliconv estimate",
            fix="give one of them",
        )
    if project is not None:
        return _run(project, data, "estimate", force, json_output, verbose)
    assert records is not None  # one of the two was given
    coefficients, calibration = calibrated(None)
    found = {**estimate_records(records, coefficients=coefficients), "calibration": calibration}
    if calibration:
        _console.print(calibration, markup=False)
    if json_output:
        print_json(found)
    else:
        sys.stdout.write("\n".join(as_lines(found)) + "\n")
    return 0


@app.command()
def boards(json_output: JsonOption = False) -> None:
    """List the boards that siliconv knows, with what their devices hold."""
    from siliconv.hardware.boards import boards as known_boards

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
    name: Annotated[str, typer.Argument(help="name of the project, or a path")],
    preset: Annotated[str, typer.Option("--preset", help="the network to start from")] = "digits",
) -> None:
    """Make a project with a commented project file."""
    from siliconv.project.project_template import write_project

    path = write_project(name, preset)
    _console.print(f"Wrote {path}\nNext: siliconv run {name}", markup=False)


@app.command()
def summary(project: ProjectArgument, json_output: JsonOption = False) -> None:
    """Show layers, shapes, parameters, multiplications and, once they are chosen, types."""
    from siliconv.actions.summary import summarize
    from siliconv.project.project import find_project, load_project

    folder = find_project(project)
    rows = summarize(load_project(folder), folder / "build")
    if json_output:
        print_json([asdict(row) for row in rows])
        return
    table = Table("layer", "kind", "shape", *(("parameters", "multiplications", "type")), title=folder.name)
    for row in rows:
        shape = " x ".join(map(str, row.shape))
        table.add_row(row.name, row.kind, shape, f"{row.parameters:,}", f"{row.multiplications:,}", row.type or "")
    parameters, products = sum(row.parameters for row in rows), sum(row.multiplications for row in rows)
    table.add_row("total", "", "", f"{parameters:,}", f"{products:,}", "", style="bold")
    _show(table)


@app.command()
def predict(
    project: ProjectArgument,
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="image files of any size")],
    json_output: JsonOption = False,
) -> None:
    """Show what the float network, the quantized one and the firmware say of images, side by side."""
    from siliconv.actions.predict import predict_images
    from siliconv.progress import for_terminal
    from siliconv.project.project import find_project, load_project

    folder = find_project(project)
    predictions = predict_images(folder.name, load_project(folder), folder / "build", images, for_terminal())
    if json_output:
        print_json([asdict(prediction) for prediction in predictions])
        return
    table = Table("image", "float", "quantized", "firmware", "firmware = quantized")
    for one in predictions:
        shown = (f"{said.label} ({said.score:.4f})" for said in (one.float_model, one.quantized, one.firmware))
        table.add_row(one.image, *shown, "every bit" if one.same_bits else "NO")
    _show(table)


app.command()(check)
app.command()(explain)
app.command()(verify)


@app.command()
def export(
    project: ProjectArgument,
    qonnx: Annotated[bool, typer.Option("--qonnx", help="as QONNX, for FINN, hls4ml and Netron")] = False,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="where to write; into build/ else")] = None,
    json_output: JsonOption = False,
) -> None:
    """Write the integer network in another format: siliconv export PROJECT --qonnx [FILE]."""
    from siliconv.actions.export import export_qonnx
    from siliconv.project.project import find_project, load_project

    if not qonnx:
        raise ProjectError("EXPORT-FORMAT", "no format is named", where="siliconv export", fix="add --qonnx")
    folder = find_project(project)
    done = export_qonnx(folder.name, load_project(folder), folder / "build", file)
    if json_output:
        print_json(asdict(done))
        return
    checked = (
        f"executed by qonnx {done.qonnx}: {done.values} values, every bit equal"
        if done.qonnx
        else "not executed, because the qonnx package is not installed"
    )
    _console.print(f"Wrote {done.file}, ending with '{done.output}'; {checked}", markup=False, soft_wrap=True)


@app.command()
def doctor(json_output: JsonOption = False) -> int:
    """Show which tools and libraries are there, and what is missing for which work."""
    from siliconv.checks.doctor import examine

    findings = examine()
    if json_output:
        print_json([asdict(finding) for finding in findings])
    else:
        table = Table("what", "found", "needed for", "what to do")
        for finding in findings:
            table.add_row(finding.name, finding.found or "missing", finding.needed_for, finding.fix or "")
        _show(table)
    return 3 if any(finding.required and not finding.found for finding in findings) else 0


def _run(project: str, data: Path | None, until: str, force: bool, json_output: bool, verbose: bool) -> int:
    from siliconv.flow.flow import StageResult, run_flow
    from siliconv.hls.backends import check_simulated
    from siliconv.hls.csim.csim import compiler_version
    from siliconv.progress import for_terminal
    from siliconv.project.data_choice import apply_data_choice, remember_data_choice
    from siliconv.project.project import find_project, load_project
    from siliconv.stages.stages import STAGE_NAMES, STAGES

    logging.basicConfig(level=logging.DEBUG if verbose else logging.ERROR, stream=sys.stderr)
    if until not in STAGE_NAMES:
        raise ProjectError(
            "STAGE-UNKNOWN", f"no stage is called '{until}'", where="--until", fix="use " + ", ".join(STAGE_NAMES)
        )
    folder = find_project(project)
    build = folder / "build"
    chosen, remark = apply_data_choice(load_project(folder), build, data)
    if STAGE_NAMES.index(until) >= STAGE_NAMES.index("csim"):
        # Told now, not after an hour of training.
        check_simulated(chosen.hls.backend)
        compiler_version()
    if remark:
        _console.print(remark, markup=False)

    def show(result: StageResult) -> None:
        if result.name == "data" and data is not None:
            remember_data_choice(build, data)
        took = f"{result.record.seconds:.1f} s" if result.ran else "unchanged"
        if result.edited:
            took = f"edited since: {', '.join(result.edited)}; kept, --force writes everything again"
        _console.print(f"{result.name:<9} {result.record.summary}  [dim]({took})[/dim]")

    results = run_flow(STAGES, chosen, folder.name, build, for_terminal(), until=until, force=force, on_result=show)
    certificate = _certificate(build) if any(result.name == "csim" for result in results) else None
    if json_output:
        stages = {
            result.name: {
                "ran": result.ran,
                "summary": result.record.summary,
                "seconds": result.record.seconds,
                "peak_mib": result.record.peak_mib,
            }
            for result in results
        }
        print_json({"project": folder.name, "build": str(build), "stages": stages, "certificate": certificate})
    if certificate is not None and not certificate["exact"]:
        raise WorkSaysNoError(
            "CSIM-DIFFERS",
            f"firmware and quantized model differ: {_first_difference(certificate)}",
            where=str(build / "csim.json"),
            fix="do not deploy this firmware; the certificate lists every layer",
        )
    return 0


def _first_difference(certificate: dict[str, Any]) -> str:
    layer = next(layer for layer in certificate["layers"] if layer["firmware_differs"] or layer["quantized_differs"])
    differs = layer["firmware_differs"] or layer["quantized_differs"]
    largest = layer["max_abs_difference"]
    return f"first in layer '{layer['name']}', {differs} of {layer['values']} values, by up to {largest}"


def _certificate(build: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((build / "csim.json").read_text(encoding="utf-8"))
    return content
