"""Write an integer network as QONNX, the exchange format of FINN, Brevitas and hls4ml.

A QONNX graph computes on real numbers in float32, with `Quant` nodes where types begin. Every value of an integer
network whose codes stay below ``2**24`` is exact there, so the exported graph gives the same values; what QONNX can't
say exactly (wrapping, ties towards plus infinity, a table inside the network) is refused. A table at the end is left
out: the export ends with the logits.

The meaning of `Quant` is that of the qonnx package (`qonnx.custom_op.general.quant`): divide by the scale, clamp,
round, multiply by the scale. Only the rounding modes that every version of it knows are used, ROUND (halves to even)
and FLOOR.
"""

from __future__ import annotations

from functools import singledispatchmethod
from typing import Any

import numpy as np

from siliconv.errors import NetworkError
from siliconv.network import graph as ir
from siliconv.network.emulator.onnx_forms import F32, I64, LARGEST, Form, Tensors, magnitude
from siliconv.network.emulator.onnx_graph import OnnxGraph
from siliconv.network.emulator.onnx_moves import paired, rearranged
from siliconv.network.emulator.onnx_requantize import OnnxConversion
from siliconv.network.emulator.onnx_weights import onnx_kernel
from siliconv.network.emulator.onnx_windows import counts_of_windows, onnx_pads, pad, spatial_shape, trimmed
from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding, to_values
from siliconv.network.intervals import prove

DOMAIN = "qonnx.custom_op.general"
ROUNDING = {Rounding.RND_CONV: "ROUND", Rounding.TRN: "FLOOR"}


def qonnx_model(network: ir.Network) -> bytes:
    """Give a network as a serialized QONNX model.

    Its input ``image`` is (batch, *input shape), channels last, float32 real values: code times step. Its output has
    the name of the last node, ``<name>_values``.

    Raises
    ------
    NetworkError
        ``QONNX-...`` where QONNX has no exact counterpart.
    """
    last = last_node(network)
    nodes = network.nodes[: network.nodes.index(last) + 1]
    export = _Export(ir.Network(network.name, nodes))
    value = export.tensors.get(last, F32, first=False, exponent=last.type.fraction)
    export.graph.output(value, f"{last.name}_values", F32, last.shape)
    return export.graph.serialized()


def last_node(network: ir.Network) -> ir.Node:
    """Give the node that an export ends with: the output, or the logits where the output is a table or a softmax."""
    if not isinstance(network.output, ir.Table | ir.Softmax):
        return network.output
    if network.logits is network.output:
        raise _refusal(network.output, "NODE", "a table at the end that is no sigmoid", "export the part before it")
    return network.logits


class _Export:
    """One network on its way to QONNX: tensors hold real values, channels first where convolutions want them."""

    def __init__(self, network: ir.Network) -> None:
        self.network = network
        self.bounds = prove(network)
        self.graph = OnnxGraph({DOMAIN: 1})
        self.tensors = Tensors(self.graph, self.bounds)
        for node in network.nodes:
            interval = self.bounds[node.name].interval
            if magnitude(interval) > LARGEST[F32]:
                raise _refusal(node, "WIDE", f"codes up to {magnitude(interval)}", "keep accumulators within 24 bits")
            self.emit(node, *network.sources(node))

    @singledispatchmethod
    def emit(self, node: ir.Node, *sources: ir.Node) -> None:
        """Add the operations of one node."""
        raise _refusal(node, "NODE", f"a {type(node).__name__} node", "use it at the end of the network only")

    def _get(self, source: ir.Node, *, first: bool) -> str:
        return self.tensors.get(source, F32, first=first, exponent=source.type.fraction)

    def _put(self, node: ir.Node, value: str, *, first: bool) -> None:
        self.tensors.put(node, Form(F32, first, node.type.fraction), value)

    def _quant(self, value: str, kind: FixedPoint, node: ir.Node, rounding: str = "ROUND") -> str:
        if kind.signed and kind.width == 1:
            raise _refusal(node, "BIPOLAR", "a signed type of one bit, which QONNX takes for -1 and +1", "use two bits")
        return self.graph.op(
            "Quant",
            value,
            self.graph.constant(kind.step, F32),
            self.graph.constant(0, F32),
            self.graph.constant(kind.width, F32),
            domain=DOMAIN,
            signed=int(kind.signed),
            narrow=int(kind.signed and kind.overflow is Overflow.SAT_SYM),
            rounding_mode=rounding,
        )

    def _weights(self, weights: ir.Weights, values: np.ndarray, node: ir.Node) -> str:
        """Give weights as a constant behind its quantizer, so that readers know their bits."""
        kind = weights.type
        if kind.signed and kind.width == 1:
            kind = FixedPoint(True, 2, kind.integer + 1)
        if magnitude(kind.codes) > LARGEST[F32]:
            raise _refusal(node, "WIDE", f"weights of {kind}", "use at most 24 bits")
        return self._quant(self.graph.constant(values, F32), kind, node)

    @emit.register
    def _(self, node: ir.Input) -> None:
        self._put(node, self._quant(self.graph.input("image", F32, node.shape), node.type, node), first=False)

    @emit.register(ir.Conv)
    @emit.register(ir.DepthwiseConv)
    def _(self, node: ir.Conv | ir.DepthwiseConv, source: ir.Node) -> None:
        kernel = to_values(node.kernel.codes, node.kernel.type)
        depthwise = isinstance(node, ir.DepthwiseConv)
        values = onnx_kernel(kernel, depthwise=depthwise)
        padding = trimmed(source.shape, node.shape, node.window, node.strides, node.padding)
        value = self.graph.op(
            "Conv",
            self._get(source, first=True),
            self._weights(node.kernel, values, node),
            self._weights(node.bias, to_values(node.bias.codes, node.bias.type), node),
            kernel_shape=node.window,
            strides=node.strides,
            pads=onnx_pads(padding),
            group=node.shape[-1] if depthwise else 1,
        )
        self._put(node, value, first=True)

    @emit.register
    def _(self, node: ir.Dense, source: ir.Node) -> None:
        kernel = self._weights(node.kernel, to_values(node.kernel.codes, node.kernel.type), node)
        bias = self._weights(node.bias, to_values(node.bias.codes, node.bias.type), node)
        product = self.graph.op("MatMul", self._get(source, first=False), kernel)
        self._put(node, self.graph.op("Add", product, bias), first=False)

    @emit.register(ir.MaxPool)
    @emit.register(ir.AveragePool)
    def _(self, node: ir.MaxPool | ir.AveragePool, source: ir.Node) -> None:
        attributes: dict[str, Any] = {"kernel_shape": node.window, "strides": node.strides}
        padding = trimmed(source.shape, spatial_shape(node), node.window, node.strides, node.padding)
        kind = type(node).__name__
        if isinstance(node, ir.AveragePool):
            self._check_average(node, source)
        value = self.graph.op(kind, self._get(source, first=True), **attributes, pads=onnx_pads(padding))
        if len(node.shape) == 1:
            value = self.graph.op("Reshape", value, self.graph.constant([-1, *node.shape], I64))
        self._put(node, value, first=True)

    def _check_average(self, node: ir.AveragePool, source: ir.Node) -> None:
        counts = counts_of_windows(node, source)
        places = node.type.fraction - source.type.fraction
        if np.any(counts & (counts - 1)) or int(counts.max()).bit_length() - 1 > places:
            raise _refusal(
                node,
                "AVERAGE",
                f"an average over {int(counts.max())} elements that {node.type} truncates",
                "use a window of a power of two elements and a type that holds all its bits",
            )

    @emit.register
    def _(self, node: ir.Add, one: ir.Node, other: ir.Node) -> None:
        first = self.tensors.natural(one).first
        value = self.graph.op("Add", self._get(one, first=first), self._get(other, first=first))
        self._put(node, value, first=first)

    @emit.register
    def _(self, node: ir.Concatenate, *sources: ir.Node) -> None:
        first = self.tensors.natural(sources[0]).first
        values = [self._get(source, first=first) for source in sources]
        axis = 1 if first and len(node.shape) > 1 else len(node.shape)
        self._put(node, self.graph.op("Concat", *values, axis=axis), first=first)

    @emit.register
    def _(self, node: ir.Pairwise, one: ir.Node, other: ir.Node) -> None:
        first = self.tensors.natural(one).first
        values = self._get(one, first=first), self._get(other, first=first)
        self._put(node, paired(self.graph, node.operation, *values, F32), first=first)

    @emit.register
    def _(self, node: ir.Rearrange, source: ir.Node) -> None:
        value = self._get(source, first=False)
        self._put(node, rearranged(self.graph, node, source, value), first=False)

    @emit.register
    def _(self, node: ir.Requantize, source: ir.Node) -> None:
        kind = node.type
        places = source.type.fraction - kind.fraction
        conversion = OnnxConversion(self.bounds[source.name].interval, places, kind, node.relu)
        if conversion.overflows and kind.overflow in (Overflow.WRAP, Overflow.SAT_ZERO):
            raise _refusal(node, "OVERFLOW", f"an overflow by {kind.overflow.value}", "use SAT or SAT_SYM")
        # Where nothing is negative, towards zero is down.
        down = kind.rounding is Rounding.TRN_ZERO and conversion.before_overflow.low >= 0
        rounding = "FLOOR" if down else ROUNDING.get(kind.rounding)
        if places <= 0:
            rounding = "ROUND"
        if rounding is None:
            raise _refusal(node, "ROUNDING", f"rounding by {kind.rounding.value}", "use " + ", ".join(ROUNDING))
        first = self.tensors.natural(source).first
        value = self._get(source, first=first)
        if node.relu and self.bounds[source.name].interval.low < 0:
            value = self.graph.op("Relu", value)
        self._put(node, self._quant(value, kind, node, rounding), first=first)

    @emit.register
    def _(self, node: ir.Reshape, source: ir.Node) -> None:
        shape = self.graph.constant([-1, *node.shape], I64)
        self._put(node, self.graph.op("Reshape", self._get(source, first=False), shape), first=False)

    @emit.register
    def _(self, node: ir.Pad, source: ir.Node) -> None:
        first = self.tensors.natural(source).first
        value = pad(self.graph, self._get(source, first=first), F32, node.padding, first=first, fill=0)
        self._put(node, value, first=first)


def _refusal(node: ir.Node, code: str, what: str, fix: str) -> NetworkError:
    return NetworkError(
        f"QONNX-{code}", f"{what} has no exact counterpart in QONNX", where=f"node '{node.name}'", fix=fix
    )
