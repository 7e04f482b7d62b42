"""The command `siliconv check`: pre-flight rules over a project, in milliseconds."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from siliconv.commands.options import JsonOption, ProjectArgument, open_project, print_json
from siliconv.commands.terminal import console, legible, note
from siliconv.errors import SiliconvError

if TYPE_CHECKING:
    from siliconv.checks.preflight import Finding


def check(
    project: ProjectArgument,
    fix: Annotated[bool, typer.Option("--fix", help="fix in the project file what can be fixed safely")] = False,
    json_output: JsonOption = False,
) -> int:
    """Look for what is known to go wrong, before anything is trained or built; exits 1 on errors.

    docs/checks.md explains every code.
    """
    opened = open_project(project, runs_code=False)
    found = opened.check(fix=fix)
    with suppress(SiliconvError):  # what is wrong with the project file is among the findings
        if (line := opened.chosen_data) is not None:
            console.print(legible(line))
    if json_output:
        print_json(found.as_json())
    else:
        sys.stdout.write("".join(f"{line}\n" for line in _lines(found.findings, found.changed)))
        sys.stdout.write(f"{found.rules} rules in {found.milliseconds:.0f} ms: {_count(found.findings)}\n")
    return int(not found.passed)


def _lines(findings: Sequence[Finding], changes: dict[str, Any]) -> list[str]:
    lines = [f"changed  {name}: {value}" for name, value in changes.items()]
    for finding in findings:
        mended = "  (--fix does it)" if finding.changes else ""
        lines += [
            f"{finding.severity:<8} {finding.code:<22} {finding.where}",
            note(finding.what, first=" " * 9, stream=sys.stdout),
            note(f"{finding.fix}{mended}", first=f"{' ' * 9}fix: ", stream=sys.stdout),
        ]
    return lines


def _count(findings: Sequence[Finding]) -> str:
    counts = Counter(str(finding.severity) for finding in findings)
    return ", ".join(f"{counts[one]} {one}{'s' * (counts[one] != 1)}" for one in ("error", "warning", "hint"))
