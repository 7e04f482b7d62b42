"""Messages that no other test shows: each is raised once, by what its page says raises it."""

from __future__ import annotations

import errno
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from network_builder import NetworkBuilder

from siliconv import Project, compare, errors
from siliconv.actions import build as build_action
from siliconv.actions import own_reports
from siliconv.actions.explain import explain_project
from siliconv.actions.fit_project import fit_project
from siliconv.actions.search_project import search_project
from siliconv.api.finished_run import Run
from siliconv.certificate.board_claim import board_claim
from siliconv.flow.artefacts import read_json
from siliconv.hardware.boards import board
from siliconv.hls.conversion.layer_list import describe
from siliconv.hls.conversion.reuse_factors import legal_reuse_factors
from siliconv.hls.conversion.weight_headers import WeightHeader, order_of
from siliconv.hls.csim import compilation, csim, firmware_causes
from siliconv.hls.design.hardware_layers import hardware_layers
from siliconv.hls.vendor.synthesis_results import gather
from siliconv.hls.vendor.vendor_failures import recognize
from siliconv.hls.vendor.vendor_run import Steps
from siliconv.models.answers.right_answers import RightAnswers
from siliconv.models.data import sources
from siliconv.network import graph as ir
from siliconv.network.fixed_point import FixedPoint
from siliconv.network.intervals import prove
from siliconv.network.qonnx.qonnx_export import qonnx_model
from siliconv.progress import Silent
from siliconv.project.demo_project import demo_project
from siliconv.project.project import load_project
from siliconv.project.project_template import write_project
from siliconv.quantize.lowering.lowering import _lower_convolution
from siliconv.quantize.lowering.lowering_graph import LoweringGraph
from siliconv.quantize.lowering.lowering_shapes import _lower_concatenate, _lower_pairs
from siliconv.quantize.training.calibration import activation_samples
from siliconv.rtl.simulation import verilator
from siliconv.rtl.synthesis import open_tools
from siliconv.search.core_cost import Wanted, core_cost
from siliconv.search.search_study import _check as check_search

DIGITS = "model: {preset: digits}\n"


def project(folder: Path, text: str = DIGITS) -> Path:
    (folder / "project.yml").write_text(text)
    return folder


def small() -> ir.Network:
    builder = NetworkBuilder((4,))
    builder.dense(2)
    return builder.network()


def layer(name: str = "dense", **settings: Any) -> SimpleNamespace:
    return SimpleNamespace(name=name, **settings)


def refuse(*arguments: Any, **keywords: Any) -> None:
    raise OSError(errno.EACCES, "Permission denied", "file")


def board_result(folder: Path, patch: pytest.MonkeyPatch) -> None:
    (folder / "board.json").write_text("no JSON")
    patch.setattr("siliconv.certificate.board_claim._FOLDERS", (".",))
    board_claim(folder)


def damaged_build(folder: Path, patch: pytest.MonkeyPatch) -> None:
    (folder / "estimate.json").write_text("{")
    read_json(folder / "estimate.json")


def no_axi_top(folder: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(build_action, "find_tool", lambda *a, **k: SimpleNamespace(name="stub", found="here"))
    patch.setattr(build_action, "run_flow", lambda *a, **k: None)
    patch.setattr(build_action, "read_manifest", lambda path: SimpleNamespace(top="net"))
    patch.setattr(build_action, "prepare", lambda *a: None)
    build_action.build_project(project(folder), Steps(csynth=True), progress=Silent())


def calibration_write(folder: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(own_reports, "write_atomically", refuse)
    own_reports.add_reports([], folder / "calibration.json")


def csim_type(folder: Path, patch: pytest.MonkeyPatch) -> None:
    csim._as_codes(np.array([[0.3, 0.1]]), small(), small().output.name)


def class_name(folder: Path, patch: pytest.MonkeyPatch) -> None:
    answers = RightAnswers("classification", np.array([0, 1]), ("bell\a", "dog"))
    sources._check_classes(answers, "photos")


def explain(folder: Path, between: tuple[str, str]) -> None:
    explain_project("mine", load_project(project(folder)), folder / "build", between, progress=Silent())


def three_joined(folder: Path, patch: pytest.MonkeyPatch) -> None:
    one = small().output
    node = ir.Concatenate("join", ("a", "b", "c"), (6,), one.type)
    describe(node, (one, one, one), {})


def other_weights(folder: Path, patch: pytest.MonkeyPatch) -> None:
    network = small()
    numbers = np.zeros(network.output.kernel.codes.size)
    order_of(WeightHeader(Path("w2.h"), network.output.name, "weight", numbers.size, numbers), network)


def joined_along_the_batch(folder: Path, patch: pytest.MonkeyPatch) -> None:
    _lower_concatenate(layer("join", axis=-3), (small().output,) * 2, LoweringGraph())


def shapes_of_a_merge(folder: Path, patch: pytest.MonkeyPatch) -> None:
    wide = NetworkBuilder((4,))
    wide.dense(3)
    _lower_pairs("multiply")(layer("product"), (small().output, wide.network().output), LoweringGraph())


def name_of_two(folder: Path, patch: pytest.MonkeyPatch) -> None:
    graph, entry = LoweringGraph(), ir.Input("image", (), (4,), FixedPoint(False, 8, 0))
    graph.add(entry)
    graph.add(entry)


def unconnected(folder: Path, patch: pytest.MonkeyPatch) -> None:
    ir.Network("net", tuple(reversed(small().nodes)))


def average_in_qonnx(folder: Path, patch: pytest.MonkeyPatch) -> None:
    builder = NetworkBuilder((6, 6, 2))
    builder.average_pool(3, 3)
    prove(builder.network())
    qonnx_model(builder.network())


def unknown_activation(folder: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setattr("siliconv.models.architectures.own_keras_layers.function_of", lambda layer: "sinc")
    activation_samples(None, [layer("wave")], np.zeros((1, 4)))


def failed_build(folder: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(verilator, "verilator", lambda: SimpleNamespace(program="verilator", make_options="", environment={}))
    (folder / "Makefile").write_text("build:\n\t@echo '%Error: bench.sv:1: syntax error' >&2; exit 1\n")
    verilator.build(folder)


def failed_run(folder: Path, patch: pytest.MonkeyPatch) -> None:
    (folder / "obj").mkdir()
    program = folder / "obj" / "Vbench"
    program.write_text("#!/bin/sh\necho no vectors >&2\nexit 77\n")
    program.chmod(0o755)
    verilator.run(folder, folder, 1)


def rtl_not_exact(folder: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Run, "_reached", lambda self, stage: stage == "rtlsim")
    patch.setattr("siliconv.api.finished_run.read_json", lambda path: {})
    found = SimpleNamespace(exact=False, why_not="layer conv_1 differs")
    patch.setattr("siliconv.certificate.certificate.from_json", lambda content: found)
    Run("mine", folder, ()).require_exact()


def no_open_tool(folder: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(open_tools, "find_spec", lambda name: None)
    open_tools.check_tool("yosys")


def search_core(folder: Path, patch: pytest.MonkeyPatch) -> None:
    settings = SimpleNamespace(wanted=SimpleNamespace(core="vhdl"))
    search_project(project(folder), settings, command="", progress=Silent(), on_event=print)  # type: ignore[arg-type]


def search_command(folder: Path, patch: pytest.MonkeyPatch, *arguments: str) -> None:
    from siliconv.commands.cli import app

    app(["search", str(project(folder)), *arguments], standalone_mode=False)


def nothing_found(folder: Path, patch: pytest.MonkeyPatch) -> None:
    title = SimpleNamespace(board=SimpleNamespace(title="TUL PYNQ-Z2"))
    found = SimpleNamespace(chosen=None, records=(1, 2), settings=SimpleNamespace(wanted=title), study="one")
    found.as_json = dict
    patch.setattr(Project, "search", lambda self, *a, **k: found)
    search_command(folder, patch, "--board", "pynq-z2", "--json")


def no_folder(folder: Path, patch: pytest.MonkeyPatch) -> None:
    (folder / "file").write_text("")
    demo_project(folder / "file")


def nothing_to_search(folder: Path, patch: pytest.MonkeyPatch) -> None:
    check_search(load_project(project(folder, DIGITS + "quantize: {pruning: {sparsity: 0.5}}\n")))


def no_tensorflow(folder: Path, patch: pytest.MonkeyPatch) -> None:
    program = (
        "import sys; sys.modules['tensorflow'] = None; sys.modules['tf_keras'] = None\n"
        "from siliconv.errors import ToolError\nfrom siliconv import legacy_keras\n"
        "try:\n    legacy_keras.load()\nexcept ToolError as error:\n    print(error.code, error.where)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    code, _, where = done.stdout.strip().partition(" ")
    raise errors.ToolError(code, "as a process of its own said", where=where, fix=done.stderr)


def weights_outside(folder: Path, patch: pytest.MonkeyPatch) -> None:
    opened = load_project(project(folder, DIGITS + "hls: {bram_factor: 100}\n"))
    core_cost(small(), opened, Wanted(board("pynq-z2"), "hls"))


RAISED: dict[str, Callable[[Path, pytest.MonkeyPatch], Any]] = {
    "BOARD-RESULT": board_result,
    "BUILD-DAMAGED": damaged_build,
    "BUILD-TOP": no_axi_top,
    "CALIBRATION-WRITE": calibration_write,
    "COMPARE-RUNS": lambda folder, patch: compare("mine"),
    "CSIM-FOLDER": lambda folder, patch: compilation._check_folder("build/my work"),
    "CSIM-TYPE": csim_type,
    "DATA-NAME": class_name,
    "ESTIMATE-NODE": lambda folder, patch: hardware_layers(layer("sine"), (), None),
    "EXPLAIN-BETWEEN": lambda folder, patch: explain(folder, ("float", "float")),
    "EXPLAIN-BUILD": lambda folder, patch: explain(folder, ("quantized", "firmware")),
    "FIRMWARE-CONCATENATE": three_joined,
    "FIRMWARE-WEIGHTS": other_weights,
    "FIT-BRAM": weights_outside,
    "FIT-NUMBER": lambda folder, patch: fit_project(project(folder), board("pynq-z2"), images_per_second=float("nan")),
    "LOAD-BUILD": lambda folder, patch: Project(project(folder)).firmware,
    "LOWER-CONCATENATE": joined_along_the_batch,
    "LOWER-CONV": lambda folder, patch: _lower_convolution(layer(dilation_rate=(2, 2), groups=1), (), LoweringGraph()),
    "LOWER-NAME": name_of_two,
    "LOWER-SHAPES": shapes_of_a_merge,
    "NETWORK-GRAPH": unconnected,
    "PREDICT-BUILD": lambda folder, patch: Project(project(folder)).predict([folder / "one.png"]),
    "PROJECT-NAME": lambda folder, patch: write_project(".", base=folder),
    "PROJECT-WRITE": no_folder,
    "QONNX-AVERAGE": average_in_qonnx,
    "QUANTIZE-ACTIVATION": unknown_activation,
    "REPORT-NONE": lambda folder, patch: gather(folder, SimpleNamespace(project="net_prj", function="net")),  # type: ignore[arg-type]
    "REUSE-SHAPE": lambda folder, patch: legal_reuse_factors(
        0, 4, strategy="resource", kind="dense", io_type="io_stream"
    ),
    "RTL-BUILD": failed_build,
    "RTL-DIFFERS": rtl_not_exact,
    "RTL-NO-TOOL": no_open_tool,
    "RTL-RUN": failed_run,
    "SEARCH-BOARD": search_command,
    "SEARCH-CORE": search_core,
    "SEARCH-NONE": nothing_found,
    "SEARCH-PROJECT": nothing_to_search,
    "TF-MISSING": no_tensorflow,
    "TOOL-MAKE": lambda folder, patch: (
        patch.setattr("shutil.which", {"g++": "g++"}.get),
        compilation.compiler_version(),
    ),
}


@pytest.mark.parametrize("code", RAISED)
def test_a_rare_message_is_raised(code, tmp_path, monkeypatch):
    with pytest.raises(errors.SiliconvError) as raised:
        RAISED[code](tmp_path, monkeypatch)
    assert raised.value.code == code
    assert all((raised.value.what, raised.value.where))


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "SYSTEM-DISK"),
        (errno.EIO, "SYSTEM-DISK-ERROR"),
        (errno.ELOOP, "SYSTEM-LINK"),
        (errno.ENOMEM, "SYSTEM-MEMORY"),
        (errno.ENOENT, "SYSTEM-MISSING"),
        (errno.ENAMETOOLONG, "SYSTEM-NAME"),
        (errno.EEXIST, "SYSTEM-OCCUPIED"),
        (errno.EMFILE, "SYSTEM-OPEN-FILES"),
        (errno.EACCES, "SYSTEM-PERMISSION"),
        (errno.EDOM, "SYSTEM"),
    ],
)
def test_what_the_system_refuses_has_a_code(number, code):
    found = errors.of_system(OSError(number, "said by the system", "a file"), where="somewhere")
    assert (found.code, found.what, found.where) == (code, "said by the system", "a file")
    assert found.fix
    assert errors.of_system(MemoryError(), where="training").code == "SYSTEM-MEMORY"


def test_a_design_that_is_too_large_is_recognized_in_a_log():
    found = recognize(["ERROR: [DRC UTLZ-1] Resource utilization: LUT as Logic over-utilized"], 1)
    assert found is not None
    assert found.code == "VENDOR-FULL"


def test_weights_of_another_type_are_a_cause():
    kind, wider = FixedPoint(True, 4, 1), FixedPoint(True, 6, 1)
    stated = SimpleNamespace(stated=kind, expected=wider, is_enough=False, lost_bits=(0, 2), role="weight")
    place = SimpleNamespace(trace=SimpleNamespace(terms=()), found=0.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(firmware_causes, "_computed_again", lambda types, place: None)
        patch.setattr(firmware_causes, "explain_type", lambda one: "2 bits too few")
        (cause,) = firmware_causes._accumulation({"weight": stated}, place)  # type: ignore[dict-item,arg-type]
    assert (cause.code, cause.execution) == ("WEIGHT-TYPE", "firmware")
    assert "2 bits too few" in cause.what
