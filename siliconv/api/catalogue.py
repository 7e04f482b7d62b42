"""What is known without a project: boards, this machine, published and own synthesis results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from siliconv.bounded_reading import in_words
from siliconv.errors import DAMAGE, ProjectError

if TYPE_CHECKING:
    from siliconv.actions.own_reports import Refinement
    from siliconv.checks.doctor import Finding
    from siliconv.hardware.boards import Board
    from siliconv.runs.run_comparison import RunComparison


@dataclass(frozen=True)
class Calibration:
    """Where own synthesis results are kept now, and what they change."""

    file: Path
    changes: tuple[Refinement, ...]


@dataclass(frozen=True)
class RecordEstimates:
    """Predicted against reported for published synthesis records.

    ``report``: as `siliconv.hls.calibration.record_estimates.estimate_records` returns it.
    ``calibration``: whose own results took part, for people; empty where nobody's did.
    """

    report: dict[str, Any]
    calibration: str

    def as_json(self) -> dict[str, Any]:
        """Return it as plain lists and numbers."""
        return {**self.report, "calibration": self.calibration}

    def __repr__(self) -> str:
        from siliconv.hls.calibration.record_estimates import as_lines

        return "\n".join(as_lines(self.report))


def boards() -> tuple[Board, ...]:
    """Give the boards that siliconv knows, with what their devices hold."""
    from siliconv.hardware.boards import boards as known

    return known()


def presets() -> tuple[str, ...]:
    """Give the names of networks that a project can start from."""
    from siliconv.models.architectures.presets import preset_names

    return preset_names()


def projects() -> tuple[str, ...]:
    """Give the names of the projects below ``firmware_projects/`` of the current folder."""
    from siliconv.project.project import PROJECT_FILE, PROJECTS_FOLDER

    return tuple(sorted(path.parent.name for path in (Path.cwd() / PROJECTS_FOLDER).glob(f"*/{PROJECT_FILE}")))


def compare(*runs: str, html: str | Path | None = None) -> RunComparison:
    """Put runs beside each other: configuration, accuracy, exactness, resources, latency.

    Parameters
    ----------
    runs
        Projects (their last runs), ``PROJECT:ID`` or ids of runs (`Project.history`), or files of records.
    html
        A file to write the comparison to, with pictures.

    Raises
    ------
    ProjectError
        ``COMPARE-RUNS`` for less than two; ``RUN-...``, ``PROJECT-NOT-FOUND`` for a run that is not there;
        ``WRITE-PLACE`` where the file can't be written.
    """
    from siliconv.runs.comparison_page import write_comparison
    from siliconv.runs.run_comparison import compare_runs, find_runs

    if len(runs) < 2:
        raise ProjectError(
            "COMPARE-RUNS",
            "one run alone",
            where="siliconv compare",
            fix="name two or more: see siliconv history PROJECT",
        )
    found = compare_runs(runs, find_runs(runs))
    if html is not None:
        write_comparison(found, Path(html))
    return found


def schema(file: str | Path | None = None) -> str:
    """Give the JSON schema of the project file, by which editors complete and check it; a file is written if named.

    Raises
    ------
    ProjectError
        ``WRITE-PLACE`` where the file can't be written.
    """
    from siliconv.project.atomic_write import write_named
    from siliconv.project.project_schema import schema_text

    if file is not None:
        write_named(Path(file), schema_text())
    return schema_text()


def doctor() -> tuple[Finding, ...]:
    """Give which tools and libraries are there, and what is missing for which work."""
    from siliconv.checks.doctor import examine

    return examine()


def calibrate(reports: Sequence[str | Path], *, project: str | Path | None = None) -> Calibration:
    """Add own synthesis results to what later estimates are made from.

    Parameters
    ----------
    reports
        Projects that were synthesized, or folders of such projects.
    project
        Keep the results beside this project, for it alone; in the user's configuration folder by default.

    Raises
    ------
    ProjectError
        ``CALIBRATION-...`` where there are no results, or they are of another network.
    """
    from siliconv.actions.own_reports import add_reports
    from siliconv.project.calibration_file import CALIBRATION_FILE, user_file
    from siliconv.project.finding import find_project

    path = find_project(str(project)) / CALIBRATION_FILE if project is not None else user_file()
    return Calibration(path, add_reports([_folder_of(str(one)) for one in reports], path))


def _folder_of(name: str) -> Path:
    """Give the folder of a path, or that of a project by its name."""
    from siliconv.project.project import PROJECTS_FOLDER

    named = Path(PROJECTS_FOLDER) / name
    return named if named.is_dir() and not Path(name).exists() else Path(name)


def estimate_records(file: str | Path) -> RecordEstimates:
    """Predict the synthesis records of a file, beside what was reported.

    Raises
    ------
    ProjectError
        ``RECORDS-READ`` when the file is not a list of records.
    """
    from siliconv.hls.calibration import record_estimates
    from siliconv.project.calibration_file import calibrated

    coefficients, calibration = calibrated(None)
    try:
        found = record_estimates.estimate_records(Path(file), coefficients=coefficients)
    except DAMAGE as error:
        raise ProjectError(
            "RECORDS-READ",
            f"the records describe no design that can be built: {in_words(error)}",
            where=str(file),
            fix="look for sizes and numbers that are out of all proportion",
        ) from error
    return RecordEstimates(found, calibration)
