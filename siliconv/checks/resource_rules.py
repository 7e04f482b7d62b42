"""Pre-flight rules about the device: vendor, clock, memory and logic."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

from siliconv.checks.per_layer import matrix_rule
from siliconv.checks.preflight import Complaint, Severity, Words, rule, rule_at, rules_at
from siliconv.errors import FirmwareError, NetworkError, SiliconvError
from siliconv.hardware.boards import Board
from siliconv.hls.backends import BACKENDS
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.layer_settings import check_fifos, check_weight_memory
from siliconv.hls.conversion.weight_ports import check_bram_factor, must_be_resource
from siliconv.hls.design.design import Design
from siliconv.hls.estimate.estimate import Estimate, Value, estimate
from siliconv.hls.estimate.memory import fifo_blocks, fifo_geometry
from siliconv.hls.fit.fit import MOST_SHARE
from siliconv.hls.kinds import IoType, Synthesis
from siliconv.plan.design_of_plan import planned_design
from siliconv.plan.plan import Plan, PlannedLayer

_BRAM_BITS, _URAM_BITS = 18 * 1024, 288 * 1024
_FIFO_SHARE = 0.25
_SPELLED = {"lut": "LUTs", "ff": "flip-flops", "dsp": "DSP blocks", "bram18": "18-Kb block memories"}


@rule_at("PART-BACKEND", Severity.ERROR, "hls.part")
def part_backend(plan: Plan) -> Words:
    board = plan.board
    vendor = BACKENDS[plan.hls.backend].vendor
    if board is not None and board.vendor != vendor:
        yield (
            f"back end {plan.hls.backend} is for {vendor} devices, {board.part} ({board.title}) is {board.vendor}'s",
            f"use hls.backend: {board.backend}" if board.backend else "use a part of another vendor",
        )


@rule_at("BACKEND-ESTIMATE", Severity.HINT, "hls.backend")
def backend_estimate(plan: Plan) -> Words:
    if BACKENDS[plan.hls.backend].family is None:
        yield (
            f"latency and resources can't be estimated for {plan.hls.backend}: there were no synthesis reports of it",
            "for an estimate use Vitis or Vivado",
        )


@rule_at("BACKEND-SIMULATION", Severity.WARNING, "hls.backend")
def backend_simulation(plan: Plan) -> Words:
    backend = BACKENDS[plan.hls.backend]
    if not backend.is_simulated:
        yield (
            f"the firmware for {backend.name} will be written, ending with the logits, but not proven to be exact: its "
            f"simulation needs {backend.compiler}",
            "run until convert; or use another back end",
        )


@rule_at("PART-UNKNOWN", Severity.HINT, "hls.part")
def part_unknown(plan: Plan) -> Words:
    if plan.board is None:
        yield (
            f"no board of the list carries {plan.hls.part}, so nothing can be said about what fits",
            "see siliconv boards; only Vivado finds a misspelled part",
        )


@rule_at("CLOCK-FAST", Severity.WARNING, "hls.clock_ns")
def clock_fast(plan: Plan) -> Words:
    if plan.board is not None and plan.hls.clock_ns < 0.8 * plan.board.clock_ns:
        yield (
            f"a clock of {plan.hls.clock_ns:g} ns; designs of hls4ml usually meet {plan.board.clock_ns:g} ns on "
            f"{plan.board.title}",
            f"use hls.clock_ns: {plan.board.clock_ns:g}",
        )


@rule_at("CLOCK-SLOW", Severity.HINT, "hls.clock_ns")
def clock_slow(plan: Plan) -> Words:
    if plan.board is not None and plan.hls.clock_ns > 4 * plan.board.clock_ns:
        yield (
            f"a clock of {plan.hls.clock_ns:g} ns gives away speed: {plan.board.title} usually meets "
            f"{plan.board.clock_ns:g} ns",
            f"use hls.clock_ns: {plan.board.clock_ns:g}",
        )


@rule("WEIGHTS-MEMORY", Severity.ERROR)
def weights_memory(plan: Plan) -> Iterator[Complaint]:
    if plan.board is None:
        return
    bits = {layer.name: layer.products * plan.weight_bits(layer) for layer in plan.matrices}
    has = plan.board.bram18 * _BRAM_BITS + plan.board.uram * _URAM_BITS
    if sum(bits.values()) > has:
        largest = max(bits, key=lambda name: bits[name])
        yield Complaint(
            f"{sum(bits.values()):,} bits of weights, {bits[largest] / sum(bits.values()):.0%} of them in "
            f"'{largest}'; {plan.board.title} has {has:,} bits of memory",
            f"layer '{largest}'",
            "make that layer smaller: global_average_pool in place of flatten, fewer filters or units; or another "
            "board",
        )


@rule("BRAM-FACTOR", Severity.ERROR)
def bram_factor(plan: Plan) -> Iterator[Complaint]:
    yield from _refusal(check_bram_factor, plan.hls)


@rule("BRAM-STRATEGY", Severity.ERROR)
def bram_strategy(plan: Plan) -> Iterator[Complaint]:
    for layer in plan.matrices:
        error = must_be_resource(layer.name, layer.products, plan.strategy(layer), plan.hls)
        if error:
            yield Complaint(error.what, error.where, error.fix)


@matrix_rule("BRAM-WORD", Severity.WARNING)
def bram_word(plan: Plan, layer: PlannedLayer) -> Words:
    if plan.hls.is_outside(layer.products) and plan.reuse_factor(layer) == 1:
        yield (
            f"all {layer.products:,} weights are read at once: the memory behind their port is one word of "
            f"{layer.products * plan.weight_bits(layer):,} bits",
            f"use a larger hls.reuse_factors.{layer.name}, or leave its weights in the core: hls.bram_factor: "
            f"{layer.products} or more",
        )


@rule("FIFO-BACKEND", Severity.ERROR)
def fifo_backend(plan: Plan) -> Iterator[Complaint]:
    yield from _refusal(check_fifos, plan.hls)


@rule("WEIGHT-MEMORY", Severity.ERROR)
def weight_memory(plan: Plan) -> Iterator[Complaint]:
    yield from _refusal(check_weight_memory, plan.hls)


@rule_at("FIFO-MEMORY", Severity.WARNING, "hls.fifo_depths")
def fifo_memory(plan: Plan) -> Words:
    if plan.board is None or plan.hls.fifo_depths != "hls4ml" or plan.io_type is not IoType.STREAM:
        return
    design = _design(plan)
    if design is None:
        return
    blocks = 0
    for layer in design.layers:
        depth, width, number = fifo_geometry(layer, design)
        blocks += number * fifo_blocks(depth, width, design.backend)
    if blocks > _FIFO_SHARE * plan.board.bram18:
        yield (
            f"FIFOs as deep as whole feature maps take {blocks:,} 18-Kb block memories of {plan.board.bram18:,}; a few "
            "words each are enough",
            "use hls.fifo_depths: smallest",
            {"hls.fifo_depths": "smallest"},
        )


def _resources(plan: Plan) -> Iterator[tuple[str, Board, str, Value, int]]:
    """Yield the board, the words for one of its resources, what the design takes of it, and what there is."""
    found = _estimate(plan)
    if plan.board is not None and found is not None:
        for name, words in _SPELLED.items():
            yield "hls", plan.board, words, getattr(found, name), getattr(plan.board, name)


_resource_rule = rules_at(_resources)


@_resource_rule("BOARD-FULL", Severity.WARNING)
def board_full(board: Board, words: str, takes: Value, has: int) -> Words:
    if takes.value > MOST_SHARE * has and takes.low <= has:
        yield (
            f"about {takes.value:,.0f} {words} ({takes.low:,.0f} to {takes.high:,.0f}) of {has:,} on {board.title}",
            "lower hls.max_multipliers, use fewer bits, or another board",
        )


@_resource_rule("BOARD-EXCEEDED", Severity.ERROR)
def board_exceeded(board: Board, words: str, takes: Value, has: int) -> Words:
    if takes.low > has:
        yield (
            f"at least {takes.low:,.0f} {words}, {board.title} has {has:,}",
            "lower hls.max_multipliers, use fewer bits or filters, or another board",
        )


@rule("TYPE-WIDTH", Severity.WARNING)
def type_width(plan: Plan) -> Iterator[Complaint]:
    error = _planned(plan)
    if isinstance(error, NetworkError) and error.code == "TYPE-WIDTH":
        yield Complaint(f"{error.what}, as far as is known before the weights are quantized", error.where, error.fix)


def _refusal(check: Callable[[HlsConfig], None], config: HlsConfig) -> Iterator[Complaint]:
    """Yield what the conversion would refuse."""
    try:
        check(config)
    except FirmwareError as error:
        yield Complaint(error.what, error.where, error.fix)


@lru_cache(maxsize=1)
def _planned(plan: Plan) -> Design | SiliconvError:
    """Give the design, or why there is none."""
    try:
        return planned_design(plan, search_fifos=False)
    except SiliconvError as error:
        return error


def _design(plan: Plan) -> Design | None:
    """Give the design, or None where another rule says why there is none."""
    found = _planned(plan)
    return found if isinstance(found, Design) else None


@lru_cache(maxsize=1)
def _estimate(plan: Plan) -> Estimate | None:
    design = _design(plan)
    return estimate(design, stage=Synthesis.VSYNTH) if design is not None else None
