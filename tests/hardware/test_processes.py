"""Programs of others are bounded in time and words, and none outlives the process that started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from siliconv.errors import ToolError
from siliconv.hardware.processes import LINE_BYTES, OUTPUT_BYTES, lines_of, run_program, supervised, version_answer

WAIT = "sh -c 'echo $$ > {folder}/NAME; sleep 60' &"
TREE = f"echo $$ > {{folder}}/a; {WAIT.replace('NAME', 'b')} setsid {WAIT.replace('NAME', 'c')} wait"


def gone(folder: Path) -> list[str]:
    """Wait for three processes to be gone; name those that are not after ten seconds."""
    pids = {name: int((folder / name).read_text()) for name in "abc"}
    deadline = time.monotonic() + 10
    while left := [name for name, pid in pids.items() if _runs(pid)]:
        if time.monotonic() > deadline:
            return left
        time.sleep(0.02)
    return []


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_code_and_words_of_both_streams_come_back():
    found = run_program(["sh", "-c", "echo one; echo two >&2; exit 3"], seconds=20)
    assert (found.code, sorted(found.output.split())) == (3, ["one", "two"])
    assert run_program(["sh", "-c", "kill -9 $$"], seconds=20).code == 128 + 9
    assert run_program(["/nowhere/tool"], seconds=20).code == 127


def test_words_without_end_are_shortened_in_the_middle():
    program = "import sys; sys.stdout.write('first' + 'x' * 30_000_000 + 'last')"
    output = run_program([sys.executable, "-c", program], seconds=60).output
    assert len(output) <= OUTPUT_BYTES
    assert output.startswith("first")
    assert output.endswith("last")


def test_lines_without_end_are_cut():
    program = "import sys; sys.stdout.write('x' * 10_000_000 + '\\nsecond\\nthird')"
    with supervised([sys.executable, "-c", program]) as process:
        lines = list(lines_of(process))
    assert [line[:6] for line in lines] == ["xxxxxx", "second", "third\n"]
    assert all(len(line) <= LINE_BYTES + 10 for line in lines)


def test_a_file_takes_both_streams(tmp_path):
    program = "import sys; print('one', flush=True); print('two', file=sys.stderr)"
    with (
        (tmp_path / "said.log").open("wb") as file,
        supervised([sys.executable, "-c", program], output=file) as process,
    ):
        assert process.wait() == 0
    assert (tmp_path / "said.log").read_text() == "one\ntwo\n"


def test_one_that_hangs_is_ended_with_all_that_it_started(tmp_path):
    with pytest.raises(ToolError, match="TOOL-STUCK"):
        run_program(["sh", "-c", "trap '' TERM; " + TREE.format(folder=tmp_path)], seconds=1)
    assert gone(tmp_path) == []


def test_one_that_floods_is_ended(tmp_path):
    flood = tmp_path / "tool"
    flood.write_text(f"#!/bin/sh\ncd {tmp_path}; echo $$ | tee a b > c; exec yes\n")
    flood.chmod(0o755)
    with pytest.raises(ToolError, match=r"TOOL-STUCK\] tool printed more than 1,048,576 bytes"):
        version_answer(flood)
    assert gone(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_nothing_survives_the_process_that_started_it(tmp_path, number):
    program = f"""
import signal, sys
signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))
from siliconv.hardware.processes import run_program
run_program(["sh", "-c", {TREE.format(folder=tmp_path)!r}], seconds=60)
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", program],
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored in the background of a shell
    )
    while not all((tmp_path / name).is_file() and (tmp_path / name).read_text() for name in "abc"):
        assert parent.poll() is None
        time.sleep(0.02)
    os.kill(parent.pid, number)
    parent.wait()
    assert gone(tmp_path) == []


WORK = """
import os, pathlib, time
def wait(path):
    pathlib.Path(path).write_text(str(os.getpid()))
    time.sleep(60)
"""


def test_workers_end_with_the_process_that_started_them(tmp_path):
    program = f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
from work import wait
from siliconv.hardware.workers import run_tasks
list(run_tasks(wait, [({str(tmp_path)!r} + "/" + name,) for name in "abc"], processes=3, seconds=60))
"""
    (tmp_path / "work.py").write_text(WORK)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *filter(None, sys.path)])}
    parent = subprocess.Popen([sys.executable, "-c", program], env=environment)
    while not all((tmp_path / name).is_file() and (tmp_path / name).read_text() for name in "abc"):
        assert parent.poll() is None
        time.sleep(0.02)
    parent.kill()
    parent.wait()
    assert gone(tmp_path) == []
