"""Pre-flight rules about the layers: what has no exact form, no template, or a template that stops at it."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from siliconv.checks.per_layer import layer_rule, matrix_rule
from siliconv.checks.preflight import Complaint, Severity, Words, rule, rule_at
from siliconv.hls.backends import BACKENDS, ports_in_words
from siliconv.hls.configuration import LARGEST_ARRAY
from siliconv.hls.fit.fit import MOST_MULTIPLIERS
from siliconv.hls.kinds import IoType, Strategy
from siliconv.plan.plan import Plan, PlannedLayer
from siliconv.quantize.lowering.lowering import lowered_kinds

# As the layers are called in a QKeras model; a name without a rank stands for both ranks.
_KERAS_KINDS = {
    "conv1d": "QConv1D",
    "conv2d": "QConv2D",
    "depthwise_conv1d": "QDepthwiseConv1D",
    "depthwise_conv2d": "QDepthwiseConv2D",
    "dense": "QDense",
    "activation": "QActivation",
    "max_pool": "MaxPooling",
    "average_pool": "AveragePooling",
    "global_average_pool": "GlobalAveragePooling",
    "global_max_pool": "GlobalMaxPooling",
    "flatten": "Flatten",
    "add": "Add",
    "concatenate": "Concatenate",
    "zero_padding": "ZeroPadding",
    "subtract": "Subtract",
    "multiply": "Multiply",
    "maximum": "Maximum",
    "minimum": "Minimum",
    "reshape": "Reshape",
    "rearrange": "RearrangedElements",
}
_POOLS = ("max_pool", "average_pool")


@layer_rule("LAYER-KIND", Severity.ERROR)
def layer_kind(plan: Plan, layer: PlannedLayer) -> Words:
    name = _KERAS_KINDS.get(layer.kind, layer.kind)
    if not plan.taken and not any(kind in (name, f"{name}1D", f"{name}2D") for kind in lowered_kinds()):
        yield (
            f"a layer of kind {layer.kind} can be trained, but has no exact integer form yet",
            "use another kind of layer",
        )


@matrix_rule("LAYER-UNACTIVATED", Severity.WARNING)
def layer_unactivated(plan: Plan, layer: PlannedLayer) -> Words:
    if plan.taken:  # its owner quantized what was to be quantized
        return
    for before in plan.before(layer):
        if before.matrix is not None:
            yield (
                f"'{layer.name}' multiplies the whole accumulator of '{before.name}': nothing between them rounds "
                "it to few bits",
                f"put a relu behind '{before.name}'",
            )
        if before.kind not in (*_POOLS, "flatten", "global_average_pool", "global_max_pool"):
            break


@layer_rule("POOL-AVERAGE", Severity.HINT)
def pool_average(plan: Plan, layer: PlannedLayer) -> Words:
    if "average_pool" not in layer.kind:
        return
    count = prod(layer.window)
    if count & (count - 1) or any(layer.padding):
        padded = " that hang over the edge" if any(layer.padding) else ""
        yield (
            f"an average over windows of {count} elements{padded} divides in logic; it is truncated, in the model "
            "as in the firmware; powers of two are exact and free",
            "nothing to do; windows of 2, 4, 8, 16, ... real elements cost less",
        )


@rule_at("FIRMWARE-PORTS", Severity.ERROR, "hls.backend")
def firmware_ports(plan: Plan) -> Words:
    if max(plan.ports) > 1 and not BACKENDS[plan.hls.backend].takes_several:
        yield (
            f"{ports_in_words(*plan.ports)}, of which {plan.hls.backend} takes one each here",
            "use hls.backend: Vitis or Vivado",
        )


@rule_at("RTL-PORTS", Severity.HINT, "the network")
def rtl_ports(plan: Plan) -> Words:
    if max(plan.ports) > 1:
        yield (
            f"{ports_in_words(*plan.ports)}: no AXI-Stream top level, driver or block design is written, and "
            "the stage rtl will refuse this network",
            "nothing to do for the firmware by hls4ml, whose core has a port for each",
        )


@matrix_rule("UNROLL-PRODUCTS", Severity.ERROR)
def unroll_products(plan: Plan, layer: PlannedLayer) -> Words:
    latency = plan.strategy(layer) is Strategy.LATENCY
    unrolled = layer.products if latency else -(-layer.products // (plan.reuse_factor(layer) or 1))
    if unrolled > MOST_MULTIPLIERS and plan.strategy(layer) is not Strategy.DISTRIBUTED_ARITHMETIC:
        yield (
            f"{unrolled:,} products are unrolled at once; the tools stop unrolling at {MOST_MULTIPLIERS:,}"
            + (" (the latency strategy unrolls all of them, whatever the reuse factor)" if latency else ""),
            "use hls.strategy: resource" if latency else f"use hls.max_multipliers: {MOST_MULTIPLIERS} or less",
            {"hls.strategy": "resource"} if latency and not plan.hls.reuse_factors and not plan.hls.strategies else {},
        )


@matrix_rule("UNROLL-VECTOR", Severity.ERROR)
def unroll_vector(plan: Plan, layer: PlannedLayer) -> Words:
    for size, what in ((layer.n_in, "inputs"), (layer.n_out, "outputs")):
        if size > LARGEST_ARRAY:
            yield (
                f"a vector of {size:,} {what} is split into registers; the tools split at most {LARGEST_ARRAY:,}",
                "pool before the layer, for example global_average_pool in place of flatten"
                if what == "inputs"
                else "use fewer outputs",
            )


@rule("PARALLEL-ARRAY", Severity.ERROR)
def parallel_array(plan: Plan) -> Iterator[Complaint]:
    if plan.io_type is not IoType.PARALLEL:
        return
    first = plan.layers[0]
    sizes = [("the input", prod(first.inputs[0])), *((f"layer '{one.name}'", prod(one.output)) for one in plan.layers)]
    where, size = max(sizes, key=lambda pair: pair[1])
    if size > LARGEST_ARRAY:
        yield Complaint(
            f"io_parallel splits every feature map into registers: {size:,} here, the tools allow {LARGEST_ARRAY:,}",
            where,
            "use hls.io_type: io_stream",
            {"hls.io_type": "io_stream"},
        )


@rule_at("PARALLEL-SIZE", Severity.WARNING, "hls.io_type")
def parallel_size(plan: Plan) -> Words:
    weights = sum(layer.products for layer in plan.matrices)
    convolutions = [layer for layer in plan.matrices if layer.matrix is not None and layer.matrix.is_convolution]
    if plan.io_type is IoType.PARALLEL and convolutions and weights > LARGEST_ARRAY:
        yield (
            f"io_parallel with convolutions and {weights:,} weights: synthesis takes hours and the logic is repeated",
            "use hls.io_type: io_stream",
            {"hls.io_type": "io_stream"},
        )


@rule_at("PARALLEL-COSIM", Severity.HINT, "hls.io_type")
def parallel_cosim(plan: Plan) -> Words:
    convolutions = any(one.matrix is not None and one.matrix.is_convolution for one in plan.matrices)
    if plan.io_type is IoType.PARALLEL and plan.hls.backend == "Vitis" and convolutions:
        yield (
            "a comment in hls4ml's template for io_parallel convolutions: RTL simulation by Vitis HLS 2025.1 hangs",
            "leave co-simulation out with that release, or use hls.io_type: io_stream",
        )


@rule_at("OUTPUT-CONSTANT", Severity.ERROR, "the output")
def output_constant(plan: Plan) -> Words:
    if plan.output_activation == "softmax" and plan.layers[-1].output[-1] == 1:
        yield "a softmax of one output is 1 for every image", "use activation: sigmoid, or one output a class"
