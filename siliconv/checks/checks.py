"""All pre-flight rules, and how they are applied to a project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from siliconv.checks import (
    data_rules,
    field_rules,
    firmware_rules,
    layer_rules,
    machine_rules,
    number_rules,
    resource_rules,
    reuse_rules,
)
from siliconv.checks.facts import Facts, gather
from siliconv.checks.firmware_rules import read_built
from siliconv.checks.preflight import Finding, Rule, Severity, find_all, rules_of
from siliconv.errors import FirmwareError, SiliconvError
from siliconv.plan.plan_of_project import read_network
from siliconv.project.data_choice import apply_data_choice
from siliconv.project.project import PROJECT_FILE, ProjectConfig, load_project
from siliconv.project.project_problems import ProjectProblemsError
from siliconv.rtl.design.rtl_design import unsized_design
from siliconv.rtl.fit.rtl_fit import device_of
from siliconv.rtl.resources.predicted_cells import predicted

FIELD_RULES = rules_of(field_rules)
PLAN_RULES = rules_of(layer_rules, reuse_rules, number_rules, resource_rules)
PROJECT_RULES = rules_of(data_rules, machine_rules)
FIRMWARE_RULES = rules_of(firmware_rules)
RULES: tuple[Rule[Any], ...] = (*FIELD_RULES, *PLAN_RULES, *PROJECT_RULES, *FIRMWARE_RULES)
"""All of them; docs/checks.md has a paragraph for each."""


def examine(folder: Path, project: ProjectConfig | None = None) -> tuple[Finding, ...]:
    """Apply all rules to a project; a file that can't be read is a finding like the others.

    Parameters
    ----------
    folder
        Of the project.
    project
        What a run would take; what the project file says, with the data last chosen, by default.
    """
    path = folder / PROJECT_FILE
    written = find_all(FIELD_RULES, field_rules.read_written(path))
    try:
        if project is None:
            project, _ = apply_data_choice(load_project(folder), folder / "build", None)
            if project.model.function is not None:
                # To look at a project is not to run its code, and without it there is no network to judge.
                return written
        facts = gather(folder, project)
    except ProjectProblemsError as error:
        return (*written, *(_finding(one) for one in error.problems))
    except SiliconvError as error:
        return (*written, _finding(error))
    refused = [_finding(error) for error in (facts.refused, _no_weights(project)) if error is not None]
    found = [*written, *refused, *find_all(PLAN_RULES, facts.plan), *find_all(PROJECT_RULES, facts), *_built(facts)]
    found += core_findings(facts)
    return tuple(sorted(found, key=lambda finding: list(Severity).index(finding.severity)))


def _no_weights(project: ProjectConfig) -> SiliconvError | None:
    """Give the error of a project that takes the weights of a model which has none."""
    try:
        _ = project.initial_weights
    except SiliconvError as error:
        return error
    return None


def _finding(error: SiliconvError) -> Finding:
    return Finding(error.code, Severity.ERROR, error.what, error.where, error.fix)


def core_findings(facts: Facts) -> tuple[Finding, ...]:
    """Say why a built network can't be the project's SystemVerilog core, or not on its device, where it names one."""
    config = facts.project.rtl
    if "rtl" not in facts.project.model_fields_set or facts.plan.network is None:
        return ()
    try:
        design = unsized_design(facts.plan.network, config)
    except FirmwareError as error:
        return (_finding(error),)
    board = device_of(config)
    shares = board.shares(predicted(design, config.family).by_resource()) if board is not None else {}
    full = [f"{share:.0%} of the {name.upper()}" for name, share in shares.items() if share > 1]
    if board is None or not full:
        return ()
    what = f"the core takes {' and '.join(full)} of a {board.part} by prediction"
    fix = f"siliconv fit PROJECT --core rtl --board {board.name} finds an interval that fits"
    return (Finding("RTL-FULL", Severity.WARNING, what, "rtl", fix),)


def _built(facts: Facts) -> tuple[Finding, ...]:
    build = facts.folder / "build"
    hls4ml = facts.machine.versions["hls4ml"]
    built = read_built(build / "firmware", read_network(build), facts.project.hls, hls4ml)
    return find_all(FIRMWARE_RULES, built) if built is not None else ()
