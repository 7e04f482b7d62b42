"""Every pre-flight rule fires on the mistake it is for, and says nothing about a sound project."""

from __future__ import annotations

import json
import re
import textwrap
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from siliconv.checks import layer_rules
from siliconv.checks.checks import RULES, examine
from siliconv.checks.machine import Machine
from siliconv.commands.cli import run_command_line
from siliconv.models.data.input_choice import InputChoice
from siliconv.models.data.number_type import NumberType
from siliconv.network import graph as ir
from siliconv.network import network_file
from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding
from siliconv.project.project import load_project

ROOT = Path(__file__).resolve().parents[3]

SOUND = "model: {preset: digits}\nhls: {part: xc7z020clg400-1, clock_ns: 10, max_multipliers: 64}\n"

MACHINE = Machine(
    python=(3, 11),
    versions={"tensorflow": "2.21.0", "tf-keras": "2.21.1", "qkeras": "0.9.0", "hls4ml": "1.3.0", "numpy": "2.0"},
    tools=frozenset({"g++", "make"}),
    cores=4,
    memory=8 << 30,
    disk=50 << 30,
    may_execute=True,
    environment={},
)


@dataclass(frozen=True)
class Case:
    """A project in which one rule fires: its text, what is different about the machine, the images, the build.

    With `arrays` the data are read, which other cases leave out.
    """

    text: str = SOUND
    machine: dict[str, Any] = field(default_factory=dict)
    images: dict[str, Any] | None = None
    network: ir.Network | None = None
    manifest: dict[str, Any] = field(default_factory=dict)
    defines: str = ""
    folder: str = "project"
    words: str = ""
    arrays: dict[str, Any] | None = None


def layers(*described: str, shape="[16, 16, 3]", rest="") -> str:
    listed = "".join(f"    - {{{one}}}\n" for one in described)
    return f"model:\n  input_shape: {shape}\n  layers:\n{listed}data: {{source: npz, path: x.npz}}\n{rest}"


def digits(rest: str) -> str:
    return f"model: {{preset: digits}}\n{rest}"


CONV, DENSE = "kind: conv2d, filters: 4, activation: relu", "kind: dense, units: 10"
RELU = FixedPoint(False, 6, 2, Rounding.RND_CONV, Overflow.SAT)
PIXEL = FixedPoint(False, 8, 0)
ACCUMULATOR = FixedPoint(True, 18, 6)


def counts(train=(100, 100), val=(20, 20), test=(200, 200), **more) -> dict[str, Any]:
    return {
        "format": 2,
        "shape": [16, 16, 3],
        "class_names": [f"class{i}" for i in range(len(train))],
        "counts": {"train": train, "val": val, "test": test},
        "left_out": [],
        "duplicates": 0,
        "duplicate_examples": [],
        "input": InputChoice().as_json(),
        "task": "classification",
        "statistics": None,
        **more,
    }


TWO_CLASSES = layers(CONV, "kind: flatten", "kind: dense, units: 2")


def small_network(*, pixel=PIXEL, accumulator=ACCUMULATOR, table: FixedPoint | None = None, weight=1) -> ir.Network:
    """The network of TWO_CLASSES, perhaps with a table behind it."""
    kernel = ir.Weights(np.full((3, 3, 3, 4), weight), FixedPoint(True, 6, 2))
    bias = ir.Weights(np.zeros(4, np.int64), FixedPoint(True, 8, 2))
    dense = ir.Weights(np.ones((1024, 2), np.int64), FixedPoint(True, 6, 2))
    logits = FixedPoint(True, 20, 12)
    nodes = [
        ir.Input("network_input", (), (16, 16, 3), pixel),
        ir.Conv("conv2d_1", ("network_input",), (16, 16, 4), accumulator, kernel, bias, (1, 1), ((1, 1), (1, 1))),
        ir.Requantize("conv2d_1_relu", ("conv2d_1",), (16, 16, 4), RELU, relu=True),
        ir.Reshape("flatten_1", ("conv2d_1_relu",), (1024,), FixedPoint(False, 6, 2)),
        ir.Dense(
            "dense_1", ("flatten_1",), (2,), logits, dense, ir.Weights(np.zeros(2, np.int64), FixedPoint(True, 8, 2))
        ),
    ]
    if table is not None:
        entries = ir.Weights(np.zeros(1 << table.width, np.int64), FixedPoint(False, 4, 0))
        nodes += [
            ir.Requantize("sigmoid_input", ("dense_1",), (2,), table, relu=False),
            ir.Table("sigmoid", ("sigmoid_input",), (2,), entries.type, entries, "sigmoid"),
        ]
    return ir.Network("project", tuple(nodes))


DEFINES = """
typedef nnet::array<ap_ufixed<8,0>, 3*1> input_t;
typedef ap_fixed<18,6> conv2d_1_accum_t;
typedef nnet::array<ap_fixed<18,6>, 4*1> layer2_t;
typedef ap_fixed<6,2> conv2d_1_weight_t;
typedef nnet::array<ap_ufixed<6,2,AP_RND_CONV,AP_SAT,0>, 4*1> layer3_t;
"""
TOP = """
    nnet::conv_2d_cl<input_t, layer2_t, config2>(network_input, layer2_out, w2, b2); // conv2d_1
    nnet::save_layer_output<layer2_t>(layer2_out, "conv2d_1", 16*16*4);
    nnet::relu<layer2_t, layer3_t, relu_config3>(layer2_out, layer3_out); // conv2d_1_relu
    nnet::save_layer_output<layer3_t>(layer3_out, "conv2d_1_relu", 16*16*4);
"""


def built(text=TWO_CLASSES, **changes) -> Case:
    return Case(**{"text": text, "network": small_network(), "defines": DEFINES, **changes})


CASES: dict[str, Case] = {
    "FIELD-TWICE": Case("model: {preset: digits}\ncsim: {images: 4}\ncsim: {images: 8}\n", words="line 2"),
    "FIELD-ALPHA": Case(digits("quantize: {alpha: auto}\n")),
    "FIELD-INPUT": Case(digits("quantize: {input_bits: 8}\n")),
    "MODEL-CODE": Case("model: {file: 'evil:make'}\n", words="evil:make"),
    "FIELD-HLS4ML": Case(digits("hls: {ReuseFactor: 4}\n"), words="hls.reuse_factors"),
    "LAYER-KIND": Case(layers(CONV, "kind: dropout", "kind: flatten", DENSE)),
    "LAYER-UNACTIVATED": Case(
        layers("kind: conv2d, filters: 4", "kind: max_pool", CONV, "kind: flatten", DENSE), words="conv2d_1"
    ),
    "FIRMWARE-PORTS": Case(
        "model: {preset: waveforms}\ndata: {source: generated, name: waveforms}\nhls: {backend: Quartus}\n",
        words="1 input and 2 outputs",
    ),
    "RTL-PORTS": Case("model: {preset: waveforms}\ndata: {source: generated, name: waveforms}\n", words="2 outputs"),
    "POOL-AVERAGE": Case(layers(CONV, "kind: average_pool, pool: 3", "kind: flatten", DENSE), words="9 elements"),
    "UNROLL-PRODUCTS": Case(
        layers(
            CONV,
            "kind: conv2d, filters: 256, activation: relu",
            "kind: flatten",
            DENSE,
            rest="hls: {strategy: latency}\n",
        ),
        words="655,360",
    ),
    "UNROLL-VECTOR": Case(layers("kind: flatten", DENSE, shape="[64, 64, 3]"), words="12,288 inputs"),
    "PARALLEL-ARRAY": Case(
        layers(
            CONV, CONV, "kind: global_average_pool", DENSE, shape="[64, 64, 3]", rest="hls: {io_type: io_parallel}\n"
        )
    ),
    "PARALLEL-SIZE": Case(
        layers(
            CONV,
            "kind: flatten",
            "kind: dense, units: 64, activation: relu",
            DENSE,
            shape="[8, 8, 3]",
            rest="hls: {io_type: io_parallel}\n",
        )
    ),
    "OUTPUT-SHAPE": Case(layers(CONV), images=counts(), words="16x16x4"),
    "TASK-NONE": Case(layers(CONV), images=counts(task="none"), words="task: none"),
    "TASK-TRAIN": Case(layers(CONV, rest="task: none\n"), words="train: null"),
    "OUTPUT-CONSTANT": Case(layers("kind: flatten", "kind: dense, units: 1, activation: softmax")),
    "OUTPUT-RELU": Case(layers("kind: flatten", "kind: dense, units: 3, activation: relu")),
    "REUSE-ILLEGAL": Case(digits("hls: {reuse_factors: {conv2d_1: 5}}\n"), words="3 or 9"),
    "REUSE-LAYER": Case(digits("hls: {reuse_factors: {conv2d_9: 1}}\n"), words="conv2d_1, conv2d_2, dense_1"),
    "REUSE-NONE": Case(digits("hls: {max_multipliers: 1, io_type: io_parallel}\n")),
    "PARALLEL-ILLEGAL": Case(digits("hls: {parallelization_factors: {conv2d_1: 3}}\n"), words="use 1"),
    "STRATEGY-TEMPLATE": Case(digits("hls: {strategy: resource_unrolled, io_type: io_parallel}\n")),
    "STRATEGY-BACKEND": Case(
        digits("hls: {strategy: distributed_arithmetic, backend: Catapult}\n"), words="use one of latency, resource"
    ),
    "STRATEGY-REUSE": Case(digits("hls: {strategy: latency, max_multipliers: 64}\n")),
    "STRATEGY-ADDERS": Case(
        layers(CONV, "kind: flatten", "kind: dense, units: 64", rest="hls: {strategy: distributed_arithmetic}\n")
    ),
    "STRATEGY-ADDERS-SLOW": Case(
        layers(CONV, "kind: flatten", "kind: dense, units: 4", rest="hls: {strategy: distributed_arithmetic}\n")
    ),
    "REUSE-SLOWEST": Case(digits("hls: {max_multipliers: 512, reuse_factors: {conv2d_1: 72}}\n"), words="conv2d_1"),
    "REUSE-LONG": Case(
        layers(
            "kind: conv2d, filters: 64, kernel: 7, activation: relu",
            "kind: global_average_pool",
            DENSE,
            shape="[256, 256, 3]",
            rest="hls: {max_multipliers: 32}\n",
        )
    ),
    "BITS-UNTUNED": Case(digits("quantize: {weights: 4, train: null}\n")),
    "BITS-TUNING": Case(digits("quantize: {weights: 6, train: null}\n")),
    "BITS-BIAS": Case(digits("quantize: {weights: 8, biases: 6}\n")),
    "RECIPE-LAYER": Case(digits("quantize: {layers: {conv9: {weights: 4}}}\n"), words="conv2d_1"),
    "RECIPE-SHADOWED": Case(digits("quantize: {layers: {conv2d_1: {weights: 8}, conv2d_*: {weights: 4}}}\n")),
    "ACCUMULATOR-FLOAT32": Case(digits("quantize: {weights: 12, activations: 12}\n")),
    "TYPE-WIDTH": Case(
        "model:\n  input_shape: [4]\n  layers:\n"
        "    - {kind: dense, name: a, units: 4}\n    - {kind: dense, name: b, units: 4}\n"
        "    - {kind: dense, name: c, units: 4}\n    - {kind: dense, name: d, units: 2}\n"
        "data: {source: npz, path: x.npz}\nquantize: {weights: 16, activations: 16, biases: 16}\n",
        words="layer 'd', type",
    ),
    "ACCUMULATOR-DSP": Case(
        layers(
            CONV,
            "kind: flatten",
            DENSE,
            shape="[256, 256, 3]",
            rest="quantize: {weights: 16, activations: 16, biases: 16}\n",
        )
    ),
    "INPUT-TYPE": Case(
        TWO_CLASSES, network=small_network(pixel=FixedPoint(True, 16, 6), accumulator=FixedPoint(True, 30, 16))
    ),
    "TABLE-RANGE": Case(TWO_CLASSES, network=small_network(table=FixedPoint(True, 8, 4, Rounding.RND, Overflow.SAT))),
    "TABLE-SIZE": Case(TWO_CLASSES, network=small_network(table=FixedPoint(True, 14, 12, Rounding.RND, Overflow.SAT))),
    "PART-BACKEND": Case(digits("hls: {part: 5CSEBA6U23I7}\n"), words="Intel"),
    "BACKEND-ESTIMATE": Case(digits("hls: {backend: Catapult}\n"), words="Catapult"),
    "BACKEND-SIMULATION": Case(digits("hls: {backend: oneAPI}\n"), words="icpx"),
    "PART-UNKNOWN": Case(digits("hls: {part: xc7z020clg484-1}\n")),
    "CLOCK-FAST": Case(digits("hls: {part: xc7z020clg400-1, clock_ns: 2}\n")),
    "CLOCK-SLOW": Case(digits("hls: {part: xc7z020clg400-1, clock_ns: 100}\n")),
    "WEIGHTS-MEMORY": Case(digits("").replace("digits", "lecture_flatten"), words="dense_1"),
    "BRAM-FACTOR": Case(digits("hls: {bram_factor: 100, io_type: io_parallel}\n"), words="Vitis, Vivado"),
    "BRAM-STRATEGY": Case(digits("hls: {bram_factor: 100, strategy: latency}\n"), words="dense_2: resource"),
    "BRAM-WORD": Case(digits("hls: {bram_factor: 200}\n"), words="read at once"),
    "FIFO-BACKEND": Case(digits("hls: {backend: Quartus, fifo_words: {conv2d_1: 4}}\n"), words="defaults"),
    "WEIGHT-MEMORY": Case(digits("hls: {backend: Vivado, weight_memory: luts}\n"), words="block memory"),
    "PARALLEL-COSIM": Case(digits("hls: {io_type: io_parallel}\n"), words="2025.1"),
    "FIFO-MEMORY": Case("model: {preset: lecture}\nhls: {part: xc7z020clg400-1, clock_ns: 10, fifo_depths: hls4ml}\n"),
    "BOARD-FULL": Case("model: {preset: lecture}\nhls: {max_multipliers: 1024}\n"),
    "BOARD-EXCEEDED": Case("model: {preset: lecture}\nhls: {part: xc7a35ticsg324-1L, clock_ns: 10}\n"),
    "DATA-PATH": Case(digits("data: {source: folder, path: nowhere}\n")),
    "DATA-NONE": Case("model: {file: tagger.json}\ntrain: {epochs: 1}\n", words="the model takes 16"),
    "DATA-CLASSES": Case(TWO_CLASSES, images=counts((9, 9, 9), (1, 1, 1), (99, 99, 99)), words="3 classes"),
    "TRAIN-LOSS": Case(digits("train: {loss: binary_crossentropy}\n"), words="10 output"),
    "TRAIN-WEIGHTS": Case(
        TWO_CLASSES + "train: {class_weights: {class0: 1.0, other: 2.0}}\n", images=counts(), words="class0, class1"
    ),
    "DATA-CLASS-ABSENT": Case(
        layers(CONV, "kind: flatten", DENSE),
        arrays={"x": np.zeros((40, 16, 16, 3), np.uint8), "y": np.eye(10, dtype=int)[np.arange(40) % 9]},
        words="1 of 10 classes has no example: 9",
    ),
    "DATA-FEATURE-COARSE": Case(
        TWO_CLASSES,
        images=counts(input=InputChoice(NumberType(True, 8, 8), "as stated", -90.0, 90.0, 0.0, None, (1, 2)).as_json()),
        words="2 channels (number 1, 2, from 0) of 3",
    ),
    "DATA-PIXELS": Case(
        TWO_CLASSES,
        arrays={"x": np.arange(40 * 768).reshape(40, 16, 16, 3) % 16, "y": np.arange(40) % 2},
        words="whole numbers of 0 to 15 (int64)",
    ),
    "DATA-INPUT-RANGE": Case(
        TWO_CLASSES,
        images=counts(input=InputChoice(NumberType(True, 8, 2), "as stated", -3.0, 3.0, 0.25).as_json()),
        words="25.00%",
    ),
    "STANDARDIZE-SPREAD": Case(
        TWO_CLASSES + "data: {standardize: true}\n",
        images=counts(statistics={"means": [0.0, 1.0, 2.0], "deviations": [0.01, 100.0, 0.0]}),
        words="1e+04",
    ),
    "DATA-NO-TEST": Case(digits("data: {test: 0}\n")),
    "DATA-NO-VALIDATION": Case(digits("data: {validation: 0}\n")),
    "DATA-TEST-FEW": Case(TWO_CLASSES, images=counts(test=(20, 20)), words="4.7 %"),
    "DATA-UNBALANCED": Case(TWO_CLASSES, images=counts((500, 50))),
    "DATA-DUPLICATES": Case(TWO_CLASSES, images=counts(duplicates=1, duplicate_examples=[["a", "b"]])),
    "TRAIN-BATCH": Case(
        TWO_CLASSES + "train: {batch_size: 128}\n",
        images=counts((20, 8)),
        words="train.batch_size: 7, which is 4 steps",
    ),
    "TRAIN-WARMUP": Case(digits("train: {epochs: 5, warmup_epochs: 5}\n")),
    "TRAIN-PATIENCE": Case(digits("train: {epochs: 5, patience: 9}\n")),
    "TUNING-RATE": Case(digits("train: {learning_rate: 0.0001}\n")),
    "CALIBRATION-FEW": Case(digits("quantize: {calibration_images: 8}\n")),
    "CSIM-CORNERS": Case(digits("csim: {corner_vectors: false}\n")),
    "CSIM-IMAGES": Case(TWO_CLASSES + "csim: {images: 1000}\n", images=counts()),
    "CSIM-LONG": Case("model: {preset: lecture}\ncsim: {images: 100000}\n"),
    "CSIM-JOBS": Case(digits("csim: {jobs: 64}\n")),
    "MACHINE-PYTHON": Case(machine={"python": (3, 9)}),
    "MACHINE-LIBRARY": Case(machine={"versions": {**MACHINE.versions, "qkeras": "none"}}, words="qkeras"),
    "MACHINE-KERAS": Case(machine={"versions": {**MACHINE.versions, "tf-keras": "2.15.0"}}),
    "MACHINE-HLS4ML": Case(machine={"versions": {**MACHINE.versions, "hls4ml": "1.2.0"}}),
    "MACHINE-TOOL": Case(machine={"tools": frozenset({"make"})}, words="g++"),
    "MACHINE-MEMORY": Case(machine={"memory": 500 << 20}),
    "MACHINE-DISK": Case(machine={"disk": 100 << 20}),
    "MACHINE-PATH": Case(folder="it's"),
    "MACHINE-NOEXEC": Case(machine={"may_execute": False}),
    "MACHINE-FLAGS": Case(machine={"environment": {"CXXFLAGS": "-g -O0"}}),
    "MACHINE-XLA": Case(machine={"environment": {"TF_XLA_FLAGS": "--tf_xla_auto_jit=2"}}),
    "FIRMWARE-ACCUMULATOR": built(
        defines=DEFINES.replace("ap_fixed<18,6> conv2d_1_accum", "ap_fixed<16,4> conv2d_1_accum")
    ),
    "FIRMWARE-TYPE": built(defines=DEFINES.replace("AP_RND_CONV", "AP_TRN"), words="rounding TRN in place of RND_CONV"),
    "FIRMWARE-NETWORK": built(manifest={"network_sha256": "another"}),
    "FIRMWARE-SETTINGS": built(TWO_CLASSES + "hls: {clock_ns: 7}\n", words="clock_ns was 5.0, is 7.0"),
    "FIRMWARE-HLS4ML": built(manifest={"hls4ml": "1.1.0"}),
}


MENDED = (
    "CSIM-CORNERS",
    "CSIM-JOBS",
    "FIFO-MEMORY",
    "PARALLEL-ARRAY",
    "PARALLEL-SIZE",
    "REUSE-ILLEGAL",
    "UNROLL-PRODUCTS",
)


TAGGER = {
    "class_name": "Sequential",
    "config": {
        "name": "tagger",
        "layers": [
            {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 16], "dtype": "float32", "name": "in"}},
            {"class_name": "Dense", "config": {"name": "out", "units": 5, "activation": "linear", "use_bias": True}},
        ],
    },
    "keras_version": "2.15.0",
    "backend": "tensorflow",
}
"""A model as Keras writes its configuration."""


def make(case: Case, base: Path) -> Path:
    folder = base / case.folder
    folder.mkdir()
    (folder / "project.yml").write_text(textwrap.dedent(case.text))
    (folder / "x.npz").touch()
    if case.arrays is not None:
        np.savez(folder / "x.npz", **case.arrays)
    (folder / "tagger.json").write_text(json.dumps(TAGGER))
    if case.images is not None:
        (folder / "build" / "data").mkdir(parents=True)
        (folder / "build" / "data" / "dataset.json").write_text(json.dumps(case.images))
    if case.network is not None:
        (folder / "build").mkdir(exist_ok=True)
        network_file.save(case.network, folder / "build" / "network")
    if case.defines:
        sources = folder / "build" / "firmware" / "firmware"
        sources.mkdir(parents=True)
        (sources / "defines.h").write_text(case.defines)
        (sources / "project.cpp").write_text(TOP)
        manifest = {
            "network_sha256": network_file.network_hash(case.network),
            "hls": load_project(folder).hls.model_copy(update={"clock_ns": 5.0}).model_dump(mode="json"),
            "hls4ml": "1.3.0",
        }
        (folder / "build" / "firmware" / "siliconv.json").write_text(json.dumps({**manifest, **case.manifest}))
    return folder


@pytest.fixture
def on(monkeypatch):
    """Put a project on a machine."""

    def put(changes, *, reads=False):
        monkeypatch.setattr("siliconv.checks.facts.this_machine", lambda folder: replace(MACHINE, **changes))
        if not reads:
            monkeypatch.setattr("siliconv.checks.facts.preview_of", lambda config, input_shape, question: None)

    return put


@pytest.fixture(autouse=True)
def no_dropout(monkeypatch, request):
    """For one rule: dropout is not left out and not known, as a kind without an integer form would be."""
    if "LAYER-KIND" in request.node.name:
        monkeypatch.setattr(layer_rules, "lowered_kinds", lambda: frozenset({"QConv2D", "QDense", "QActivation"}))


@pytest.mark.parametrize("code", [one.code for one in RULES])
def test_a_rule_fires_on_its_mistake(code, tmp_path, on):
    case = CASES[code]
    on(case.machine, reads=case.arrays is not None)
    found = {finding.code: finding for finding in examine(make(case, tmp_path))}
    assert code in found, sorted(found)
    assert found[code].severity == next(rule.severity for rule in RULES if rule.code == code)
    assert bool(found[code].changes) == (code in MENDED)
    assert case.words in f"{found[code].what} {found[code].where} {found[code].fix}", found[code]


@pytest.mark.parametrize(
    "case",
    [
        Case(),
        Case(TWO_CLASSES, images=counts()),
        built(),
        built(network=small_network(table=FixedPoint(True, 10, 9, Rounding.RND, Overflow.SAT)), images=counts()),
        Case("model: {preset: lecture}\nhls: {max_multipliers: 512}\ndata: {source: tfds, name: celeb_a}\n"),
        Case("model: {preset: resnet8}\nhls: {max_multipliers: 256}\ndata: {source: npz, path: x.npz}\n"),
        Case("model: {preset: waveform_cnn}\ndata: {source: npz, path: x.npz}\n"),
    ],
    ids=["digits", "two classes", "built", "built with a table", "lecture", "resnet8", "waveform_cnn"],
)
def test_nothing_is_said_about_a_sound_project(case, tmp_path, on):
    on({})
    assert examine(make(case, tmp_path)) == ()


def test_every_case_is_of_a_rule_and_every_code_is_used_once():
    assert set(CASES) == {rule.code for rule in RULES}
    assert len({rule.code for rule in RULES}) == len(RULES) >= 30


def test_every_rule_has_its_paragraph_and_no_paragraph_is_left_over():
    text = (ROOT / "docs" / "checks.md").read_text()
    titles = dict(re.findall(r"^### ([A-Z0-9-]+) \((\w+)\)$", text, re.MULTILINE))
    of_a_built_network = {"RTL-FULL": "warning"}  # found by no rule
    assert titles == {rule.code: str(rule.severity) for rule in RULES} | of_a_built_network
    for code in titles:
        paragraph = text.split(f"### {code} ", 1)[1].split("\n### ", 1)[0]
        assert "*Fix:*" in paragraph, code


@pytest.mark.parametrize("code", MENDED)
def test_what_fix_writes_is_valid_and_ends_the_complaint(code, tmp_path, on):
    on({})
    folder = make(CASES[code], tmp_path)
    text = (folder / "project.yml").read_text()
    run_command_line(["check", str(folder), "--fix"])
    assert (folder / "project.yml").read_text() != text
    assert code not in [finding.code for finding in examine(folder)]


def test_the_command_exits_1_on_errors_and_prints_json(tmp_path, on, capsys):
    on({})
    folder = make(CASES["REUSE-ILLEGAL"], tmp_path)
    assert run_command_line(["check", str(folder), "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert [finding["code"] for finding in said["findings"]] == ["REUSE-ILLEGAL"]
    assert said["findings"][0]["severity"] == "error"
    assert run_command_line(["check", str(folder), "--fix"]) == 0
    assert "changed  hls.reuse_factors.conv2d_1: 9" in capsys.readouterr().out
    assert run_command_line(["check", str(folder)]) == 0


def test_warnings_and_hints_leave_the_exit_code_0(tmp_path, on, capsys):
    on({})
    assert run_command_line(["check", str(make(CASES["CSIM-CORNERS"], tmp_path))]) == 0
    assert "1 warning" in capsys.readouterr().out


def test_a_file_that_means_nothing_is_a_finding_too(tmp_path, on):
    on({})
    (tmp_path / "project.yml").write_text("model: {preset: digits}\ntrain: {epocs: 3}\n")
    (finding,) = examine(tmp_path)
    assert finding.code == "PROJECT-FIELD"
    assert "epochs" in finding.fix


def test_all_problems_of_a_file_are_findings(tmp_path, on):
    on({})
    (tmp_path / "project.yml").write_text(
        "model: {preset: digits}\ntrain: {epocs: 3, batch_size: 0}\nhls: {clock_ns: -1}\n"
    )
    found = examine(tmp_path)
    assert [finding.where.rpartition(".")[2] for finding in found] == ["batch_size", "epocs", "clock_ns"]
    assert "must be at least 1, not 0" in found[0].what


@pytest.mark.parametrize(
    ("arrays", "code"),
    [
        ({"y": np.arange(40) % 3}, "DATA-CLASSES"),
        ({"y": np.arange(40) / 40}, "DATA-LABELS"),
        ({"y": np.zeros((40, 16, 16, 3))}, "DATA-LABELS"),
        ({"x": np.full((40, 16, 16, 3), np.nan)}, "DATA-RANGE"),
        ({"x": np.zeros((40, 16), np.uint8)}, "DATA-LAYOUT"),
    ],
)
@pytest.mark.parametrize("large", [False, True])
def test_what_a_run_will_refuse_of_the_data_is_said_before_the_first(tmp_path, monkeypatch, arrays, code, large):
    if large:
        monkeypatch.setattr("siliconv.models.data.source_preview.WHOLE_BYTES", 0)
    (tmp_path / "project.yml").write_text(TWO_CLASSES)
    good = {"x": np.zeros((40, 16, 16, 3), np.uint8), "y": np.arange(40) % 2}
    np.savez(tmp_path / "x.npz", **good)
    assert not [finding for finding in examine(tmp_path) if finding.code.startswith("DATA-")]
    np.savez(tmp_path / "x.npz", **{**good, **arrays})
    found = [finding.code for finding in examine(tmp_path) if finding.code.startswith("DATA-")]
    assert found == ([] if large and "x" in arrays else [code])


@pytest.mark.parametrize("large", [False, True])
def test_a_class_of_the_test_split_alone_is_said_before_the_first_run(tmp_path, monkeypatch, large):
    if large:
        monkeypatch.setattr("siliconv.models.data.source_preview.WHOLE_BYTES", 0)
    (tmp_path / "project.yml").write_text(TWO_CLASSES)
    x = np.zeros((40, 16, 16, 3), np.uint8)
    parts = {"x_train": x, "y_train": np.zeros(40, int), "x_test": x, "y_test": np.arange(40) % 2}
    np.savez(tmp_path / "x.npz", **parts)
    (finding,) = [finding for finding in examine(tmp_path) if finding.code == "DATA-CLASSES"]
    assert finding.what == "class '1' has no example to train on"
    assert "folder" not in finding.fix


def test_weights_that_are_not_there_are_said_before_the_run(tmp_path, on):
    on({})
    (tmp_path / "project.yml").write_text(digits("train: null\n"))
    assert "MODEL-WEIGHTS" in [finding.code for finding in examine(tmp_path)]


def test_the_classes_of_a_folder_are_counted_before_it_is_prepared(tmp_path):
    (tmp_path / "project.yml").write_text(TWO_CLASSES.replace("source: npz, path: x.npz", "source: folder, path: x"))
    for name in ("ant", "bee", "cow"):
        (tmp_path / "x" / name).mkdir(parents=True)
    found = [finding for finding in examine(tmp_path) if finding.code == "DATA-CLASSES"]
    assert [one.what for one in found] == ["2 outputs for 3 classes in the data: ant, bee, cow"]


def test_a_network_of_another_architecture_is_not_taken_for_the_plans(tmp_path, on):
    on({})
    folder = make(
        Case(digits(""), network=small_network(pixel=FixedPoint(True, 16, 6), accumulator=FixedPoint(True, 30, 16))),
        tmp_path,
    )
    assert "INPUT-TYPE" not in [finding.code for finding in examine(folder)]


def test_this_machine_is_looked_at(tmp_path):
    (tmp_path / "project.yml").write_text(SOUND)
    found = examine(tmp_path)
    assert not [finding for finding in found if finding.code in ("MACHINE-LIBRARY", "MACHINE-KERAS", "MACHINE-HLS4ML")]


@pytest.mark.parametrize(
    ("text", "until", "codes"),
    [
        ("quantize: {layers: {conv9: {weights: 4}}}\n", "data", ["RECIPE-LAYER"]),
        (
            "hls: {reuse_factors: {conv2d_1: 5}}\nquantize: {layers: {conv9: {weights: 4}}}\n",
            "csim",
            ["REUSE-ILLEGAL", "RECIPE-LAYER"],
        ),
    ],
)
def test_what_a_stage_would_refuse_stops_a_run_before_its_first_stage(tmp_path, capsys, text, until, codes):
    (tmp_path / "project.yml").write_text("model: {preset: digits}\n" + text)
    assert run_command_line(["run", str(tmp_path), "--until", until]) == 2
    said = capsys.readouterr().err
    assert [code for code in codes if code in said] == codes
    assert not (tmp_path / "build" / "data").exists()
