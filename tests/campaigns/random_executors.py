"""Random networks: the emulator gives the codes of the reference, on every node, whatever the types."""

from __future__ import annotations

from typing import Any

import hypothesis
import numpy as np
from hypothesis import strategies as st
from strategies import codes_of_inputs, networks

from siliconv.network import reference
from siliconv.network.emulator import emulator

SEEDS = 40
EXAMPLES = 25


def run(seed: int) -> dict[str, Any]:
    """Compare `EXAMPLES` networks that a seed draws; a difference is raised with the smallest network that shows it."""
    seen = {"networks": 0, "values": 0}

    @hypothesis.seed(seed)
    @hypothesis.settings(max_examples=EXAMPLES, deadline=None, database=None)
    @hypothesis.given(
        network=st.one_of(
            networks(most=8),
            networks(most=4, widest=61, input_width=40, weight_width=30),
            networks(most=8, inputs=3),
        ),
        vectors=st.integers(0, 1000),
    )
    def compare(network: Any, vectors: int) -> None:
        codes = codes_of_inputs(network, vectors, batch=4)
        expected = reference.run(network, codes)
        found = emulator.compile(network).run(codes, keep=list(network.by_name))
        for name, tensor in found.items():
            np.testing.assert_array_equal(tensor, expected[name], err_msg=str(network.by_name[name]))
            seen["values"] += tensor.size
        seen["networks"] += 1

    compare()
    return seen
