"""Every preset with both kinds of ports: clang takes its sources as synthesis reads them, and the test benches of core
and AXI-Stream top level run clean under sanitizers. Presets that no tool takes are refused before.
"""

from functools import cache
from types import SimpleNamespace

import pytest
from every_layer_kind import lowered
from synthesis_view import CLANG, clang_says, cut_long_initializers, make_says, views

from siliconv.checks.checks import examine
from siliconv.hardware.beat_format import beat_format
from siliconv.hardware.stream.stream_simulation import simulate
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.axi import write_axi
from siliconv.hls.conversion.conversion import convert
from siliconv.hls.conversion.testbench import write_testbench
from siliconv.hls.estimate.coefficients import shipped
from siliconv.hls.estimate.schedule import LOOP_OVERHEAD
from siliconv.hls.fifo.axi_ends import with_axi_ends
from siliconv.hls.fifo.sized_design import design_of, fifo_depths
from siliconv.hls.fifo.stream_actors import stream_graph
from siliconv.hls.kinds import Backend
from siliconv.models.architectures.presets import preset, preset_names
from siliconv.stages.hardware_estimate import estimate_network

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


@pytest.mark.parametrize(("name", "io_type"), [case for case in CASES if case not in REFUSED], ids=lambda value: value)
@pytest.mark.parametrize("strategy", ["resource", "latency"])
def test_images_follow_through_the_top_level_as_through_the_core_or_it_is_said(name, io_type, strategy):
    network, _ = network_of(name)
    config = HlsConfig(io_type=io_type, strategy=strategy)
    axi = estimate_network(network, config, shipped())["axi"]
    images, results = (beat_format(node.shape, node.type) for node in (network.input, network.output))
    beats = max(images.beats_of_image, results.beats_of_image)
    if io_type == "io_parallel":
        ends = beats + LOOP_OVERHEAD[Backend.VITIS]
        assert axi["steady_cycles"] == max(axi["core_steady_cycles"], ends)
        assert axi["limits"] == (ends > axi["core_steady_cycles"])
        return
    assert axi["steady_cycles"] == max(axi["core_steady_cycles"], beats)
    assert images.beats > 1 or results.beats > 1 or axi["steady_cycles"] == axi["core_steady_cycles"]
    # With the depths that are written, image by image.
    core = stream_graph(design_of(network, config))
    top = with_axi_ends(core, images, results)
    trace = simulate(top, images=3)
    assert not trace.deadlock
    (last,) = (number for number, actor in enumerate(top.actors) if actor.name == "axi.out")
    times = trace.ends[last]
    assert int(times[-1] - times[len(times) // 3 * 2 - 1]) == axi["steady_cycles"]


@pytest.mark.parametrize(("name", "io_type"), REFUSED, ids=map("-".join, REFUSED))
def test_what_no_tool_takes_is_refused_before_any_work(name, io_type, tmp_path):
    text = f"model: {{preset: {name}}}\nhls: {{io_type: {io_type}}}\ndata: {{source: npz, path: x.npz}}\n"
    (tmp_path / "project.yml").write_text(text)
    assert REFUSED[name, io_type] in {one.code for one in examine(tmp_path) if one.severity == "error"}
