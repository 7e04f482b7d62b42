"""A project's stages, run up to one of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from siliconv.checks.checks import examine
from siliconv.checks.preflight import Severity
from siliconv.checks.stopping import stopping
from siliconv.errors import ProjectError
from siliconv.flow.flow import StageResult, run_flow
from siliconv.hls.backends import check_simulated
from siliconv.hls.csim.csim import compiler_version
from siliconv.progress import Progress
from siliconv.project.data_choice import apply_data_choice, remember_data_choice
from siliconv.project.project import load_project
from siliconv.project.project_problems import ProjectProblemsError
from siliconv.stages.rtl_stages import check_rtl_tools
from siliconv.stages.stages import STAGE_NAMES, STAGES, road_to


def run_project(
    folder: Path,
    until: str,
    data: Path | None,
    force: bool,
    paranoid: bool = False,
    *,
    progress: Progress,
    on_event: Callable[[StageResult | str], None] = lambda event: None,
) -> tuple[StageResult, ...]:
    """Bring all stages of a project up to `until` up to date.

    Parameters
    ----------
    folder
        Of the project.
    until
        The last stage.
    data
        A folder of images in place of the project's data, remembered once it was prepared; None for no change.
    force
        Run every stage again, from the beginning.
    paranoid
        Read also large outputs that nothing seems to have touched.
    progress
        For long work.
    on_event
        Called with what the pre-flight rules find, with each stage's result, and with remarks for people.

    Raises
    ------
    ProjectError
        ``STAGE-UNKNOWN``, for a project file that is wrong, and for what a pre-flight rule knows that a stage refuses.
    ToolError
        ``TOOL-GXX``, ``BACKEND-...`` for what the simulation lacks, before any work.
    SiliconvError
        As the stages.
    """
    if until not in STAGE_NAMES:
        raise ProjectError(
            "STAGE-UNKNOWN", f"no stage is called '{until}'", where="--until", fix="use " + ", ".join(STAGE_NAMES)
        )
    build = folder / "build"
    project, remark = apply_data_choice(load_project(folder), build, data)
    stages = STAGES if until in {stage.name for stage in STAGES} else road_to(until)
    if until in ("csim", "estimate", "report"):
        check_simulated(project.hls.backend)
        compiler_version()
    check_rtl_tools(until, project.rtl)
    if remark:
        on_event(remark)
    findings = examine(folder, project)
    if refused := stopping(findings, until):
        # Told now, not after an hour of training.
        raise ProjectProblemsError([ProjectError(one.code, one.what, where=one.where, fix=one.fix) for one in refused])
    for finding in findings:
        if finding.severity is not Severity.HINT:
            on_event(f"{finding.severity:<8}  {finding.code}, {finding.where}: {finding.what}; {finding.fix}")

    def told(result: StageResult) -> None:
        if result.name == "data" and data is not None:
            remember_data_choice(build, data)
        on_event(result)

    return run_flow(
        stages, project, folder.name, build, progress, until=until, force=force, paranoid=paranoid, on_result=told
    )
