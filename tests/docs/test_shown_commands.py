"""Whatever a page shows to type is run as it stands, or is a row of the table of what was not run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.main
from shown_blocks import DOCS, PLACEHOLDER, ROOT, Block, blocks_of, commands_named, indented_commands, user_pages

from siliconv.commands.cli import app

PAGES = user_pages()
RUN = [page for page in PAGES if any(not block.not_run for block in blocks_of(page))]
SECONDS = 1500


def page_name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def run_block(block: Block, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a block in a folder as a user would, with this environment's commands first."""
    text = block.text
    records = sorted(folder.glob("firmware_projects/*/runs/records/*.json"))
    if "--apply ID" in text and records:
        text = text.replace("--apply ID", f"--apply {records[0].stem}")
    program = [sys.executable, "-c", text] if block.language == "python" else ["bash", "-euo", "pipefail", "-c", text]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        program,
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize("page", RUN, ids=page_name)
def test_the_blocks_of_a_page_run_in_their_order(page, tmp_path):
    for block in as_sessions(blocks_of(page)):
        if not block.not_run:
            done = run_block(block, tmp_path)
            said = f"{block.text}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
            assert done.returncode == block.exit_code, said


def as_sessions(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """Join the blocks of a page of nothing but Python into one program; others stand alone."""
    run = [block for block in blocks if not block.not_run]
    if {block.language for block in run} != {"python"}:
        return blocks
    return (replace(run[0], text="\n".join(block.text for block in run)),)


def rows() -> list[tuple[str, str, str]]:
    """Give page, command and reason of each row of the table."""
    text = (DOCS / "not_run.md").read_text(encoding="utf-8")
    found = re.findall(r"^\| \[?`?([\w./]+\.md)[^|]*\| `([^`]+)` \| ([^|]+) \|$", text, re.MULTILINE)
    return [(page, command, reason.strip()) for page, command, reason in found]


def test_the_table_of_what_was_not_run_has_a_row_for_each_block_and_no_other():
    wanted = [
        (block.page, block.first_line, block.not_run) for page in PAGES for block in blocks_of(page) if block.not_run
    ]
    of_text = [
        (page_name(page), command, None)
        for page in PAGES
        for command in indented_commands(page)
        if not PLACEHOLDER.search(command)
    ]
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
