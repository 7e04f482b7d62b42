"""A project of somebody else's: what looks at it runs nothing, and what runs its code says so first."""

from __future__ import annotations

import pytest

from siliconv.commands.cli import run_command_line

PROJECT = "model: {{file: '{module}:make'}}\nhls: {{part: xc7z020clg400-1}}\n"
THEIRS = """
import pathlib
pathlib.Path(__file__).with_name("imported").touch()
from siliconv.models.architectures.presets import preset
def make():
    return preset("digits")
"""


@pytest.fixture
def theirs(tmp_path):
    module = f"theirs_of_{tmp_path.name}"  # Python imports a name once
    (tmp_path / "project.yml").write_text(PROJECT.format(module=module))
    (tmp_path / f"{module}.py").write_text(THEIRS)
    return tmp_path


def test_check_imports_nothing_and_says_so(theirs, capsys):
    assert run_command_line(["check", str(theirs)]) == 0
    said = capsys.readouterr()
    assert not (theirs / "imported").exists()
    assert "MODEL-CODE" in said.out + said.err


@pytest.mark.parametrize(
    "command", [["summary"], ["fit", "--board", "zcu104", "--dry-run"]], ids=lambda command: command[0]
)
def test_what_runs_it_says_so_first(theirs, capsys, command):
    run_command_line([command[0], str(theirs), *command[1:]])
    assert (theirs / "imported").exists()
    assert capsys.readouterr().err.startswith("runs theirs_of_")


def test_verify_imports_nothing(theirs):
    assert run_command_line(["verify", str(theirs)]) == 2
    assert not (theirs / "imported").exists()
