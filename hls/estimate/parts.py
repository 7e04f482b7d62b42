"""What a layer is made of: the countable parts that look-up tables and flip-flops are spent on.

Each part is a number of bits (or of lanes) that the template's structure determines; the coefficients, LUTs
or flip-flops for one of them, are fitted to published reports and lie in `constants/estimator.json`. Parts that
all layers of one kind share a coefficient for have the same name.
"""

from __future__ import annotations

from collections import Counter
from functools import singledispatch
from math import ceil, log2, prod

from siliconv.hardware.devices import family_of
from siliconv.hls.design.design import (
    Design,
    ElementwiseLayer,
    GlobalPoolLayer,
    Layer,
    MatrixLayer,
    MergeLayer,
    PaddingLayer,
    PoolLayer,
    ResizeLayer,
    SoftmaxLayer,
    Tensor,
)
from siliconv.hls.estimate.memory import fifo_geometry, input_stages, layer_fifo_blocks, rom_blocks, runs_as_dataflow
from siliconv.hls.estimate.multipliers import (
    dsps_of_product,
    is_unrolled,
    multiplier_limit,
    multipliers,
    weight_statistics,
)
from siliconv.hls.estimate.schedule import READ_NS, tree_depth
from siliconv.hls.kinds import Backend, IoType, LayerKind, Strategy

Parts = Counter[str]

_SHIFTED_WORDS = 32
_TABLE_WORDS = 64
UNSTAGED = "unstaged."
"""Before a part whose values no pipeline stage keeps: it costs the look-up tables of the part, and no flip-flop."""
# Look-up tables of an adder besides those of its bits, and bits by which sums in a tree are wider than products.
_AROUND_AN_ADDER, _GROWTH = 7, 2
_SHARE_OF_ROWS = 0.5
# Rounding, and the comparison with the ends of a type.
_CAST_STEPS = 2
_TABLES = ("sigmoid", "tanh", "elu", "selu", "softplus", "softsign")


@singledispatch
def parts(layer: Layer, design: Design) -> Parts:
    """Return the parts of a layer; its output FIFO is not in it. An unknown layer has none."""
    return Counter()


@parts.register
def _(layer: MatrixLayer, design: Design) -> Parts:
    found = _unrolled(layer, design) if is_unrolled(layer) else _looped(layer, design)
    stream = design.io_type is IoType.STREAM
    if layer.kind is not LayerKind.DENSE and stream:
        name = "depthwise" if layer.kind.is_depthwise else "convolution"
        found.update(_window(layer.input, layer.kernel, name, design))
        found[f"{name}.output_bits"] += layer.n_out * layer.output.type.width
    elif layer.kind is not LayerKind.DENSE:
        found["parallel_convolution.gather_bits"] += layer.input.size * layer.input.type.width
    elif stream:
        found[f"stream_dense.{design.backend}_input_bits"] += layer.n_in * layer.input.type.width
        found[f"stream_dense.{design.backend}_output_bits"] += layer.n_out * layer.output.type.width
    return found


@parts.register
def _(layer: PoolLayer, design: Design) -> Parts:
    area, bits = prod(layer.kernel), layer.input.type.width
    if design.io_type is IoType.PARALLEL:
        name = "parallel_average" if layer.average else "parallel_maximum"
        found: Parts = Counter({f"{name}.window_bits": layer.output.size * area * bits})
        if layer.average and layer.counts_vary and design.backend is Backend.VIVADO:
            found["parallel_average.dividers"] += layer.output.size
        found["parallel_pool.input_bits"] += layer.input.size * bits
        return found
    found = _window(layer.input, layer.kernel, "pool", design)
    name = "average" if layer.average else "maximum"
    staged = UNSTAGED if _at_once(ceil(log2(max(area, 2))), design) else ""
    found[f"{staged}pool.{design.backend}_{name}_bits"] += layer.input.channels * (area - 1) * bits
    return found


@parts.register
def _(layer: GlobalPoolLayer, design: Design) -> Parts:
    lanes = layer.input.channels if design.io_type is IoType.STREAM else layer.input.size
    bits = lanes * max(layer.input.type.width, layer.output.type.width)
    return Counter({f"global_pool.{design.io_type}_bits": bits, "global_pool.layers": 1})


@parts.register
def _(layer: ElementwiseLayer, design: Design) -> Parts:
    stream = design.io_type is IoType.STREAM
    lanes = layer.input.channels if stream else layer.input.size
    before, after = layer.input.type, layer.output.type
    found: Parts = Counter({"elementwise.layers": 1} if stream else {})
    if layer.function == "normalize":
        # A scale that is a power of two is wiring.
        known = layer.weights is not None and layer.weights.n > 0
        share = layer.weights.multiplications / layer.weights.n if known and layer.weights else 1.0
        family = family_of(design.part)
        at_once = family.multiply_ns + family.add_ns <= design.usable_clock_ns
        found[f"{UNSTAGED if at_once else ''}normalize.bits"] += round(lanes * share * before.width)
        return found
    name = "table" if layer.function in _TABLES else "sloped" if "re" in layer.function[2:] else "relu"
    ports = "stream" if stream else "parallel"
    found[f"{name}.{design.backend}_{ports}_bits"] += lanes * before.width
    if after.rounds or after.saturates:
        # The loop of a stream keeps what it decided for every lane, and the word that it writes; in an array much of it
        # folds into the layer before.
        staged = UNSTAGED if stream and _at_once(_CAST_STEPS, design) else ""
        found[f"{staged}cast_of_{ports}.bits"] += lanes * before.width
        if stream and not staged:
            found["register.bits"] += lanes * after.width
        if tree_is_slow(design):
            found["cast.slow_bits"] += lanes * before.width
    return found


@parts.register
def _(layer: SoftmaxLayer, design: Design) -> Parts:
    stream = design.io_type is IoType.STREAM
    classes = layer.input.channels if stream and layer.tables else layer.input.size
    # What Vivado HLS runs one after the other is hls4ml's softmax of a stream.
    serial = stream and not (layer.tables and design.backend is Backend.VIVADO)
    where = "stream" if serial else "parallel"
    slow = tree_is_slow(design) or layer.input.type.width > 18
    found: Parts = Counter({f"softmax.{design.backend}_{where}_classes": classes, "softmax.layers": 1})
    if slow:
        found["softmax.slow_classes"] += classes
    if design.forced_multipliers == "fabric":
        found["softmax.fabric_classes"] += classes
    return found


@parts.register
def _(layer: PaddingLayer, design: Design) -> Parts:
    return Counter({"padding.bits": layer.output.channels * layer.output.type.width, "padding.layers": 1})


@parts.register
def _(layer: ResizeLayer, design: Design) -> Parts:
    row = layer.input.channels * layer.input.type.width * (layer.input.shape[1] if len(layer.input.shape) > 2 else 1)
    return Counter({"resize.row_bits": row, "resize.layers": 1})


@parts.register
def _(layer: MergeLayer, design: Design) -> Parts:
    stream = design.io_type is IoType.STREAM
    lanes = layer.output.channels if stream else layer.output.size
    bits = lanes * layer.output.type.width
    if layer.function == "concatenate":
        # Wires, and in a stream the register in which a word is put together.
        return Counter({"stage.bits": bits, "concatenate.bits": bits} if stream else {})
    found: Parts = Counter({"elementwise.layers": 1} if stream else {})
    if layer.function in ("multiply", "dot"):
        left = layer.input.type
        if dsps_of_product(left, left, design, constant=False) == 0:
            found["logic_product.bits"] += lanes * left.width**2
        return found
    # An adder for each two, or a comparison and a choice, which are as large; and the word that is written.
    found["adder.luts"] += _adders(lanes * (layer.inputs - 1), layer.output.type.width)
    found["stage.bits"] += bits if stream else 0
    return found


def fifo_parts(layer: Layer, design: Design) -> Parts:
    """Return the parts of the FIFOs that carry a layer's output, empty for io_parallel."""
    if design.io_type is IoType.PARALLEL:
        return Counter()
    depth, bits, count = fifo_geometry(layer, design)
    blocks = layer_fifo_blocks(layer, design)
    name = f"fifo.{design.backend}_{'block' if blocks else 'shift'}"
    # A LUT shifts 32 words; the depths that the tool itself puts there stay below.
    segments = ceil(depth / _SHIFTED_WORDS) if 0 < depth <= design.shift_register_words else 1
    found: Parts = Counter({f"{name}_count": count, f"{name}_bits": count * bits * segments})
    if blocks:
        found[f"{name}_address_bits"] += count * ceil(log2(max(depth, 2)))
    return found


def passing_parts(design: Design) -> Parts:
    """Return the parts by which an io_parallel design passes whole tensors from layer to layer.

    A pipeline keeps its input, and what its layers hand on where a stage ends between them.
    """
    if design.io_type is IoType.STREAM or len(design.layers) < 2:
        return Counter()
    if not runs_as_dataflow(design):
        first = design.layers[0].input
        return Counter({"register.bits": first.size * first.type.width + _passed_bits(design)})
    if design.backend is Backend.VITIS:
        return Counter()
    words = sum(layer.output.size for layer in design.layers[:-1])
    bits = sum(layer.output.size * layer.output.type.width for layer in design.layers[:-1])
    first, stages = design.layers[0].input, input_stages(design)
    # Every element passes through a FIFO of two words of its own, the input array through wide ones.
    return Counter(
        {
            "fifo.Vivado_shift_count": words,
            "fifo.Vivado_shift_bits": bits,
            "fifo.Vivado_block_count": stages,
            "fifo.Vivado_block_bits": stages * first.size * first.type.width,
        }
    )


def _passed_bits(design: Design) -> int:
    """Return the bits that a pipeline keeps between layers.

    Those behind each product, or, where a clock period holds all of them, behind one (published Vitis HLS 2023.1
    reports at 5 and 25 ns: 864 and 144 of a network with 288, 288, 144 and 144 bits behind products and scales).
    """
    behind = [
        layer.output.size * layer.output.type.width
        for layer in design.layers[:-1]
        if isinstance(layer, MatrixLayer) or (isinstance(layer, ElementwiseLayer) and layer.function == "normalize")
    ]
    staged = any(isinstance(layer, MatrixLayer) and tree_depth(layer, design) > 0 for layer in design.layers)
    return sum(behind) if staged else min(behind, default=0)


def _at_once(steps: int, design: Design) -> bool:
    """Whether a clock period holds the reading of a word and so many comparisons with a choice: nothing is kept."""
    return READ_NS + 2 * steps * family_of(design.part).add_ns <= design.usable_clock_ns


def tree_is_slow(design: Design) -> bool:
    """Whether one level of logic takes a pipeline stage of its own."""
    return 2 * family_of(design.part).add_ns > design.usable_clock_ns


def _unrolled(layer: MatrixLayer, design: Design) -> Parts:
    """Return products and adder trees with hardware for every weight."""
    statistics = weight_statistics(layer)
    copies = layer.parallelization_factor
    accumulator, bits = layer.accumulator.width, layer.input.type.width
    nonzero, shifted = copies * statistics.nonzero, copies * statistics.shift_adds
    if layer.strategy is Strategy.DISTRIBUTED_ARITHMETIC:
        # In place of a multiplier, too: three signed digits are two adders more.
        shifted += 2 * copies * statistics.multiplications
    found: Parts = Counter()
    adders = max(nonzero - copies * layer.n_out, 0)
    kept = _kept_bits(layer)
    staged = "" if tree_depth(layer, design) > 0 else UNSTAGED
    found["adder.luts"] += _adders(adders, min(kept + _GROWTH, accumulator))
    found["adder.luts"] += _adders(shifted, bits + statistics.magnitude_bits - 1)
    found[f"{staged}shift_add.bits"] += round(shifted * kept)
    needed = copies * statistics.multiplications
    if dsps_of_product(layer.input.type, layer.weight, design, constant=True) == 0:
        # A constant has a signed digit at every third place: half the rows of a multiplier are left out, or more.
        share = 1.0 if design.forced_multipliers else _SHARE_OF_ROWS
        found[f"{staged}logic_product.bits"] += round(share * multipliers(layer) * bits * layer.weight.width)
    elif layer.reuse_factor > 1 and layer.strategy is Strategy.LATENCY and needed > multiplier_limit(layer):
        found["unrolled.shared_bits"] += round(needed * (bits + layer.weight.width))
        found["unrolled.waiting_bits"] += round(needed * accumulator)
    found["stage.bits"] += round(_stage_bits(layer, design) * copies)
    if staged == "":
        found["unrolled.output_bits"] += copies * layer.n_out * accumulator
    return found


def _adders(count: float, width: float) -> int:
    """Return the look-up tables that the tools count for adders: 15 of 8 bits, 23 of 16."""
    return round(count * (width + _AROUND_AN_ADDER))


def _stage_bits(layer: MatrixLayer, design: Design) -> float:
    """Return the bits in the pipeline registers of an adder tree: its values left at each stage."""
    statistics = weight_statistics(layer)
    depth = tree_depth(layer, design)
    levels = ceil(log2(max(statistics.nonzero / max(layer.n_out, 1), 1.0)))
    if depth < 1 or statistics.nonzero < 1:
        return 0.0
    first = max(depth - levels, 0)
    in_blocks = dsps_of_product(layer.input.type, layer.weight, design, constant=True) > 0
    family = family_of(design.part)
    total = 0.0
    for stage in range(1, depth + 1):
        if tree_is_slow(design):
            done = levels * max(stage - first, 0) / (depth + 1 - first)
        else:
            added_ns = stage * design.usable_clock_ns - (family.multiply_ns if in_blocks else 0.0)
            done = min(max(added_ns / family.add_ns, 0.0), levels)
        total += max(statistics.nonzero / 2.0**done, layer.n_out) * _kept_bits(layer)
    return total


def _kept_bits(layer: MatrixLayer) -> float:
    """Return the mean bits of a product that the accumulator keeps, without those below its last place."""
    statistics = weight_statistics(layer)
    fraction = sum(one.width - one.integer for one in (layer.input.type, layer.weight))
    dropped = max(fraction - (layer.accumulator.width - layer.accumulator.integer), 0)
    product = layer.input.type.width + statistics.magnitude_bits - 1
    return min(max(product - dropped, 1.0), float(layer.accumulator.width))


def _looped(layer: MatrixLayer, design: Design) -> Parts:
    """Return a product that is spread over the steps of a reuse loop."""
    lanes = ceil(layer.products / layer.reuse_factor) * layer.parallelization_factor
    bits, width, accumulator = layer.input.type.width, layer.weight.width, layer.accumulator.width
    copies = layer.parallelization_factor
    # The same template, nnet_dense_resource.h, whether its vectors come from a stream or from an array.
    found: Parts = Counter(
        {
            # The tools count as many tables for each input that is kept or renewed, however wide it is.
            "looped.selects": layer.n_in * copies,
            "looped.select_bits": layer.n_in * bits * copies,
            "looped.scatter_bits": layer.n_out * accumulator * copies,
            "looped.loops": 1,
            # One adder and one register a multiplier, as in an unrolled product.
            "adder.luts": _adders(lanes, accumulator),
            "stage.bits": lanes * accumulator,
        }
    )
    if dsps_of_product(layer.input.type, layer.weight, design, constant=False) == 0:
        found["logic_product.bits"] += lanes * bits * width
    if layer.weight_memory == "luts" and not layer.weights_outside:
        # One table holds 64 words of a bit.
        found["rom.luts"] += lanes * width * ceil(layer.reuse_factor / _TABLE_WORDS)
    elif not layer.weights_outside and not rom_blocks(layer.reuse_factor, lanes * width):
        found["looped.rom_bits"] += layer.products * width
    return found


def _window(image: Tensor, kernel: tuple[int, ...], name: str, design: Design) -> Parts:
    """Return the line buffer and the window registers in front of a sliding kernel."""
    bits = image.channels * image.type.width
    found: Parts = Counter({f"{name}.{design.backend}_window_bits": prod(kernel) * bits})
    if name == "pool":
        found[f"pool.{design.backend}_layers"] += 1
    if len(kernel) == 2 and kernel[0] > 1:
        rows = (kernel[0] - 1) * image.channels
        columns = image.shape[1] if len(image.shape) > 2 else image.pixels
        segments = rows * ceil(columns / 32)
        if design.backend is Backend.VIVADO:
            # A shift register of its own for every lane, with 64 flip-flops whatever its width.
            found["line_buffer.lanes"] += rows
            found["line_buffer.segments"] += segments
        else:
            found["line_buffer.lane_bits"] += rows * image.type.width
            found["line_buffer.segment_bits"] += segments * image.type.width
    return found
