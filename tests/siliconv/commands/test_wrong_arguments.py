"""Arguments of the wrong kind: one message that says what, where and what to do, and nothing is made or lost."""

from __future__ import annotations

import re

import pytest
import typer

from siliconv.commands.cli import app, run_command_line

COMMANDS = typer.main.get_command(app).commands
OF_A_PROJECT = sorted(
    name
    for name, command in COMMANDS.items()
    if any(one.name == "project" and one.param_type_name == "argument" for one in command.params)
)
MORE = {"predict": ["one.png"], "fit": ["--board", "zcu104"], "search": ["--board", "zcu104"], "export": ["--qonnx"]}
OF_A_BOARD = sorted(name for name, one in COMMANDS.items() if any("--board" in each.opts for each in one.params))


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The current folder, with a file, an empty folder, and a folder in the place of a project file."""
    (tmp_path / "file.txt").write_text("not a project\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "odd" / "project.yml").mkdir(parents=True)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "project.yml").write_text("model: {preset: digits}\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(capsys, *arguments):
    """Give the one message of a command that is refused, in lines: its code and what, where, fix."""
    assert run_command_line(list(arguments)) == 2
    said = capsys.readouterr().err
    assert said.count("Error ") == 1
    assert "Traceback" not in said
    return said


def test_the_commands_are_those_of_the_command_line():
    assert {"run", "check", "summary", "predict", "explain", "verify", "export", "fit", "search"} <= set(OF_A_PROJECT)
    assert OF_A_BOARD == ["fit", "new", "search"]
    assert all(one.name == name for name, one in COMMANDS.items())


@pytest.mark.parametrize("command", OF_A_PROJECT)
@pytest.mark.parametrize(
    ("project", "what", "fix"),
    [
        ("nowhere", "no project 'nowhere'", "siliconv new nowhere"),
        ("far/away", "no project 'far/away'", "siliconv new far/away"),
        ("file.txt", "it is a file, and a project is a folder", "the folder that holds a project.yml"),
        ("folder", "the folder holds no project.yml", "siliconv new ./folder"),
        ("./odd", "project.yml is a folder", "siliconv new ./odd"),
    ],
)
def test_what_is_no_project_is_refused_by_what_it_is(here, capsys, command, project, what, fix):
    said = refused(capsys, command, project, *MORE.get(command, []))
    assert "PROJECT-NOT-FOUND" in said
    assert what in said
    assert fix in said
    assert "Internal" not in said


@pytest.mark.parametrize("command", OF_A_BOARD)
@pytest.mark.parametrize(("board", "near"), [("zcu", "zcu102, zcu104, zcu106"), ("pynk-z2", "pynq-z2"), ("xyzzy", "")])
def test_an_unknown_board_names_the_nearest(here, capsys, command, board, near):
    said = refused(capsys, command, "other" if command == "new" else "./mine", "--board", board)
    assert f"[BOARD-UNKNOWN] there is no board '{board}'" in said
    assert f"did you mean {near}?" in said if near else "did you mean" not in said
    assert "siliconv boards" in said
    assert not (here / "firmware_projects").exists()


@pytest.mark.parametrize("data", ["nowhere", "file.txt"])
def test_new_and_run_say_the_same_of_data_that_are_none(here, capsys, data):
    said = [
        refused(capsys, *command, "--data", data) for command in (["new", "other"], ["run", "./mine"], ["csim", "mine"])
    ]
    assert len(set(said)) == 1
    assert "DATA-MISSING" in said[0]
    assert f"--data {data}" in said[0]
    assert not (here / "firmware_projects").exists()
    assert not (here / "mine" / "build" / ".data_choice.json").exists()


@pytest.mark.parametrize(
    ("model", "code"), [("nowhere.h5", "PROJECT-MODEL"), ("folder", "MODEL-FILE"), ("file.txt", "MODEL-FILE")]
)
def test_new_takes_no_model_that_no_run_could_take(here, capsys, model, code):
    assert code in refused(capsys, "new", "other", "--from", model)
    assert not (here / "firmware_projects").exists()


@pytest.mark.parametrize(
    ("place", "what"),
    [
        ("file.txt/x", "file.txt is no folder, so nothing can lie below it"),
        ("/proc/x", "nothing can be written in /proc"),
    ],
)
@pytest.mark.parametrize("command", ["new", "schema"])
def test_where_nothing_can_be_written_the_place_is_named(here, capsys, command, place, what):
    said = refused(capsys, command, place)
    assert what in said
    assert "choose a place in a folder" in said
    assert "PROJECT-WRITE" in said if command == "new" else "WRITE-PLACE" in said


def test_a_folder_is_no_place_for_a_file(here, capsys):
    said = refused(capsys, "schema", "folder")
    assert "[WRITE-PLACE] it is a folder, and a file is to be written\n  where: folder\n" in said
    assert "folder/NAME" in said
    assert list((here / "folder").iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        (["run", "mine", "--data", ""], "--data"),
        (["run", "mine", "--data="], "--data"),
        (["schema", ""], "schema"),
        (["new", ""], "new"),
        ([""], "the first argument"),
    ],
)
def test_an_empty_argument_is_not_the_current_folder(here, capsys, arguments, place):
    said = refused(capsys, *arguments)
    assert "ARGUMENT-EMPTY" in said
    assert place in said
    assert not (here / "mine" / "build").exists()


@pytest.mark.parametrize(
    ("reports", "what"),
    [("nowhere", "there is no such folder"), ("file.txt", "it is a file"), ("mine", "there are no synthesis results")],
)
def test_reports_that_are_none(here, capsys, reports, what):
    said = refused(capsys, "calibrate", "--reports", reports)
    assert "CALIBRATION-NONE" in said
    assert what in said


def test_a_file_in_the_place_of_the_build_folder(here, capsys):
    (here / "mine" / "build").write_text("mine\n")
    said = refused(capsys, "run", "mine", "--until", "data")
    assert "[BUILD-WRITE] it is a file" in said
    assert "move the file away" in said
    assert (here / "mine" / "build").read_text() == "mine\n"


def test_a_fix_names_the_project_as_a_command_finds_it_from_here(here, capsys, monkeypatch):
    assert "siliconv csim mine" in refused(capsys, "verify", "mine")
    monkeypatch.chdir(here / "folder")
    assert f"siliconv csim {here / 'mine'}" in refused(capsys, "verify", "../mine")


@pytest.mark.parametrize(
    ("arguments", "help_of"),
    [
        *(([name, "--nonsense"], f"siliconv {name}") for name in sorted(COMMANDS)),
        *(([name], f"siliconv {name}") for name in OF_A_PROJECT if name != "estimate"),
        (["fit", "mine", "--board"], "siliconv fit"),
        (["search", "mine", "--workers", "many"], "siliconv search"),
        (["run", "mine", "more"], "siliconv run"),
        (["runn"], "siliconv"),
        (["--nonsense"], "siliconv"),
    ],
)
def test_a_usage_error_names_the_help_of_its_command(here, capsys, arguments, help_of):
    assert run_command_line(arguments) == 2
    assert f"fix:   see {help_of} --help\n" in capsys.readouterr().err


def test_what_a_run_ends_in_at_once_is_said_once(here, capsys):
    said = refused(capsys, "run", "mine", "--data", "folder")
    assert said.count("there are no class folders") == 1
    assert "DATA-EMPTY" in said


def test_what_the_rules_call_an_error_is_still_said(here, capsys):
    small = "model: {preset: digits}\nhls: {part: xc7a35ticsg324-1L, max_multipliers: 100000}\n"
    (here / "mine" / "project.yml").write_text(small)
    assert run_command_line(["run", "mine", "--until", "data"]) == 0
    said = capsys.readouterr().err
    assert said.count("error     BOARD-EXCEEDED, hls: at least") == len(set(re.findall("BOARD-EXCEEDED.*", said))) > 0
    assert said.index("BOARD-EXCEEDED") < said.index("data      ")


@pytest.mark.parametrize("by", ["gradient", "trial"])
def test_a_cluster_that_is_not_there_is_said_before_any_training(here, capsys, by):
    assert run_command_line(["search", "mine", "--board", "zcu104", "--by", by, "--dask", "nowhere"]) == 3
    said = capsys.readouterr().err
    assert "CLUSTER-DASK" in said
    assert not (here / "mine" / "build" / "data").exists()


def test_an_unknown_preset_names_the_nearest(here, capsys):
    assert "did you mean lecture?" in refused(capsys, "new", "other", "--preset", "lectur")
    assert "did you mean" not in refused(capsys, "new", "other", "--preset", "xyzzy")
