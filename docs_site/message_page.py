"""The page of all messages: code, when it appears, its words, what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import groupby

import messages as source
import yaml
from markdown_text import cell

EXIT_CODES = {"1": "1, the answer is no", "2": "2, the input is wrong", "3": "3, a tool is missing"}

INTRODUCTION = """# Messages

Every message of siliconv has a code. It says what was found, where, and what to do. The code never changes, so you can
search for it.

Words in braces depend on your case. The exit code of the command stands below each code.

- [Errors](#errors) end a command.
- [Findings](#findings-of-siliconv-check) come from `siliconv check`. [The page about checks](../checks.md) has more.
- [Causes](#causes-of-siliconv-explain) come from `siliconv explain`.
- [Failures of vendor tools](#failures-of-vendor-tools) come from `siliconv build`.

This page is made from the source by `docs_site/write_pages.py`.
"""


@cache
def when() -> dict[str, str]:
    """Give when each code appears: written by hand for errors and causes, of the page about checks for its rules."""
    written = yaml.safe_load((source.ROOT / "docs_site" / "when.yml").read_text(encoding="utf-8"))
    return dict(written)


@cache
def when_of_rules() -> dict[str, str]:
    """Give the first sentence of each paragraph of docs/checks.md."""
    text = (source.ROOT / "docs" / "checks.md").read_text(encoding="utf-8")
    found = {}
    for code, paragraph in re.findall(r"^### ([A-Z0-9-]+) \(\w+\)\n(.*?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL):
        plain = " ".join(paragraph.split())
        found[code] = re.match(r".*?[.](?= |$)", plain).group(0)  # type: ignore[union-attr]
    return found


def message_page() -> str:
    """Write the page."""
    return "\n".join(
        [
            INTRODUCTION,
            "## Errors\n",
            *_tables("error", when()),
            "## Findings of `siliconv check`\n",
            *_tables("finding", when_of_rules()),
            "## Causes of `siliconv explain`\n",
            *_table("cause", when(), source.codes("cause")),
            "## Failures of vendor tools\n",
            *_table("vendor", when(), source.codes("vendor")),
        ]
    )


def _tables(kind: str, known: dict[str, str]) -> Iterator[str]:
    """Yield a table for each first word of the codes."""
    for word, codes in groupby(source.codes(kind), key=lambda code: code.split("-")[0]):
        yield f"### {word} {'findings' if kind == 'finding' else 'errors'}\n"
        yield from _table(kind, known, tuple(codes))


def _table(kind: str, known: dict[str, str], codes: tuple[str, ...]) -> Iterator[str]:
    yield "| code | when | what it says | what to do |\n|---|---|---|---|"
    for code in codes:
        ways = [one for one in source.messages() if one.code == code and one.kind == kind]
        levels = ", ".join(dict.fromkeys(EXIT_CODES.get(one.level, one.level) for one in ways if one.level))
        pairs = dict.fromkeys((one.what, one.fix) for one in ways)
        for number, (what, fix) in enumerate(pairs):
            first = (f"`{code}`" + (f" ({levels})" if levels else ""), known.get(code, "")) if number == 0 else ("", "")
            words = (what or "the words of the error of this code", fix or "as there")
            yield f"| {first[0]} | {cell(first[1])} | {cell(words[0])} | {cell(words[1])} |"
    yield ""
