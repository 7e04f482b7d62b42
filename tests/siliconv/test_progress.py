"""Progress: plain lines on a pipe with rate and time left, bars on a terminal, resumed work counted apart."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from siliconv import progress
from siliconv.progress import Bars, PlainLines, activity


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
