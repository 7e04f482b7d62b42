"""Every preset with both kinds of ports: clang takes its sources as synthesis reads them, and the test benches of core
and AXI-Stream top level run clean under sanitizers. Presets that no tool takes are refused before.
"""

from functools import cache
from types import SimpleNamespace

import pytest
from every_layer_kind import lowered
from synthesis_view import CLANG, clang_says, cut_long_initializers, make_says, views

from siliconv.checks.checks import examine
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.axi import write_axi
from siliconv.hls.conversion.conversion import convert
from siliconv.hls.conversion.testbench import write_testbench
from siliconv.hls.fifo.sized_design import design_of, fifo_depths
from siliconv.models.architectures.presets import preset, preset_names

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("compiler")]

REFUSED = {
    ("lecture_flatten", "io_stream"): "UNROLL-VECTOR",
    **dict.fromkeys(
        [
            (name, "io_parallel")
            for name in ("lecture", "lecture_flatten", "lecture_strided", "lecture_average", "svhn", "resnet8")
        ],
        "PARALLEL-ARRAY",
    ),
}
"""Presets whose maps or vectors the tools cannot split into registers, and the check that says so."""
CASES = [(name, io_type) for name in preset_names() for io_type in ("io_stream", "io_parallel")]


@cache
def network_of(name):
    """The integer network of an untrained preset, and two inputs."""
    return lowered(preset(name), images=2)[1:]


@pytest.fixture(params=[case for case in CASES if case not in REFUSED], ids="-".join)
def made(request, tmp_path):
    """The sources of a preset, with two vectors and its AXI-Stream top level."""
    name, io_type = request.param
    network, codes = network_of(name)
    config = HlsConfig(io_type=io_type)
    convert(network, config, tmp_path, fifo_depths=fifo_depths(design_of(network, config)))
    write_testbench(network, codes, tmp_path, config)
    write_axi(network, config, tmp_path)
    return SimpleNamespace(folder=tmp_path, top=network.name)


def test_test_benches_pass_and_clang_takes_the_sources(made):
    for target in ("csim", "axi"):
        assert "PASS: 2 vectors" in make_says(made.folder, target)
    if CLANG is None:
        pytest.skip("no clang: pip install siliconv[clang]")
    cut_long_initializers(made.folder)
    for source, flags in views(made.top):
        ours = clang_says(made.folder, source, flags, "c++11")
        assert not ours, "\n".join(ours[:20])


@pytest.mark.parametrize(("name", "io_type"), REFUSED, ids=map("-".join, REFUSED))
def test_what_no_tool_takes_is_refused_before_any_work(name, io_type, tmp_path):
    text = f"model: {{preset: {name}}}\nhls: {{io_type: {io_type}}}\ndata: {{source: npz, path: x.npz}}\n"
    (tmp_path / "project.yml").write_text(text)
    assert REFUSED[name, io_type] in {one.code for one in examine(tmp_path) if one.severity == "error"}
