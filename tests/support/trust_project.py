"""A project of a few hundred weights with a whole build, made in seconds, and what a command did to its folder."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from siliconv.commands.cli import run_command_line

PROJECT = """version: 1
model: {file: net.h5}
data: {source: npz, path: images.npz}
quantize: {train: null, calibration_images: 16}
csim: {images: 2, corner_vectors: false, jobs: 1}
"""
OWN_FILES = {"notes.txt": "weeks of work", "build/firmware/my_notes.txt": "of the timing"}
"""Of the user's, beside what siliconv writes."""

_MADE_AGAIN = re.compile(
    r"build/(?:(?:data|float|quantized|network|firmware|pictures)/|[\w.]+\.(?:json|html|qonnx)$|\.|kept-\d+/)"
    r"|runs/records/"  # the same run again writes what it found into its record
)
INTERNAL = 70
CODES = {0, 1, 2, 3}


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code and all that it said."""

    code: int
    said: str

    def complaint(self) -> str:
        """Say what no command may do, or nothing."""
        if self.code == INTERNAL or "Internal error" in self.said:
            return "internal error"
        if "Traceback (most recent" in self.said:
            return "stack trace"
        return "" if self.code in CODES else f"exit code {self.code}"


def run_here(arguments: list[str]) -> Ended:
    """Run a command in this process, with whatever it says caught, compiled without optimization."""
    said = io.StringIO()
    with (
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(said),
        mock.patch.dict(os.environ, {"CXXFLAGS": "-O0"}),
    ):
        code = run_command_line(arguments)
    return Ended(code, said.getvalue())


def write_project(folder: Path) -> Path:
    """Write the project, its model file and its images, without a build."""
    folder.mkdir(parents=True)
    (folder / "project.yml").write_text(PROJECT)
    write_model(folder / "net.h5")
    random = np.random.default_rng(3)
    labels = np.arange(60) % 3
    images = (random.integers(0, 90, (60, 6, 6, 1)) + 80 * labels[:, None, None, None]).astype(np.uint8)
    np.savez(folder / "images.npz", x=images, y=labels)
    return folder


def write_model(path: Path) -> None:
    """Write a Keras file: .h5 or .keras, by its name."""
    from siliconv.legacy_keras import load

    keras = load()
    keras.backend.reset_uids()
    keras.utils.set_random_seed(1)
    layers = keras.layers
    keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            layers.Conv2D(2, 3, activation="relu", name="conv"),
            layers.Flatten(name="flat"),
            layers.Dense(3, name="dense"),
        ]
    ).save(path)


def built_project(folder: Path) -> Path:
    """Write the project and run all its stages; then add files of the user's."""
    write_project(folder)
    ended = run_here(["run", str(folder)])
    assert ended.code == 0, ended.said
    for name, text in OWN_FILES.items():
        (folder / name).write_text(text)
    return folder


def own_files(folder: Path) -> dict[str, str]:
    """Give the SHA-256 of the user's files below a folder; what stages make again is not theirs."""
    return {
        name: _digest(path)
        for path in folder.rglob("*")
        if path.is_file()
        and not path.is_symlink()
        and ((name := path.relative_to(folder).as_posix()) in OWN_FILES or not _MADE_AGAIN.match(name))
    }


def lost(before: dict[str, str], folder: Path) -> list[str]:
    """Give those of the user's files whose content is nowhere any more."""
    after = own_files(folder)
    gone = {name: digest for name, digest in before.items() if after.get(name) != digest}
    if not gone:
        return []
    there = {_digest(path) for path in folder.rglob("*") if path.is_file() and not path.is_symlink()}
    return [name for name, digest in gone.items() if digest not in there]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def model_config(path: Path) -> dict[str, Any]:
    """Read the configuration in an .h5 file."""
    import h5py

    with h5py.File(path, "r") as file:
        config: dict[str, Any] = json.loads(file.attrs["model_config"])
        return config
