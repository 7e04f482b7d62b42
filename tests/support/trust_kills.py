"""Runs that are killed at a random moment: nothing goes on without them, and the next run ends with the same bits."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
from trust_project import write_project

TRAINED = """version: 1
model: {file: net.h5}
data: {source: npz, path: images.npz}
train: {epochs: 4, batch_size: 16}
quantize: {train: {epochs: 3, batch_size: 16}, calibration_images: 16}
csim: {images: 2, corner_vectors: false, jobs: 2}
"""
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
SECONDS_TO_END = 10.0
_FINISHED = ("data", "float", "quantized", "network", "firmware")


@dataclass(frozen=True)
class Undisturbed:
    """A project that was run to its end: its seconds, and the bytes of all that it made."""

    seconds: float
    files: dict[str, bytes]


def undisturbed(folder: Path) -> Undisturbed:
    """Run a project to its end."""
    project = _project(folder)
    started = time.monotonic()
    process = _start(project, folder)
    assert process.wait() == 0, (folder / "said.txt").read_text()
    return Undisturbed(time.monotonic() - started, _finished(project))


def kill_and_go_on(folder: Path, known: Undisturbed, seed: int) -> str:
    """Kill a run at the moment and with the signal of a seed, go on, and say what is wrong with that, or nothing."""
    chance, project = random.Random(seed), _project(folder)
    number = SIGNALS[seed % len(SIGNALS)]
    process = _start(project, folder)
    time.sleep(chance.uniform(0.3, known.seconds))
    below = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    if process.poll() is None:
        os.kill(process.pid, number)
    process.wait(60)
    _, alive = psutil.wait_procs(below, timeout=SECONDS_TO_END)
    if alive:
        return f"{number.name}: {', '.join(one.name() for one in alive)} went on"
    said = (folder / "said.txt").read_text()
    # By the bare signal a process ends that had left its work behind, or had not begun it.
    if number is not signal.SIGKILL and process.returncode not in (0, 128 + number, -number):
        return f"{number.name}: exit code {process.returncode}: {said[-800:]}"
    if process.returncode == 128 + number and "To go on: siliconv" not in said and "to go on: siliconv" not in said:
        return f"{number.name}: nobody was told how to go on: {said[-800:]}"
    left = [path.name for path in (folder / "tmp").iterdir()]
    if number is not signal.SIGKILL and left:
        return f"{number.name}: temporary files stayed: {left[:3]}"
    if _start(project, folder).wait() != 0:
        return f"{number.name}: the next run failed: {(folder / 'said.txt').read_text()[-800:]}"
    if list((folder / "tmp").iterdir()):
        return f"{number.name}: temporary files stayed for ever"
    found = _finished(project)
    different = sorted(name for name in {*known.files, *found} if known.files.get(name) != found.get(name))
    return f"{number.name}: other bits in {different[:3]}" if different else ""


def _project(folder: Path) -> Path:
    project = write_project(folder / "small")
    (project / "project.yml").write_text(TRAINED)
    return project


def _start(project: Path, folder: Path) -> subprocess.Popen[bytes]:
    (folder / "tmp").mkdir(exist_ok=True)
    environment = {**os.environ, "CXXFLAGS": "-O0", "TMPDIR": str(folder / "tmp")}
    with (folder / "said.txt").open("wb") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "siliconv", "run", str(project)],
            env=environment,
            stdout=said,
            stderr=said,
            start_new_session=True,
            # A shell lets what it starts in the background ignore it.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )


def _finished(project: Path) -> dict[str, bytes]:
    return {
        path.relative_to(project).as_posix(): path.read_bytes()
        for name in _FINISHED
        for path in (project / "build" / name).rglob("*")
        if path.is_file()
    }
