"""Published synthesis results: from a record of `records.json` to a `Design` and what was reported.

Only what was known before the synthesis is read into the design: layers, part, clock, back end, tool and
weight counts. Missing fields are filled with hls4ml's defaults, unknown layer types become `UnknownLayer`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from siliconv.bounded_reading import UnreadableError, in_words, read_json
from siliconv.errors import DAMAGE, ProjectError
from siliconv.hls.calibration.record_assumptions import DEFAULT_PART, RESULTS, assumptions, is_number
from siliconv.hls.calibration.record_layers import Fields, expanded, fixed_type, layer_of
from siliconv.hls.design.design import Design, Layer, Tensor
from siliconv.hls.kinds import Backend, IoType, Synthesis

MOST_BYTES = 64 << 20


@dataclass(frozen=True)
class SynthesisRecord:
    """One synthesis result.

    Parameters
    ----------
    identity, kind, tier
        The record's own words.
    project
        Name shared by records that are not independent of each other; a cross-validation keeps them together.
    repository
        Whose results they are: each counts once, however many projects and records it has.
    design
        What was synthesized.
    stage
        Which stage the resources were reported by.
    reported
        Metric to value: cycles (the longest the tool states), LUT, FF, DSP, 18-Kb blocks.
    has_own_templates
        Whether layers are of the project's own templates rather than of hls4ml's.
    assumed
        What it does not say, and what is assumed in its place.
    """

    identity: str
    project: str
    kind: str
    tier: str
    design: Design
    stage: Synthesis
    reported: Mapping[str, float]
    has_own_templates: bool = False
    repository: str = ""
    assumed: tuple[str, ...] = ()

    @property
    def is_predictable(self) -> bool:
        """Whether it has layers."""
        return bool(self.design.layers)


def read_records(path: Path) -> list[SynthesisRecord]:
    """Read all records of a file; raises `ProjectError` RECORDS-READ when it is not such a file."""
    try:
        entries = read_json(path, most=MOST_BYTES)
    except UnreadableError as error:
        raise ProjectError(
            "RECORDS-READ",
            f"the records cannot be read: {error}",
            where=str(path),
            fix="pass a JSON file with a list of synthesis records",
        ) from error
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ProjectError(
            "RECORDS-READ",
            "the file is JSON, but not a list of records",
            where=str(path),
            fix="pass a list of objects with id, layers and results",
        )
    found = []
    for index, entry in enumerate(entries):
        try:
            found.append(record_of(entry, index))
        except DAMAGE as error:
            raise ProjectError(
                "RECORDS-READ",
                f"record {index} is not of the form of a synthesis record: {in_words(error)}",
                where=str(path),
                fix="take it out, or write its fields as docs/estimator.md says",
            ) from error
    if found and not any(record.is_predictable for record in found):
        raise ProjectError(
            "RECORDS-READ",
            f"none of the {len(found)} records has layers, so nothing can be predicted",
            where=str(path),
            fix="write the layers of each design as docs/estimator.md says",
        )
    return found


def record_of(entry: Fields, index: int = 0) -> SynthesisRecord:
    """Return the record of one entry; nothing in it is required."""
    results = entry.get("results") or {}
    stage = Synthesis.VSYNTH if "vsynth" in str(results.get("stage") or "") else Synthesis.CSYNTH
    return SynthesisRecord(
        identity=str(entry.get("id") or f"record {index}"),
        project=project_of(entry),
        kind=str(entry.get("kind") or "unknown"),
        tier=str(entry.get("tier") or ""),
        design=design_of(entry),
        stage=stage,
        reported={metric: float(results[name]) for metric, name in RESULTS.items() if is_number(results.get(name))},
        has_own_templates=any(str(one.get("type")).endswith("_me") for one in entry.get("layers") or []),
        repository=repository_of(entry),
        assumed=assumptions(entry),
    )


def repository_of(entry: Fields) -> str:
    """Return the repository of an entry, where none is stated what it is called."""
    return str((entry.get("source") or {}).get("repo") or entry.get("id") or "")


def project_of(entry: Fields) -> str:
    """Return what keeps siblings together: the repository, or the study's network within a large study."""
    identity, tier = str(entry.get("id") or ""), entry.get("tier")
    if tier == "W":
        return re.sub(r"-\d+b-rf\d+$", "", identity)
    if tier == "M":
        return "micro " + re.sub(r"_(parallel|stream)$", "", str(entry.get("kind")))
    return repository_of(entry)


def design_of(entry: Fields) -> Design:
    """Return the design of an entry, every missing field filled with hls4ml's default."""
    spelled = f"{entry.get('backend') or ''} {entry.get('tool') or ''}".lower()
    part = str(entry.get("part") or DEFAULT_PART)
    forced = re.search(r"config_op mul -impl (\w+)", str(entry.get("notes") or ""))
    io_type = _io_type(entry)
    return Design(
        name=str(entry.get("id") or ""),
        layers=tuple(_layers(entry, io_type)),
        part=part.split(" ")[0] if part.startswith("xc") else DEFAULT_PART,
        clock_ns=_positive(entry.get("clock_ns")) or 5.0,
        clock_uncertainty_ns=_positive(entry.get("clock_uncertainty_ns")),
        backend=Backend.VITIS if "vitis" in spelled else Backend.VIVADO,
        io_type=io_type,
        tool=str(entry.get("tool") or ""),
        forced_multipliers=forced.group(1) if forced else "",
    )


def _positive(value: object) -> float | None:
    """Return a positive number as it is, anything else as None."""
    try:
        found = float(str(value))
    except ValueError:
        return None
    return found if 0 < found < float("inf") else None


def _io_type(entry: Fields) -> IoType:
    spelled = f"{entry.get('io_type') or ''} {entry.get('kind') or ''}"
    return IoType.STREAM if "stream" in spelled else IoType.PARALLEL


def _layers(entry: Fields, io_type: IoType) -> list[Layer]:
    default = fixed_type((entry.get("input_types") or {}).get("model_default_t"))
    before = Tensor((0,), fixed_type((entry.get("input_types") or {}).get("input_t"), default))
    strategy = str(entry.get("strategy") or "Latency")
    layers: list[Layer] = []
    for fields in entry.get("layers") or []:
        for one in expanded(fields):
            layer = layer_of({"strategy": strategy, **{k: v for k, v in one.items() if v is not None}}, before)
            layers.append(layer)
            before = layer.output
    return layers
