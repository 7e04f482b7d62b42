"""What is kept of a finished run: a record of the same form as a search's trials, made from what the stages left."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from siliconv.certificate.certificate import RTL_CERTIFICATE
from siliconv.flow.artefacts import read_json
from siliconv.flow.flow import StageResult
from siliconv.network import network_file
from siliconv.network.network_file import network_hash
from siliconv.network.span import span_operations
from siliconv.project.bounded_yaml import read_project_text
from siliconv.project.project import ProjectConfig
from siliconv.project.varied_project import flat_fields, told_changes
from siliconv.report.rtl_content import rtl_content
from siliconv.report.verdicts import hls_fit
from siliconv.search.run_record import Measured, RunRecord, find_record, has_record, record_id, write_record

_RESOURCES = ("lut", "ff", "dsp", "bram18", "uram")


def is_finished(stages: Collection[str]) -> bool:
    """Whether a run reached a certificate, so that there is something to remember."""
    return bool({"csim", "rtlsim"} & set(stages))


def remember_run(
    folder: Path,
    project_file: Path,
    project: ProjectConfig,
    build: Path,
    results: tuple[StageResult, ...],
    *,
    variant: Mapping[str, Any],
    command: str,
    started: str,
) -> RunRecord:
    """Write the record of a run; the same run again keeps its name, and what more stages found is added.

    Parameters
    ----------
    folder
        Of the project: the record goes into its ``runs``.
    project_file
        What was run: the project's file, or a variant's.
    project
        The same, read.
    build
        What the stages left.
    results
        The stages of this run, at least one of which made a certificate.
    variant
        Fields that differ from the project's file, as they were asked for.
    command
        What makes it again.
    started
        Date and time, ISO 8601, UTC.
    """
    network = network_file.load(build / "network")
    reached = {result.name for result in results}
    changes = flat_fields(yaml.safe_load(read_project_text(project_file)))
    if "data.path" in variant:
        changes |= {name: value for name, value in variant.items() if name.startswith("data.")}
    hashes = {"network": network_hash(network)}
    name = record_id({"kind": "run", "changes": changes, **hashes})
    before = find_record(folder, name) if has_record(folder, name) else None
    costs: dict[str, float] = {"span_operations": float(sum(span_operations(network).values()))}
    details: dict[str, Any] = {"set": dict(variant), "build": build.relative_to(folder).as_posix(), "exact": {}}
    versions: dict[str, str] = {}
    feasible = True
    if "csim" in reached:
        found = read_json(build / "csim.json")
        details["exact"]["hls"] = found["exact"]
        details["vectors"] = found["vectors"]
        hashes |= {"firmware_sources": found["hashes"]["firmware_sources"], "certificate": found["sha256"]}
        versions |= found["versions"]
    if "estimate" in reached:
        feasible = _add_estimate(read_json(build / "estimate.json"), costs, details)
    if "rtlsim" in reached:
        found = read_json(build / RTL_CERTIFICATE)
        details["exact"]["rtl"] = found["exact"]
        hashes["rtl_certificate"] = found["sha256"]
        versions = {**found["versions"], **versions}
        _add_rtl(build, hashes["network"], costs, details)
    metrics = {kind: read_json(build / kind / "metrics.json") for kind in ("float", "quantized", "network")}
    details["scores"] = {kind: one["value"] for kind, one in metrics.items()}
    details["stages"] = {result.name: result.record.seconds for result in results}
    details["finished"] = datetime.now(UTC).isoformat(timespec="seconds")
    record = RunRecord(
        name,
        "run",
        folder.name,
        None,
        "as the project file says" if not variant else "a variant: " + told_changes(variant),
        command,
        started,
        round(sum(result.record.seconds for result in results if result.ran), 3),
        project.train.seed if project.train is not None else project.data.seed,
        changes,
        None,
        _measured(metrics["network"], "validation"),
        _measured(metrics["network"], None) or _nothing(metrics["network"]),
        costs,
        details,
        feasible,
        hashes,
        versions,
    )
    record = _with_earlier(record, before)
    write_record(folder, record)
    return record


def _add_estimate(estimate: Mapping[str, Any], costs: dict[str, float], details: dict[str, Any]) -> bool:
    """Add figures of hls4ml's core as they stand on the report's first screen; say whether it may fit."""
    if estimate["source"] == "none":
        details["fit"] = "NO VERDICT"
        return True
    verdict, _ = hls_fit(estimate)
    reported = estimate["source"] == "vsynth"
    left = estimate if reported else estimate["logic_synthesis"]
    costs |= {name: float(left[name]["value"]) for name in _RESOURCES}
    cycles, clock = estimate["latency_cycles"]["value"], estimate["clock_ns"]
    costs["latency_us"] = cycles * clock / 1e3
    costs["images_per_second"] = 1e9 / (max(estimate["interval_cycles"]["value"], 1) * clock)
    details["fit"] = verdict.word
    details["board"] = estimate["board"]["title"] if estimate["board"] else estimate["part"]
    details["resources_from"] = "vendor report" if reported else "estimate of logic synthesis"
    return verdict.tone != "bad"


def _add_rtl(build: Path, network: str, costs: dict[str, float], details: dict[str, Any]) -> None:
    """Add what was measured of the SystemVerilog core."""
    found = rtl_content(build, network)
    if found is None or found["stale"] or not found["cycles"]:
        return
    cycles, synth, place = found["cycles"], found["synth"], found["place"]
    costs |= {
        "rtl_latency_cycles": float(cycles["latency_cycles"]),
        "rtl_interval_cycles": float(cycles["interval_cycles"]),
    }
    if synth:
        costs |= {
            "rtl_lut": float(synth["lut"] + synth["lut_memory"]),
            "rtl_ff": float(synth["ff"]),
            "rtl_dsp": float(synth["dsp"]),
            "rtl_block_memory": float(synth["block_memory"]),
        }
        details["rtl_family"] = synth["family"]
    if place:
        costs["rtl_mhz"] = place["mhz"]
        costs["rtl_images_per_second"] = place["mhz"] * 1e6 / cycles["interval_cycles"]


def _measured(metrics: Mapping[str, Any], part: str | None) -> Measured | None:
    found = metrics if part is None else metrics.get(part)
    if found is None or "goodness" not in found or not found.get("images"):
        return None
    value, images = float(found["value"]), int(found["images"])
    low, high = found["interval"] or (None, None)
    return Measured(str(metrics["metric"]), value, float(found["goodness"]), low, high, images)


def _nothing(metrics: Mapping[str, Any]) -> Measured:
    """Of several outputs no number of images is told: the value alone."""
    value = float(metrics["value"])
    return Measured(str(metrics["metric"]), value, float(metrics["goodness"]), None, None, 0)


def _with_earlier(record: RunRecord, before: RunRecord | None) -> RunRecord:
    """Keep of an earlier record of the same run when it was, and what this run did not come to."""
    if before is None:
        return record
    exact = {**before.details.get("exact", {}), **record.details["exact"]}
    return replace(
        record,
        started=before.started,
        seconds=max(record.seconds, before.seconds),
        costs={**before.costs, **record.costs},
        details={**before.details, **record.details, "exact": exact},
        feasible=record.feasible if "fit" in record.details else before.feasible,
        hashes={**before.hashes, **record.hashes},
        versions={**before.versions, **record.versions},
    )
