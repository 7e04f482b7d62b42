"""The cycles from image to image in a long stream, simulated with FIFOs that cost no cycle."""

from __future__ import annotations

from siliconv.hardware.stream.stream_graph import StreamGraph, in_order_of_data
from siliconv.hardware.stream.stream_relaxation import Relaxation

_IMAGES = 4


def steady_interval(graph: StreamGraph) -> int:
    """Return the cycles between the last two of several images at the outputs of a graph.

    FIFOs are taken as deep as they have to be, which `siliconv.hardware.stream.fifo_depths` makes them.
    """
    ends = Relaxation(graph, _IMAGES).unlimited(in_order_of_data(graph)).ends
    writers = {fifo.writer for fifo in graph.fifos}
    last = [found for actor, found in zip(graph.actors, ends, strict=True) if actor.name not in writers and len(found)]
    return max((int(found[-1] - found[len(found) // _IMAGES * (_IMAGES - 1) - 1]) for found in last), default=1)
