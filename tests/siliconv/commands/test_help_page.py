"""What a user sees first: greeting, version, help by groups, names that the shell completes, and the demo's project."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer

from siliconv.api.version import __version__
from siliconv.commands.cli import UNTIL_HELP, app, run_command_line
from siliconv.commands.help_page import EXAMPLES, GROUPS
from siliconv.commands.options import known_boards, known_presets, known_projects
from siliconv.project.demo_project import TEXT, demo_project
from siliconv.stages.stages import STAGE_NAMES

COMMANDS = typer.main.get_command(app).commands
ROOT = Path(__file__).resolve().parents[3]


def test_alone_it_greets_with_the_first_commands(capsys):
    assert run_command_line([]) == 0
    said = capsys.readouterr().out
    for command in ("siliconv demo", "siliconv new", "siliconv run", "--help"):
        assert command in said


def test_the_version_is_said(capsys):
    assert run_command_line(["--version"]) == 0
    assert capsys.readouterr().out == f"siliconv {__version__}\n"


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_has_every_command_in_one_group_with_an_example(capsys, option):
    assert run_command_line([option]) == 0
    said = capsys.readouterr().out
    commands = set(typer.main.get_command(app).commands)
    grouped = [name for _, names, _ in GROUPS for name in names]
    assert commands <= set(grouped)
    assert len(grouped) == len(set(grouped))
    for name in commands:
        assert re.search(rf"^  {name}\s", said, re.MULTILINE), name
    for _, _, example in GROUPS[:4]:
        assert " ".join(example.split()) in " ".join(said.split())


def test_examples_name_commands_of_their_group():
    for title, names, example in GROUPS:
        assert example.split()[1] in names, title


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_help_of_a_command_ends_with_an_example_that_its_parser_takes(capsys, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run_command_line([name, "--help"]) == 0
    *_, heading, example = [line.strip() for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert heading == "Example:"
    program, command, *arguments = shlex.split(example)
    assert (program, command) == ("siliconv", name)
    assert COMMANDS[name].make_context(name, arguments).params is not None


def test_no_example_is_of_a_command_that_is_gone():
    assert set(EXAMPLES) == set(COMMANDS)


def test_names_are_completed(tmp_path, monkeypatch):
    (tmp_path / "firmware_projects" / "mine").mkdir(parents=True)
    (tmp_path / "firmware_projects" / "mine" / "project.yml").write_text("")
    (tmp_path / "firmware_projects" / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    assert known_projects("m") == ["mine"]
    assert known_projects("") == ["mine"]
    assert "pynq-z2" in known_boards("pynq")
    assert known_presets("digi") == ["digits"]


def test_the_demo_is_the_digits_of_a_clone_or_the_same_written_here(tmp_path):
    assert demo_project(ROOT) == ROOT / "firmware_projects" / "digits"
    folder = demo_project(tmp_path)
    assert (folder / "project.yml").read_text() == TEXT == (ROOT / "firmware_projects/digits/project.yml").read_text()
    (folder / "project.yml").write_text("edited")
    assert demo_project(tmp_path) == folder
    assert (folder / "project.yml").read_text() == "edited"


def test_quiet_says_nothing_and_the_log_has_it_all(tmp_path, capsys):
    (tmp_path / "project.yml").write_text("model: {preset: digits}\n")
    assert run_command_line(["run", str(tmp_path), "--until", "data", "-q"]) == 0
    said = capsys.readouterr()
    assert said.out == said.err == ""
    (log,) = (tmp_path / "build" / "logs").glob("*.log")
    lines = log.read_text().splitlines()
    assert lines[0].startswith(f"siliconv {__version__}: run")
    assert any(line.startswith("data ") and "10 classes" in line for line in lines)


def test_an_error_is_the_last_line_of_the_log(tmp_path, capsys):
    (tmp_path / "project.yml").write_text("model: {preset: digits}\ndata: {source: folder, path: nowhere}\n")
    assert run_command_line(["run", str(tmp_path), "--until", "data", "-q"]) == 2
    (log,) = (tmp_path / "build" / "logs").glob("*.log")
    assert "DATA-PATH" in log.read_text().splitlines()[-1] or "DATA-PATH" in log.read_text()
    assert "DATA-PATH" in capsys.readouterr().err


def test_the_stages_are_named_in_the_help_of_run():
    assert all(re.search(rf"\b{name}\b", UNTIL_HELP) for name in STAGE_NAMES)
