"""The project of `siliconv demo`: the handwritten digits, as in ``firmware_projects/digits`` of a clone."""

from __future__ import annotations

from pathlib import Path

from siliconv.errors import ProjectError
from siliconv.project.atomic_write import why_unwritable, write_atomically
from siliconv.project.project import PROJECT_FILE, PROJECTS_FOLDER

FOLDER = "siliconv_demo"

TEXT = """\
# The embedded default: scikit-learn's handwritten digits, 8x8 grey pixels, no download.
version: 1

data:
  source: digits

model:
  preset: digits

train:
  epochs: 30
  batch_size: 64
  learning_rate: 0.003

quantize:
  weights: 6
  biases: 8
  activations: 6
  train:
    epochs: 10
    batch_size: 64
    learning_rate: 0.001

csim:
  images: 64

# A PYNQ-Z2, with few multipliers a layer: a small device, and time enough at 8x8 pixels.
hls:
  part: xc7z020clg400-1
  clock_ns: 10
  max_multipliers: 64
"""


def demo_project(base: Path) -> Path:
    """Give the folder of the digits below `base`: that of a clone, or one that is written there.

    Raises
    ------
    ProjectError
        ``PROJECT-WRITE`` if the folder can't be written.
    """
    of_clone = base / PROJECTS_FOLDER / "digits"
    if (of_clone / PROJECT_FILE).is_file():
        return of_clone
    path = base / FOLDER / PROJECT_FILE
    try:
        if not path.is_file():
            write_atomically(path, TEXT)
    except OSError as error:
        what, fix = why_unwritable(path, error)
        raise ProjectError("PROJECT-WRITE", what, where=str(path), fix=fix) from error
    return path.parent
