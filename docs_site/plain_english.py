"""What plain English means here: short sentences, and no word that only we would understand."""

from __future__ import annotations

import re
from collections.abc import Iterator

MOST_WORDS = 24
"""Of a sentence: under 25."""

BETTER: dict[str, str] = {
    r"\b(?:is|are|was|were|be|been) told\b": "is reported, is shown",
    r"(?i)\btells?\b(?! apart)": "says, shows",
    r"(?i)\btold\b": "reported, shown",
    r"\bgone around\b|\bgo(?:es)? around\b": "worked around",
    r"\bparts? company\b|\bexecutions part\b|\bpart first\b": "differ",
    r"(?i)\bmend(?:s|ed|ing)?\b": "fix, fixed, fixes",
    r"(?i)\bhouses?\b": "code, package",
    r"(?i)\brooms?\b": "folder",
    r"(?i)\bwings?\b": "package, part",
    r"(?i)\bthe face\b": "the command line, the report",
    r"(?i)\bground floor\b|\bthe ground\b": "base",
    r"(?i)\bthe road of\b|\bon a road\b": "path",
    r"\bwithout a word\b": "without a message",
    r"\bthe work says no\b": "the answer is no",
    r"\bsurest mistakes\b": "mistakes with the highest confidence",
    r"\banew\b": "again",
    r"\bhitherto\b|\bthereof\b|\bwhereof\b|\btherein\b": "plain words",
    r"\bfor want of\b": "for lack of",
    r"\bstands? nowhere\b": "is not there",
    r"\beffortless(?:ly)?\b|\bsimply\b|\bobviously\b|\bof course\b": "nothing",
}
"""Patterns of words to avoid, and what to write in their place."""

_CODE = re.compile(r"``[^`]*``|`[^`]*`")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")


def texts(markdown: str) -> Iterator[tuple[str, bool]]:
    """Yield each paragraph, item of a list and cell of a table, without markup, and whether it is a cell.

    Code counts as one word, and blocks of code are left out.
    """
    text = re.sub(r"^```.*?^```$", "\n", markdown, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"<!--.*?-->", "\n", text, flags=re.DOTALL)
    block: list[str] = []
    for line in [*text.splitlines(), ""]:
        plain = line.strip()
        begins = not plain or plain.startswith(("#", "|", "- ", "* ", ">")) or bool(re.match(r"\d+\. ", plain))
        if begins and block:
            yield _plain(" ".join(block)), False
            block = []
        if plain.startswith("|"):
            if not re.fullmatch(r"[|: -]+", plain):
                yield from ((_plain(cell), True) for cell in re.split(r"(?<!\\)\|", plain.strip("|")))
        elif plain and not plain.startswith("#") and (block or begins or not line.startswith("    ")):
            block.append(re.sub(r"^(?:[-*>]|\d+\.) ", "", plain))


def _plain(text: str) -> str:
    text = _LINK.sub(lambda found: found.group(1), text)
    return _CODE.sub("CODE", text).replace("**", "").replace("*", "").strip()


def sentences(text: str, *, fragment: bool = False) -> list[str]:
    """Split a text at full stops, question marks and exclamation marks; one without any, at semicolons too."""
    protected = re.sub(r"\b(e\.g|i\.e|etc|vs|No)\.", r"\1", text)
    ends = r"(?<=[.!?])\s+|;\s+" if fragment else r"(?<=[.!?])\s+"
    return [one.strip() for one in re.split(ends, protected) if one.strip()]


def words(sentence: str) -> int:
    """Count the words of a sentence; numbers and signs alone are none."""
    return len(re.findall(r"[A-Za-z][\w'-]*", sentence))


def long_sentences(markdown: str) -> list[str]:
    """Give the sentences of a page that are too long."""
    return [
        one for text, is_cell in texts(markdown) for one in sentences(text, fragment=is_cell) if words(one) > MOST_WORDS
    ]


def private_words(markdown: str) -> list[str]:
    """Give words of a page that have a plainer form, each with that form."""
    found = []
    for text, _ in texts(markdown):
        for pattern, better in BETTER.items():
            found += [f"{match.group(0)!r}: {better} ({text[:60]})" for match in re.finditer(pattern, text)]
    return found


def vocabulary_of(markdown: str) -> set[str]:
    """Give the words of a page in small letters; addresses, file names and code are no words."""
    found: set[str] = set()
    for text, _ in texts(markdown):
        plain = re.sub(r"https?://\S+|\S*[/_.]\w+\S*|CODE", " ", text)
        found |= {word.lower() for word in re.findall(r"[A-Za-z][a-z']*(?:-[a-z]+)*", plain) if len(word) > 1}
    return found
