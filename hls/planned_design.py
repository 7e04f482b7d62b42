"""The design of a plan, for an estimate before anything is trained: assumed weights, and types from the recipe."""

from __future__ import annotations

from dataclasses import replace

from siliconv.hls.design import (
    Backend,
    Design,
    ElementwiseLayer,
    FixedType,
    GlobalPoolLayer,
    IoType,
    Layer,
    MatrixLayer,
    PaddingLayer,
    PoolLayer,
    Tensor,
    UnknownLayer,
)
from siliconv.hls.network_design import PADDING_SUFFIX, design_of
from siliconv.hls.plan import PIXEL_BITS, Plan, PlannedLayer

_SHALLOW = 2
"""Words in the FIFOs of a graph without branches, once siliconv has chosen them."""

_MOVES_NOTHING = ("flatten",)


def planned_design(plan: Plan) -> Design:
    """Describe what the estimator needs: the network of an earlier build where there is one, else the plan.

    FIFO depths are not searched for, which may take seconds: two words, or a whole map where hls4ml chooses.
    """
    if plan.network is not None:
        as_hls4ml = plan.hls.model_copy(update={"fifo_depths": "hls4ml"})
        return _with_fifos(plan, design_of(plan.network, as_hls4ml))
    types: dict[str, FixedType] = {"input": FixedType(PIXEL_BITS, 0, signed=False)}
    layers: list[Layer] = []
    for layer in plan.layers:
        before = types[layer.sources[0]]
        types[layer.name] = _type(plan, layer, before)
        if layer.kind not in _MOVES_NOTHING:
            layers += _layers(plan, layer, before, types[layer.name])
    design = Design(
        plan.name,
        tuple(layers),
        part=plan.hls.part,
        clock_ns=plan.hls.clock_ns,
        backend=Backend.VIVADO if plan.hls.backend.startswith("Vivado") else Backend.VITIS,
        io_type=IoType(plan.hls.io_type),
    )
    return _with_fifos(plan, design)


def _with_fifos(plan: Plan, design: Design) -> Design:
    if plan.hls.io_type != "io_stream" or plan.hls.fifo_depths == "hls4ml":
        return design
    return replace(design, layers=tuple(replace(layer, fifo_depth=_SHALLOW) for layer in design.layers))


def _type(plan: Plan, layer: PlannedLayer, before: FixedType) -> FixedType:
    if layer.matrix is not None:
        width = plan.weight_bits(layer) + before.width + (layer.n_in - 1).bit_length()
        return FixedType(width, width // 2)
    if layer.kind == "activation":
        bits = next((plan.recipe.bits(one.name).activations for one in plan.before(layer) if one.matrix), None)
        return FixedType(bits or plan.recipe.activations, 2, signed=False, rounds=True, saturates=True)
    return before


def _layers(plan: Plan, layer: PlannedLayer, before: FixedType, after: FixedType) -> list[Layer]:
    source, result = Tensor(layer.inputs[0], before), Tensor(layer.output, after)
    if layer.matrix is not None:
        return _matrix(plan, layer, source, result)
    if layer.kind == "activation":
        return [ElementwiseLayer(layer.name, source, result, function=layer.activation or "relu")]
    if layer.kind in ("max_pool", "average_pool"):
        average = layer.kind == "average_pool"
        return [PoolLayer(layer.name, source, result, layer.window, layer.strides, average)]
    if layer.kind in ("global_average_pool", "global_max_pool"):
        return [GlobalPoolLayer(layer.name, source, result, average=layer.kind == "global_average_pool")]
    return [UnknownLayer(layer.name, source, result, type_name=layer.kind)]


def _matrix(plan: Plan, layer: PlannedLayer, source: Tensor, result: Tensor) -> list[Layer]:
    assert layer.matrix is not None  # the caller looked
    layers: list[Layer] = []
    padding = layer.padding
    if any(padding) and plan.io_type is IoType.STREAM:
        padded = (*(size + pad for size, pad in zip(source.shape, padding, strict=False)), source.shape[-1])
        layers.append(PaddingLayer(layer.name + PADDING_SUFFIX, source, Tensor(padded, source.type)))
        source, padding = layers[0].output, (0,) * len(padding)
    bits = plan.recipe.bits(layer.name)
    return [
        *layers,
        MatrixLayer(
            layer.name,
            source,
            result,
            kind=layer.matrix,
            weight=FixedType(plan.weight_bits(layer), 1),
            bias=FixedType(bits.biases or plan.recipe.biases, 1),
            accumulator=result.type,
            kernel=layer.window,
            stride=layer.strides,
            padding=padding,
            reuse_factor=plan.reuse_factor(layer) or 1,
            strategy=plan.hls.strategy_of(layer.name),
        ),
    ]
