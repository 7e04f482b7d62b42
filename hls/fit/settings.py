"""Firmware settings that fit a board: the search over the designs that they give."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from siliconv.hardware.boards import Board
from siliconv.hls.backends import BACKENDS
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.design.design import Design
from siliconv.hls.estimate.coefficients import Coefficients
from siliconv.hls.fit.candidates import Configuration, Fit
from siliconv.hls.fit.fit import fit
from siliconv.hls.kinds import Strategy


def without_settings(config: HlsConfig, board: Board) -> HlsConfig:
    """Give the configuration with nothing chosen: factors of an earlier search, or by hand, say nothing about which
    are legal with others.
    """
    return config.model_copy(
        update={
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

    Returns
    -------
    The design without the chosen settings, and the outcome; `Configuration.settings` gives its configuration.
    """
    design = design_for(without_settings(config, board))

    def as_generated(one: Configuration) -> Design:
        return design_for(one.settings(config, board))

    fifos = ("auto", "shift_registers") if config.io_type == "io_stream" else ("auto",)
    placements = [(one, other) for other in ("auto", "luts") for one in fifos] if config.backend == "Vitis" else None
    found = fit(
        design,
        board,
        images_per_second=images_per_second,
        latency_us=latency_us,
        clocks_ns=clocks_ns,
        coefficients=coefficients,
        as_generated=as_generated,
        placements=placements or [("auto", "auto")],
    )
    return design, found


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
