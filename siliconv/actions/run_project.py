"""A project's stages, run up to one of them."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from siliconv.bounded_reading import in_words
from siliconv.checks.checks import examine
from siliconv.checks.preflight import Finding, Severity
from siliconv.checks.stopping import stopping
from siliconv.errors import DAMAGE, ProjectError, SiliconvError
from siliconv.flow.flow import StageResult, run_flow
from siliconv.hls.backends import check_simulated
from siliconv.hls.csim.csim import compiler_version
from siliconv.progress import Progress
from siliconv.project.data_choice import apply_data_choice, chosen_data, ends_choice, remember_data_choice
from siliconv.project.project import PROJECT_FILE, load_project
from siliconv.project.project_problems import ProjectProblemsError
from siliconv.project.varied_project import told_changes
from siliconv.runs.remembering import is_finished, remember_run
from siliconv.runs.variants import open_variant
from siliconv.stages.rtl_stages import check_rtl_tools
from siliconv.stages.stages import STAGE_NAMES, STAGES, road_to


def run_project(
    folder: Path,
    until: str,
    data: Path | None,
    force: bool,
    paranoid: bool = False,
    changes: Mapping[str, Any] | None = None,
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
        A folder of images in place of the project's data, remembered once it was prepared; ``none`` ends that; None for
        no change.
    force
        Run every stage again, from the beginning.
    paranoid
        Read also large outputs that nothing seems to have touched.
    changes
        Fields by dotted name for a variant, which is built beside the others; the project file stays as it is.
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
    started = datetime.now(UTC).isoformat(timespec="seconds")
    build, file, varied = folder / "build", folder / PROJECT_FILE, dict(changes or {})
    if varied:
        project, build = open_variant(folder, varied)
        file = build.parent / PROJECT_FILE
        on_event(
            f"variant: {told_changes(varied)}, built in {build.relative_to(folder)}; {PROJECT_FILE} stays as it is"
        )
    else:
        project = load_project(folder)
    project, remark = apply_data_choice(project, build, data)
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
        if finding.severity is Severity.WARNING:
            on_event(_line_of(finding))
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]

    def tell_errors(raised: SiliconvError | None = None) -> None:
        """Tell what the rules call errors, but for what the run itself ends in before any stage is done."""
        for finding in errors:
            if raised is None or (finding.code, finding.what) != (raised.code, raised.what):
                on_event(_line_of(finding))
        errors.clear()

    def told(result: StageResult) -> None:
        tell_errors()
        if result.name == "data" and data is not None and not ends_choice(data):
            remember_data_choice(build, data)
        on_event(result)

    try:
        results = run_flow(
            stages, project, folder.name, build, progress, until=until, force=force, paranoid=paranoid, on_result=told
        )
    except SiliconvError as error:
        tell_errors(error)
        raise
    if is_finished({result.name for result in results}):
        chosen = chosen_data(build)
        variant = varied | ({"data.source": "folder", "data.path": str(chosen)} if chosen is not None else {})
        command = shlex.join(
            [
                "siliconv",
                "run",
                folder.name,
                "--until",
                until,
                *(f"--set={told_changes({k: v})}" for k, v in varied.items()),
            ]
        )
        try:
            remember_run(folder, file, project, build, results, variant=variant, command=command, started=started)
        except SiliconvError as error:
            on_event(f"this run is not remembered: {error}")
        except DAMAGE as error:
            on_event(f"this run is not remembered, for files of the build cannot be worked with: {in_words(error)}")
    return results


def _line_of(finding: Finding) -> str:
    return f"{finding.severity:<8}  {finding.code}, {finding.where}: {finding.what}; {finding.fix}"
