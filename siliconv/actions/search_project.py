"""Search the bits of a project: its float network first, where it is not trained yet."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from siliconv.actions.run_project import run_project
from siliconv.errors import ProjectError
from siliconv.flow.flow import StageResult
from siliconv.hardware.cluster import connected
from siliconv.progress import Progress
from siliconv.project.calibration_file import calibrated
from siliconv.rtl.fit.rtl_fit import family_of
from siliconv.search.crew import Crew
from siliconv.search.search_study import WAYS, SearchOutcome, SearchSettings, search


def search_project(
    folder: Path,
    settings: SearchSettings,
    command: str,
    *,
    progress: Progress,
    crew: Crew | None = None,
    on_event: Callable[[StageResult | str], None] = lambda event: None,
) -> SearchOutcome:
    """Run the stages up to ``train``, then search.

    Parameters
    ----------
    folder
        Of the project.
    settings, command
        As for `siliconv.search.search_study.search`.
    progress
        For long work.
    crew
        Who does the trials; this process by default.
    on_event
        Called with each stage's result.

    Raises
    ------
    ProjectError
        ``SEARCH-BY``, ``SEARCH-CORE``, ``SEARCH-PROJECT``, and for a project file that is wrong.
    FirmwareError
        ``RTL-BOARD`` for a device that the core is not counted on.
    ToolError
        ``CLUSTER-DASK`` where no cluster answers.
    SiliconvError
        As the stages.
    """
    began = time.time()
    wanted = settings.wanted
    if wanted.core not in ("hls", "rtl"):
        raise ProjectError("SEARCH-CORE", f"there is no core '{wanted.core}'", where="--core", fix="use hls or rtl")
    if settings.by not in WAYS:
        raise ProjectError("SEARCH-BY", f"no search is by '{settings.by}'", where="--by", fix="use gradient or trial")
    if settings.by == "trial" and settings.target is not None:
        raise ProjectError(
            "SEARCH-BY",
            "no training is driven to a target in a search by trial",
            where="--target",
            fix="search by gradient, or leave it out",
        )
    if wanted.core == "rtl":
        family_of(wanted.board)
    if crew is not None and crew.dask is not None:
        with connected(crew.dask):
            pass  # a cluster that is not there is no news for after the training
    run_project(folder, "train", None, False, progress=progress, on_event=on_event)
    coefficients, _ = calibrated(folder)
    settings = replace(settings, wanted=replace(wanted, coefficients=coefficients))
    return search(folder, settings, progress, command=command, began=began, crew=crew)
