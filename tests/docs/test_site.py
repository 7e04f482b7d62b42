"""The site builds without a warning, links and all; its pictures are what the code draws."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from types import SimpleNamespace

import pytest
from house import ROOT
from pictures import FOLDER, PICTURES
from site_hooks import on_page_markdown


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_drawn_by_the_code(name):
    assert (FOLDER / name).read_text(encoding="utf-8") == PICTURES[name]()


def test_every_picture_is_on_a_page():
    text = "\n".join(path.read_text(encoding="utf-8") for path in [*(ROOT / "docs").rglob("*.md"), ROOT / "README.md"])
    for path in FOLDER.iterdir():
        assert path.name in text, path.name


def test_every_page_is_in_the_navigation():
    listed = set(re.findall(r"([\w/]+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE))
    assert listed == {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}


def test_links_into_the_code_become_paths_and_others_stay():
    page = SimpleNamespace(file=SimpleNamespace(src_uri="tutorials/photos.md"))
    kept = "[a](../data.md#x) [b](https://c.d) ![e](../pictures/f.svg)"
    given = f"{kept} [files](../../benchmarks/results) [`graph.py`](../../network/graph.py)"
    assert on_page_markdown(given, page) == f"{kept} files (`benchmarks/results`) `network/graph.py`"


@pytest.mark.slow
@pytest.mark.skipif(find_spec("mkdocs") is None, reason="no MkDocs: pip install 'siliconv[docs]'")
def test_the_site_builds_without_a_warning(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    assert (tmp_path / "site" / "tutorials" / "photos.html").is_file()
