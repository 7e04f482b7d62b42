"""Firmware settings that fit a board: the search over the designs that they give."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from siliconv.hardware.boards import Board
from siliconv.hls.backends import BACKENDS
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.weight_ports import PORT_BACKENDS
from siliconv.hls.design.design import Design, MatrixLayer
from siliconv.hls.estimate.coefficients import Coefficients
from siliconv.hls.fit.candidates import Fit
from siliconv.hls.fit.fit import MOST_SHARE, fit
from siliconv.hls.kinds import Strategy

# So many layers' weights are tried outside the core, the largest first.
_MOST_OUTSIDE = 4


def without_settings(config: HlsConfig, board: Board) -> HlsConfig:
    """Give the configuration with nothing chosen: factors of an earlier search, or by hand, say nothing about which
    are legal with others.
    """
    return config.model_copy(
        update={
            "board": board.name,
            "part": board.part,
            "strategy": Strategy.RESOURCE,
            "strategies": {},
            "reuse_factors": {},
            "parallelization_factors": {},
            "fifo_depths": "hls4ml",
            "fifo_words": {},
            "fifo_memory": "auto",
            "weight_memory": "auto",
            "max_multipliers": 1 << 30,
        }
    )


def fit_settings(
    design_for: Callable[[HlsConfig], Design],
    config: HlsConfig,
    board: Board,
    *,
    images_per_second: float | None = None,
    latency_us: float | None = None,
    clocks_ns: Sequence[float] | None = None,
    coefficients: Coefficients | None = None,
    may_move_weights: bool = False,
) -> tuple[Design, Fit]:
    """Search settings with which a network fits a board.

    Parameters
    ----------
    design_for
        Gives the network's design with a configuration.
    config
        What is not searched: back end, I/O type.
    board
        The device.
    images_per_second, latency_us, clocks_ns, coefficients
        As for `siliconv.hls.fit.fit.fit`.
    may_move_weights
        Whether weights may go outside the core (`bram_factor`), where nothing fits and block memory is short.

    Returns
    -------
    The design without the chosen settings, and the outcome; `Configuration.settings` gives its configuration.
    """
    fifos = ("auto", "shift_registers") if config.io_type == "io_stream" else ("auto",)
    places = ("auto", "block", "luts") if config.backend == "Vitis" else ("auto",)
    memories = fifos if config.backend == "Vitis" else ("auto",)

    target: dict[str, Any] = {
        "images_per_second": images_per_second,
        "latency_us": latency_us,
        "clocks_ns": clocks_ns,
        "coefficients": coefficients,
    }

    def searched(design: Design, bram_factor: int | None) -> Fit:
        return fit(
            design,
            board,
            as_generated=lambda one: design_for(one.settings(config, board)),
            placements=[(one, other) for other in places for one in memories],
            bram_factor=bram_factor,
            **target,
        )

    free = without_settings(config, board)
    design = design_for(free)
    found = searched(design, config.bram_factor)
    may_move_weights = may_move_weights and config.bram_factor is None
    if found.chosen is None and may_move_weights and _memory_is_short(config, found):
        for factor in _factors(design):
            outside = design_for(free.model_copy(update={"bram_factor": factor}))
            # With FIFOs as most are, first: the real ones take their time.
            if fit(outside, board, **target).chosen is None:
                continue
            moved = searched(outside, factor)
            if moved.chosen is not None:
                return outside, moved
    return design, found


def _memory_is_short(config: HlsConfig, found: Fit) -> bool:
    """Whether weights outside the core are possible, and block memory is what is missing."""
    if config.io_type != "io_stream" or config.backend not in PORT_BACKENDS or not found.best:
        return False
    nearest = found.best[0]
    return nearest.shares["bram18"] > MOST_SHARE or nearest.weight_memory == "luts"


def _factors(design: Design) -> list[int]:
    """Give values of `bram_factor`: the largest layers' weights outside the core, one after the other."""
    sizes = sorted({layer.products for layer in design.layers if isinstance(layer, MatrixLayer)}, reverse=True)
    smaller = [*sizes[1:], sizes[-1] - 1] if sizes else []
    return [size for size in smaller if size > 0][:_MOST_OUTSIDE]


def no_firmware(board: Board) -> str:
    """Say why no firmware can be written for a board; empty where it can."""
    if board.is_calibrated:
        return ""
    if board.backend in BACKENDS:
        return (
            f"{board.title} takes hls.backend: {board.backend}, of which no synthesis reports were there to fit the "
            "estimator to: what fits on an AMD device says nothing about its settings"
        )
    return f"siliconv writes no firmware for {board.title}: hls4ml has no back end for it"
