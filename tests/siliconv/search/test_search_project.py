"""A search that is killed, goes on, is applied, and whose recipe the ordinary run takes to EXACT firmware."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest
from trust_project import write_project

from siliconv.project.project import load_project

TRAINED = """version: 1
model: {file: net.h5}
data: {source: npz, path: images.npz}
train: {epochs: 2, batch_size: 16}
quantize: {train: {epochs: 2, batch_size: 16}, calibration_images: 16}   # six bits
csim: {images: 2, corner_vectors: false, jobs: 2}
"""
SECONDS_TO_BEGIN = 600.0


def siliconv(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "siliconv", *arguments],
        env={**os.environ, "CXXFLAGS": "-O0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def done(*arguments):
    process = siliconv(*arguments)
    said, _ = process.communicate()
    assert process.returncode == 0, said
    return said


@pytest.mark.slow
def test_a_killed_search_goes_on_and_its_choice_becomes_exact_firmware(tmp_path, compiler):
    folder = write_project(tmp_path / "small")
    (folder / "project.yml").write_text(TRAINED)
    asked = ("search", str(folder), "--board", "zcu104", "--epochs", "4", "--trials", "1")
    killed, begun = siliconv(*asked), time.monotonic()
    while not list((folder / "runs").glob("search-*/gradient/checkpoint.npz")):
        assert killed.poll() is None, killed.stdout.read()
        assert time.monotonic() - begun < SECONDS_TO_BEGIN
        time.sleep(0.1)
    killed.kill()
    killed.communicate()
    done(*asked)
    (pareto,) = (folder / "runs").glob("search-*/pareto.json")
    outcome = json.loads(pareto.read_text())
    chosen = next(one for one in outcome["trials"] if one["id"] == outcome["chosen"])
    assert outcome["complete"]
    assert chosen["costs"]["span_operations"] == sum(chosen["details"]["span_by_layer"].values())
    record = folder / "runs" / "records" / f"{chosen['id']}.json"
    before = record.read_bytes()
    done(*asked)
    assert record.read_bytes() == before
    done("search", str(folder), "--apply", chosen["id"])
    assert "# six bits" in (folder / "project.yml").read_text()
    assert load_project(folder).quantize.start.is_file()
    assert "EXACT" in done("run", str(folder), "--until", "csim")
    metrics = json.loads((folder / "build" / "network" / "metrics.json").read_text())
    assert metrics["value"] == chosen["test"]["value"]
