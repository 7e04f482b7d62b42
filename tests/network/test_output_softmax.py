"""The softmax of tables: near the real one by its stated bound, in reference and emulator, for any logits."""

from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np
import pytest

from siliconv.network import network_file, reference
from siliconv.network.emulator import emulator
from siliconv.network.fixed_point import FixedPoint, to_values
from siliconv.network.graph import Dense, Input, Network, Requantize, Weights
from siliconv.network.output_softmax import OUTPUT, softmax_error, with_softmax


def network_of(classes):
    logits = FixedPoint(True, 14, 6)
    eye = Weights(np.eye(classes, dtype=np.int64), FixedPoint(True, 2, 2))
    bias = Weights(np.zeros(classes, np.int64), FixedPoint(True, 1, 1))
    kind = FixedPoint(True, logits.width + 1, logits.integer + 1)
    nodes = (Input("x", (), (classes,), logits), Dense("logits", ("x",), (classes,), kind, eye, bias))
    return with_softmax(Network("net", nodes), name="softmax")


def real_softmax(values):
    with localcontext() as context:
        context.prec = 40
        powers = [Decimal(float(value) - float(max(values))).exp() for value in values]
        return [power / sum(powers) for power in powers]


def logits_near_each_other(classes, rows=300):
    random = np.random.default_rng(classes)
    spread = random.integers(1, 3000, (rows, 1))
    return np.clip(random.normal(0, 1, (rows, classes)) * spread, -8192, 8191).astype(np.int64)


@pytest.mark.parametrize("classes", [2, 3, 10, 40])
def test_it_is_the_real_softmax_of_its_input_to_the_stated_error(classes):
    network = network_of(classes)
    tensors = reference.run(network, logits_near_each_other(classes))
    inputs = to_values(tensors["softmax_input"], network.by_name["softmax_input"].type)
    bound = softmax_error(network.output)
    assert bound < 1.5
    worst = max(
        abs(Decimal(int(code)) - exact * 2**OUTPUT.fraction)
        for row, codes in zip(inputs, tensors["softmax"], strict=True)
        for exact, code in zip(real_softmax(row), codes, strict=True)
    )
    assert worst <= Decimal(bound)
    assert worst > Decimal("0.4"), "rounding alone is off by nearly half a unit somewhere"


@pytest.mark.parametrize("classes", [1, 2, 7, 130])
def test_reference_and_emulator_agree(classes, tmp_path):
    network = network_of(classes)
    codes = logits_near_each_other(classes)
    names = ["softmax", "softmax_input"]
    expected = reference.run(network, codes, keep=names)
    found = emulator.compile(network).run(codes, keep=names)
    assert all(np.array_equal(found[name], expected[name]) for name in names)
    network_file.save(network, tmp_path)
    assert np.array_equal(reference.run(network_file.load(tmp_path), codes)["softmax"], expected["softmax"])


def test_extreme_logits_do_not_saturate_before_the_softmax():
    network = network_of(3)
    codes = np.array([[8191, -8192, 0], [8191, 8191, 8191], [-8192, -8192, -8191]])
    tensors = reference.run(network, codes)
    shares = to_values(tensors["softmax"], OUTPUT)
    assert shares[0].tolist() == [1, 0, 0]
    assert len(set(shares[1])) == 1
    assert abs(shares[1].sum() - 1) < 0.004
    requantize = network.by_name["softmax_input"]
    assert isinstance(requantize, Requantize)
    assert np.ptp(to_values(tensors["softmax_input"], requantize.type)[0]) == pytest.approx(64, abs=0.02)


def test_the_decision_is_that_of_the_logits():
    assert network_of(4).logits.name == "logits"


def test_rounding_the_logits_moves_a_probability_by_four_units_at_most():
    """Two classes as likely as each other, whose logits are rounded by half a step in opposite directions."""
    steps = np.linspace(-0.5, 0.5, 201) / 64
    apart = [abs(float(real_softmax(np.array([step, -step]))[0]) - 0.5) for step in steps]
    assert 3.9 / 1024 < max(apart) < 4.0 / 1024
