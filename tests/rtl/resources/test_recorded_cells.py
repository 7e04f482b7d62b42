"""What is predicted is what Yosys counted, in every run that is kept (benchmarks/results/rtl_cells_runs.jsonl)."""

import json
from pathlib import Path

import numpy as np
import pytest
from drawn_chain import drawn_chain

from siliconv.rtl.configuration import MULTIPLIER_BITS
from siliconv.rtl.plan.lanes import lanes_for_products
from siliconv.rtl.plan.planning import plan
from siliconv.rtl.resources.predicted_cells import error_of, predicted

RUNS = Path(__file__).resolve().parents[3] / "benchmarks" / "results" / "rtl_cells_runs.jsonl"


NARROWER = {("ecp5", "random 16")}
"""Where Yosys sees that the lowest bits of an average's totals are zeros, which it does not elsewhere."""


@pytest.fixture(scope="module", params=["ecp5", "xc7"])
def compared(request):
    """Pairs of what is predicted and what Yosys counted, of a family."""
    runs = [json.loads(line) for line in RUNS.read_text(encoding="utf-8").splitlines()]
    found = []
    for one in runs:
        if one["family"] == request.param:
            network = drawn_chain(int(one["path"].removeprefix("random ")))
            lanes = lanes_for_products(network, one["products"])
            design = plan(network, lanes, multiplier_bits=MULTIPLIER_BITS[request.param])
            found.append((predicted(design, request.param), one))
    return request.param, found


def test_what_is_counted_is_equal(compared):
    _, pairs = compared
    assert len(pairs) > 10
    for ours, one in pairs:
        assert (ours.dsp, ours.block_memory) == (one["dsp"], one["bram"]), one
        assert ours.lut_memory == one["lut_memory"] or (one["family"], one["path"]) in NARROWER, one


def test_flip_flops_and_look_up_tables_are_near(compared):
    family, pairs = compared
    for kind in ("ff", "lut"):
        off = np.array([abs(getattr(ours, kind) / one[kind] - 1) for ours, one in pairs])
        assert np.quantile(off, 0.9) <= max(error_of(family)[kind], 0.005) + 0.001
        assert off.max() < 0.07, pairs[int(off.argmax())]
