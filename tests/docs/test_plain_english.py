"""What users read is plain: sentences of fewer than 25 words, no private words, and nothing that proselint marks."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.util import find_spec
from typing import Any

import message_page
import messages
import plain_english
import pytest
import shown_blocks
import typer.main
from shown_blocks import ROOT, user_pages

from siliconv.commands.cli import app
from siliconv.commands.help_page import GREETING

PAGES = user_pages()
MOST_WORDS_IN_ALL = 1000


def page_name(page: Any) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_sentences_are_short(page):
    assert plain_english.long_sentences(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_words_are_those_that_everybody_knows(page):
    assert plain_english.private_words(page.read_text(encoding="utf-8")) == []


FOR_CONTRIBUTORS = [
    *(ROOT / "docs" / name for name in shown_blocks.FOR_CONTRIBUTORS),
    *(ROOT / name for name in ("CONTRIBUTING.md", "SECURITY.md", "benchmarks/README.md")),
]


@pytest.mark.parametrize("page", FOR_CONTRIBUTORS, ids=page_name)
def test_contributors_read_no_private_words_either(page):
    assert plain_english.private_words(page.read_text(encoding="utf-8")) == []


def pages_for_newcomers() -> list[Any]:
    """Give the pages that are read first: README, first steps, tutorials, concepts and how-to pages."""
    first = ("index", "first_steps", "faq", "glossary", "comparison", "not_run")
    folders = ("tutorials", "concepts", "howto")
    return [page for page in PAGES if page.name == "README.md" or page.stem in first or page.parent.name in folders]


def test_pages_for_newcomers_need_a_small_vocabulary():
    """A new word is added to the list on purpose, if everybody who reads English knows it, or the glossary has it."""
    known = set((ROOT / "docs_site" / "vocabulary.txt").read_text(encoding="utf-8").split())
    used = {word for page in pages_for_newcomers() for word in plain_english.vocabulary_of(page.read_text("utf-8"))}
    assert sorted(used - known) == []
    assert len(known) <= MOST_WORDS_IN_ALL


def spoken() -> list[str]:
    """Give the texts that users read on the terminal: messages, and the help of commands and options."""
    found = [text for one in messages.messages() for text in (one.what, one.fix)]
    found += [*message_page.when().values(), *GREETING.splitlines()]
    group: Any = typer.main.get_command(app)
    for command in group.commands.values():
        found += (command.help or "").split("\n\n")
        found += [one.help or "" for one in command.params]
    return found


def test_messages_and_help_are_short_and_plain():
    for text in dict.fromkeys(spoken()):
        fragments = plain_english.sentences(" ".join(text.split()), fragment=True)
        assert [one for one in fragments if plain_english.words(one) > plain_english.MOST_WORDS] == []
        assert plain_english.private_words(text) == []


def test_a_long_sentence_and_a_private_word_are_found():
    long = " ".join(["word"] * 25)
    assert plain_english.long_sentences(f"Short one. {long}.\n\n| {long} | b |\n") == [f"{long}.", long]
    assert plain_english.long_sentences(f"```text\n{long}\n```\n\n    {long}\n") == []
    assert plain_english.long_sentences(f"- {' '.join(['word'] * 20)}\n- {' '.join(['word'] * 20)}\n") == []
    assert len(plain_english.private_words("The house has rooms. It is told. Mend it.")) >= 4
    assert plain_english.private_words("It is reported, shown, and fixed; `tells` in code is code.") == []


TEMPLATES = sorted(
    path
    for folder in ("siliconv", "hls", "rtl", "hardware")
    for path in (ROOT / folder).rglob("templates/*.j2")
    if ".html" in path.name or ".md" in path.name
)
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
_BLOCK = r"</?(?:p|li|td|th|tr|div|h\d|figcaption|caption|summary|section|table|[duo]l|dt|dd|figure|details)\b[^>]*>"


def texts_of_template(text: str) -> list[str]:
    """Give what a template of the report or of a README says; what it fills in is one word."""
    text = re.sub(r"(?<!\n)\{%-? el.*?%\}", ". ", text)  # inside a line: one sentence or the other
    text = re.sub(r"\{#.*?#\}|\{%.*?%\}", " ", text, flags=re.DOTALL)
    text = re.sub(r"\{\{.*?\}\}", "X", text, flags=re.DOTALL)
    text = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", text, flags=re.DOTALL)
    return [re.sub(r"<[^>]*>", "", block) for block in re.split(_BLOCK, text)]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: f"{path.parts[-3]}-{path.name}")
def test_reports_and_readmes_of_projects_are_short_and_plain(template):
    text = template.read_text(encoding="utf-8")
    if ".md" in template.name:
        said = "".join(texts_of_template(text))
        assert plain_english.long_sentences(said) == []
        assert plain_english.private_words(said) == []
        return
    for block in texts_of_template(text):
        fragments = plain_english.sentences(" ".join(block.split()), fragment=True)
        assert [one for one in fragments if plain_english.words(one) > plain_english.MOST_WORDS] == []
        assert plain_english.private_words(block) == []


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.name)
def test_notebooks_are_short_and_plain(notebook):
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    said = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    assert said
    assert [long for text in said for long in plain_english.long_sentences(text)] == []
    assert [word for text in said for word in plain_english.private_words(text)] == []


@pytest.mark.slow
@pytest.mark.skipif(find_spec("proselint") is None, reason="no proselint: pip install 'siliconv[docs]'")
def test_proselint_has_nothing_to_say(tmp_path):
    """Its rules about typography, repeated words and dates are left out: tables of code break them."""
    for page in PAGES:
        prose = [text for text, _ in plain_english.texts(page.read_text(encoding="utf-8")) if text]
        (tmp_path / page_name(page).replace("/", "_")).write_text("\n\n".join(prose) + "\n")
    said = subprocess.run(
        [sys.executable, "-m", "proselint", "check", *map(str, sorted(tmp_path.iterdir()))],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    complaints = re.findall(r"^\S+?:\d+:\d+: (?!typography|lexical_illusions|dates_times).*$", said, re.MULTILINE)
    assert complaints == []


@pytest.mark.skipif(find_spec("proselint") is None, reason="no proselint")
@pytest.mark.slow
def test_proselint_marks_what_it_should(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("It is very unique.\n")
    done = subprocess.run([sys.executable, "-m", "proselint", "check", str(page)], capture_output=True, text=True)
    assert "uncomparables" in done.stdout
