"""A training has the same bits whatever cores and thread variables a machine has."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

TRAINING = """
import hashlib, sys, tempfile
from dataclasses import replace
from pathlib import Path
from siliconv.models.architectures.keras_model import build_model
from siliconv.models.architectures.presets import preset
from siliconv.models.data.image_store import open_dataset
from siliconv.models.training.train_config import TrainConfig
from siliconv.models.training.training import fit
data = open_dataset(Path(sys.argv[1]))
few = replace(data, train=data.train.subset(range(600)), val=data.val.subset(range(100)))
model = build_model(preset("digits"))
with tempfile.TemporaryDirectory() as work:
    fit(model, few, TrainConfig(epochs=1, batch_size=128), work=Path(work))
print(hashlib.sha256(b"".join(values.tobytes() for values in model.get_weights())).hexdigest())
"""


def bits(folder, *before, threads=None, asked=None):
    """Train in a process of its own and give the hash of the weights."""
    names = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    environment = {**os.environ, **({name: str(threads) for name in names} if threads else {})}
    environment |= {"SILICONV_THREADS": str(asked)} if asked else {}
    command = [*before, sys.executable, "-c", TRAINING, str(folder)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()[-1]


@pytest.mark.slow
@pytest.mark.long
def test_threads_and_cores_change_no_bit(digits_folder):
    expected = bits(digits_folder)
    found = {threads: bits(digits_folder, threads=threads) for threads in (1, 2, 16)}
    if shutil.which("taskset"):
        found["one core"] = bits(digits_folder, "taskset", "-c", str(min(os.sched_getaffinity(0))))
    assert {name: one for name, one in found.items() if one != expected} == {}
    # What the test is about: the pool's size itself does change them, so it is fixed, and who sets it is told.
    assert bits(digits_folder, asked=1) != expected
