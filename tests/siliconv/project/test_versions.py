"""Project files of other versions: older ones mean what they meant, newer ones are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from siliconv.errors import ProjectError
from siliconv.project import versions
from siliconv.project.project import parse_project

PATH = Path("project.yml")


def test_a_file_that_says_no_version_means_the_same():
    old, new = (parse_project(text + "model: {preset: digits}", PATH) for text in ("", "version: 1\n"))
    assert old.model_dump() == new.model_dump()


def test_every_older_version_has_its_step():
    assert sorted(versions._MIGRATIONS) == list(range(versions.VERSION))


def test_steps_are_taken_in_order(monkeypatch):
    monkeypatch.setattr(versions, "VERSION", 3)
    steps = {
        0: lambda content: {**content, "seen": [0]},
        1: lambda content: {**content, "seen": [*content.get("seen", []), 1]},
        2: lambda content: {**content, "seen": [*content.get("seen", []), 2]},
    }
    monkeypatch.setattr(versions, "_MIGRATIONS", steps)
    assert versions.migrated({}, PATH) == {"seen": [0, 1, 2], "version": 3}
    assert versions.migrated({"version": 2}, PATH) == {"seen": [2], "version": 3}


@pytest.mark.parametrize("version", ["2", "-1", "'1'", "1.0", "true", "null"])
def test_another_version_is_refused_in_one_message(version):
    with pytest.raises(ProjectError) as raised:
        parse_project(f"version: {version}\nmodel: {{preset: digits}}", PATH)
    assert raised.value.code == "PROJECT-VERSION"
    assert "version" in raised.value.where
