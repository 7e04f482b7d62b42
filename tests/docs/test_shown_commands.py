"""Whatever a page shows to type is run as it stands, or is a row of the table of what was not run."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest
import typer.main
from shown_blocks import DOCS, ROOT, Block, blocks_of, commands_named, indented_commands
from shown_pages import PAGES, page_name, run_block, run_page

from siliconv.commands.cli import app

QUICK = ("docs/first_steps.md", "docs/howto/make_it_smaller.md", "docs/concepts/streaming.md")
"""Run here; all pages by the campaign `shown_pages_run` of make nightly."""


@pytest.mark.slow
@pytest.mark.parametrize("page", QUICK)
def test_the_blocks_of_a_page_run_in_their_order(page, tmp_path):
    run_page(ROOT / page, tmp_path)


def rows() -> list[tuple[str, str, str]]:
    """Give page, command and reason of each row of the table."""
    text = (DOCS / "not_run.md").read_text(encoding="utf-8")
    found = re.findall(r"^\| \[?`?([\w./]+\.md)[^|]*\| `([^`]+)` \| ([^|]+) \|$", text, re.MULTILINE)
    return [(page, command.replace("\\|", "|"), reason.strip()) for page, command, reason in found]


def test_the_table_of_what_was_not_run_has_a_row_for_each_command_and_no_other():
    wanted = [
        (block.page, command, block.not_run)
        for page in PAGES
        for block in blocks_of(page)
        if block.not_run
        for command in block.commands
    ]
    of_text = [(page_name(page), command, None) for page in PAGES for command in indented_commands(page)]
    listed = rows()
    assert [(page, command) for page, command, _ in listed] == [
        (page, command) for page, command, _ in [*wanted, *of_text]
    ]
    for page, command, reason in listed:
        assert reason, (page, command)
    assert [reason for *_, reason in listed][: len(wanted)] == [reason for *_, reason in wanted]


@cache
def known_options() -> dict[str, set[str]]:
    group: Any = typer.main.get_command(app)
    return {
        name: {option for one in command.params for option in (*one.opts, *one.secondary_opts)} | {"--help"}
        for name, command in group.commands.items()
    }


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_command_and_option_named_on_a_page_exists(page):
    for text in commands_named(page):
        for part in re.split(r"[;|]\s*siliconv |&& siliconv ", text.removeprefix("siliconv ")):
            command, _, rest = part.partition(" ")
            assert command in known_options(), f"{page}: {text}"
            for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", rest.split(" #")[0]):
                assert option in known_options()[command], f"{page}: {text}"


def test_a_command_that_does_not_exist_is_found(tmp_path):
    assert "siliconv" not in known_options()
    block = Block("page.md", "sh", "siliconv nonsense\n")
    assert run_block(block, tmp_path).returncode == 2


def test_every_python_block_is_one_that_runs_or_stands_in_the_table():
    for page in PAGES:
        for block in blocks_of(page):
            if block.language == "python" and not block.not_run:
                compile(block.text, block.page, "exec")
