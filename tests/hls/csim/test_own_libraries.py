"""A library that was not compiled here is not run, whoever put it into the project's folder."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import numpy as np
import pytest

from siliconv.errors import FirmwareError
from siliconv.hls.csim import own_libraries
from siliconv.hls.csim.compilation import compile_project
from siliconv.hls.csim.csim import simulate_values
from siliconv.network import graph as ir
from siliconv.network.fixed_point import FixedPoint

BYTE = FixedPoint(False, 8, 0)
NETWORK = ir.Network("net", (ir.Input("image", (), (1, 1, 1), BYTE), ir.Reshape("flat", ("image",), (1,), BYTE)))
CODES = np.full((1, 1, 1, 1), 64)


@pytest.fixture
def compiled(compiler, tiny_project, tmp_path):
    """A project and its library, as it lies in a folder that is given to somebody else."""
    project = tiny_project(tmp_path / "project", "out[0] = in[0];")
    return project, compile_project(project, "net", tmp_path / "cache")


def plant(path, marker):
    """Write a library that leaves a file when it is loaded."""
    source = path.with_suffix(".c")
    source.write_text(
        f'#include <stdio.h>\n__attribute__((constructor)) static void run() {{ fclose(fopen("{marker}", "w")); }}\n'
        "void net_double(double *a, double *b) {}\nvoid allocate_trace_storage(unsigned long a) {}\n"
        "void collect_trace_output(void *a) {}\n"
    )
    path.unlink(missing_ok=True)
    subprocess.run(["gcc", "-shared", "-fPIC", str(source), "-o", str(path)], check=True)


def forget_this_process(monkeypatch):
    monkeypatch.setattr(own_libraries, "_made", {})


def test_a_library_that_was_compiled_here_is_used_again(compiled, tmp_path, monkeypatch):
    project, library = compiled
    forget_this_process(monkeypatch)
    before = library.path.stat().st_mtime_ns
    assert compile_project(project, "net", tmp_path / "cache").path.stat().st_mtime_ns == before
    assert simulate_values(library, NETWORK, CODES)["flat"] == [[0.25]]


def test_a_planted_library_is_compiled_anew_and_never_loaded(compiled, tmp_path, monkeypatch):
    project, library = compiled
    marker = tmp_path / "ran"
    plant(library.path, marker)
    forget_this_process(monkeypatch)
    with pytest.raises(FirmwareError, match="not the one that was compiled here"):
        simulate_values(library, NETWORK, CODES)
    again = compile_project(project, "net", tmp_path / "cache")
    assert own_libraries.is_own(again.path)
    assert not marker.exists()


def test_planted_objects_are_not_linked(compiled, tmp_path):
    project, library = compiled
    library.path.unlink()
    for name in ("net.o", "bridge.o"):
        (library.path.parent / name).write_text("planted")
    assert own_libraries.is_own(compile_project(project, "net", tmp_path / "cache").path)


def test_a_library_that_can_not_be_loaded_is_compiled_again_the_next_time(compiled, tmp_path):
    project, library = compiled
    library.path.write_text("what a broken compiler leaves")
    own_libraries.remember(library.path)
    with pytest.raises(FirmwareError, match="CSIM-LOAD"):
        simulate_values(replace(library), NETWORK, CODES)
    assert compile_project(project, "net", tmp_path / "cache").path.read_bytes()[:4] == b"\x7fELF"


def test_a_makefile_that_goes_first_is_not_read(compiled, tmp_path):
    project, library = compiled
    for name in ("GNUmakefile", "makefile"):
        (project / name).write_text(f"library:\n\ttouch {tmp_path}/ran\n")
    own_libraries.forget(library.path)
    compile_project(project, "net", tmp_path / "cache")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["it's", 'a"b', "a'; touch ran; '", "a$(touch ran)b", "a b", "a\\b", "a`touch ran`b"])
def test_a_folder_of_any_name_is_compiled_and_is_nothing_but_a_name(
    compiler, tiny_project, tmp_path, name, monkeypatch
):
    project = tiny_project(tmp_path / name / "project", "out[0] = WEIGHTS_DIR[0] == '/' ? in[0] : 0;")
    library = compile_project(project, "net", project.parent / "cache")
    assert simulate_values(library, NETWORK, CODES)["flat"] == [[0.25]]
    assert not list(tmp_path.rglob("ran"))
