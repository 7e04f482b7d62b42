"""A command ends with a code and one message: stopped, refused by the system, or defective; nothing stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from siliconv.commands.outcome import CLOSED_PIPE, INTERNAL, INTERRUPTED, StoppedError, outcome_of
from siliconv.commands.scratch import scratch_folder
from siliconv.errors import DataError

pytestmark = pytest.mark.long


def raising(error):
    def work():
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (DataError("X", "broken", where="there", fix="mend"), 2, "[X] broken"),
        (KeyboardInterrupt(), INTERRUPTED, "to go on: siliconv run 'my project'"),
        (StoppedError("Kept: data. To go on: siliconv run x"), INTERRUPTED, "Kept: data."),
        (OSError(28, "No space left on device", "/disk/file"), 2, "/disk/file"),
        (OSError(24, "Too many open files"), 2, "ulimit -n"),
        (OSError(36, "File name too long", "xxxx"), 2, "shorter"),
        (OSError(13, "Permission denied", "/root/x"), 2, "readable"),
        (OSError(5, "Input/output error"), 2, "look at the disk"),
        (OSError("of no number"), 2, "of no number"),
        (MemoryError(), 3, "memory"),
        (KeyError("a defect"), INTERNAL, "Please report it"),
    ],
)
def test_whatever_happens_is_one_message_that_says_what_to_do(error, code, says, capsys):
    assert outcome_of(raising(error), ["run", "my project"]) == code
    said = capsys.readouterr().err
    assert says in said
    assert "Traceback" not in said
    for crash in Path(tempfile.gettempdir()).glob("siliconv-crash-*") if code == INTERNAL else ():
        if "a defect" in crash.read_text():
            crash.unlink()


def test_what_speaks_to_a_terminal_is_shown_as_text(capsys):
    outcome_of(raising(DataError("X", "class \x1b[31mred\x07", where="[bold]there[/x]", fix="a\udcffb")), [])
    said = capsys.readouterr().err
    assert "\x1b" not in said
    assert r"\x1b[31mred\x07" in said
    assert "[bold]there[/x]" in said


def test_temporary_files_of_everybody_go_with_the_command(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with scratch_folder():
        descriptor, _ = tempfile.mkstemp(prefix="__autograph_generated_file")
        os.close(descriptor)
        subprocess.run(["mktemp"], check=True, capture_output=True)
        assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 2
    assert list(tmp_path.iterdir()) == []
    assert tempfile.gettempdir() == str(tmp_path)


def test_what_a_killed_command_left_goes_with_the_next_one(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    for name in (f"siliconv-run-{int(ended.stdout)}-abc", f"siliconv-run-{os.getpid()}-def", "siliconv-run-notes"):
        (tmp_path / name).mkdir()
    with scratch_folder():
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"siliconv-run-{os.getpid()}-def", "siliconv-run-notes"]


def test_a_full_disk_at_the_output_is_told():
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "siliconv", "boards"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 2
    assert "No space left" in done.stderr
    assert "Exception ignored" not in done.stderr


def test_a_reader_that_goes_away_is_no_error():
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "siliconv", "boards"], stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert done.returncode in (1, CLOSED_PIPE)  # as Typer has it, or we
    assert done.stderr == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_run_that_is_stopped_says_what_is_kept_and_how_to_go_on(tmp_path, number):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "project.yml").write_text("model: {file: 'slow:make'}\ndata: {limit: 100}\n")
    begun = tmp_path / "begun"
    slow = f"import pathlib, time\ndef make():\n    pathlib.Path({str(begun)!r}).touch()\n    time.sleep(60)\n"
    (tmp_path / "mine" / "slow.py").write_text(slow)
    process = subprocess.Popen(
        [sys.executable, "-m", "siliconv", "run", str(tmp_path / "mine"), "--until", "rtl"],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored in the background of a shell
    )
    while not begun.exists():
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(number)
    said = process.communicate()[1]
    assert process.returncode == 128 + number
    assert "runs slow:make" in said
    assert f"To go on: siliconv run {tmp_path / 'mine'} --until rtl\n" in said
