"""A firmware design as the estimator sees it: layers with geometry, types and weights, and where it runs.

The description is independent of where it comes from: `siliconv.hls.calibration.records` fills it from a published
synthesis record, the flow fills it from the integer network. Shapes are channels last and without the
batch; widths are bits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod

from siliconv.hls.kinds import Backend, IoType, LayerKind, Strategy
from siliconv.hls.weight_statistics import WeightStatistics


@dataclass(frozen=True)
class FixedType:
    """A fixed-point type: width in bits, integer bits, and whether a cast to it rounds or saturates."""

    width: int
    integer: int = 0
    signed: bool = True
    rounds: bool = False
    saturates: bool = False


@dataclass(frozen=True)
class Tensor:
    """Shape (channels last) and element type of what flows between two layers."""

    shape: tuple[int, ...]
    type: FixedType

    @property
    def channels(self) -> int:
        """Elements that travel together in one word of a stream."""
        return self.shape[-1]

    @property
    def pixels(self) -> int:
        """Words of the stream that carries one image."""
        return prod(self.shape[:-1])

    @property
    def size(self) -> int:
        """All elements."""
        return prod(self.shape)


@dataclass(frozen=True)
class Layer:
    """What all layers have: a name, what comes in, what goes out, and the depth of the output FIFO.

    `fifo_depth` is in words (pixels); None is hls4ml's default, a whole image. `input` of a layer with
    several inputs is the first of them.
    """

    name: str
    input: Tensor
    output: Tensor
    fifo_depth: int | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class MatrixLayer(Layer):
    """Convolution, depthwise convolution or dense layer.

    `kernel`, `stride` are per spatial axis (empty for dense); `padding` is what the template itself pads
    (io_parallel; a stream has a `PaddingLayer` before it). `weights` None: assume trained weights.
    `weights_outside`: they are read through a port, from memory that is not the core's. `weight_memory`: what the
    sources bind those of a reuse loop to, as in `HlsConfig`.
    """

    kind: LayerKind
    weight: FixedType
    bias: FixedType
    accumulator: FixedType
    kernel: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()
    padding: tuple[int, ...] = ()
    reuse_factor: int = 1
    strategy: Strategy = Strategy.LATENCY
    parallelization_factor: int = 1
    weights: WeightStatistics | None = None
    weights_outside: bool = False
    weight_memory: str = "auto"

    @property
    def n_in(self) -> int:
        """Inputs of the matrix-vector product: kernel pixels x channels."""
        if self.kind is LayerKind.DENSE:
            return self.input.size
        return prod(self.kernel) * self.input.channels

    @property
    def n_out(self) -> int:
        """Outputs of the matrix-vector product."""
        return self.output.size if self.kind is LayerKind.DENSE else self.output.channels

    @property
    def products(self) -> int:
        """Multiplications for one output pixel, zeros included."""
        return self.n_in if self.kind.is_depthwise else self.n_in * self.n_out

    @property
    def multipliers(self) -> int:
        """Multiplications that happen in one clock cycle."""
        return -(-self.products // self.reuse_factor)

    @property
    def weight_bits(self) -> int:
        """Memory of the weights and biases in bits."""
        return self.products * self.weight.width + self.n_out * self.bias.width


@dataclass(frozen=True)
class PoolLayer(Layer):
    """Maximum or average over a sliding window; `before` is the padding before each spatial axis."""

    kernel: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()
    average: bool = False
    before: tuple[int, ...] = ()

    @property
    def raster(self) -> tuple[int, ...]:
        """Sizes of the image that the window slides over, with the padding that it reaches."""
        if not self.before:
            return self.input.shape[:-1]
        axes = zip(self.input.shape, self.output.shape, self.kernel, self.stride, self.before, strict=False)
        return tuple(max(pad + size, (count - 1) * step + extent) for size, count, extent, step, pad in axes)

    @property
    def counts_vary(self) -> bool:
        """Whether windows hang over the edge, so that averages divide by different counts."""
        spatial = zip(self.input.shape, self.output.shape, self.stride, strict=False)
        return any(after * step > before for before, after, step in spatial)


@dataclass(frozen=True)
class GlobalPoolLayer(Layer):
    """Maximum or average over all pixels."""

    average: bool = False


@dataclass(frozen=True)
class ElementwiseLayer(Layer):
    """A function of each element: relu, leaky_relu, prelu, requantize, normalize, sigmoid, tanh, elu, ...

    `table_size` words are looked up by the functions that have a table; `reuse_factor` throttles
    `normalize` (batch normalization with a scale and a bias a channel).
    """

    function: str = "relu"
    table_size: int = 1024
    table_type: FixedType = FixedType(18, 8)
    reuse_factor: int = 1
    weights: WeightStatistics | None = None


@dataclass(frozen=True)
class SoftmaxLayer(Layer):
    """Softmax by an exponential and an inversion table.

    `tables`: words and bits of both, of our own kernel, which looks all classes of a pixel up at once; empty for
    hls4ml's, which has `table_size` words each and in Vivado HLS' streams looks one up after the other.
    """

    implementation: str = "stable"
    table_size: int = 1024
    tables: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class PaddingLayer(Layer):
    """Zeros around the image of a stream."""


@dataclass(frozen=True)
class MergeLayer(Layer):
    """Addition, concatenation or another function of several tensors."""

    function: str = "add"
    inputs: int = 2


@dataclass(frozen=True)
class ForkLayer(Layer):
    """One of the copies of a stream that several layers read: its FIFO, from `writer` (or its copier) to `reader`.

    The copier takes no resources worth counting: it moves one word a cycle.
    """

    writer: str = ""
    reader: str = ""


@dataclass(frozen=True)
class ResizeLayer(Layer):
    """Upsampling by repetition, and other layers that only move pixels.

    `held_rows`: rows that are read before the first of them is written on; None where pixels pass one by one.
    """

    held_rows: int | None = None
    before: int = 0
    repeats: int = 1

    @property
    def row(self) -> int:
        """Words of one row that comes in."""
        return self.input.pixels // self.input.shape[0] if len(self.input.shape) > 2 else self.input.pixels


@dataclass(frozen=True)
class UnknownLayer(Layer):
    """A layer that has no model: it is counted as free, and the estimate says so."""

    type_name: str = ""


@dataclass(frozen=True)
class Design:
    """A network with the settings of its synthesis.

    Parameters
    ----------
    layers
        In the order of the stream.
    part
        The device, as the tool spells it ("xczu7ev-ffvc1156-2-e").
    clock_ns, clock_uncertainty_ns
        Period asked for and what the tool keeps back of it; None is the tool's default
        (12.5 % in Vivado HLS, 27 % in Vitis HLS).
    tool
        "vivado_hls 2020.1", "vitis_hls 2024.1", or empty.
    forced_multipliers
        "dsp" or "fabric" where the build script binds all multiplications (`config_op mul -impl`).
    shift_register_words
        FIFOs of up to so many words are bound to shift registers (`bind_storage type=fifo impl=srl`), however wide.
    inputs
        Layer to the layers whose outputs it reads, in order; a layer that is not in it reads the layer before it, an
        empty sequence is an input of the design.
    """

    name: str
    layers: tuple[Layer, ...]
    part: str
    clock_ns: float
    backend: Backend
    io_type: IoType
    clock_uncertainty_ns: float | None = None
    tool: str = ""
    forced_multipliers: str = ""
    shift_register_words: int = 0
    inputs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def usable_clock_ns(self) -> float:
        """What the scheduler may fill with logic."""
        uncertainty = self.clock_uncertainty_ns
        if uncertainty is None or not 0 <= uncertainty < self.clock_ns:
            uncertainty = self.clock_ns * (0.27 if self.backend is Backend.VITIS else 0.125)
        return self.clock_ns - uncertainty
