"""The sigmoid table: the right value at every input code, stated to within half a unit in the last place."""

from __future__ import annotations

from decimal import Decimal, getcontext

import numpy as np
import pytest

from siliconv.network import reference
from siliconv.network.fixed_point import FixedPoint, to_values
from siliconv.network.function_table import table_error
from siliconv.network.graph import Dense, Input, Network, Weights
from siliconv.network.output_sigmoid import INPUT, with_sigmoid


@pytest.fixture
def logit_network():
    byte, one = FixedPoint(True, 12, 6), FixedPoint(True, 2, 2)
    weights = Weights(np.ones((1, 1), np.int64), one)
    bias = Weights(np.zeros(1, np.int64), one)
    nodes = (Input("x", (), (1,), byte), Dense("logit", ("x",), (1,), FixedPoint(True, 14, 8), weights, bias))
    return Network("net", nodes)


def test_every_entry_is_the_sigmoid_rounded_to_the_nearest_code(logit_network):
    getcontext().prec = 40
    network = with_sigmoid(logit_network, name="sigmoid")
    table = network.output
    values = to_values(np.arange(*INPUT.codes), INPUT)
    for value, entry in zip(values, table.table.codes, strict=False):
        exact = Decimal(1) / (Decimal(1) + (-Decimal(float(value))).exp())
        assert abs(Decimal(int(entry)) - exact * 2**16) <= Decimal("0.5")
    (source,) = network.sources(table)
    assert table_error(table, source.type).last_places <= 0.5


def test_logits_far_outside_saturate_and_the_logit_stays_visible(logit_network):
    network = with_sigmoid(logit_network, name="sigmoid")
    assert network.logits.name == "logit"
    codes = np.array([[-2048], [-1], [0], [1], [2047]])
    tensors = reference.run(network, codes)
    assert np.array_equal(tensors["logit"], codes)
    probabilities = to_values(tensors["sigmoid"], network.output.type).ravel()
    assert np.all(np.diff(probabilities) >= 0)
    assert probabilities[2] == 0.5
    assert probabilities[0] < 0.001
    assert probabilities[-1] > 0.999
