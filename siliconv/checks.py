"""All pre-flight rules, and how they are applied to a project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from siliconv import check_data, check_fields, check_machine
from siliconv.errors import SiliconvError
from siliconv.facts import Facts, gather
from siliconv.hls import check_firmware, check_layers, check_numbers, check_resources, check_reuse
from siliconv.hls.check_firmware import read_built
from siliconv.hls.preflight import Finding, Rule, Severity, find_all, rules_of
from siliconv.planning import read_network
from siliconv.project import PROJECT_FILE, load_project

FIELD_RULES = rules_of(check_fields)
PLAN_RULES = rules_of(check_layers, check_reuse, check_numbers, check_resources)
PROJECT_RULES = rules_of(check_data, check_machine)
FIRMWARE_RULES = rules_of(check_firmware)
RULES: tuple[Rule[Any], ...] = (*FIELD_RULES, *PLAN_RULES, *PROJECT_RULES, *FIRMWARE_RULES)
"""All of them; docs/checks.md has a paragraph for each."""


def examine(folder: Path) -> tuple[Finding, ...]:
    """Apply all rules to a project; a file that can't be read is a finding like the others."""
    path = folder / PROJECT_FILE
    written = find_all(FIELD_RULES, check_fields.read_written(path))
    try:
        facts = gather(folder, load_project(folder))
    except SiliconvError as error:
        return (*written, Finding(error.code, Severity.ERROR, error.what, error.where, error.fix))
    found = [*written, *find_all(PLAN_RULES, facts.plan), *find_all(PROJECT_RULES, facts), *_built(facts)]
    return tuple(sorted(found, key=lambda finding: list(Severity).index(finding.severity)))


def _built(facts: Facts) -> tuple[Finding, ...]:
    build = facts.folder / "build"
    hls4ml = facts.machine.versions["hls4ml"]
    built = read_built(build / "firmware", read_network(build), facts.project.hls, hls4ml)
    return find_all(FIRMWARE_RULES, built) if built is not None else ()
