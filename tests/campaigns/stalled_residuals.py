"""Two residual blocks in the seven settings with which a review saw streams stop, with slow inputs too: none does."""

from __future__ import annotations

from functools import cache
from typing import Any

from random_streams import slowed
from residual_blocks import SETTINGS, stages_of_design, two_blocks

from siliconv.hardware.stream.fifo_depths import smallest_depths
from siliconv.hardware.stream.stalls import with_stages
from siliconv.hardware.stream.stream_graph import StreamGraph
from siliconv.hardware.stream.stream_simulation import simulate
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.design.design import Design
from siliconv.hls.fifo.sized_design import design_of
from siliconv.hls.fifo.stream_actors import fifo_memory, stream_graph

SEEDS = len(SETTINGS)


def run(seed: int) -> dict[str, Any]:
    """Simulate one setting: pipelines that stall as a whole, and such that flush."""
    backend, strategy, *numbers, _stops = SETTINGS[seed]
    whole, minimal, sized = _sized(backend, strategy)
    graph, stages = stream_graph(sized), stages_of_design(sized, *numbers)
    piped = with_stages(graph, stages)
    before = bool(simulate(with_stages(whole, stages).with_depths(minimal), images=2).deadlock)
    for factor in (1, 4, 16):
        assert not simulate(slowed(piped, factor), images=2).deadlock, (backend, strategy, numbers, factor)
        assert not simulate(slowed(graph, factor), images=2).deadlock, (backend, strategy, numbers, factor)
    depths = {fifo.name: fifo.depth or 0 for fifo in graph.fifos}
    return {
        "simulations": 6,
        "stopped_before": int(before),
        "words_before": sum(minimal.values()),
        "words": sum(depths.values()),
        "blocks_before": fifo_memory(whole.with_depths(minimal), sized),
        "blocks": fifo_memory(graph, sized),
    }


@cache
def _sized(backend: Any, strategy: Any) -> tuple[StreamGraph, dict[str, int], Design]:
    """Give the graph, its smallest depths without stalls, and the design with those that bear them."""
    network, config = two_blocks(), HlsConfig(backend=backend, strategy=strategy, fifo_depths="hls4ml")
    whole = stream_graph(design_of(network, config))
    sized = design_of(network, config.model_copy(update={"fifo_depths": "smallest"}))
    return whole, dict(smallest_depths(whole).depths), sized
