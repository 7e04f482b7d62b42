"""What the pages show to type: shell and Python blocks in their order, and lines of commands in the text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"

FOR_CONTRIBUTORS = ("architecture.md", "adding_a_layer_kind.md")
"""Pages that no user reads."""

_FENCE = re.compile(
    r"(?:^<!-- (?P<note>not run|exit code): (?P<said>[^>]*?) -->\n)?^```(?P<language>\w+)[^\n]*\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A block of a page.

    Parameters
    ----------
    page
        Relative to the repository.
    language
        ``sh`` or ``python``.
    text
        What stands in it.
    not_run
        Why no test runs it; empty for one that a test runs.
    exit_code
        With which its last command ends.
    """

    page: str
    language: str
    text: str
    not_run: str = ""
    exit_code: int = 0

    @property
    def commands(self) -> tuple[str, ...]:
        """Its lines, without what is said of them; of a Python block, the first one names it."""
        lines = tuple(line.split("  #")[0].strip() for line in self.text.strip().splitlines() if line.strip())
        return lines if self.language == "sh" else lines[:1]


def user_pages() -> tuple[Path, ...]:
    """Give the pages that users read: the README and those of docs."""
    pages = [path for path in sorted(DOCS.rglob("*.md")) if path.name not in FOR_CONTRIBUTORS]
    return (ROOT / "README.md", *pages)


def blocks_of(page: Path) -> tuple[Block, ...]:
    """Give the shell and Python blocks of a page."""
    found = []
    for match in _FENCE.finditer(page.read_text(encoding="utf-8")):
        if match["language"] not in ("sh", "python"):
            continue
        reason = match["said"] if match["note"] == "not run" else ""
        code = int(match["said"]) if match["note"] == "exit code" else 0
        found.append(Block(page.relative_to(ROOT).as_posix(), match["language"], match["text"], reason, code))
    return tuple(found)


def indented_commands(page: Path) -> tuple[str, ...]:
    """Give the lines of indented blocks that are commands to type, without what is said of them."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    lines = re.findall(
        r"^    ((?:\.venv/bin/|siliconv |make |pip |python |sudo |dask |openFPGALoader )[^\n]*)$", text, re.MULTILINE
    )
    return tuple(re.split(r"\s{2,}", line)[0].strip() for line in lines)


def commands_named(page: Path) -> tuple[str, ...]:
    """Give every text that begins with `siliconv` and a command: of blocks, and of code spans in the text."""
    text = page.read_text(encoding="utf-8")
    spans = re.findall(r"`(siliconv [a-z][^`\n]*)`", text)
    lines = [line for block in blocks_of(page) if block.language == "sh" for line in block.text.splitlines()]
    lines += indented_commands(page)
    return (*spans, *(line for line in lines if re.match(r"siliconv [a-z]", line)))
