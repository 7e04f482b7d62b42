"""Runs beside each other: what differs in configuration, accuracy, exactness, resources and latency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from siliconv.bounded_reading import UnreadableError
from siliconv.errors import ProjectError, WorkSaysNoError
from siliconv.project.finding import as_argument, find_project
from siliconv.project.project import PROJECTS_FOLDER
from siliconv.search.run_record import RunRecord, find_record, read_record_file, read_records

COST_TITLES = {
    "lut": "LUT",
    "ff": "FF",
    "dsp": "DSP",
    "bram18": "BRAM (18 Kb)",
    "uram": "URAM",
    "latency_us": "latency (µs)",
    "images_per_second": "images a second",
    "span_operations": "span bit operations",
    "rtl_lut": "SystemVerilog: LUT",
    "rtl_ff": "SystemVerilog: FF",
    "rtl_dsp": "SystemVerilog: DSP",
    "rtl_block_memory": "SystemVerilog: block memories",
    "rtl_latency_cycles": "SystemVerilog: latency (cycles)",
    "rtl_interval_cycles": "SystemVerilog: interval (cycles)",
    "rtl_mhz": "SystemVerilog: clock (MHz)",
    "rtl_images_per_second": "SystemVerilog: images a second",
}
"""Costs of a record, and what people read."""

_ABSENT = "default"
_ROUNDING = 1e-9
"""Of percents that are computed from floats."""


@dataclass(frozen=True)
class ComparedLine:
    """A line: its part, what it is about, and what each run has as text, and as a number where it is one."""

    part: str
    title: str
    texts: tuple[str, ...]
    values: tuple[float | None, ...]

    @property
    def differs(self) -> bool:
        """Whether not all runs have the same."""
        return len(set(self.texts)) > 1


@dataclass(frozen=True)
class RunComparison:
    """Runs by the names that they were asked for, and all lines, whether they differ or not."""

    names: tuple[str, ...]
    records: tuple[RunRecord, ...]
    lines: tuple[ComparedLine, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as plain lists and numbers."""
        return {
            "runs": [{"name": name, **asdict(one)} for name, one in zip(self.names, self.records, strict=True)],
            "lines": [{**asdict(line), "differs": line.differs} for line in self.lines],
        }

    def check(self, *, accuracy_drop: float | None = None, lut_growth: float | None = None) -> None:
        """Compare each run with the first, for a build that shall not get worse.

        Parameters
        ----------
        accuracy_drop
            Percent points (of errors: hundredths of their unit) that the firmware's answers on the test images may be
            worse.
        lut_growth
            Percent that the LUTs may be more.

        Raises
        ------
        WorkSaysNoError
            ``COMPARE-WORSE`` with all that is worse; a run that is not exact any more is, whatever was asked.
        ProjectError
            ``COMPARE-METRIC``, ``COMPARE-LUT`` where there is nothing to compare.
        """
        if accuracy_drop is None and lut_growth is None:
            return
        base, *others = self.records
        wrong = []
        for name, one in zip(self.names[1:], others, strict=True):
            if base.exact and not one.exact:
                wrong.append(f"{name} is not exact")
            if accuracy_drop is not None:
                drop = 100 * (base.test.goodness - _same_metric(base, one, name).test.goodness)
                if drop > accuracy_drop + _ROUNDING:
                    wrong.append(f"{name}: {base.test.metric} {one.test.value:.4f}, {drop:.2f} points worse")
            if lut_growth is not None:
                before, after = (_luts(record) for record in (base, one))
                growth = 100 * (after / before - 1)
                if growth > lut_growth + _ROUNDING:
                    wrong.append(f"{name}: {after:,.0f} LUT, {growth:.1f} % more")
        if wrong:
            raise WorkSaysNoError(
                "COMPARE-WORSE",
                "; ".join(wrong),
                where=f"compared with {self.names[0]}",
                fix="look at what differs above, or allow more: --max-accuracy-drop, --max-lut-growth",
            )


def _same_metric(base: RunRecord, one: RunRecord, name: str) -> RunRecord:
    if base.test.metric != one.test.metric:
        raise ProjectError(
            "COMPARE-METRIC",
            f"{base.test.metric} and {one.test.metric} are not the same measure",
            where=name,
            fix="compare runs of one task, or leave --max-accuracy-drop out",
        )
    return one


def _luts(record: RunRecord) -> float:
    found = record.costs.get("lut", record.costs.get("rtl_lut"))
    if not found:
        raise ProjectError(
            "COMPARE-LUT",
            "no LUTs are known of this run",
            where=f"run {record.id}",
            fix="run it to its report (or to --until synth), or leave --max-lut-growth out",
        )
    return found


def find_runs(names: Sequence[str], *, base: Path | None = None) -> tuple[RunRecord, ...]:
    """Give the runs of some names.

    Parameters
    ----------
    names
        A project (its last run of what the project file says), ``PROJECT:RUN``, a run's id or how it begins, or the
        file of a record.
    base
        Folder that projects are looked for from; the current one by default.

    Raises
    ------
    ProjectError
        ``RUN-UNKNOWN``, ``RUN-RECORD``, ``RUN-AMBIGUOUS``, ``PROJECT-NOT-FOUND``.
    """
    return tuple(_find_run(name, base or Path.cwd()) for name in names)


def _find_run(name: str, base: Path) -> RunRecord:
    if name.endswith(".json"):
        return _read_file(base / name)
    project, colon, run = name.rpartition(":")
    if colon:
        return _begins_with(run, [find_project(project, base=base)])
    try:
        folder = find_project(name, base=base)
    except ProjectError:
        folders = sorted(path.parent for path in (base / PROJECTS_FOLDER).glob("*/project.yml"))
        if name.isalnum() and any(one.id.startswith(name) for each in folders for one in read_records(each)):
            return _begins_with(name, folders)
        raise
    of_file = [one for one in read_records(folder) if one.kind == "run" and not one.details.get("set")]
    if not of_file:
        raise ProjectError(
            "RUN-UNKNOWN",
            f"no run of '{name}' is remembered",
            where=str(folder / "runs"),
            fix=f"siliconv run {as_argument(folder)}",
        )
    # What the build folder holds now was run last, whenever the same was run first.
    return max(of_file, key=lambda one: (str(one.details.get("finished", one.started)), one.id))


def _begins_with(name: str, folders: Sequence[Path]) -> RunRecord:
    found = [one for folder in folders for one in read_records(folder) if one.id.startswith(name)]
    if len(found) == 1:
        return found[0]
    if not found:
        return find_record(folders[0], name)
    raise ProjectError(
        "RUN-AMBIGUOUS",
        f"'{name}' begins the name of {len(found)} runs",
        where=", ".join(f"{one.project}:{one.id}" for one in found[:4]),
        fix="write more of the name",
    )


def _read_file(path: Path) -> RunRecord:
    try:
        return read_record_file(path)
    except UnreadableError as error:
        raise ProjectError(
            "RUN-RECORD",
            f"the record cannot be read: {error}",
            where=str(path),
            fix="give a file of runs/records, or a run's name",
        ) from error


def compare_runs(names: Sequence[str], records: Sequence[RunRecord]) -> RunComparison:
    """Put runs beside each other, line by line."""
    lines = [*_configuration(records), *_answers(records), *_exactness(records), *_costs(records)]
    return RunComparison(tuple(names), tuple(records), tuple(lines))


def _configuration(records: Sequence[RunRecord]) -> list[ComparedLine]:
    fields = dict.fromkeys(name for one in records for name in one.changes)
    return [
        _line("configuration", name, [_text(one.changes, name) for one in records])
        for name in fields
        if len({_text(one.changes, name) for one in records}) > 1
    ]


def _text(fields: Mapping[str, Any], name: str) -> str:
    return str(fields[name]) if name in fields else _ABSENT


def _answers(records: Sequence[RunRecord]) -> list[ComparedLine]:
    metrics = {one.test.metric for one in records}
    if len(metrics) > 1:
        return [_line("answers", "metric", [one.test.metric for one in records])]
    (metric,) = metrics
    found = []
    for kind, title in (("float", "float network"), ("quantized", "quantized network")):
        values = [one.details.get("scores", {}).get(kind) for one in records]
        if any(value is not None for value in values):
            found.append(_line("answers", f"{title}, test {metric}", [_score(value) for value in values], values))
    texts = [
        f"{_score(one.test.value)}"
        + (f" ({one.test.low:.4f} to {one.test.high:.4f})" if one.test.low is not None else "")
        for one in records
    ]
    found.append(_line("answers", f"firmware, test {metric}", texts, [one.test.value for one in records]))
    found.append(_line("answers", "test images", [f"{one.test.images:,}" for one in records]))
    return found


def _exactness(records: Sequence[RunRecord]) -> list[ComparedLine]:
    said = {True: "EXACT", False: "NOT EXACT", None: "no firmware"}
    found = [_line("exactness", "core and network", [said[one.exact] for one in records])]
    found.append(_line("exactness", "network", [one.hashes.get("network", "")[:16] for one in records]))
    return found


def _costs(records: Sequence[RunRecord]) -> list[ComparedLine]:
    fits = [str(one.details.get("fit", "fits" if one.feasible else "does not fit")) for one in records]
    found = [_line("hardware", "verdict", fits)]
    boards = [str(one.details.get("board", "")) for one in records]
    if any(boards):
        found.append(_line("hardware", "device", boards))
    for name, title in COST_TITLES.items():
        values = [one.costs.get(name) for one in records]
        if any(value is not None for value in values):
            found.append(_line("hardware", title, [_value(value) for value in values], values))
    return found


def _score(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4f}" if abs(value) < 10 else f"{value:.4g}"


def _value(value: float | None) -> str:
    if value is None:
        return "unknown"
    return (
        f"{value:,.0f}"
        if value == int(value) and abs(value) >= 2
        else f"{value:.4g}"
        if value < 1e4
        else f"{value:,.0f}"
    )


def _line(part: str, title: str, texts: Sequence[str], values: Sequence[float | None] | None = None) -> ComparedLine:
    return ComparedLine(part, title, tuple(texts), tuple(values) if values is not None else (None,) * len(texts))
