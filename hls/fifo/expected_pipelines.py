"""What the estimate and the FIFO sizes assume of each layer's pipeline, for a comparison with what a tool made."""

from __future__ import annotations

from typing import NamedTuple

from siliconv.hls.design.design import Design
from siliconv.hls.fifo.pipeline_stages import pipeline_stages
from siliconv.hls.fifo.stream_actors import stream_graph
from siliconv.hls.kinds import IoType


class ExpectedPipeline(NamedTuple):
    """Cycles from one pixel to the next, and the most stages that FIFOs of joins have room for."""

    interval: int
    most_stages: int


def expected_pipelines(design: Design) -> dict[str, ExpectedPipeline]:
    """Give what is assumed of the layers of a design, by name; nothing of io_parallel, which has no such loops."""
    if design.io_type is not IoType.STREAM:
        return {}
    graph = stream_graph(design)
    stages = pipeline_stages(graph, design)
    return {
        actor.name: ExpectedPipeline(max((step.cycles for step in actor.program), default=1), stages[actor.name])
        for actor in graph.actors
    }
