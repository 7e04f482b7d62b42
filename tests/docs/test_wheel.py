"""The wheel is complete: its metadata, its data files, and the demo that runs from it in an empty environment."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest
from house import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PINNED = dict(
    line.split("==") for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines() if "==" in line
)


def plain(name: str) -> str:
    return name.lower().replace("_", "-").partition("[")[0]


def test_the_metadata_say_who_for_whom_and_with_what():
    assert PROJECT["authors"] == [{"name": "siliconv developers"}]
    assert {"qonnx", "datasets", "dask", "rtl", "docs"} <= set(PROJECT["optional-dependencies"])
    assert len(PROJECT["keywords"]) >= 5
    assert any("Physics" in one for one in PROJECT["classifiers"])
    assert "urls" not in PROJECT, "a public address: write it here, and make the links of the README absolute"


def test_every_dependency_and_extra_is_pinned():
    extras = [one for group in PROJECT["optional-dependencies"].values() for one in group]
    asked = {
        plain(one.split(";")[0].translate(str.maketrans("<>=!~", "     ")).split()[0])
        for one in [*PROJECT["dependencies"], *extras]
    }
    assert asked <= {plain(name) for name in PINNED}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode and "Could not find a version" in done.stderr:
        pytest.skip(f"no package index to build with: {done.stderr[-300:]}")
    assert done.returncode == 0, done.stderr
    (found,) = folder.glob("*.whl")
    return found


@pytest.mark.slow
def test_the_wheel_has_every_file_of_the_packages(wheel):
    """Templates, constants, Verilog, stubs and pins: all that git tracks below the packages but __pycache__."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        pins = archive.read("siliconv/constraints.txt").decode()
    assert pins == (ROOT / "constraints.txt").read_text(encoding="utf-8")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    for name in listed:
        top = name.split("/")[0]
        if top in ("siliconv", "network", "hardware", "models", "quantize", "hls", "rtl") and "/" in name:
            inside = name if top == "siliconv" else f"siliconv/{name}"
            assert inside in names, name
    assert not [name for name in names if name.startswith(("tests/", "docs/", "benchmarks/"))]


@pytest.mark.slow
def test_the_demo_runs_from_the_wheel_in_an_empty_environment(wheel, tmp_path):
    venv.create(tmp_path / "empty", with_pip=True)
    python = tmp_path / "empty" / "bin" / "python"
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}

    def run(*command: str | Path) -> str:
        done = subprocess.run(
            [str(one) for one in command], cwd=tmp_path, env=clean, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
        return done.stdout + done.stderr

    run(python, "-m", "pip", "install", "--quiet", "--constraint", ROOT / "constraints.txt", wheel)
    assert "No broken requirements" in run(python, "-m", "pip", "check")
    siliconv = python.parent / "siliconv"
    assert run(siliconv, "--version").strip() == f"siliconv {PROJECT['version']}"
    assert "EXACT" in run(siliconv, "demo")
    assert (tmp_path / "siliconv_demo" / "build" / "report.html").is_file()
    assert "The certificate holds" in run(siliconv, "verify", "siliconv_demo")
