"""Generated sources as the vendors' front ends see them: clang with the synthesis branch, C++11 and C++14; and test
benches under sanitizers. No vendor tool was here.
"""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from every_layer_kind import ONE_DIMENSIONAL, TWO_DIMENSIONAL, lowered

from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.axi import write_axi
from siliconv.hls.conversion.conversion import convert
from siliconv.hls.conversion.testbench import write_testbench
from siliconv.hls.rendering import TEMPLATES

CLANG = importlib.util.find_spec("ziglang")
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("compiler")]

# The number types that come with hls4ml have another side for the vendors' compilers; everything else is taken as
# synthesis takes it.
PRELUDE = """
#include <cmath>
#include <fstream>
#include <iostream>
#include <map>
#include <vector>
#include "ap_fixed.h"
#include "ap_int.h"
#include "hls_stream.h"
#define __SYNTHESIS__
"""
OWN = tuple(path.name for path in (TEMPLATES / "nnet_utils").glob("*.h"))
SANITIZED = ("BUILD=sanitized", "CXXFLAGS=-O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined")
CASES = [
    (backend, io_type, dimensions)
    for backend in ("Vitis", "Vivado")
    for io_type in ("io_stream", "io_parallel")
    for dimensions in (1, 2)
]


@pytest.fixture(scope="module")
def networks():
    """Two networks that have every kind of layer between them, each with input vectors."""
    return {
        dimensions: lowered(architecture)[1:]
        for dimensions, architecture in ((1, ONE_DIMENSIONAL), (2, TWO_DIMENSIONAL))
    }


@pytest.fixture(scope="module", params=CASES, ids=lambda case: "-".join(map(str, case)))
def made(request, networks, tmp_path_factory):
    """A generated project with its AXI-Stream top level."""
    backend, io_type, dimensions = request.param
    network, codes = networks[dimensions]
    folder, config = tmp_path_factory.mktemp("made"), HlsConfig(backend=backend, io_type=io_type)
    convert(network, config, folder)
    write_testbench(network, codes, folder, config)
    write_axi(network, config, folder)
    return SimpleNamespace(folder=folder, top=network.name, backend=backend)


@pytest.mark.skipif(CLANG is None, reason="no clang: pip install siliconv[clang]")
@pytest.mark.parametrize("standard", ["c++11", "c++14"])
def test_clang_takes_what_synthesis_compiles(made, standard):
    (made.folder / "prelude.h").write_text(PRELUDE)
    for source, flags in (
        (f"firmware/{made.top}.cpp", ()),
        (f"firmware/{made.top}.cpp", ("-DSILICONV_AXI_TOP",)),
        (f"axi/{made.top}_axi.cpp", ("-DSILICONV_AXI_TOP", "-Iaxi/sim")),
    ):
        command = [sys.executable, "-m", "ziglang", "clang", "-x", "c++", f"-std={standard}", "-fsyntax-only"]
        headers = ["-isystem", str(Path(CLANG.origin).parent / "lib" / "include"), "-include", "prelude.h"]
        warnings = ["-Wall", "-Wextra", "-Wno-unknown-pragmas", "-Wno-unused-parameter", "-Wno-unused-label"]
        done = subprocess.run(
            [*command, *headers, *warnings, *flags, "-Ifirmware/ap_types", source],
            cwd=made.folder,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr[:3000]
        told = [line for line in done.stderr.splitlines() if "warning:" in line]
        files = {line: Path(line.split(":")[0]) for line in told}
        ours = [line for line, file in files.items() if file.name in OWN or file.parent.name == "axi"]
        assert not ours, "\n".join(ours[:20])


def test_test_benches_of_core_and_top_level_run_clean_under_sanitizers(made):
    if made.backend != "Vitis":
        pytest.skip("the same kernels, which take minutes to compile")
    for target in ("csim", "axi"):
        done = subprocess.run(
            ["make", "-f", "Makefile", target, *SANITIZED], cwd=made.folder, capture_output=True, text=True
        )
        assert done.returncode == 0, (target, done.stderr[-3000:])
        assert "runtime error" not in done.stderr, done.stderr[-3000:]
        assert "PASS" in done.stdout
