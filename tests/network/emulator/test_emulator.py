"""The emulator computes the very codes of the reference: every node kind, type, rounding and overflow."""

import itertools
import threading
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_softmaxes import WIDE, small_softmaxes
from strategies import BUILDERS, input_codes, networks

from siliconv.errors import NetworkError, ToolError
from siliconv.network import graph as ir
from siliconv.network import reference
from siliconv.network.emulator import emulator, onnx_int8
from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding
from siliconv.network.intervals import Bounds, prove, sum_of_products_type


def assert_same_bits(network, codes):
    """Compare output and, in a second session, every node."""
    expected = reference.run(network, codes)
    compiled = emulator.compile(network)
    output = compiled.run(codes)
    assert list(output) == [network.output.name]
    traced = compiled.run(codes, keep=list(network.by_name))
    assert compiled.int8, "an 8-bit kernel was not exact: the emulator fell back, a user would not notice, a test must"
    for name, tensor in [*output.items(), *traced.items()]:
        wrong = np.argwhere(tensor != expected[name])
        assert not len(wrong), (
            f"{network.by_name[name]}: {len(wrong)} codes differ, first at {wrong[0].tolist()}: "
            f"{tensor[tuple(wrong[0])]} for {expected[name][tuple(wrong[0])]}"
        )
        assert tensor.dtype == np.int64
        assert tensor.shape == expected[name].shape


@pytest.mark.parametrize("kind", BUILDERS, ids=lambda kind: kind.__name__)
def test_node_kind_equals_reference(kind):
    @settings(max_examples=40, deadline=None, derandomize=True)
    @given(network=networks(first=kind, most=3), seed=st.integers(0, 1000))
    def check(network, seed):
        assert_same_bits(network, input_codes(network, seed, batch=4))

    check()


@pytest.mark.parametrize("places", [2, WIDE])
def test_softmaxes_of_tables_of_one_entry_and_of_codes_wider_than_an_index(places):
    network = small_softmaxes(places)
    assert_same_bits(network, input_codes(network, 1, batch=20))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(network=networks(most=8), seed=st.integers(0, 1000))
def test_deep_networks_equal_reference(network, seed):
    assert_same_bits(network, input_codes(network, seed, batch=4))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(network=networks(most=4, widest=61, input_width=30, weight_width=30), seed=st.integers(0, 1000))
def test_wide_networks_equal_reference(network, seed):
    """Accumulators beyond 24 and 53 bits."""
    assert_same_bits(network, input_codes(network, seed, batch=4))


@pytest.mark.parametrize(("rounding", "overflow"), itertools.product(Rounding, Overflow))
def test_every_conversion_on_every_road(rounding, overflow):
    """All codes of small types, and the ends of wide ones, moved to the left and to the right."""
    for width in (7, 24, 25, 26, 53, 54, 61):
        source = FixedPoint(True, width, width)
        image = ir.Input("image", (), (128,), source)
        nodes = [
            ir.Requantize(
                f"{places}_{signed}_{bits}_{relu}",
                ("image",),
                (128,),
                FixedPoint(signed, bits, bits + places, rounding, overflow),
                relu,
            )
            for places, relu in itertools.product((-70, -3, 0, 1, 4, 25, 54, 61, 70), (False, True))
            for signed, bits in ((True, 4), (False, 4), (True, 23), (False, 25))
        ]
        network = ir.Network("conversions", (image, *nodes))
        low, high = source.codes
        codes = [*range(low, low + 24), *range(-24, 24), *range(high - 23, high + 1)]
        for places in (4, 25, 54, 61):
            codes += [sign * ((1 << (places - 1)) + step) for sign in (-1, 1) for step in (-1, 0, 1)]
        codes = np.resize(np.array([code for code in codes if low <= code <= high], dtype=np.int64), (1, 128))
        expected = reference.run(network, codes)
        for name, tensor in without_self_check(network, keep=network.by_name).run(codes, keep=network.by_name).items():
            np.testing.assert_array_equal(tensor, expected[name], f"{source} to {network.by_name[name]}")


def without_self_check(network, keep=None):
    """Give an emulator whose errors are this test's to find."""
    compiled = emulator.Emulator(network, prove(network), threads=1)
    wanted = frozenset(keep or [network.output.name])
    compiled._plans[wanted] = compiled._build(wanted)
    return compiled


@st.composite
def convolutions(draw):
    """Draw convolution, requantize and pooling as they end in 8-bit kernels, at the edge of what these can do."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    signed = draw(st.booleans())
    pixel = FixedPoint(signed, draw(st.sampled_from([8, 8, 6, 4])), 2)
    weight = FixedPoint(True, draw(st.sampled_from([8, 8, 6, 2])), 1)
    channels, outputs = draw(st.sampled_from([1, 3, 16, 70])), draw(st.sampled_from([1, 5, 16, 33]))
    depthwise = draw(st.booleans())
    width, columns = draw(st.sampled_from([5, 6, 8, 12])), draw(st.integers(1, 5))
    shape = (3, columns, channels) if depthwise else (3, columns, channels, outputs)
    outputs = channels if depthwise else outputs
    kernel = rng.integers(weight.codes.low, weight.codes.high, shape, dtype=np.int64, endpoint=True)
    if draw(st.booleans()):
        kernel = np.where(rng.random(shape) < 0.5, weight.codes.low, weight.codes.high).astype(np.int64)
    bias = ir.Weights(rng.integers(-128, 127, outputs, dtype=np.int64), FixedPoint(True, 8, draw(st.integers(0, 4))))
    image = ir.Input("image", (), (6, width, channels), pixel)
    ends = Bounds(*(np.full(channels, end) for end in pixel.codes))
    kind = sum_of_products_type(ir.Weights(kernel, weight), bias, ends, pixel, depthwise=depthwise)
    stride, pad = draw(st.integers(1, 2)), draw(st.integers(0, 1))
    before = draw(st.integers(0, columns - 1))
    after = draw(st.sampled_from([columns - 1 - before, columns - 1 - before, 0, columns]))
    padding = ((pad, pad), (before, after))
    size = ((6 + 2 * pad - 3) // stride + 1, (width + before + after - columns) // stride + 1)
    node = (ir.DepthwiseConv if depthwise else ir.Conv)(
        "conv", ("image",), (*size, outputs), kind, ir.Weights(kernel, weight), bias, (stride,) * 2, padding
    )
    unsigned, bits = draw(st.booleans()), draw(st.integers(1, 8))
    rounding = draw(st.sampled_from([Rounding.RND_CONV, Rounding.RND_CONV, *Rounding]))
    overflow = draw(st.sampled_from([Overflow.SAT, Overflow.SAT_SYM, *Overflow]))
    small = FixedPoint(not unsigned, bits, kind.integer - draw(st.integers(-2, 6)), rounding, overflow)
    relu = ir.Requantize("relu", ("conv",), node.shape, small, draw(st.booleans()))
    plain = FixedPoint(small.signed, small.width, small.integer)
    window = (min(2, size[0]), min(2, size[1]))
    pooled = (size[0] // window[0], size[1] // window[1], outputs)
    pool = ir.MaxPool("pool", ("relu",), pooled, plain, window, window, ((0, 0), (0, 0)))
    return ir.Network("convolution", (image, node, relu, pool))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(network=convolutions(), seed=st.integers(0, 1000))
def test_8_bit_kernels_equal_reference(network, seed):
    codes = input_codes(network, seed, batch=4)
    compiled = without_self_check(network)
    np.testing.assert_array_equal(compiled.run(codes)["pool"], reference.run(network, codes)["pool"])


def lecture_like():
    """Conv, ReLU, pool, dense with the types of the lecture's network."""
    rng = np.random.default_rng(3)
    pixel, weight = FixedPoint(False, 8, 0), FixedPoint(True, 6, 1)
    kernel = ir.Weights(rng.integers(-32, 31, (3, 3, 3, 8), dtype=np.int64), weight)
    bias = ir.Weights(rng.integers(-128, 127, 8, dtype=np.int64), FixedPoint(True, 8, 1))
    image = ir.Input("image", (), (8, 8, 3), pixel)
    ends = Bounds(np.zeros(3, np.int64), np.full(3, 255))
    total = sum_of_products_type(kernel, bias, ends, pixel)
    conv = ir.Conv("conv", ("image",), (8, 8, 8), total, kernel, bias, (1, 1), ((1, 1), (1, 1)))
    activation = FixedPoint(False, 6, 2, Rounding.RND_CONV, Overflow.SAT)
    relu = ir.Requantize("relu", ("conv",), (8, 8, 8), activation, True)
    pool = ir.MaxPool("pool", ("relu",), (4, 4, 8), FixedPoint(False, 6, 2), (2, 2), (2, 2), ((0, 0), (0, 0)))
    weights = ir.Weights(rng.integers(-32, 31, (8, 2), dtype=np.int64), weight)
    offset = ir.Weights(np.array([1, -1]), FixedPoint(True, 8, 1))
    last = sum_of_products_type(weights, offset, Bounds(np.zeros(8, np.int64), np.full(8, 63)), pool.type)
    dense = ir.Dense("dense", ("pool",), (4, 4, 2), last, weights, offset)
    return ir.Network("lecture_like", (image, conv, relu, pool, dense))


def test_the_lecture_takes_8_bit_kernels_and_tracing_the_sum_does_not():
    network = lecture_like()
    bounds = prove(network)
    assert set(onnx_int8.find(network, bounds, frozenset(["dense"]))) == {"relu"}
    assert set(onnx_int8.find(network, bounds, frozenset(["conv"]))) == set()


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("overflow", [Overflow.SAT, Overflow.SAT_SYM])
@pytest.mark.parametrize("bits", [5, 8])
def test_signed_8_bit_kernels_end_where_type_and_relu_say(relu, overflow, bits):
    image, conv, *_ = lecture_like().nodes
    image = replace(image, type=FixedPoint(True, 7, 0))
    kind = FixedPoint(True, bits, 1, Rounding.RND_CONV, overflow)
    network = ir.Network("signed", (image, conv, ir.Requantize("out", ("conv",), conv.shape, kind, relu)))
    assert set(onnx_int8.find(network, prove(network), frozenset(["out"]))) == {"out"}
    codes = input_codes(network, 2, batch=6)
    out = reference.run(network, codes)["out"]
    assert (out.min(), out.max()) == (0 if relu else kind.reachable.low, kind.reachable.high)
    np.testing.assert_array_equal(without_self_check(network).run(codes)["out"], out)


def test_8_bit_weights_depend_on_the_probe(monkeypatch):
    """Pairs of products that exceed 16 bits take 8-bit kernels only where the probe allows it."""
    network = lecture_like()
    image, conv, *rest = network.nodes
    wide = replace(conv, kernel=ir.Weights(conv.kernel.codes * 4, FixedPoint(True, 8, 3)), type=FixedPoint(True, 22, 9))
    network = ir.Network("wide", (image, wide, *rest))
    for exact in (True, False):
        monkeypatch.setattr(onnx_int8, "pairs_are_exact", lambda exact=exact: exact)
        assert bool(onnx_int8.find(network, prove(network), frozenset(["dense"]))) is exact
        assert_same_bits(network, input_codes(network, 1, batch=4))


def test_kernels_that_are_not_exact_are_left_for_the_float_road(monkeypatch):
    wrong_places = onnx_int8.Int8Conv.emit

    def emit(self, graph, value):
        return wrong_places(replace(self, places=self.places - 1), graph, value)

    monkeypatch.setattr(onnx_int8.Int8Conv, "emit", emit)
    network = lecture_like()
    compiled = emulator.compile(network)
    assert not compiled.int8
    codes = input_codes(network, 1, batch=4)
    np.testing.assert_array_equal(compiled.run(codes)["dense"], reference.run(network, codes)["dense"])


def test_a_runtime_that_is_not_exact_is_refused(monkeypatch):
    honest = reference.run
    monkeypatch.setattr(
        emulator.reference,
        "run",
        lambda *args, **kwargs: {name: codes + 1 for name, codes in honest(*args, **kwargs).items()},
    )
    with pytest.raises(ToolError, match="EMULATOR-NOT-EXACT"):
        emulator.compile(lecture_like())


class Recorder:
    """Remembers what was reported."""

    def __init__(self):
        self.lines = []

    def begin(self, activity, total, unit, done=0):
        self.lines.append((activity, total, unit))

    def update(self, done, note=""):
        self.lines.append(done)

    def end(self):
        self.lines.append("end")

    def say(self, line):
        self.lines.append(line)


def test_batches_come_in_order_in_bounded_size_with_progress(monkeypatch):
    monkeypatch.setattr(emulator, "LARGEST_BATCH", 4)
    network = lecture_like()
    compiled = emulator.compile(network, threads=2)
    images = np.random.default_rng(5).integers(0, 256, (27, 8, 8, 3)).astype(np.uint8)
    expected = reference.run(network, images, keep=["dense", "relu"])
    report = Recorder()
    # A kept ReLU is clipped before the pooling, not behind it.
    assert set(onnx_int8.find(network, compiled.bounds, frozenset(["dense", "relu"]))) == {"relu"}
    parts = list(compiled.batches(images, keep=["dense", "relu"], progress=report))
    assert [start for start, _ in parts] == list(range(0, 27, 4))
    assert max(len(tensors["dense"]) for _, tensors in parts) == 4
    for name, tensor in expected.items():
        np.testing.assert_array_equal(np.concatenate([tensors[name] for _, tensors in parts]), tensor)
    assert compiled.int8
    assert report.lines[0] == ("emulate", 27, "inputs")
    assert report.lines[-2:] == [27, "end"]


def test_no_inputs_give_no_outputs():
    network = lecture_like()
    assert emulator.compile(network).run(np.zeros((0, 8, 8, 3), np.uint8))["dense"].shape == (0, 4, 4, 2)


@pytest.mark.parametrize(
    ("codes", "keep", "code"),
    [
        (np.zeros((1, 8, 8, 2), np.uint8), None, "INPUT-SHAPE"),
        (np.zeros((0, 8, 8, 2), np.uint8), None, "INPUT-SHAPE"),
        (np.zeros((1, 8, 8, 3)), None, "INPUT-TYPE"),
        (np.full((1, 8, 8, 3), 256), None, "INPUT-RANGE"),
        (np.full((1, 8, 8, 3), -1), None, "INPUT-RANGE"),
        (np.zeros((1, 8, 8, 3), np.uint8), ["nowhere"], "NODE-UNKNOWN"),
    ],
)
def test_wrong_inputs_are_refused(codes, keep, code):
    with pytest.raises(NetworkError) as caught:
        emulator.compile(lecture_like()).run(codes, keep=keep)
    assert caught.value.code == code


def test_threads_may_share_an_emulator():
    network = lecture_like()
    compiled = emulator.compile(network)
    images = np.random.default_rng(6).integers(0, 256, (16, 8, 8, 3)).astype(np.uint8)
    expected = reference.run(network, images)
    results = {}

    def work(name):
        results[name] = compiled.run(images, keep=[name])[name]

    workers = [threading.Thread(target=work, args=(name,)) for name in network.by_name]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for name in network.by_name:
        np.testing.assert_array_equal(results[name], expected[name])
