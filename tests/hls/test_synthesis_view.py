"""Generated sources as the vendors' front ends see them: clang with the synthesis branch, C++11 and C++14; and test
benches under sanitizers. No vendor tool was here.
"""

from types import SimpleNamespace

import pytest
from every_layer_kind import ONE_DIMENSIONAL, TWO_DIMENSIONAL, lowered
from synthesis_view import CLANG, clang_says, make_says, views

from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.axi import write_axi
from siliconv.hls.conversion.conversion import convert
from siliconv.hls.conversion.testbench import write_testbench

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("compiler")]

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
    for source, flags in views(made.top):
        ours = clang_says(made.folder, source, flags, standard)
        assert not ours, "\n".join(ours[:20])


def test_test_benches_of_core_and_top_level_run_clean_under_sanitizers(made):
    if made.backend != "Vitis":
        pytest.skip("the same kernels, which take minutes to compile")
    for target in ("csim", "axi"):
        assert "PASS" in make_says(made.folder, target)
