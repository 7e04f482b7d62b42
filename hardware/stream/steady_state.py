"""The cycles from image to image in a long stream, simulated with FIFOs that cost no cycle."""

from __future__ import annotations

from siliconv.hardware.stream.stream_graph import StreamGraph, in_order_of_data
from siliconv.hardware.stream.stream_relaxation import Relaxation

_IMAGES = 4


def steady_interval(graph: StreamGraph) -> int:
    """Return the cycles between the last two of several images, of the slowest actor of a graph.

    An output may be faster for many images: where branches join, one that starts late hides a slower one until that has
    fallen behind. FIFOs are taken as deep as they have to be, which `siliconv.hardware.stream.fifo_depths` makes them.
    """
    ends = Relaxation(graph, _IMAGES).unlimited(in_order_of_data(graph)).ends
    return max((int(one[-1] - one[len(one) // _IMAGES * (_IMAGES - 1) - 1]) for one in ends if len(one)), default=1)
