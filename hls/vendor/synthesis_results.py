"""What a vendor tool measured of a project, gathered from its reports, beside the estimate of the same design."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from siliconv.bounded_reading import as_kind, read_json
from siliconv.errors import ToolError
from siliconv.hls.vendor.build_script import BuildScript
from siliconv.hls.vendor.synthesis_log import PIPELINES_FILE
from siliconv.hls.vendor.timing_reports import read_implementation, read_timing_summary
from siliconv.hls.vendor.vendor_reports import read_cosimulation, read_csynthesis, read_logic_synthesis

CYCLES = ("latency_cycles", "interval_cycles")
RESOURCES = ("lut", "ff", "dsp", "bram18", "uram")


@dataclass(frozen=True)
class SynthesisResults:
    """Reported figures by stage: ``csynth``, ``cosim``, ``vsynth``; cycles, resources, and what else was told.

    ``tool``: such as "Vitis HLS 2024.1"; ``timing``: slacks and periods in nanoseconds, empty where not reported.
    """

    tool: str
    part: str
    clock_ns: float
    stages: Mapping[str, Mapping[str, float]]
    timing: Mapping[str, Any]
    cosimulation_passed: bool | None = None
    function: str = ""
    """The top function that was built: the core, or the AXI-Stream top level around it."""
    loops: tuple[Mapping[str, Any], ...] = ()
    warnings: tuple[Mapping[str, Any], ...] = ()
    """Of C synthesis' log, as `siliconv.hls.vendor.synthesis_log.SynthesisLog` gives them."""

    @property
    def source(self) -> str:
        """The stage that the resources are from: the last there is."""
        return "vsynth" if "vsynth" in self.stages else "csynth"

    def value(self, metric: str) -> float | None:
        """Return the best figure there is: cycles as simulated, resources as after logic synthesis; else None."""
        order = ("cosim", "csynth") if metric in CYCLES else ("vsynth", "csynth")
        found = (self.stages.get(stage, {}).get(metric) for stage in order)
        return next((one for one in found if one is not None), None)

    def as_json(self) -> dict[str, Any]:
        """Return the fields by name."""
        return {**asdict(self), "stages": {stage: dict(values) for stage, values in self.stages.items()}}


def from_json(fields: Mapping[str, Any]) -> SynthesisResults:
    """Return the results of what `SynthesisResults.as_json` gave; raises `UnreadableError` for anything else."""
    return as_kind(dict(fields), SynthesisResults)


def gather(folder: Path, script: BuildScript) -> SynthesisResults:
    """Read the reports of a project that a tool has worked on.

    Parameters
    ----------
    folder
        The project.
    script
        What the tool built.

    Raises
    ------
    ToolError
        ``REPORT-NONE`` where there is no C synthesis report, ``REPORT-FORMAT`` for one of another form.
    """
    project, function = folder / script.project, script.function
    solution = project / "solution1"
    main = solution / "syn" / "report" / f"{function}_csynth.rpt"
    if not main.is_file():
        raise ToolError(
            "REPORT-NONE",
            "the tool left no C synthesis report",
            where=str(solution / "syn" / "report"),
            fix="read the log for the first error, or run siliconv build PROJECT --csynth",
        )
    csynth = read_csynthesis(main)
    stages: dict[str, dict[str, float]] = {
        "csynth": {
            **_known(latency_cycles=csynth.latency_max, interval_cycles=csynth.interval_max),
            **{name: float(value) for name, value in csynth.resources.items()},
        }
    }
    timing: dict[str, Any] = {"csynth_estimated_ns": csynth.estimated_ns}
    passed = None
    simulated = solution / "sim" / "report" / f"{function}_cosim.rpt"
    if simulated.is_file():
        cosim = read_cosimulation(simulated)
        passed = cosim.passed
        stages["cosim"] = _known(latency_cycles=cosim.latency_max, interval_cycles=cosim.interval_max)
    logic = project / "vivado_synth.rpt"
    if logic.is_file():
        stages["vsynth"] = {name: float(value) for name, value in read_logic_synthesis(logic).resources.items()}
    slack = project / "vivado_timing.rpt"
    if slack.is_file():
        summary = read_timing_summary(slack)
        timing |= {"setup_slack_ns": summary.setup_slack_ns, "hold_slack_ns": summary.hold_slack_ns, "met": summary.met}
    exported = next(iter(sorted((solution / "impl" / "report").rglob("*_export.rpt"))), None)
    if exported is not None:
        placed = read_implementation(exported)
        timing |= {"implementation_ns": placed.implementation_ns, "required_ns": placed.required_ns, "met": placed.met}
    return SynthesisResults(
        f"{csynth.tool} {csynth.version}",
        csynth.part,
        csynth.clock_ns,
        stages,
        timing,
        passed,
        function,
        **_said(project),
    )


def _said(project: Path) -> dict[str, tuple[Mapping[str, Any], ...]]:
    """Give loops and warnings that were kept of the log."""
    path = project / PIPELINES_FILE
    said = read_json(path) if path.is_file() else {"loops": (), "warnings": ()}
    return {name: tuple(said[name]) for name in ("loops", "warnings")}


def beside(estimate: Mapping[str, Any], results: SynthesisResults) -> dict[str, Any]:
    """Return the content of `estimate.json` with what was measured in the place of what was estimated.

    Parameters
    ----------
    estimate
        As `Estimate.as_json` gives it; it stays in the field ``estimate``.
    results
        Of the same design.
    """
    metrics = (*CYCLES, *RESOURCES)
    measured = {metric: results.value(metric) for metric in metrics}
    exact = {
        metric: {"value": value, "low": value, "high": value} for metric, value in measured.items() if value is not None
    }
    return {
        **estimate,
        **exact,
        "source": results.source,
        "estimate": {metric: estimate[metric] for metric in metrics},
        "measured": results.as_json(),
    }


def _known(**values: int | None) -> dict[str, float]:
    return {name: float(value) for name, value in values.items() if value is not None}
