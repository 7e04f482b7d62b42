"""Random graphs that copy and join streams, as pipelines that stall as a whole: none stops with its depths."""

from __future__ import annotations

from typing import Any

import hypothesis
from hypothesis import strategies as st
from random_streams import slowed, stages_of, stream_graphs

from siliconv.hardware.stream.fifo_depths import smallest_depths
from siliconv.hardware.stream.stalls import depths_that_bear_stalls, with_stages
from siliconv.hardware.stream.stream_simulation import simulate

SEEDS = 20
GRAPHS = 50
SLOWER = (1, 4, 16)
"""Cycles from one word of the input to the next, in words at full speed."""
SETTINGS = 4
"""Numbers of stages that are drawn for each graph, besides the largest: any up to the bounds."""


def run(seed: int) -> dict[str, Any]:
    """Size and simulate `GRAPHS` graphs; whatever stops is raised with the smallest graph that does."""
    seen = dict.fromkeys(("graphs", "simulations", "stopped_before", "fifos", "deepened", "words_before", "words"), 0)

    @hypothesis.seed(seed)
    @hypothesis.settings(max_examples=GRAPHS, deadline=None, database=None)
    @hypothesis.given(stream_graphs(joins=True, longest=4), st.data())
    def never_stops(graph: Any, data: Any) -> None:
        most = data.draw(stages_of(graph, 6))
        minimal = smallest_depths(graph).depths
        depths = depths_that_bear_stalls(graph, most, minimal)
        drawn = [most, *(data.draw(stages_of(graph, most)) for _ in range(SETTINGS))]
        stopped = False
        for stages in drawn:
            piped = with_stages(graph, stages)
            stopped |= bool(simulate(piped.with_depths(minimal), images=2).deadlock)
            for factor in SLOWER:
                assert not simulate(slowed(piped.with_depths(depths), factor), images=2).deadlock
                seen["simulations"] += 1
        deepened = [name for name, words in depths.items() if words > minimal[name]]
        # Nowhere is a word too many: without it, some arrangement of stages stops.
        for name in deepened:
            less = {**depths, name: depths[name] - 1}
            assert depths_that_bear_stalls(graph, most, less) != less, name
        seen["graphs"] += 1
        seen["stopped_before"] += stopped
        seen["fifos"] += len(depths)
        seen["deepened"] += len(deepened)
        seen["words_before"] += sum(minimal.values())
        seen["words"] += sum(depths.values())

    never_stops()
    return seen
