"""The command `siliconv doctor`: what this machine has, and a verdict."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.table import Table

from siliconv.commands.options import JsonOption, print_json
from siliconv.commands.terminal import note, show

if TYPE_CHECKING:
    from siliconv.checks.doctor import Finding


def doctor(json_output: JsonOption = False) -> int:
    """Show which tools and libraries are there, and what is missing for which work.

    Exits 3 if something is missing that siliconv cannot do without.
    """
    from siliconv import doctor as examine

    findings = examine()
    if json_output:
        print_json([asdict(finding) for finding in findings])
    else:
        table = Table("what", "found", "needed for", "what to do")
        for finding in findings:
            table.add_row(finding.name, finding.found or "missing", finding.needed_for, finding.fix or "")
        show(table)
        sys.stdout.write(note(verdict(findings), first="", stream=sys.stdout) + "\n")
    return 3 if any(finding.required and not finding.found for finding in findings) else 0


def verdict(findings: Sequence[Finding]) -> str:
    """Say in a line or two whether siliconv can work here, and which work it cannot do."""
    missing = [finding for finding in findings if not finding.found]
    needed = [f"{one.name} ({one.needed_for})" for one in missing if one.required]
    other = list(dict.fromkeys(one.needed_for for one in missing if not one.required))
    said = f"Not ready: {', '.join(needed)} missing." if needed else "Ready: what every project needs is there."
    return said + (f" Not possible here: {', '.join(other)}." if other else "")
