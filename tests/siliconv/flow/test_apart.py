"""Work in a process of its own: results, reports, errors and crashes come back as they are."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest
from worker_tasks import die, fail, keras_modules, refuse, work

from siliconv.errors import DataError, ToolError
from siliconv.flow.apart import call_apart
from siliconv.progress import Silent


class Told(Silent):
    """Keeps what it is told."""

    def __init__(self):
        self.lines = []

    def begin(self, activity, total, unit, done=0):
        self.lines.append(("begin", activity, total, unit, done))

    def update(self, done, note=""):
        self.lines.append(("update", done, note))

    def end(self):
        self.lines.append(("end",))

    def say(self, line):
        self.lines.append(("say", line))


def test_results_reports_and_events_come_back():
    told, events = Told(), []
    doubled, process = call_apart(work, np.arange(3), progress=told, on_event=events.append)
    assert doubled.tolist() == [0, 2, 4]
    assert process != os.getpid()
    assert told.lines == [
        ("begin", "Working", 2, "parts", 0),
        ("update", 1, "half"),
        ("say", "a line"),
        ("end",),
    ]
    assert events == [{"stage": "one"}]


def test_an_error_for_the_user_comes_back_as_it_is():
    with pytest.raises(DataError) as raised:
        call_apart(refuse, progress=Silent())
    assert (raised.value.code, raised.value.fix) == ("DATA-TEST", "bring something")


@pytest.mark.parametrize(("function", "said"), [(fail, "RuntimeError: unexpected"), (die, "last words")])
def test_a_defect_or_a_crash_is_told_with_what_was_printed(function, said):
    with pytest.raises(ToolError) as raised:
        call_apart(function, progress=Silent())
    assert raised.value.code == "APART-CRASHED"
    assert said in str(raised.value)


def test_an_interruption_here_ends_the_process_there():
    def interrupt(event):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        call_apart(work, np.arange(3), progress=Silent(), on_event=interrupt)


@pytest.mark.long
def test_keras_2_is_loaded_there_whatever_is_loaded_here(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras", object())
    assert call_apart(keras_modules, progress=Silent()).startswith("tf_keras")


def test_the_process_ends_when_this_one_is_killed(tmp_path):
    (tmp_path / "long_work.py").write_text(
        "import os, pathlib, time\n"
        "def wait(path, *, progress):\n    pathlib.Path(path).write_text(str(os.getpid()))\n    time.sleep(60)\n"
    )
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from long_work import wait\nfrom siliconv.flow.apart import call_apart\nfrom siliconv.progress import Silent\n"
        f"call_apart(wait, {str(tmp_path / 'pid')!r}, progress=Silent())\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program])
    while not (tmp_path / "pid").is_file() or not (tmp_path / "pid").read_text():
        assert parent.poll() is None
        time.sleep(0.02)
    child = psutil.Process(int((tmp_path / "pid").read_text()))
    parent.kill()
    parent.wait()
    assert psutil.wait_procs([child], timeout=10)[1] == []
