"""Searches that are killed at random moments: the next one goes on, and ends with the same front."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from trust_project import write_project

PROJECT = """version: 1
model: {file: net.h5}
data: {source: npz, path: images.npz}
train: {epochs: 60, batch_size: 16, learning_rate: 0.01}
quantize: {train: {epochs: 1, batch_size: 16}, calibration_images: 16}
"""
ASKED = {
    "trial": ("--by", "trial", "--trials", "4", "--epochs", "6", "--accuracy-drop", "20"),
    "gradient": ("--epochs", "6", "--trials", "3"),
}
SECONDS_TO_BEGIN = 4.0
"""About as long a search takes until it goes on where it was."""
SECONDS_TO_END = 10.0
_OF_THIS_RUN = ("started", "seconds", "command")


@dataclass(frozen=True)
class Searched:
    """A search that came to its end: its seconds, its outcome but for times, and the bytes of what it keeps."""

    seconds: float
    outcome: dict[str, Any]
    files: dict[str, bytes]


def undisturbed_search(folder: Path, by: str, *more: str) -> Searched:
    """Search a project to the end, with more options."""
    began = time.monotonic()
    process = start_search(folder, by, *more)
    assert process.wait() == 0, (folder / "said.txt").read_text()[-3000:]
    return found_of(folder / "small", time.monotonic() - began)


def killed_search(folder: Path, by: str, seconds: float, seed: int, kills: int, *more: str) -> tuple[Searched, int]:
    """Kill a search so often, each time at a moment of the seed, and let it come to its end.

    The moments lie so that all kills together take about as long as the whole search: few come after its end.

    Returns
    -------
    What came out, and how many kills hit a search that was not over.
    """
    chance, hits = random.Random(seed), 0
    for _ in range(kills):
        process = start_search(folder, by, *more)
        time.sleep(SECONDS_TO_BEGIN * chance.random() + chance.uniform(0.2, 1.8) / kills * seconds)
        below = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            hits += 1
        process.wait()
        _, alive = psutil.wait_procs(below, timeout=SECONDS_TO_END)
        assert not alive, f"{', '.join(one.name() for one in alive)} went on"
    process = start_search(folder, by, *more)
    assert process.wait() == 0, (folder / "said.txt").read_text()[-3000:]
    return found_of(folder / "small", 0.0), hits


def start_search(folder: Path, by: str, *more: str) -> subprocess.Popen[bytes]:
    """Start a search of the project in a folder, which is written if there is none; what it says goes to a file."""
    project = folder / "small"
    if not project.is_dir():
        write_project(project)
        (project / "project.yml").write_text(PROJECT)
    with (folder / "said.txt").open("wb") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "siliconv", "search", str(project), "--board", "zcu104", *ASKED[by], *more],
            stdout=said,
            stderr=said,
            start_new_session=True,
        )


def found_of(project: Path, seconds: float) -> Searched:
    """Read what a search left behind."""
    (study,) = (project / "runs").glob("search-*")
    outcome = json.loads((study / "pareto.json").read_text())
    outcome["trials"] = [
        {name: value for name, value in one.items() if name not in _OF_THIS_RUN} for one in outcome["trials"]
    ]
    kept = [
        *study.glob("generation-*.json"),
        *study.glob("sensitivities.json"),
        *study.glob("trials/*/weights.npz"),
        *study.glob("trials/*/network/*"),
        *study.glob("gradient/front/*"),
    ]
    files = {path.relative_to(project).as_posix(): path.read_bytes() for path in kept}
    # Which trials there are; in a record stands when it was made.
    files |= {f"runs/records/{path.name}": b"" for path in (project / "runs" / "records").glob("*")}
    return Searched(seconds, outcome, files)


def different(one: Searched, other: Searched) -> str:
    """Say in what two searches differ, or nothing."""
    files = sorted(name for name in {*one.files, *other.files} if one.files.get(name) != other.files.get(name))
    fields = sorted(name for name in one.outcome if one.outcome[name] != other.outcome.get(name))
    return f"other {', '.join(fields)}; other bytes in {', '.join(files[:4])}" if files or fields else ""
