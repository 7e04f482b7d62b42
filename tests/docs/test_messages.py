"""Every message has a code that is explained on the page of messages and shown by a test."""

from __future__ import annotations

import re
from functools import cache

import message_page
import messages
from house import ROOT, tracked_files

CODE = re.compile(r"\b[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*\b")


@cache
def texts_of_tests() -> frozenset[str]:
    """Give the codes in tests, other than in docstrings and comments: what is raised, matched, or expected."""
    found: set[str] = set()
    for path in tracked_files():
        if path.is_relative_to(ROOT / "tests") and path.suffix == ".py" and path.name != "test_messages.py":
            text = re.sub(r'"""(?:.|\n)*?"""|#.*', "", path.read_text(encoding="utf-8"))
            found |= set(CODE.findall(text))
    return frozenset(found)


def test_every_code_is_shown_by_a_test():
    assert [code for code in messages.codes() if code not in texts_of_tests()] == []


def test_every_code_of_the_source_is_explained_and_no_other():
    of_rules = set(messages.codes("finding"))
    explained = {*messages.codes("error"), *messages.codes("cause"), *messages.codes("vendor")}
    assert set(message_page.when()) == explained
    assert set(message_page.when_of_rules()) == of_rules


def test_a_message_is_read_from_the_source_in_all_its_forms():
    by_code = {}
    for one in messages.messages():
        by_code.setdefault(one.code, []).append(one)
    (said,) = by_code["EXPORT-FORMAT"]
    assert (said.what, said.fix, said.level) == ("no format is named", "add --qonnx", "2")
    assert {one.level for one in by_code["TOOL-MAKE"]} == {"3"}
    assert any("overflow by" in one.what for one in by_code["QONNX-OVERFLOW"])
    assert {one.kind for one in by_code["OUTPUT-SHAPE"]} == {"error", "finding"}
    assert any(one.level == "warning" and "steps an epoch" in one.what for one in by_code["TRAIN-BATCH"])


def test_every_call_that_makes_an_error_is_among_them():
    """By another road: each place in the source where a class of errors is called with a code in it."""
    found = set()
    for folder in messages.FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            found |= set(re.findall(r"\b(?:Error|Says\w*)\(\s*\"([A-Z][A-Z0-9]+(?:-[A-Z0-9]+)+)\"", text))
            found |= set(re.findall(r"Error\(\s*\"([A-Z][A-Z0-9]+(?:-[A-Z0-9]+)+)\",", text))
    assert found <= set(messages.codes())
    assert len(found) > 150


def test_every_message_says_what_and_what_to_do():
    for one in messages.messages():
        if one.kind == "finding" and not one.what:
            continue  # hands on the words of the error with this code
        assert one.what.strip(), one
        assert one.fix.strip(), one
        for text in (one.what, one.fix):
            assert not re.search(r"(?<!\.\.)\.$", text.rstrip()), one
