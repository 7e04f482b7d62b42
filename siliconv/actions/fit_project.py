"""The settings of a project that fit a board: searched on its integer network, or before training on its layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from siliconv.errors import ProjectError, WorkSaysNoError
from siliconv.hardware.boards import Board
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.design.design import Design, MatrixLayer
from siliconv.hls.fit.candidates import Fit
from siliconv.hls.fit.fit import MOST_SHARE
from siliconv.hls.fit.remedies import Remedy, does_not_fit, remedies, what_binds
from siliconv.hls.fit.settings import fit_settings, no_firmware, without_settings
from siliconv.models.architectures.presets import preset, preset_names
from siliconv.models.architectures.shapes import layer_table
from siliconv.network import network_file
from siliconv.plan.design_of_plan import ASSUMPTIONS, planned_design
from siliconv.plan.plan import Plan
from siliconv.plan.plan_of_project import plan_of, plan_of_architecture
from siliconv.project.calibration_file import calibrated
from siliconv.project.project import PROJECT_FILE, ProjectConfig, load_project
from siliconv.project.project_edit import set_fields
from siliconv.project.remembered_front import point_of_front, remember_front
from siliconv.project.taken_project import taken

_WRITTEN = (
    "board",
    "part",
    "clock_ns",
    "fifo_memory",
    "weight_memory",
    "bram_factor",
    "strategies",
    "reuse_factors",
    "parallelization_factors",
)
_PRESETS_TRIED = 3

PLACEMENT = (
    "memory: FIFO depths and where FIFOs and weights lie are written as chosen; where that is auto, the tool decides"
)
CLOCK = (
    "clock: the period is what the tool is asked for; public convolutions asked for 5 ns report 5.1 to 5.8, so leave a"
    " margin of a sixth there"
)


@dataclass(frozen=True)
class ProjectFit:
    """The outcome for a project.

    Parameters
    ----------
    path
        The project file.
    source
        What was searched: ``network`` or ``architecture``.
    design
        As it is without the chosen settings.
    fit, remedies
        The outcome, and what would help when nothing fits.
    notes
        For people.
    written
        Fields that were written.
    no_firmware
        Why no firmware can be written for the board; empty where it can.
    """

    path: Path
    source: str
    design: Design
    fit: Fit
    remedies: tuple[Remedy, ...]
    notes: tuple[str, ...]
    written: tuple[str, ...] = ()
    no_firmware: str = ""

    def refusal(self) -> WorkSaysNoError:
        """Give the error ``FIT-NONE`` for when nothing was chosen: what binds, and what would help."""
        return does_not_fit(self.design, self.fit, self.remedies)

    def as_json(self) -> dict[str, Any]:
        """Give the outcome for machines."""
        binding = self.fit.binding
        return {
            "board": asdict(self.fit.board),
            "target": self.fit.target,
            "source": self.source,
            "chosen": self.fit.chosen.as_json() if self.fit.chosen else None,
            "at_risk": self.fit.at_risk.as_json() if self.fit.at_risk else None,
            "best": [one.as_json() for one in self.fit.best],
            "front": [point_of_front(one, surely=one.surely) for one in self.fit.front],
            "binding": {"resource": binding[0], "share": _finite(binding[1])} if binding else None,
            "least_shares": {name: _finite(share) for name, share in self.fit.least.items()},
            "verdict": "fits" if self.fit.chosen else what_binds(self.design, self.fit),
            "remedies": [
                {name: _finite(value) for name, value in asdict(one).items()} | {"text": str(one)}
                for one in self.remedies
            ],
            "notes": list(self.notes),
            "written": list(self.written),
        }


def fit_project(
    folder: Path,
    board: Board,
    *,
    images_per_second: float | None = None,
    latency_us: float | None = None,
    clocks_ns: Sequence[float] | None = None,
    write: bool = True,
) -> ProjectFit:
    """Search the firmware settings of a project for a board, and write the chosen ones into its project file.

    Parameters
    ----------
    folder
        Of the project.
    board
        The device.
    images_per_second, latency_us, clocks_ns
        As for `siliconv.hls.fit.fit.fit`.
    write
        Whether the project file is changed.

    Raises
    ------
    ProjectError
        For a project file that is wrong or can't be written; ``FIT-NUMBER``.
    FirmwareError
        For what hls4ml has no hardware for.
    """
    for name, low, high, values in (
        ("--fps", 0.0, 1e12, (images_per_second,)),
        ("--latency-us", 0.0, 1e12, (latency_us,)),
        ("--clock-ns", 0.1, 1000.0, tuple(clocks_ns or ())),
    ):
        for value in values:
            if value is not None and not low <= value <= high:  # NaN neither
                raise ProjectError(
                    "FIT-NUMBER",
                    f"{value:g} can't be asked for",
                    where=name,
                    fix=f"use a number from {low:g} to {high:g}",
                )
    project = load_project(folder)
    plan, remark = _plan(project, folder)

    def design_for(config: HlsConfig) -> Design:
        return planned_design(replace(plan, hls=config))

    free = without_settings(project.hls, board)
    coefficients, calibration = calibrated(folder)
    target: dict[str, Any] = {
        "images_per_second": images_per_second,
        "latency_us": latency_us,
        "clocks_ns": clocks_ns,
        "coefficients": coefficients,
    }
    design, found = fit_settings(design_for, project.hls, board, may_move_weights=True, **target)
    helpful: tuple[Remedy, ...] = ()
    if found.chosen is None:
        others = dict(_smaller_presets(project, free))
        if project.hls.io_type == "io_parallel":
            others["hls.io_type: io_stream"] = design_for(free.model_copy(update={"io_type": "io_stream"}))
        helpful = remedies(design, found, alternatives=others, **target)
    reason = no_firmware(board)
    changes: dict[str, Any] = {}
    if found.chosen is not None and not reason:
        changes = _changes(project.hls, found.chosen.settings(project.hls, board))
    if write and changes:
        set_fields(folder / PROJECT_FILE, changes)
    notes = (*remark, *([calibration] if calibration else []), *_about(design, board), *_about_choice(found))
    written = tuple(changes) if write else ()
    source = "network" if plan.network is not None else "architecture"
    outcome = ProjectFit(folder / PROJECT_FILE, source, design, found, helpful, notes, written, reason)
    remember_front(folder, "fit-hls", outcome.as_json())
    return outcome


def _plan(project: ProjectConfig, folder: Path) -> tuple[Plan, tuple[str, ...]]:
    """Give the plan of the project, and what to know about it."""
    built = folder / "build" / "network"
    network = network_file.load(built) if built.is_dir() else None
    plan = plan_of(folder.name, project, network)
    if plan.taken:
        return plan, ("types and weights of the QKeras model, taken as it is",)
    if plan.network is not None:
        return plan, ("types and weights of the integer network in build/network",)
    if network is None:
        return plan, ASSUMPTIONS
    return plan, (
        "build/network is of other layers or bits than the project file says, so it is left aside",
        *ASSUMPTIONS,
    )


def _smaller_presets(project: ProjectConfig, config: HlsConfig) -> Mapping[str, Design]:
    """Give the designs of the presets for the same images that have fewer parameters, the largest first."""
    if taken(project) is not None:
        return {}
    ours = project.model.architecture
    most = sum(row.parameters for row in layer_table(ours))
    smaller = {}
    for name in preset_names():
        parameters = sum(row.parameters for row in layer_table(preset(name)))
        if preset(name).input_shape == ours.input_shape and parameters < most:
            smaller[name] = parameters
    chosen = sorted(smaller, key=lambda name: -smaller[name])[:_PRESETS_TRIED]
    return {
        f"the preset {name} ({smaller[name]:,} parameters in place of {most:,})": planned_design(
            plan_of_architecture(name, preset(name), project.quantize, config)
        )
        for name in chosen
    }


def _changes(before: HlsConfig, after: HlsConfig) -> dict[str, Any]:
    return {f"hls.{name}": getattr(after, name) for name in _WRITTEN if getattr(after, name) != getattr(before, name)}


def _about(design: Design, board: Board) -> list[str]:
    matrices = [layer for layer in design.layers if isinstance(layer, MatrixLayer)]
    weights = sum(layer.products for layer in matrices)
    bits = sum(layer.weight_bits for layer in matrices)
    notes = [
        f"{weights:,} weights, with biases {bits / 1e6:,.2f} Mbit; block memory of the device: "
        f"{board.bram18 * 18 * 1024 / 1e6:,.1f} Mbit"
    ]
    if not board.is_calibrated:
        notes.append(f"the estimator knows no report of {board.vendor} devices: the figures are those of an AMD device")
    if board.note:
        notes.append(f"{board.title}: {board.note}")
    return notes


def _about_choice(found: Fit) -> list[str]:
    notes = [PLACEMENT, CLOCK, f"resources as logic synthesis leaves them; at most {MOST_SHARE:.0%} of each are used"]
    if found.best:
        one = found.best[0].estimate
        behind = ", ".join(f"{name.upper()} {one.repositories.get(name, 0)}" for name in ("lut", "ff", "dsp", "bram18"))
        notes.append(f"bands claim {one.coverage:.0%}, from the errors in repositories of published results: {behind}")
    if found.chosen is not None and not found.chosen.surely:
        low_high = {name: getattr(found.chosen.estimate, name) for name in ("lut", "ff", "dsp", "bram18")}
        wide = [
            f"{name.upper()} up to {value.high / getattr(found.board, name):.0%}"
            for name, value in low_high.items()
            if value.high > MOST_SHARE * getattr(found.board, name)
        ]
        coverage, chance = found.chosen.estimate.coverage, found.chosen.chance
        notes.append(
            f"at risk: it fits with a chance of about {chance:.0%}; with the estimate's own band ({coverage:.0%})"
            f" it may take {', '.join(wide)}"
        )
    elif found.at_risk is not None:
        faster, chance = found.at_risk.images_per_second, found.at_risk.chance
        notes.append(f"the one at risk gives {faster:,.0f} images/s and fits with a chance of about {chance:.0%}")
    if found.chosen is not None:
        notes += found.chosen.estimate.warnings
        if found.chosen.bram_factor is not None:
            notes.append(
                f"weights of layers with more than {found.chosen.bram_factor:,} are outside the core: the design"
                " around it has to bring their memory, and siliconv build --bitstream writes none"
            )
        if found.chosen.steady_cycles is not None:
            worst = found.chosen.estimate.interval_cycles.value
            notes.append(
                f"images/s as simulated: an image in {found.chosen.steady_cycles:,} cycles; C synthesis will state"
                f" up to {worst:,}"
            )
    return notes


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and value in (float("inf"), float("-inf")) else value
