"""Progress: plain lines on a pipe with rate and time left, bars on a terminal, resumed work counted apart."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.progress import Task, TaskID

from siliconv import progress
from siliconv.progress import Bars, Pace, PlainLines, activity, lines_of


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_plain_lines_show_count_rate_time_left_and_note(clock):
    stream = io.StringIO()
    with activity(PlainLines(stream), "Training", 100, "steps") as shown:
        clock[0] = 20.0
        shown.update(40, "loss 0.5")
    lines = stream.getvalue().splitlines()
    assert lines[0].strip() == "Training (100 steps)"
    assert lines[1].strip() == "Training: 40/100 steps, 2.0 steps/s, 30.0 s left, loss 0.5"
    assert lines[2].strip() == "Training: 40/100 steps, 20.0 s, loss 0.5"


def test_resumed_work_counts_only_what_this_run_did(clock):
    stream = io.StringIO()
    with activity(PlainLines(stream), "Training", 100, "steps", done=80) as shown:
        clock[0] = 20.0
        shown.update(90)
    assert "0.5 steps/s" not in stream.getvalue()
    assert "2.0 s/step, 20.0 s left" in stream.getvalue()


def test_no_time_is_left_before_anybody_can_know_it(clock):
    """A first step that compiles for eleven seconds says nothing about the 7,999 others."""
    stream = io.StringIO()
    with activity(PlainLines(stream), "Training", 8000, "steps") as shown:
        clock[0] = 11.0
        shown.update(1)
        for second in range(12, 23):
            clock[0] = float(second)
            shown.update((second - 11) * 100 + 1)
    lines = [line.strip() for line in stream.getvalue().splitlines()]
    assert lines[1] == "Training: 1/8,000 steps, 11.0 s so far"
    assert lines[2] == "Training: 1,001/8,000 steps, 100.0 steps/s, 1 min 10 s left"


def test_the_pace_is_counted_without_the_first_unit_or_of_a_good_part():
    pace = Pace(1000, 0, 0.0)
    assert pace.rate(0, 5.0) is None
    pace.report(1, 10.0)
    assert pace.rate(1, 30.0) is None, "nothing after the first unit"
    assert pace.rate(11, 11.0) is None, "too short a time"
    assert pace.rate(21, 12.0) == 10.0
    assert pace.rate(1000, 40.0) == 25.0, "at the end all of it counts"
    chunks = Pace(100, 40, 0.0)
    chunks.report(46, 3.0)
    assert chunks.rate(46, 3.0) == 2.0


def test_lines_come_at_most_every_ten_seconds(clock):
    stream = io.StringIO()
    with activity(PlainLines(stream), "Work", 1000, "images") as shown:
        for second in range(1, 25):
            clock[0] = float(second)
            shown.update(second)
    assert len(stream.getvalue().splitlines()) == 4


def test_an_activity_is_closed_when_its_work_fails():
    stream = io.StringIO()
    with pytest.raises(ZeroDivisionError), activity(PlainLines(stream), "Work", 3, "images"):
        _ = 1 / 0
    assert len(stream.getvalue().splitlines()) == 2


def test_bars_show_the_activity_and_its_count():
    screen = Console(file=io.StringIO(), force_terminal=True, width=140)
    with activity(Bars(screen), "Training", 10, "steps") as shown:
        shown.update(10, "loss 0.1")
    drawn = screen.file.getvalue()
    for part in ("Training", "10/10", "steps/s", "loss 0.1"):
        assert part in drawn


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_count_and_time_left_are_there_at_every_width_and_the_note_is_cut(width):
    drawn = lines_at(width, "Fine-tuning", 12000, "steps", 5400, "epoch 12/30, loss 0.3112, accuracy 0.911, " * 3)
    assert all(len(line) <= width for line in drawn)
    text = "\n".join(drawn)
    assert "Fine-tuning" in text
    assert "5,400/12,000" in text
    assert " left" in text
    assert "loss 0.31" in text
    assert text.rstrip().endswith("…")
    assert ("steps/s" in text) == (width >= 80)


def test_work_of_unknown_length_shows_its_seconds():
    drawn = lines_at(80, "Compiling", 0, "", 0, "")
    assert len(drawn) == 1
    assert drawn[0].rstrip().endswith(" s")


def test_work_of_unknown_length_on_a_pipe(clock):
    stream = io.StringIO()
    with progress.waiting(PlainLines(stream), "Compiling"):
        clock[0] = 7.0
    assert stream.getvalue().splitlines() == ["  Compiling ...", "  Compiling: 7.0 s"]


def test_several_are_told_the_same(clock):
    streams = [io.StringIO(), io.StringIO()]
    with activity(progress.Several(*map(PlainLines, streams)), "Work", 3, "images") as shown:
        shown.update(2)
        shown.say("a word")
    assert streams[0].getvalue() == streams[1].getvalue() != ""


def lines_at(width, activity_name, total, unit, done, note):
    """Draw an activity that works for ten seconds."""
    task = Task(TaskID(0), activity_name, total or None, done, _get_time=lambda: 10.0)
    task.start_time = 0.0
    pace = Pace(total, 0, 0.0)
    pace.report(done, 5.0)
    task.fields = {"unit": unit, "pace": pace, "note": note}
    screen = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    for line in lines_of(task, width):
        screen.print(line)
    return [line for line in screen.file.getvalue().splitlines() if line.strip()]
