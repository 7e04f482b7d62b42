"""Pages whose blocks are run in their order, as a reader would type them."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from shown_blocks import ROOT, Block, blocks_of, user_pages

SECONDS = 1500

PAGES = user_pages()
RUN = [page for page in PAGES if any(not block.not_run for block in blocks_of(page))]
"""Those with a block that is run."""


def page_name(page: Path) -> str:
    """Give the path of a page in the repository."""
    return page.relative_to(ROOT).as_posix()


def run_page(page: Path, folder: Path) -> None:
    """Run the blocks of a page in a folder; raises where one ends as the page does not say."""
    for block in as_sessions(blocks_of(page)):
        if not block.not_run:
            done = run_block(block, folder)
            said = f"{block.text}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
            assert done.returncode == block.exit_code, said


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


def as_sessions(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """Join the blocks of a page of nothing but Python into one program; others stand alone."""
    run = [block for block in blocks if not block.not_run]
    if {block.language for block in run} != {"python"}:
        return blocks
    return (replace(run[0], text="\n".join(block.text for block in run)),)
