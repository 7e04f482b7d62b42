"""The AXI-Stream top level is as fast as its core where a pixel fits a beat, and is said to be slower where not."""

import pytest
from network_builder import NetworkBuilder
from residual_blocks import two_blocks

from siliconv.hardware.beat_format import beat_format
from siliconv.hardware.stream.steady_state import steady_interval
from siliconv.hardware.stream.stream_simulation import simulate
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.estimate.coefficients import shipped
from siliconv.hls.estimate.schedule import LOOP_OVERHEAD
from siliconv.hls.fifo.axi_ends import with_axi_ends
from siliconv.hls.fifo.sized_design import design_of
from siliconv.hls.fifo.stream_actors import stream_graph
from siliconv.network.fixed_point import FixedPoint
from siliconv.stages.hardware_estimate import estimate_network


def ends(network):
    return [beat_format(node.shape, node.type) for node in (network.input, network.output)]


@pytest.mark.parametrize("strategy", ["latency", "resource"])
@pytest.mark.parametrize("backend", ["Vitis", "Vivado"])
@pytest.mark.parametrize("make", [lambda: NetworkBuilder((12, 12, 3)).conv(4, (3, 3)).relu(6, 2).network(), two_blocks])
def test_images_follow_as_closely_as_those_of_the_core(make, backend, strategy):
    network = make()
    design = design_of(network, HlsConfig(backend=backend, strategy=strategy))
    core = stream_graph(design)
    images, results = ends(network)
    assert images.beats == results.beats == 1
    top = with_axi_ends(core, images, results)
    assert steady_interval(top) == steady_interval(core)
    # With the real depths too, image by image: every result leaves a few cycles later, and no two further apart.
    alone, around = (simulate(one, images=3) for one in (core, top))
    assert not around.deadlock
    last = [actor.name for actor in top.actors].index("axi.out")
    writers = {fifo.writer for fifo in core.fifos}
    (end,) = (number for number, actor in enumerate(core.actors) if actor.name not in writers)
    times, ours = alone.ends[end], around.ends[last]
    per_image = len(ours) // 3
    spaced = [int(ours[3 * per_image - 1] - ours[2 * per_image - 1]), int(times[-1] - times[len(times) // 3 * 2 - 1])]
    assert spaced[0] == spaced[1]


def test_a_pixel_of_several_beats_slows_the_top_level_down_and_is_said():
    builder = NetworkBuilder((8, 8, 40), input_type=FixedPoint(True, 30, 15))
    network = builder.conv(4, (1, 1)).network()
    images, _results = ends(network)
    assert images.beats == 3
    config = HlsConfig(strategy="latency", backend="Vivado")
    core = stream_graph(design_of(network, config))
    assert steady_interval(core) < 3 * 64
    assert steady_interval(with_axi_ends(core, *ends(network))) == 3 * 64
    content = estimate_network(network, config, shipped())
    assert content["axi"]["limits"]
    assert content["axi"]["steady_cycles"] == 3 * 64 > content["axi"]["core_steady_cycles"]
    # Beats of 512 bits on their way, pixels of 40 codes of 30 bits.
    assert content["axi"]["ff"] > 2 * 512 + 40 * 30
    narrow = estimate_network(NetworkBuilder((8, 8, 1)).conv(4, (1, 1)).network(), config, shipped())["axi"]
    assert 0 < narrow["lut"] < content["axi"]["lut"]
    assert 0 < narrow["ff"] < content["axi"]["ff"]


@pytest.mark.parametrize("backend", ["Vitis", "Vivado"])
@pytest.mark.parametrize(
    ("make", "strategy"),
    [
        (
            lambda: NetworkBuilder((8, 8, 1)).conv(4, (3, 3)).relu(6, 2).max_pool(2, 2).flatten().dense(3).network(),
            "resource",
        ),
        (lambda: NetworkBuilder((16,)).dense(8).relu(6, 2).dense(4).network(), "resource"),
        (lambda: NetworkBuilder((16,)).dense(8).relu(6, 2).dense(4).network(), "latency"),
    ],
    ids=["image", "vector", "pipelined vector"],
)
def test_images_of_an_array_core_follow_as_closely_as_the_core_takes_them_or_it_is_said(make, strategy, backend):
    network = make()
    axi = estimate_network(network, HlsConfig(backend=backend, strategy=strategy, io_type="io_parallel"), shipped())[
        "axi"
    ]
    beats = max(axi["input_beats"], axi["output_beats"])
    assert axi["steady_cycles"] >= max(beats, axi["core_steady_cycles"])
    assert axi["limits"] == (axi["steady_cycles"] > axi["core_steady_cycles"])
    slow_ends = beats + LOOP_OVERHEAD[backend]
    assert axi["steady_cycles"] == max(axi["core_steady_cycles"], slow_ends)
    if strategy == "latency":
        assert axi["core_steady_cycles"] == 1
        assert axi["limits"], "a loop that starts anew for each vector is slower than a pipeline"


def test_a_transfer_of_few_images_is_mostly_the_drivers():
    network = NetworkBuilder((8, 8, 1)).conv(2, (3, 3)).network()
    content = estimate_network(network, HlsConfig(), shipped())
    least, most = content["on_a_board"]["transfer_us"]
    assert 200 < least < most < 300
    alone = content["on_a_board"]["one_image_us"]
    assert alone[0] == round(content["latency_cycles"]["value"] * content["clock_ns"] / 1e3 + least, 1)
    assert content["on_a_board"]["images_for_half_the_rate"] > 10
