"""Claims about the SystemVerilog: each fails for its own reason."""

from dataclasses import replace

import pytest

from siliconv.rtl.simulation.evidence import NodeEvidence, RtlEvidence
from siliconv.rtl.simulation.rtl_claims import rtl_claims

GOOD = RtlEvidence(
    "RTL (Verilator)",
    images=2,
    runs=2,
    nodes=(NodeEvidence("conv", 40, 0, 0.0),),
    latency_cycles=9,
    interval_cycles=4.0,
    words=12,
    cycles_differ=0,
    constants=6,
    constants_differ=(),
    edited=(),
)


def test_all_hold_and_count_something():
    claims = rtl_claims(GOOD, "Verilator 5")
    assert [claim.holds for claim in claims] == [True] * 3
    assert [claim.count for claim in claims] == [40, 12, 6]


@pytest.mark.parametrize(
    ("wrong", "which", "said"),
    [
        ({"nodes": (NodeEvidence("conv", 40, 3, 0.5),)}, 0, "conv: 3 of 40 differ"),
        ({"cycles_differ": 5}, 1, "5 words move in another cycle"),
        ({"constants_differ": ("w.hex: 1 of 6 words differ",)}, 2, "w.hex: 1 of 6 words differ"),
    ],
)
def test_what_is_wrong_fails_one(wrong, which, said):
    claims = rtl_claims(replace(GOOD, **wrong), "Verilator 5")
    assert [claim.holds for claim in claims] == [number != which for number in range(3)]
    assert claims[which].details == (said,)
