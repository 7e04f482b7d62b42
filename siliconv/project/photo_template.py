"""A project file for a folder of photos that runs as it is: size, colours and classes are looked up in the photos."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from siliconv.errors import DAMAGE, DataError
from siliconv.hardware.boards import Board
from siliconv.models.answers.task import TaskChoice
from siliconv.models.data.folder_files import files_below
from siliconv.models.data.sources import class_folders
from siliconv.project.versions import VERSION

_LOOKED_AT = 200
"""Photos whose size and colours are read."""
_SIZES = (8, 16, 32, 64)
_FILTERS = (16, 32, 64, 64)
_ROOM = ((30_000, 4, 16), (100_000, 2, 64), (200_000, 1, 64), (500_000, 1, 256))
"""Boards of fewer LUTs than this get filters divided by this, and so many multipliers a layer."""
_STEPS = 1500
"""Of training, about: few photos take more epochs."""


@dataclass(frozen=True)
class Photos:
    """What a folder of photos holds.

    Parameters
    ----------
    classes
        Names of the class folders.
    count
        Files.
    side
        Median of the shorter sides of those that were looked at, in pixels.
    channels
        1 where all of those are grey, else 3.
    """

    classes: tuple[str, ...]
    count: int
    side: int
    channels: int


def look_at_photos(folder: Path) -> Photos:
    """Look at a folder of photos with a folder a class, with or without train, val and test above.

    Raises
    ------
    DataError
        ``DATA-LAYOUT`` for no such folder, ``DATA-IMAGE`` where no photo can be read.
    """
    from PIL import Image

    classes = class_folders(folder)
    files = list(files_below(folder))
    sides, colours = [], False
    for name in files[:: max(len(files) // _LOOKED_AT, 1)]:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of huge pictures; only the header is read
                with Image.open(folder / name) as picture:
                    sides.append(min(picture.size))
                    colours = colours or picture.mode not in ("1", "L", "LA", "I", "I;16", "F")
        except DAMAGE:
            continue  # no picture; the preparation names what it leaves out
    if not sides:
        raise DataError(
            "DATA-IMAGE",
            f"none of {len(files)} files is a picture that can be read",
            where=str(folder),
            fix="give the folder above the class folders, with PNG, JPEG, BMP or TIFF files",
        )
    return Photos(classes, len(files), int(np.median(sides)), 3 if colours else 1)


def photo_project_text(
    name: str,
    project: Path,
    photos: Photos,
    folder: Path,
    board: Board | None,
    *,
    model: Path | None = None,
    task: TaskChoice = "auto",
) -> str:
    """Give the text of a project file for photos.

    Parameters
    ----------
    name
        Of the project.
    project
        Its folder; the path of the photos is written as seen from there.
    photos, folder
        What was found, and where.
    board
        Whose device and clock the firmware is written for; None for the defaults.
    model
        A Keras or QKeras file in place of a network for the photos.
    task
        What the network is asked, where it was said.

    Raises
    ------
    DataError
        ``DATA-TASK`` where no network is made for photos that is asked so.
    """
    if model is None and task not in ("auto", "classification"):
        raise DataError(
            "DATA-TASK",
            f"photos in class folders answer which class, and the task is {task}",
            where=f"--task {task}",
            fix="leave --task out; or name a network with --from",
        )
    size = max([side for side in _SIZES if side <= photos.side], default=_SIZES[0])
    answers = (
        "1 output, the second class" if len(photos.classes) == 2 else f"{len(photos.classes)} outputs, one a class"
    )
    lines = [
        f"# siliconv project '{name}', made from {photos.count} photos of {len(photos.classes)} classes, about"
        f" {photos.side} pixels wide.",
        f"version: {VERSION}",
        "",
        "data:",
        "  source: folder",
        f"  path: {written_path(folder, project)}",
        "",
    ]
    if model is not None:
        lines += ["model:", f"  file: {written_path(model, project)}", "", *task_lines(task)]
    else:
        lines += [
            f"# Photos are brought to {size}x{size}; {answers}.",
            "model:",
            f"  input_shape: [{size}, {size}, {photos.channels}]",
            "  layers:",
            *(f"    - {layer}" for layer in _layers(size, len(photos.classes), _room(board)[0])),
            "",
            *task_lines(task),
            *training_lines(photos.count),
        ]
    return "\n".join([*lines, *(hardware_lines(board) if board is not None else ())]) + "\n"


def written_path(path: Path, project: Path) -> str:
    """Write a path as seen from a project's folder, as YAML, whatever is in it."""
    return json.dumps(os.path.relpath(path.resolve(), project.resolve()), ensure_ascii=False)


def _room(board: Board | None) -> tuple[int, int | None]:
    """Give what filters are divided by, and how many multipliers a layer may have, to fit a board."""
    if board is None:
        return 1, None
    return next(((divisor, most) for luts, divisor, most in _ROOM if board.lut < luts), (1, None))


def convolutions(size: int, divisor: int) -> Sequence[str]:
    """Describe convolutions and poolings for images of a size, with filters divided by a number."""
    layers = []
    for filters in _FILTERS[: max(size.bit_length() - 3, 1)]:
        layers += [f"{{kind: conv2d, filters: {filters // divisor}, activation: relu}}", "{kind: max_pool}"]
    return layers


def _layers(size: int, classes: int, divisor: int) -> Sequence[str]:
    last = "{kind: dense, units: 1, activation: sigmoid}" if classes == 2 else f"{{kind: dense, units: {classes}}}"
    return [*convolutions(size, divisor), "{kind: global_average_pool}", last]


def task_lines(task: TaskChoice) -> Sequence[str]:
    """Give the line that states a task; nothing where it is to be found."""
    return [] if task == "auto" else [f"task: {task}", ""]


def training_lines(count: int) -> Sequence[str]:
    """Give the sections `train` and `quantize` for so many examples."""
    batch = int(2 ** np.clip(np.log2(max(count // 40, 1)) // 1, 2, 6))
    epochs = int(np.clip(_STEPS * batch // max(count, 1), 10, 60))
    return [
        "train:",
        f"  epochs: {epochs}",
        f"  batch_size: {batch}",
        "",
        "quantize:",
        "  weights: 6",
        "  activations: 6",
        "  train:",
        f"    epochs: {max(epochs // 4, 3)}",
        f"    batch_size: {batch}",
        "    learning_rate: 0.0005",
    ]


def hardware_lines(board: Board) -> Sequence[str]:
    """Give the section of a project file that names a board's device; nothing where no back end is for it."""
    if not board.backend:
        return ()
    most = _room(board)[1]
    few = [f"  max_multipliers: {most}"] if most is not None else []
    backend = [] if board.backend == "Vitis" else [f"  backend: {board.backend}"]
    return ["", f"# {board.title}", "hls:", *backend, f"  board: {board.name}", f"  clock_ns: {board.clock_ns:g}", *few]
