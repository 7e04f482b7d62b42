"""The QONNX graph gives the reference's values, run by ONNX' own evaluator with `Quant` as its specification says."""

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx.reference import ReferenceEvaluator
from qonnx_quant import Quant
from strategies import BUILDERS, input_codes, networks

from siliconv.errors import NetworkError
from siliconv.network import graph as ir
from siliconv.network import reference
from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding, to_values
from siliconv.network.qonnx.qonnx_export import last_node, qonnx_model


def assert_same_values(network, codes):
    """Compare the exported graph's output with the reference's; give False where the export is refused."""
    try:
        model = qonnx_model(network)
    except NetworkError as error:
        if not error.code.startswith("QONNX-"):
            raise
        return False
    last = last_node(network)
    expected = to_values(reference.run(network, codes, keep=[last.name])[last.name], last.type)
    graph = ReferenceEvaluator(onnx.load_from_string(model), new_ops=[Quant])
    image = to_values(codes, network.input.type).astype(np.float32)
    (values,) = graph.run(None, {"image": image})
    np.testing.assert_array_equal(values, expected, f"{network}")
    return True


EXPORTED = [kind for kind in BUILDERS if kind not in (ir.Softmax, ir.Table)]
"""The others end an export: it stops at the logits before them."""


@pytest.mark.parametrize("kind", EXPORTED, ids=lambda kind: kind.__name__)
def test_every_node_kind(kind):
    exported = []

    @settings(max_examples=40, deadline=None, derandomize=True)
    @given(network=networks(first=kind, most=2, input_width=6, weight_width=5), seed=st.integers(0, 99))
    def check(network, seed):
        exported.append(assert_same_values(network, input_codes(network, seed, batch=2)))

    check()
    assert sum(exported) > 5, "nearly every network was refused: nothing was tested"


SOURCE = FixedPoint(True, 8, 4)


def conversion(target, relu=False, source=SOURCE):
    return ir.Network(
        "conversion", (ir.Input("i", (), (256,), source), ir.Requantize("o", ("i",), (256,), target, relu))
    )


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("overflow", [Overflow.SAT, Overflow.SAT_SYM])
@pytest.mark.parametrize("rounding", Rounding)
def test_every_conversion(rounding, overflow, relu):
    codes = np.arange(-128, 128).reshape(1, 256)
    for signed in (True, False):
        network = conversion(FixedPoint(signed, 4, 3, rounding, overflow), relu)
        known = rounding in (Rounding.RND_CONV, Rounding.TRN) or (rounding is Rounding.TRN_ZERO and relu)
        assert assert_same_values(network, codes) == known


@pytest.mark.parametrize(
    ("network", "code"),
    [
        (conversion(FixedPoint(True, 4, 3, Rounding.RND_CONV, Overflow.WRAP)), "QONNX-OVERFLOW"),
        (conversion(FixedPoint(True, 4, 3, Rounding.RND_CONV, Overflow.SAT_ZERO)), "QONNX-OVERFLOW"),
        (conversion(FixedPoint(True, 4, 3, Rounding.RND, Overflow.SAT)), "QONNX-ROUNDING"),
        (conversion(FixedPoint(True, 1, 1, Rounding.RND_CONV, Overflow.SAT)), "QONNX-BIPOLAR"),
        (conversion(FixedPoint(True, 4, 3), source=FixedPoint(True, 30, 4)), "QONNX-WIDE"),
    ],
)
def test_what_qonnx_cannot_say_is_refused(network, code):
    with pytest.raises(NetworkError) as caught:
        qonnx_model(network)
    assert caught.value.code == code


def test_signed_weights_of_one_bit_are_not_taken_for_bipolar():
    bit = FixedPoint(True, 1, 1)
    image = ir.Input("image", (), (2,), FixedPoint(True, 4, 4))
    kernel, bias = ir.Weights(np.array([[-1], [0]]), bit), ir.Weights(np.array([-1]), bit)
    dense = ir.Dense("dense", ("image",), (1,), FixedPoint(True, 5, 5), kernel, bias)
    assert assert_same_values(ir.Network("ternary", (image, dense)), np.array([[7, 3], [-8, 1]]))


def test_a_table_at_the_end_is_left_out_and_one_inside_is_refused():
    bit = FixedPoint(False, 1, 1)
    image = ir.Input("image", (), (2,), bit)
    table = ir.Table("table", ("image",), (2,), bit, ir.Weights(np.array([1, 0]), bit))
    again = ir.Requantize("again", ("image",), (2,), FixedPoint(False, 2, 2), True)
    entries = ir.Weights(np.array([1, 0, 0, 1]), bit)
    at_end = ir.Network("at_end", (image, again, ir.Table("table", ("again",), (2,), bit, entries, "sigmoid")))
    assert at_end.logits is again
    assert assert_same_values(at_end, np.array([[0, 1]]))
    # Any other function is part of the answer.
    elu = ir.Network("elu", (image, again, ir.Table("table", ("again",), (2,), bit, entries, "elu")))
    assert elu.logits is elu.output
    with pytest.raises(NetworkError, match="QONNX-NODE"):
        qonnx_model(elu)
    with pytest.raises(NetworkError, match="QONNX-NODE"):
        qonnx_model(ir.Network("inside", (image, table, ir.Requantize("o", ("table",), (2,), bit, False))))
