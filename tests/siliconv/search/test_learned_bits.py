"""Learned bits: what is trained is what the recipe's quantizers compute, and the gradients pull the right way."""

from __future__ import annotations

import numpy as np
import pytest

from siliconv.legacy_keras import load, tensorflow
from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding
from siliconv.quantize.qkeras.weight_levels import WeightLevels

pytestmark = pytest.mark.long

WEIGHTS = {"signed": True, "fewest": 1, "most": 7, "ternary": True}
ACTIVATIONS = {"signed": False, "fewest": 2, "most": 8}


def learned(fraction, integer, allowed):
    from siliconv.search.learned_bits import BITS_PER_UNIT, BitRange, LearnedBits

    layer = load().layers.Layer()
    kind = FixedPoint(allowed["signed"], 8, 2, Rounding.RND_CONV, Overflow.SAT)
    bits = LearnedBits(layer, "kernel", kind, BitRange(**allowed))
    bits.fraction.assign(fraction / BITS_PER_UNIT)
    bits.integer.assign(integer / BITS_PER_UNIT)
    return bits


@pytest.mark.parametrize("fraction", [-3.2, -1.0, 0.4, 1.6, 4.0, 9.3])
@pytest.mark.parametrize("integer", [-2.4, -1.0, 0.3, 2.0])
@pytest.mark.parametrize("allowed", [WEIGHTS, ACTIVATIONS], ids=["weights", "activations"])
def test_values_are_those_of_the_type_that_a_recipe_gets(fraction, integer, allowed):
    from siliconv.quantize.qkeras.quantizers import relu_quantizer, weight_quantizer

    bits = learned(fraction, integer, allowed)
    values = np.random.default_rng(1).normal(scale=2.0, size=2000).astype(np.float32)
    values = np.maximum(values, 0) if not allowed["signed"] else values
    quantizer = weight_quantizer(bits.type) if allowed["signed"] else relu_quantizer(bits.type)
    assert (bits(values).numpy() == np.asarray(quantizer(values))).all()
    assert allowed["fewest"] <= bits.bits <= allowed["most"]
    assert float(bits.cost) == pytest.approx(np.clip(fraction + integer, allowed["fewest"], allowed["most"]), abs=1e-5)


def test_one_bit_of_a_weight_is_ternary():
    assert learned(2.0, -1.0, WEIGHTS).type == WeightLevels("ternary", -2)
    assert learned(2.0, 0.0, WEIGHTS).type == FixedPoint(True, 3, 1, Rounding.RND_CONV, Overflow.SAT)


def gradients(bits, values, towards):
    tf = tensorflow()
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((bits(tf.constant(values)) - towards) ** 2)
    return [float(one) for one in tape.gradient(loss, [bits.fraction, bits.integer])]


def test_coarse_rounding_asks_for_fraction_bits_and_clipping_for_integer_bits():
    """A gradient below zero is a wish for more."""
    values = np.linspace(0.0, 0.9, 91, dtype=np.float32)
    fraction, integer = gradients(learned(2.0, 0.0, ACTIVATIONS), values, values)
    assert fraction < 0
    values = np.linspace(1.0, 4.0, 31, dtype=np.float32)
    fraction, integer = gradients(learned(4.0, 0.0, ACTIVATIONS), values, values)
    assert integer < 0
    assert fraction == pytest.approx(0.0, abs=1e-3)


def test_the_soft_span_pulls_values_to_zero_and_steps_up_the_small_values_most():
    tf, bits = tensorflow(), learned(2.0, 0.0, WEIGHTS)
    values = tf.constant([0.1, 0.25, 0.75, -0.75, 3.0])
    with tf.GradientTape() as tape:
        tape.watch(values)
        soft = bits.soft_span(values)
        total = tf.reduce_sum(soft)
    assert soft.numpy() == pytest.approx([np.log2(1.4), 1.0, 2.0, 2.0, np.log2(5.0)])
    value, fraction = (np.asarray(one) for one in tape.gradient(total, [values, bits.fraction]))
    assert value[0] > value[1] > value[2] > 0 > value[3]
    assert value[4] == 0  # what is clipped costs no less for being nearer
    assert fraction > 0


@pytest.mark.parametrize(
    ("codes", "bits", "integer"),
    [
        ([0], 1, -4.0),
        ([-1, 1], 1, -4.0),
        ([-2, 0], 2, -3.0),
        ([-4, 3], 2, -3.0),
        ([0, 4], 3, -2.0),
        ([-32, 31], 5, 0.0),
    ],
)
def test_integer_bits_that_no_code_needs_go_and_the_values_stay(codes, bits, integer):
    kind = learned(5.0, 0.0, WEIGHTS)
    values = np.array(codes, np.float32) / 32
    before = kind(values).numpy()
    kind.tighten(np.array(codes))
    assert (kind.bits, kind.integer.numpy() * 5) == (bits, pytest.approx(integer))
    assert (kind(values).numpy() == before).all()


def test_settled_bits_learn_no_more_and_give_the_same_values():
    values = np.linspace(-0.9, 0.9, 50, dtype=np.float32)
    bits = learned(2.4, 0.4, WEIGHTS)
    before = bits(values).numpy()
    bits.settle()
    assert (bits(values).numpy() == before).all()
    assert float(bits.cost) == 2.0
    assert gradients(bits, values, values) == [0.0, 0.0]
