"""The pre-flight rules over a project, and the mending of what can be mended safely."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from siliconv.checks.checks import RULES, examine
from siliconv.checks.preflight import Finding
from siliconv.project.project import PROJECT_FILE
from siliconv.project.project_edit import set_fields


@dataclass(frozen=True)
class Examination:
    """What the rules found, in how many milliseconds, and the fields of the project file that were changed."""

    findings: tuple[Finding, ...]
    rules: int
    milliseconds: float
    changed: dict[str, Any]

    @property
    def passed(self) -> bool:
        """Whether no finding is an error."""
        return not any(finding.severity == "error" for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        """Return it as plain lists and numbers."""
        return {
            "rules": self.rules,
            "milliseconds": round(self.milliseconds, 1),
            "findings": [finding.as_json() for finding in self.findings],
            "changed": self.changed,
        }


def check_project(folder: Path, *, fix: bool = False) -> Examination:
    """Apply all rules to a project; with ``fix``, change in its file what can be mended safely and look again.

    Raises
    ------
    ProjectError
        As `siliconv.project.project_edit.set_fields`.
    """
    began = time.perf_counter()
    findings = examine(folder)
    milliseconds = 1000 * (time.perf_counter() - began)
    changes = _changes(findings) if fix else {}
    if changes:
        set_fields(folder / PROJECT_FILE, changes)
        findings = examine(folder)
    return Examination(findings, len(RULES), milliseconds, changes)


def _changes(findings: Sequence[Finding]) -> dict[str, Any]:
    """Give the changes of all findings; where two want the same field, the more severe one gets it."""
    changes: dict[str, Any] = {}
    for finding in findings:
        if not set(finding.changes) & set(changes):
            changes |= finding.changes
    return changes
