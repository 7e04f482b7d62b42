"""Latency and interval of a whole design from those of its layers, as the tool's report composes them.

The report of a dataflow region adds to its slowest layer only what the layers after it still need once their
input is complete; a pipelined region adds its layers; a sequential one repeats only when all are done.
"""

from __future__ import annotations

from collections.abc import Sequence

from siliconv.hls.design.design import Design, MatrixLayer, PaddingLayer
from siliconv.hls.estimate.memory import runs_as_dataflow
from siliconv.hls.estimate.multipliers import is_unrolled
from siliconv.hls.estimate.schedule import Cycles
from siliconv.hls.kinds import Backend, IoType, LayerKind

# Share of the reuse loop of a dense layer that outlasts the layer before it, and cycles to hand a stream on
# (read off the reports of convolutional networks in Vivado HLS 2019.2 and Vitis HLS 2024.1, 2025.2).
_DENSE_TAIL, _HANDOVER = 0.85, 1.5
# Registers between the calls of one pipeline, for each layer (Vivado HLS 2019.2: 5 for 8 layers; Vitis HLS
# 2021.1: 11 for 8 layers), and what of them is left when the pipeline does not start every cycle.
_CALLS = {Backend.VIVADO: 0.6, Backend.VITIS: 1.3}
_CALLS_WHEN_SLOWER = 0.7


def network_cycles(design: Design, layers: Sequence[Cycles]) -> Cycles:
    """Return latency and interval of the design, given the cycles of each of its layers in order."""
    if not layers:
        return Cycles(0, 1)
    if design.io_type is IoType.STREAM:
        return _dataflow(design, layers)
    latency = sum(cycles.latency for cycles in layers)
    slowest = max(cycles.interval for cycles in layers)
    if not runs_as_dataflow(design):
        if latency == 0 and sum(isinstance(layer, MatrixLayer) for layer in design.layers) > 1:
            # Each fits a period, and all of them together do not (Vitis HLS 2023.1 at 25 ns).
            return Cycles(1, slowest)
        several = sum(1 for cycles in layers if cycles.latency > 0) > 1
        each = _CALLS[design.backend] * (_CALLS_WHEN_SLOWER if slowest > 1 else 1.0)
        return Cycles(latency + (round(each * len(layers)) if several else 0), slowest)
    loops = sum(1 for layer in design.layers if _is_loop(layer))
    latency += max(loops - 1, 0) + round(_HANDOVER / 2 * (len(layers) - loops))
    if design.backend is Backend.VITIS and loops:
        # Vitis HLS reports no overlap between the calls (all published io_parallel Resource designs).
        return Cycles(latency, latency)
    return Cycles(latency, slowest)


def _is_loop(layer: object) -> bool:
    return isinstance(layer, MatrixLayer) and not is_unrolled(layer)


def _dataflow(design: Design, layers: Sequence[Cycles]) -> Cycles:
    slowest = max(range(len(layers)), key=lambda index: layers[index].latency)
    tail = 0.0
    for layer in design.layers[slowest + 1 :]:
        tail += _HANDOVER
        if _is_loop(layer) and isinstance(layer, MatrixLayer) and layer.kind is LayerKind.DENSE:
            tail += _DENSE_TAIL * layer.reuse_factor
    lead = sum(1 for layer in design.layers[:slowest] if not isinstance(layer, PaddingLayer))
    longest = layers[slowest].latency
    latency = longest + round(tail) + lead
    interval = max(cycles.interval for cycles in layers)
    if all(layer.input.pixels == 1 and layer.output.pixels == 1 for layer in design.layers):
        # One word an image: the layers run one after the other, and Vitis HLS reports no overlap.
        latency = sum(cycles.latency for cycles in layers) + len(layers) - 1
        return Cycles(latency, latency if design.backend is Backend.VITIS else interval)
    return Cycles(latency, interval + int(interval > 1 and design.backend is Backend.VIVADO))
