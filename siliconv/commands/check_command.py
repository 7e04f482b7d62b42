"""The command `siliconv check`: pre-flight rules over a project, in milliseconds."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from siliconv.commands.options import JsonOption, ProjectArgument, print_json

if TYPE_CHECKING:
    from siliconv.checks.preflight import Finding


def check(
    project: ProjectArgument,
    fix: Annotated[bool, typer.Option("--fix", help="mend in the project file what can be mended safely")] = False,
    json_output: JsonOption = False,
) -> int:
    """Look for what is known to go wrong, before anything is trained or built; exits 1 on errors.

    docs/checks.md explains every code.
    """
    from siliconv.checks.checks import RULES, examine
    from siliconv.project.project import PROJECT_FILE, find_project
    from siliconv.project.project_edit import set_fields

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
    return int(any(finding.severity == "error" for finding in findings))


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
    counts = Counter(str(finding.severity) for finding in findings)
    return ", ".join(f"{counts[one]} {one}{'s' * (counts[one] != 1)}" for one in ("error", "warning", "hint"))
