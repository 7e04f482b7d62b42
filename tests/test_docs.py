"""What the documents say of the house is so: every path, link and module name in them is there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from house import GROUND, LEGACY_KERAS, MAY_IMPORT, MODULES, ROOMS, ROOT, WITHOUT_KERAS, tracked_files

import siliconv

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "benchmarks" / "README.md"])
ARCHITECTURE = ROOT / "docs" / "architecture.md"

ELSEWHERE = {
    "siliconv/calibration.json": "in the user's configuration folder",
    "check_board.py": "in the overlay of a generated project",
}
"""What looks like a path of the repository and is none, and where it is."""


@cache
def names_of(path: Path) -> frozenset[str]:
    """Give what a module defines at its top level."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return frozenset(found)


@cache
def tracked() -> frozenset[str]:
    return frozenset(path.relative_to(ROOT).as_posix() for path in tracked_files())


def spans(page: Path) -> list[str]:
    """Give the code spans of a page; indented and fenced blocks are examples."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"`([^`\n]+)`", re.sub(r"^    .*$", "", text, flags=re.MULTILINE))


def is_there(path: str) -> bool:
    """Whether a path names a tracked file, or a folder of some."""
    return path in tracked() or any(name.startswith(path.rstrip("/") + "/") for name in tracked())


def missing_paths(text_spans: list[str]) -> list[str]:
    folders = {name.split("/")[0] for name in tracked() if "/" in name}
    names = {name.rpartition("/")[2] for name in tracked()}
    wrong = []
    for span in text_spans:
        if re.fullmatch(r"[\w.-]+(/[\w.*-]+)*/?", span) is None or span in ELSEWHERE or "/build/" in span:
            continue
        in_the_house = "/" in span and span.split("/")[0] in folders
        if (in_the_house and not is_there(span)) or (re.fullmatch(r"\w+\.py", span) and span not in names):
            wrong.append(span)
    return wrong


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_path_named_on_a_page_exists(page):
    assert missing_paths(spans(page)) == []


def test_a_path_that_does_not_exist_is_found():
    assert missing_paths(["hls/check_*.py", "network/graph.py", "nowhere.py", "hls/fit/", "tests/test_x.py"]) == [
        "hls/check_*.py",
        "nowhere.py",
        "tests/test_x.py",
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_of_a_page_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_module_named_on_a_page_exists(page):
    for span in spans(page):
        if re.fullmatch(r"siliconv(\.\w+)+", span):
            module, _, name = span.rpartition(".")
            public = module == "siliconv" and name in siliconv.__all__
            known = public or span in MODULES or (module in MODULES and name in names_of(MODULES[module]))
            assert known, f"{page}: {span}"


def test_every_file_named_in_the_code_exists():
    """In docstrings and comments: with its ending, so that it can't be a word with a stroke."""
    pattern = re.compile(
        rf"(?<![\w./])(?:{'|'.join([*MAY_IMPORT, 'tests', 'docs', 'benchmarks'])})/[\w/]+\.(?:py|md)\b"
    )
    for name in tracked():
        if name.endswith(".py") and name != "tests/test_docs.py":
            for found in pattern.findall((ROOT / name).read_text(encoding="utf-8")):
                assert found in tracked(), f"{name} names {found}"


def table_below(heading: str) -> list[list[str]]:
    """Give the cells of the first table behind a heading of the page about the house."""
    text = ARCHITECTURE.read_text(encoding="utf-8").partition(f"\n{heading}\n")[2]
    rows = re.search(r"(?:^\|.*\n)+", text, flags=re.MULTILINE)
    assert rows, f"no table below {heading}"
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows[0].splitlines()[2:]]


def test_each_question_of_a_stranger_is_answered_by_one_file():
    rows = table_below("## Where is it?")
    assert len(rows) >= 10
    for question, answer in rows:
        assert question.endswith("?")
        (path,) = re.findall(r"`([^`]+)`", answer)
        assert path in tracked(), f"{question} {path} is no file"


def test_the_path_of_an_image_names_a_file_a_step():
    rows = table_below("## The path of an image")
    assert [int(number) for number, _, _ in rows] == list(range(1, len(rows) + 1))
    for _, step, file in rows:
        assert file.strip("`") in tracked(), f"{step}: {file} is no file"


def test_the_page_shows_the_wings_and_rooms_there_are():
    text = ARCHITECTURE.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)/` \| `([\w.]+)` \| (.*) \| (.*) \|$", text, flags=re.MULTILINE)
    assert {wing for wing, *_ in rows} == set(MAY_IMPORT)
    for wing, package, rooms, allowed in rows:
        assert package == ("siliconv" if wing == "siliconv" else f"siliconv.{wing}")
        expected = {room.relative_to(ROOT / wing).parts[0] for room in ROOMS if (ROOT / wing) in room.parents}
        assert set(re.findall(r"`(\w+)/`", rooms)) - {"templates"} == expected, wing
        others = MAY_IMPORT[wing] - {wing}
        if wing == "siliconv":
            assert allowed == "everything"
        else:
            assert set(re.findall(r"`(\w+)/`", allowed)) == others, wing
            assert ("without Keras" in allowed) == (wing in WITHOUT_KERAS), wing
    for module in {*GROUND, LEGACY_KERAS}:
        assert MODULES[module].relative_to(ROOT).as_posix() in text
