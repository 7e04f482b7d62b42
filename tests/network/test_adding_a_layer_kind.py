"""A toy node kind goes all the way by docs/adding_a_layer_kind.md, and each place left out is missed by name.

The kind is made anew for each test: what is registered for it with the executors stays there, and meets no network.
"""

from __future__ import annotations

import ast
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import NamedTuple, get_args

import exact_model
import numpy as np
import onnx
import pytest
import strategies
from every_layer_kind import ONE_DIMENSIONAL, TWO_DIMENSIONAL
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx.reference import ReferenceEvaluator
from qonnx_quant import Quant
from strategies import BUILDERS, input_codes, networks

from siliconv.errors import NetworkError, SiliconvError
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.layer_list import describe
from siliconv.hls.conversion.layer_settings import describe_layers
from siliconv.hls.conversion.own_layer_list import describe_for_ac
from siliconv.hls.design.design import ElementwiseLayer, Tensor
from siliconv.hls.design.hardware_layers import _fixed_type, hardware_layers
from siliconv.hls.fifo.sized_design import design_of
from siliconv.models.architectures import layers as layer_kinds
from siliconv.models.architectures.keras_model import _keras_layer
from siliconv.models.architectures.shapes import _shape
from siliconv.network import graph as ir
from siliconv.network import network_file, reference
from siliconv.network.emulator import emulator
from siliconv.network.emulator.onnx_forms import Form
from siliconv.network.emulator.onnx_nodes import Translation
from siliconv.network.explanation import element_trace
from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding, to_values
from siliconv.network.intervals import Bounds, aligned, node_bounds, prove
from siliconv.network.qonnx.qonnx_export import _Export, qonnx_model
from siliconv.network.structure import check, output_shape

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "adding_a_layer_kind.md"

Kind = type[ir.Node]


def new_kind() -> Kind:
    """Give a kind that no executor knows."""

    @dataclass(frozen=True, eq=False)
    class Negate(ir.Node):
        """The negative of each element. Exact, so its type is signed and a bit wider than its input's."""

    return Negate


# The rules, one a place.


def add_shape(kind: Kind) -> None:
    @output_shape.register(kind)
    def _(node, sources):
        (source,) = sources
        return source.shape


def add_bounds(kind: Kind) -> None:
    @node_bounds.register(kind)
    def _(node, sources, inputs):
        places = node.type.fraction - sources[0].type.fraction
        low, high = (aligned(end, places, node) for end in inputs[0])
        return Bounds(-high, -low)


def add_reference(kind: Kind) -> None:
    @reference.evaluate.register(kind)
    def _(node, sources, inputs):
        return -(inputs[0] << (node.type.fraction - sources[0].type.fraction))


def add_translation(kind: Kind) -> None:
    def emit(self, node, source):
        road, first = self.tensors.road(node, source), self.tensors.natural(source).first
        value = self._aligned(node, source, road, first=first)
        self.tensors.put(node, Form(road, first), self.graph.op("Neg", value))

    Translation.emit.register(kind)(emit)


def add_trace(kind: Kind) -> None:
    @element_trace._terms.register(kind)
    def _(node, sources, inputs, index):
        code = int(inputs[0][index])
        yield element_trace.Term(index, code, -1, -code, -code << (node.type.fraction - sources[0].type.fraction))


def add_qonnx(kind: Kind) -> None:
    def emit(self, node, source):
        first = self.tensors.natural(source).first
        self._put(node, self.graph.op("Neg", self._get(source, first=first)), first=first)

    _Export.emit.register(kind)(emit)


def as_table(node: ir.Node, source: ir.Node) -> ir.Table:
    """Give the table that computes the same: a kernel of it is there already."""
    low, high = source.type.codes
    entries = ir.Weights(-np.arange(low, high + 1) << (node.type.fraction - source.type.fraction), node.type)
    return ir.Table(node.name, node.inputs, node.shape, node.type, entries, "negate")


def add_description(kind: Kind) -> None:
    @describe.register(kind)
    def _(node, sources, bounds):
        return describe(as_table(node, *sources), sources, bounds)


def add_hardware(kind: Kind) -> None:
    @hardware_layers.register(kind)
    def _(node, sources, settings):
        before, after = (Tensor(one.shape, _fixed_type(one.type)) for one in (*sources, node))
        return [ElementwiseLayer(node.name, before, after, function="negate")]


def add_exact_model(kind: Kind) -> None:
    @exact_model.compute.register(kind)
    def _(node, sources, inputs):
        return {
            index: exact_model.whole(-exact_model.exact(code, sources[0].type), node)
            for index, code in inputs[0].items()
        }


def negated(kind: Kind, source: ir.Node) -> ir.Node:
    result = FixedPoint(True, source.type.width + 1, source.type.integer + 1)
    return kind("negated", (source.name,), source.shape, result)


def example(kind: Kind) -> ir.Network:
    """Give a network of the kind in the middle, small enough for a table of its codes."""
    image = ir.Input("image", (), (4, 3, 2), FixedPoint(True, 6, 3))
    negative = negated(kind, image)
    last = ir.Requantize(
        "last", ("negated",), image.shape, FixedPoint(False, 4, 2, Rounding.RND_CONV, Overflow.SAT), True
    )
    return ir.Network("example", (image, negative, last))


CODES = input_codes(example(ir.Node), seed=0)


def save_and_load(network: ir.Network, folder: Path) -> None:
    written = network_file.save(network, folder)
    assert network_file.network_hash(network_file.load(folder)) == written


def trace_everything(network: ir.Network, folder: Path) -> None:
    tensors = reference.run(network, CODES)
    for index in np.ndindex(network.by_name["negated"].shape):
        trace = element_trace.trace_element(network, tensors, "negated", 1, index)
        assert trace.terms[-1].partial == trace.code == tensors["negated"][1][index]


class Place(NamedTuple):
    """One place of the page: how the toy is added there, and what uses it."""

    file: str
    add: Callable[[Kind], None]
    use: Callable[[ir.Network, Path], object]


def known_by_name(kind: Kind) -> None:
    ir.KINDS["Negate"] = kind


PLACES = (
    Place("network/graph.py", known_by_name, save_and_load),
    Place("network/structure.py", add_shape, lambda network, folder: check(network)),
    Place("network/intervals.py", add_bounds, lambda network, folder: prove(network)),
    Place("network/reference.py", add_reference, lambda network, folder: reference.run(network, CODES)),
    Place("network/emulator/onnx_nodes.py", add_translation, lambda network, folder: emulator.compile(network)),
    Place("network/explanation/element_trace.py", add_trace, trace_everything),
    Place("network/qonnx/qonnx_export.py", add_qonnx, lambda network, folder: qonnx_model(network)),
    Place(
        "hls/conversion/layer_list.py", add_description, lambda network, folder: describe_layers(network, HlsConfig())
    ),
    Place("hls/design/hardware_layers.py", add_hardware, lambda network, folder: design_of(network, HlsConfig())),
    Place("tests/support/exact_model.py", add_exact_model, lambda network, folder: exact_model.run(network, CODES[0])),
)


@pytest.fixture
def add_kind(monkeypatch):
    """A function that makes a kind and adds it in every place but those named."""
    monkeypatch.setattr(ir, "KINDS", dict(ir.KINDS))

    def add(*, without: str | None = None) -> Kind:
        kind = new_kind()
        ir.KINDS.pop(kind.__name__, None)
        for place in PLACES:
            if place.file != without:
                place.add(kind)
        return kind

    return add


# What the page says.


class Row(NamedTuple):
    """A place as the page has it."""

    file: str
    registers: tuple[str, ...]
    forgotten: str


@cache
def rows() -> dict[str, Row]:
    """Give the numbered rows of the page's tables by file, in their order."""
    found: dict[str, Row] = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if re.match(r"\| \d+ \|", line):
            number, file, _, registers, forgotten = (cell.strip() for cell in line.strip("|").split(" | "))
            assert int(number) == len(found) + 1
            found[file.strip("`")] = Row(file.strip("`"), tuple(re.findall(r"`([^`]+)`", registers)), forgotten)
    return found


def test_the_page_names_every_place_in_the_order_of_the_test():
    of_the_toy = [file for file in rows() if file in {place.file for place in PLACES}]
    assert of_the_toy == [place.file for place in PLACES]
    executors = [file for file in rows() if file.startswith(("network/", "hls/"))]
    assert executors == [place.file for place in PLACES if not place.file.startswith("tests/")], "a place is not tried"


@pytest.mark.parametrize("file", rows())
def test_what_a_place_registers_with_is_there(file):
    text = (ROOT / file).read_text(encoding="utf-8")
    for name in rows()[file].registers:
        assert re.search(rf"\b{name.rpartition('.')[2]}\b", text), f"{file} has no {name}"
    for error in re.findall(r"`(no [a-zA-Z ]+ for )KIND`", rows()[file].forgotten):
        assert error in text, f"{file} does not say {error!r}"


# The toy.


@pytest.mark.parametrize("place", PLACES, ids=[place.file for place in PLACES])
def test_a_place_left_out_raises_the_error_that_the_page_states(add_kind, place, tmp_path):
    stated = re.findall(r"`([^`]+)`", rows()[place.file].forgotten)[-1].replace("KIND", "Negate")
    place.use(example(add_kind()), tmp_path)
    with pytest.raises((NotImplementedError, SiliconvError), match=re.escape(stated)) as error:
        place.use(example(add_kind(without=place.file)), tmp_path)
    assert "Negate" in str(error.value)


def test_a_wrong_node_is_refused(add_kind):
    kind = add_kind()
    image = ir.Input("image", (), (4, 3, 2), FixedPoint(True, 6, 3))
    for change, code in [
        ({"shape": (4, 3, 1)}, "NETWORK-SHAPE"),
        ({"type": image.type}, "TYPE-TOO-NARROW"),
        ({"type": FixedPoint(True, 7, 5)}, "TYPE-FRACTION"),
    ]:
        with pytest.raises(NetworkError, match=code):
            prove(ir.Network("wrong", (image, replace(negated(kind, image), **change))))


def test_every_executor_agrees_on_random_networks_with_the_kind(add_kind, monkeypatch):
    """Reference, emulator, plain loops, trace and QONNX, among nodes of every other kind and random types."""
    kind, exported = add_kind(), []

    def negate(builder, source):
        result = FixedPoint(True, source.type.width + 1, source.type.integer + 1)
        return builder.add(kind, [source], result)

    monkeypatch.setitem(strategies.BUILDERS, kind, negate)

    @settings(max_examples=40, deadline=None, derandomize=True)
    @given(st.data())
    def compare(data):
        network = data.draw(networks(first=kind, most=4))
        codes = input_codes(network, data.draw(st.integers(0, 99)))
        expected = reference.run(network, codes)
        for name, tensor in emulator.compile(network).run(codes, keep=list(network.by_name)).items():
            np.testing.assert_array_equal(tensor, expected[name], name)
        by_hand = exact_model.run(network, codes[0])
        for node in network.nodes:
            np.testing.assert_array_equal(exact_model.as_array(by_hand[node.name], node.shape), expected[node.name][0])
        node = next(network.of_kind(kind))
        index = tuple(data.draw(st.integers(0, size - 1)) for size in node.shape)
        trace = element_trace.trace_element(network, expected, node.name, 0, index)
        assert trace.terms[-1].partial == trace.code
        exported.append(export_agrees(ir.Network("start", network.nodes[:2]), codes))

    compare()
    assert sum(exported) > 20, "nearly every network was refused: nothing was tested"


def export_agrees(network: ir.Network, codes) -> bool:
    """Compare the QONNX graph with the reference; False where QONNX can't say a type of the network."""
    try:
        graph = ReferenceEvaluator(onnx.load_from_string(qonnx_model(network)), new_ops=[Quant])
    except NetworkError as error:
        if error.code == "QONNX-NODE":
            raise
        return False
    (values,) = graph.run(None, {"image": to_values(codes, network.input.type).astype(np.float32)})
    last = network.output
    np.testing.assert_array_equal(values, to_values(reference.run(network, codes)[last.name], last.type))
    return True


def test_the_kind_has_a_description_and_hardware(add_kind):
    network = example(add_kind())
    described = describe_layers(network, HlsConfig())["negated"]
    assert described.attributes["class_name"] == "TableLayer"
    assert described.precision["result"] == str(network.by_name["negated"].type)
    of_ac = describe_for_ac(network.by_name["negated"], (network.input,), prove(network))
    assert of_ac.attributes["class_name"] == "TableLayer", "handed on to the general description"
    design = design_of(network, HlsConfig())
    assert [layer.name for layer in design.layers] == ["negated", "last"]
    assert design.layers[0].fifo_depth is not None


@pytest.mark.slow
def test_the_firmware_computes_the_kind(add_kind, tmp_path, monkeypatch):
    from siliconv.hls.conversion.conversion import convert
    from siliconv.hls.csim.csim import compile_project, simulate

    if shutil.which("g++") is None:
        pytest.skip("no g++ on the PATH: firmware can't be compiled here")
    monkeypatch.setenv("CXXFLAGS", "-O0")
    network, project = example(add_kind()), tmp_path / "firmware"
    project.mkdir()
    convert(network, HlsConfig(), project)
    computed = simulate(compile_project(project, network.name, tmp_path / "cache"), network, CODES)
    expected = reference.run(network, CODES)
    assert {"negated", "last"} <= set(computed)
    for name, tensor in computed.items():
        np.testing.assert_array_equal(tensor, expected[name], name)


# The kinds there are: none of them was forgotten anywhere.

EXECUTORS = {
    "structure": (output_shape, ()),
    "proof": (node_bounds, ()),
    "reference": (reference.evaluate, (ir.Input,)),
    "emulator": (Translation.__dict__["emit"].dispatcher, ()),
    "element trace": (element_trace._terms, ()),
    # It ends with the logits where a function stands behind them.
    "QONNX": (_Export.__dict__["emit"].dispatcher, (ir.Table, ir.Softmax)),
    "hls4ml": (describe, ()),
    "hardware": (hardware_layers, (ir.Input,)),
    "exact model": (exact_model.compute, (ir.Input,)),
}
"""What dispatches on the kind, and the kinds that it is right not to know."""


@pytest.mark.parametrize("executor", EXECUTORS)
def test_every_kind_has_a_rule_in_every_executor(executor):
    rule, exceptions = EXECUTORS[executor]
    missing = {kind for kind in ir.KINDS.values() if rule.dispatch(kind) is rule.dispatch(object)}
    assert missing == set(exceptions)


def test_every_kind_is_specified_and_drawn():
    specified = set(re.findall(r"^\*\*(\w+)\.\*\*|\. \*\*(\w+)\.\*\*", specification(), flags=re.MULTILINE))
    assert {one or other for one, other in specified} == set(ir.KINDS)
    assert set(BUILDERS) == set(ir.KINDS.values()) - {ir.Input}


def specification() -> str:
    return (ROOT / "docs" / "integer_network.md").read_text(encoding="utf-8")


LAYERS = get_args(get_args(layer_kinds.Layer)[0])


def test_every_layer_is_built_documented_and_in_one_of_the_two_networks():
    for rule in (_shape, _keras_layer):
        missing = {layer for layer in LAYERS if rule.dispatch(layer) is rule.dispatch(object)}
        # Written apart into two layers before a model is built.
        assert {layer.__name__ for layer in missing} <= {"SeparableConv2D", "SeparableConv1D"}
    known = {layer.model_fields["kind"].default for layer in LAYERS}
    written = {layer.kind for architecture in (TWO_DIMENSIONAL, ONE_DIMENSIONAL) for layer in architecture.layers}
    # Identities once trained, and the shape of what is dense already.
    assert known - written == {"batch_normalization", "dropout", "flatten"}
    table = (ROOT / "docs" / "layers.md").read_text(encoding="utf-8")
    named = {name for line in table.splitlines() if line.startswith("| `") for name in re.findall(r"`(\w+)`", line)}
    assert known - named == {"activation"}, "docs/layers.md lists activations by their functions"
    assert set(get_args(layer_kinds.ActivationKind)) <= named


def files_that_name_kinds() -> set[str]:
    """Give the files of the package that name a node kind or a layer kind."""
    of_layers = {layer.__name__ for layer in LAYERS}
    found = set()
    for wing in ("network", "hardware", "models", "quantize", "hls", "rtl", "siliconv"):
        for path in (ROOT / wing).rglob("*.py"):
            for part in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                named = set()
                if isinstance(part, ast.ImportFrom) and part.module == "siliconv.network.graph":
                    named = {alias.name for alias in part.names} & set(ir.KINDS)
                elif isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
                    of_module = {"ir": set(ir.KINDS), "kinds": of_layers}.get(part.value.id, set())
                    named = {part.attr} & of_module
                if named:
                    found.add(path.relative_to(ROOT).as_posix())
    return found


def test_the_page_names_every_file_that_names_a_kind():
    named = set(re.findall(r"`([\w/]+(?:\.\w+|/))`", PAGE.read_text(encoding="utf-8")))
    rooms = tuple(name for name in named if name.endswith("/"))
    assert {file for file in files_that_name_kinds() if file not in named and not file.startswith(rooms)} == set()
