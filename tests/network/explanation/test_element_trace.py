"""An element's trace adds up to the reference's value, for every kind of node."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import input_codes, networks

from siliconv.network import graph as ir
from siliconv.network import reference
from siliconv.network.explanation.element_trace import conversion_in_words, trace_element
from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding

SUMS = (ir.Conv, ir.DepthwiseConv, ir.Dense, ir.Add, ir.MaxPool)


@pytest.mark.parametrize("kind", [*SUMS, ir.AveragePool])
@settings(max_examples=15, deadline=None)
@given(st.data())
def test_the_terms_of_any_element_give_its_code(kind, data):
    network = data.draw(networks(first=kind, most=3))
    codes = input_codes(network, data.draw(st.integers(0, 99)))
    tensors = reference.run(network, codes)
    for node in network.nodes[1:]:
        index = tuple(data.draw(st.integers(0, size - 1)) for size in node.shape)
        trace = trace_element(network, tensors, node.name, 1, index)
        assert trace.code == tensors[node.name][1][index]
        if isinstance(node, SUMS):
            assert trace.terms[-1].partial == trace.code
        if isinstance(node, ir.AveragePool):
            total = trace.terms[-1].partial
            assert int(np.sign(total)) * (abs(total) // len(trace.terms)) == trace.code


@pytest.mark.parametrize(
    ("code", "relu", "words"),
    [
        (-5, True, "negative, becomes 0 by relu"),
        (6, False, "2 bits dropped, 2 of 4, a tie -> 2"),
        (7, False, "2 bits dropped, 3 of 4 -> 2"),
        (999, False, "is outside of"),
    ],
)
def test_a_conversion_is_told_in_words(code, relu, words):
    to = FixedPoint(True, 4, 2, Rounding.RND_CONV, Overflow.SAT)
    assert words in conversion_in_words(code, FixedPoint(True, 16, 12), to, relu=relu)
