"""The command `siliconv check`: pre-flight rules over a project, in milliseconds."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from siliconv import check_data, check_fields, check_machine
from siliconv.errors import SiliconvError
from siliconv.facts import Facts, gather
from siliconv.hls import check_firmware, check_layers, check_numbers, check_resources, check_reuse
from siliconv.hls.check_firmware import read_built
from siliconv.hls.preflight import Finding, Rule, Severity, find_all, rules_of
from siliconv.options import JsonOption, ProjectArgument, print_json
from siliconv.planning import read_network
from siliconv.project import PROJECT_FILE, find_project, load_project
from siliconv.project_edit import set_fields

FIELD_RULES = rules_of(check_fields)
PLAN_RULES = rules_of(check_layers, check_reuse, check_numbers, check_resources)
PROJECT_RULES = rules_of(check_data, check_machine)
FIRMWARE_RULES = rules_of(check_firmware)
RULES: tuple[Rule[Any], ...] = (*FIELD_RULES, *PLAN_RULES, *PROJECT_RULES, *FIRMWARE_RULES)
"""All of them; docs/checks.md has a paragraph for each."""


def check(
    project: ProjectArgument,
    fix: Annotated[bool, typer.Option("--fix", help="mend in the project file what can be mended safely")] = False,
    json_output: JsonOption = False,
) -> int:
    """Look for what is known to go wrong, before anything is trained or built; exits 1 on errors.

    docs/checks.md explains every code.
    """
    folder = find_project(project)
    began = time.perf_counter()
    findings = examine(folder)
    milliseconds = 1000 * (time.perf_counter() - began)
    changes = _changes(findings) if fix else {}
    if changes:
        set_fields(folder / PROJECT_FILE, changes)
        findings = examine(folder)
    if json_output:
        print_json(
            {
                "rules": len(RULES),
                "milliseconds": round(milliseconds, 1),
                "findings": [finding.as_json() for finding in findings],
                "changed": changes,
            }
        )
    else:
        sys.stdout.write("".join(f"{line}\n" for line in _lines(findings, changes)))
        sys.stdout.write(f"{len(RULES)} rules in {milliseconds:.0f} ms: {_count(findings)}\n")
    return int(any(finding.severity is Severity.ERROR for finding in findings))


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


def _changes(findings: Sequence[Finding]) -> dict[str, Any]:
    """Give the changes of all findings; where two want the same field, the more severe one gets it."""
    changes: dict[str, Any] = {}
    for finding in findings:
        if not set(finding.changes) & set(changes):
            changes |= finding.changes
    return changes


def _lines(findings: Sequence[Finding], changes: dict[str, Any]) -> list[str]:
    lines = [f"changed  {name}: {value}" for name, value in changes.items()]
    for finding in findings:
        mended = "  (--fix does it)" if finding.changes else ""
        lines += [
            f"{finding.severity:<8} {finding.code:<22} {finding.where}",
            f"         {finding.what}",
            f"         fix: {finding.fix}{mended}",
        ]
    return lines


def _count(findings: Sequence[Finding]) -> str:
    counts = Counter(finding.severity for finding in findings)
    return ", ".join(f"{counts[one]} {one}{'s' * (counts[one] != 1)}" for one in Severity)
