"""What a network costs in a core on a board: the numbers that candidates are compared by."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from siliconv.errors import FirmwareError, ProjectError
from siliconv.hardware.boards import RESOURCES, Board
from siliconv.hls.design.design import Design
from siliconv.hls.estimate.coefficients import Coefficients
from siliconv.hls.estimate.estimate import estimate
from siliconv.hls.fifo.sized_design import design_of
from siliconv.hls.fit.settings import fit_settings
from siliconv.hls.kinds import Synthesis
from siliconv.network.graph import Network
from siliconv.network.span import span_operations
from siliconv.project.project import ProjectConfig
from siliconv.rtl.fit.rtl_fit import choices, chosen_of

Core = Literal["hls", "rtl"]


@dataclass(frozen=True)
class Wanted:
    """What a design is for.

    Parameters
    ----------
    board
        The device.
    core
        ``hls`` for hls4ml's, ``rtl`` for the SystemVerilog core.
    images_per_second, latency_us
        What has to be reached, if anything.
    coefficients
        Of hls4ml's estimate; those of the package by default.
    """

    board: Board
    core: Core
    images_per_second: float | None = None
    latency_us: float | None = None
    coefficients: Coefficients | None = None

    @property
    def is_stated(self) -> bool:
        """Whether a rate or a latency has to be reached."""
        return self.images_per_second is not None or self.latency_us is not None


@dataclass(frozen=True)
class CoreCost:
    """The cost of a network.

    ``costs``: ``span_operations``, the resources, and the speed. ``feasible``: whether it fits and reaches what is
    wanted. ``details``: for people and pictures.
    """

    costs: dict[str, float]
    feasible: bool
    details: dict[str, Any]


def core_cost(network: Network, project: ProjectConfig, wanted: Wanted) -> CoreCost:
    """Judge a network by the estimate of its core.

    Where a rate or a latency is wanted, the design is the smallest that reaches it (the search of `siliconv fit`); else
    that of the project's own settings (of ``rtl``: of its interval, or the slowest design).

    Raises
    ------
    FirmwareError
        For what the core has no hardware for, or a device that it is not counted on.
    """
    by_layer = span_operations(network)
    found = (_of_hls if wanted.core == "hls" else _of_rtl)(network, project, wanted)
    costs = {"span_operations": float(sum(by_layer.values())), **found.costs}
    return CoreCost(costs, found.feasible, {"span_by_layer": by_layer, **found.details})


def _of_hls(network: Network, project: ProjectConfig, wanted: Wanted) -> CoreCost:
    config = project.hls
    if config.bram_factor is not None:
        raise FirmwareError(
            "FIT-BRAM",
            "no search for designs with weights outside the core, for what their memory takes is not the core's",
            where="hls.bram_factor",
            fix="take it out",
        )
    if not wanted.is_stated:
        design = design_of(network, config.model_copy(update={"board": wanted.board.name, "part": wanted.board.part}))
        found = estimate(design, stage=Synthesis.VSYNTH, coefficients=wanted.coefficients)
        shares = wanted.board.shares({name: getattr(found, name).value for name in RESOURCES})
        cycles, latency = found.interval_cycles.value, found.latency_cycles.value
        settings: dict[str, Any] = {}
        clock, fits = config.clock_ns, max(shares.values()) <= 1.0
    else:
        design_for: Callable[..., Design] = lambda one: design_of(network, one)  # noqa: E731
        _, fitted = fit_settings(
            design_for,
            config,
            wanted.board,
            images_per_second=wanted.images_per_second,
            latency_us=wanted.latency_us,
            coefficients=wanted.coefficients,
        )
        best = fitted.chosen or (fitted.best[0] if fitted.best else None)
        if best is None:
            raise ProjectError(
                "FIT-NONE",
                f"no settings of this network are known for {wanted.board.title}",
                where=f"--board {wanted.board.name}",
                fix="choose another board",
            )
        found, shares, settings, clock = best.estimate, dict(best.shares), best.as_json(), best.clock_ns
        cycles, latency = 1e9 / (best.images_per_second * clock), best.estimate.latency_cycles.value
        fits = fitted.chosen is not None
    costs = {name: float(getattr(found, name).value) for name in RESOURCES}
    costs |= {"images_per_second": 1e9 / (max(cycles, 1) * clock), "latency_us": latency * clock / 1e3}
    bands = {name: [getattr(found, name).low, getattr(found, name).high] for name in RESOURCES}
    return CoreCost(costs, fits, {"shares": finite(shares), "bands": bands, "settings": settings})


def _of_rtl(network: Network, project: ProjectConfig, wanted: Wanted) -> CoreCost:
    found = choices(network, wanted.board, round(1e3 / wanted.board.clock_ns, 3))
    chosen = chosen_of(found, wanted.images_per_second, wanted.latency_us) if wanted.is_stated else None
    if not wanted.is_stated:
        kept = [one for one in found if project.rtl.interval is None or one.interval <= project.rtl.interval]
        chosen = (kept or list(found[-1:]))[0]
    one = chosen or found[-1]
    costs = {name: float(count) for name, count in one.cells.by_resource().items()}
    costs |= {"images_per_second": one.images_per_second, "latency_us": one.latency_us}
    return CoreCost(costs, chosen is not None and one.fits, {"shares": finite(one.shares), "settings": one.as_json()})


def finite(shares: Mapping[str, float]) -> dict[str, float | None]:
    """Give shares for a JSON file: None of a resource that the device lacks."""
    return {name: share if math.isfinite(share) else None for name, share in shares.items()}
