"""A project file of any size, depth or self-reference is read or refused at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from siliconv.bounded_reading import UnreadableError
from siliconv.errors import ProjectError
from siliconv.project.bounded_yaml import FILE_BYTES, compose, parse, read_project_text

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(12)
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (BOMB, "aliases unfolded"),
        ("a: &a {b: *a}", "leads back to itself"),
        ("a: &a [*a]", "leads back to itself"),
        ("x: [" + "1," * 100_000 + "1]", "more than"),
        ("x: " + "[" * 200 + "]" * 200, "levels"),
        ("".join(" " * n + "a:\n" for n in range(100)), "levels"),
    ],
)
def test_what_would_take_for_ever_is_refused(text: str, says: str) -> None:
    with pytest.raises(UnreadableError, match=says):
        compose(text)


@pytest.mark.parametrize(
    "text",
    [
        "a: 2024-13-45",
        "a: !!int x",
        "a: !!float x",
        "a: " + "9" * 5000,
        "? [a]\n: b",
        "<<: 3",
        "a: !!python/name:os.system",
    ],
)
def test_values_that_yaml_can_not_make_are_one_error(text: str) -> None:
    with pytest.raises(ProjectError, match="PROJECT-YAML"):
        parse(text, Path("project.yml"))


def test_aliases_of_a_project_that_is_sound_are_read() -> None:
    tree, content = parse("a: &a {bits: 4}\nb: {<<: *a}\nc: *a\n", Path("project.yml"))
    assert content == {"a": {"bits": 4}, "b": {"bits": 4}, "c": {"bits": 4}}
    assert tree is not None


def test_a_file_that_is_too_large_or_no_text_is_told(tmp_path: Path) -> None:
    for content in (b"# " + b"x" * FILE_BYTES, b"\xff"):
        (tmp_path / "project.yml").write_bytes(content)
        with pytest.raises(ProjectError, match="PROJECT-READ"):
            read_project_text(tmp_path / "project.yml")
