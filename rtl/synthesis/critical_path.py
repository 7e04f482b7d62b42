"""The slowest path of a placed design in the words of the network: which layer, and what in it."""

from __future__ import annotations

import re

from siliconv.rtl.plan.blocks import RtlDesign

PARTS = {
    "u_window": "the ring and its counters",
    "u_weights": "the memory of the weights",
    "u_bias": "the memory of the biases",
    "u_mac": "the products and sums",
    "u_finish": "rounding and the FIFO behind it",
    "u_order": "the order of pixels",
    "u_reciprocals": "the memory of the reciprocals",
    "u_divide": "the division",
    "u_fifo": "the FIFO behind it",
}
"""What the instances in a block are."""


def place_of(cell: str, design: RtlDesign) -> str:
    """Tell in which layer a cell stands, and in what of it."""
    nodes = {block.name: block.outputs[0].node for block in design.blocks}
    instances = re.findall(r"(?:^|\.)(u_[^.\[]+)", cell)
    block = next((one[2:] for one in instances if one[2:] in nodes), None)
    if block is None:
        return f"outside of the layers ({cell})"
    part = next((PARTS[one] for one in instances if one in PARTS), "control")
    return f"{part} of {nodes[block]}"


def told(source: str, target: str, logic_ns: float, routing_ns: float, design: RtlDesign) -> str:
    """Say where the slowest path goes, and what it spends its time on."""
    start, end = place_of(source, design), place_of(target, design)
    way = f"in {start}" if start == end else f"from {start} to {end}"
    return f"{way}: {logic_ns:.1f} ns of logic, {routing_ns:.1f} ns of wires"
