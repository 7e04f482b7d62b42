"""Block memories: their geometry, FIFOs, weights and tables. Counts are 18-Kb blocks (BRAM18)."""

from __future__ import annotations

from functools import singledispatch
from math import ceil, prod

from siliconv.hls.design.design import Design, ElementwiseLayer, FixedType, Layer, MatrixLayer, SoftmaxLayer
from siliconv.hls.estimate.multipliers import is_unrolled
from siliconv.hls.kinds import Backend, IoType, Strategy

# Depth to width of one RAMB18 (UG573, table 1-7); wider than 18 only where both ports serve one word.
_SHAPES = ((1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1))
_SIMPLE_DUAL_PORT = (512, 36)
# Smaller memories go to LUTs or shift registers (read off published reports).
_LEAST_BITS = 1024
_FIFO_SHIFT_DEPTH = 32
_TABLE_FUNCTIONS = ("sigmoid", "tanh", "elu", "selu", "softplus", "softsign")


def rom_blocks(words: int, bits: int) -> int:
    """Return the blocks of a read-only memory of so many words of so many bits."""
    if words * bits <= _LEAST_BITS or words < 2:
        return 0
    return _blocks(words, bits, both_ports=True)


def fifo_blocks(depth: int, bits: int, backend: Backend = Backend.VIVADO) -> int:
    """Return the blocks of a FIFO.

    Published: 676 x 80 -> 5, 576 x 132 -> 8, 64 x 400 -> 23, 3844 x 16 -> 4, 16900 x 32 -> 64; 25 x 32 and
    9 x 16 -> 0, they are shift registers. Vitis HLS keeps FIFOs of up to 2 words or 1024 bits in shift
    registers (UG1399, config_storage fifo, auto_srl_max_depth and auto_srl_max_bits).
    """
    if backend is Backend.VITIS:
        shift_register = depth <= 2 or depth * bits <= _LEAST_BITS
    else:
        shift_register = depth <= 1 or (depth <= _FIFO_SHIFT_DEPTH and depth * bits < _LEAST_BITS)
    return 0 if shift_register else _blocks(depth, bits, both_ports=False)


def _blocks(words: int, bits: int, *, both_ports: bool) -> int:
    if both_ports and words <= _SIMPLE_DUAL_PORT[0]:
        return ceil(bits / _SIMPLE_DUAL_PORT[1])
    for depth, width in _SHAPES:
        if words <= depth:
            return ceil(bits / width)
    deepest = _SHAPES[-1][0]
    banks = 1 << (ceil(words / deepest) - 1).bit_length()
    return banks * bits


def fifo_geometry(layer: Layer, design: Design) -> tuple[int, int, int]:
    """Return depth (words), width (bits) and number of the FIFOs that carry a layer's output.

    Vivado HLS splits a word into one FIFO a channel, Vitis HLS keeps it whole.
    """
    depth = layer.fifo_depth if layer.fifo_depth is not None else layer.output.pixels
    width, channels = layer.output.type.width, layer.output.channels
    return (depth, width, channels) if design.backend is Backend.VIVADO else (depth, width * channels, 1)


def layer_fifo_blocks(layer: Layer, design: Design) -> int:
    """Return the blocks of the FIFOs that carry a layer's output; none for io_parallel."""
    depth, bits, count = fifo_geometry(layer, design)
    if design.io_type is IoType.PARALLEL or depth <= design.shift_register_words:
        return 0
    return count * fifo_blocks(depth, bits, design.backend)


@singledispatch
def memory_blocks(layer: Layer, design: Design) -> int:
    """Return the blocks of a layer's weights and tables; its FIFO and line buffer are not in it.

    Line buffers are shift registers in LUTs (`ap_shift_reg`), whatever their length.
    """
    return 0


@memory_blocks.register
def _(layer: MatrixLayer, design: Design) -> int:
    return weight_blocks(layer, layer.weight.width)


def weight_blocks(layer: MatrixLayer, width: int) -> int:
    """Return the blocks of a layer's weights, stored with so many bits each, and of its index table."""
    if is_unrolled(layer) or layer.strategy is Strategy.DISTRIBUTED_ARITHMETIC:
        return 0
    if layer.weights_outside:
        return index_blocks(layer)
    if layer.weight_memory == "luts":
        return index_blocks(layer)
    words, lanes = layer.reuse_factor, ceil(layer.products / layer.reuse_factor)
    return rom_blocks(words, lanes * width) + index_blocks(layer)


def index_blocks(layer: MatrixLayer) -> int:
    """Return the blocks of a layer's index table: which output each step of its reuse loop adds to.

    outidx of dense_resource_rf_gt_nin_rem0; with a reuse factor up to the inputs there is none.
    """
    if layer.reuse_factor <= layer.n_in:
        return 0
    outputs = layer.reuse_factor // layer.n_in
    return rom_blocks(layer.reuse_factor, max((outputs - 1).bit_length(), 1))


@memory_blocks.register
def _(layer: ElementwiseLayer, design: Design) -> int:
    if layer.function not in _TABLE_FUNCTIONS:
        return 0
    lanes = layer.input.size if design.io_type is IoType.PARALLEL else layer.input.channels
    # A dual-port table serves two lanes.
    return ceil(lanes / 2) * rom_blocks(layer.table_size, layer.table_type.width)


@memory_blocks.register
def _(layer: SoftmaxLayer, design: Design) -> int:
    if layer.tables:
        exponential, reciprocal = (rom_blocks(words, bits) for words, bits in layer.tables)
        pixels = 1 if design.io_type is IoType.STREAM else layer.input.pixels
        # A dual-port table serves two look-ups of a cycle: one for each class, and one for their sum.
        return ceil(pixels * layer.input.channels / 2) * exponential + ceil(pixels / 2) * reciprocal
    table = rom_blocks(layer.table_size, FixedType(18).width)
    lanes = layer.input.size
    if design.io_type is IoType.STREAM:
        serial = design.backend is Backend.VIVADO or table_is_computed(layer)
        return 2 * table if serial else ceil(lanes / 2) * table + 2 * table
    return lanes * table if design.backend is Backend.VITIS else (ceil(lanes / 2) + 1) * table


def table_is_computed(layer: SoftmaxLayer) -> bool:
    """Whether the exponential table is filled at run time: hls4ml sizes it by a wide input type."""
    return not layer.tables and layer.input.type.width > 18


def input_stages(design: Design) -> int:
    """Return how many FIFOs of depth 2 an io_parallel dataflow design passes its input array through.

    Published Vivado HLS designs: two before Resource layers, one before Latency layers.
    """
    parallel = design.io_type is IoType.PARALLEL and design.backend is Backend.VIVADO
    if not parallel or len(design.layers) < 2 or not runs_as_dataflow(design):
        return 0
    first = design.layers[0]
    return 2 if isinstance(first, MatrixLayer) and first.strategy is Strategy.RESOURCE else 1


def input_buffer_blocks(design: Design) -> int:
    """Return the blocks of the FIFOs that pass the input array of an io_parallel dataflow design."""
    stages = input_stages(design)
    if not stages:
        return 0
    first = design.layers[0].input
    return stages * fifo_blocks(2, prod(first.shape) * first.type.width)


def runs_as_dataflow(design: Design) -> bool:
    """Whether the top function is a dataflow region, not one pipeline (hls4ml's pipeline_style pass)."""
    if design.io_type is IoType.STREAM:
        return True
    return any(
        isinstance(layer, MatrixLayer)
        and (layer.kind.is_convolution or layer.strategy in (Strategy.RESOURCE, Strategy.RESOURCE_UNROLLED))
        for layer in design.layers
    )
