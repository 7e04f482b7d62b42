"""Residual blocks and the pipelines with which a review saw their streams stop."""

from network_builder import NetworkBuilder

from siliconv.hls.design.design import ElementwiseLayer, MatrixLayer, MergeLayer, PaddingLayer
from siliconv.hls.fifo.stream_actors import stream_graph

SETTINGS = (
    # Back end, strategy; stages of convolutions, paddings, ReLUs, joins; whether it stops with the smallest depths.
    ("Vitis", "latency", 3, 1, 1, 1, True),
    ("Vitis", "latency", 5, 1, 2, 1, True),
    ("Vitis", "latency", 8, 1, 2, 2, True),
    ("Vitis", "resource", 0, 1, 2, 2, None),
    ("Vitis", "resource", 0, 1, 3, 2, None),
    ("Vitis", "resource", 0, 2, 3, 2, True),
    ("Vivado", "latency", 8, 1, 2, 2, True),
)


def two_blocks():
    """Two residual blocks of 32x32x16."""
    builder = NetworkBuilder((32, 32, 3)).conv(16, (3, 3)).relu(6, 2)
    for _ in range(2):
        before = builder.last
        builder = builder.conv(16, (3, 3)).relu(6, 2).conv(16, (3, 3)).requantize(before.type, relu=False)
        builder = builder.add(before).relu(6, 2)
    return builder.global_average().dense(4).network()


def stages_of_design(design, conv, padding, relu, join):
    """Stages by actor of a design's stream graph; what copies a stream has one, the dense layer none."""
    layers = {layer.name: layer for layer in design.layers}
    numbers = {MatrixLayer: conv, PaddingLayer: padding, ElementwiseLayer: relu, MergeLayer: join}
    stages = {actor.name: numbers.get(type(layers.get(actor.name)), 1) for actor in stream_graph(design).actors}
    return {**stages, "dense_1": 0}
