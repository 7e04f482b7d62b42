"""The most stages that a tool may give the pipeline of a layer: what it can keep inside while it stalls.

No vendor tool says so before synthesis. The bounds are on the safe side of the depths in published reports and of an
adder a stage (docs/firmware.md); a loop that is not pipelined keeps the word it works on.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import singledispatch
from math import ceil, log2

from siliconv.hardware.stream.stream_graph import StreamGraph
from siliconv.hls.design.design import (
    Design,
    ElementwiseLayer,
    Layer,
    MatrixLayer,
    MergeLayer,
    PaddingLayer,
    PoolLayer,
    SoftmaxLayer,
)
from siliconv.hls.estimate.multipliers import is_unrolled
from siliconv.hls.estimate.schedule import matrix_vector

_COPY, _PADDING, _JOIN, _READ_ROUND_WRITE = 2, 2, 3, 4


def pipeline_stages(graph: StreamGraph, design: Design) -> Mapping[str, int]:
    """Give the most stages of each actor of a design's stream graph; what copies a stream belongs to no layer."""
    layers = {layer.name: layer for layer in design.layers}
    return {
        actor.name: most_stages(layers[actor.name], design) if actor.name in layers else _COPY for actor in graph.actors
    }


@singledispatch
def most_stages(layer: Layer, design: Design) -> int:
    """Give the most stages between reading a pixel and writing what it completes; the default moves and rounds."""
    return _READ_ROUND_WRITE


@most_stages.register
def _(layer: MatrixLayer, design: Design) -> int:
    if not layer.kind.is_convolution:
        # All is read, then computed, then written.
        return 0
    if not is_unrolled(layer):
        return 1
    levels = ceil(log2(max(layer.n_in, 2)))
    return max(levels, matrix_vector(layer, design).latency) + _READ_ROUND_WRITE


@most_stages.register
def _(layer: PoolLayer, design: Design) -> int:
    divides = layer.average and layer.counts_vary
    return _READ_ROUND_WRITE + (layer.output.type.width + _READ_ROUND_WRITE if divides else 0)


@most_stages.register
def _(layer: ElementwiseLayer, design: Design) -> int:
    return 2 * _READ_ROUND_WRITE if layer.function == "normalize" else _READ_ROUND_WRITE


@most_stages.register
def _(layer: SoftmaxLayer, design: Design) -> int:
    # Two look-ups, a tree of additions and a product.
    return 2 * _READ_ROUND_WRITE + ceil(log2(max(layer.input.channels, 2)))


@most_stages.register
def _(layer: MergeLayer, design: Design) -> int:
    return _JOIN


@most_stages.register
def _(layer: PaddingLayer, design: Design) -> int:
    return _PADDING
