"""The reference pages are what the code says today, and a page that was edited by hand is found."""

from __future__ import annotations

import pytest
from house import ROOT
from write_pages import PAGES, REFERENCE


@pytest.mark.parametrize("name", PAGES)
def test_a_reference_page_is_made_from_the_code(name):
    written = (REFERENCE / name).read_text(encoding="utf-8")
    assert written == PAGES[name](), f"{name} is old: python docs_site/write_pages.py writes it"


def test_no_other_page_lies_among_them():
    assert {path.name for path in REFERENCE.iterdir()} == set(PAGES)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("commands.md", "### siliconv search"),
        ("project_file.md", "| `max_multipliers` |"),
        ("layers.md", "| `Softmax` |"),
        ("boards.md", "| `pynq-z2` "),
        ("python.md", "### Firmware.predict"),
        ("messages.md", "| `FIT-NONE` "),
    ],
)
def test_a_page_says_what_one_looks_for(name, words):
    assert words in PAGES[name]()
    assert ROOT in REFERENCE.parents
