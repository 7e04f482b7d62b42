"""What networks become: every kind has its blocks, streams fit together, what can be fused is."""

import dataclasses
from collections import Counter
from math import prod
from typing import get_args

import numpy as np
import pytest
from network_builder import NetworkBuilder
from rtl_designs import one_of_each_kind, random_design
from several_network import crossing
from small_network import small_network

from siliconv.errors import FirmwareError
from siliconv.network import graph as ir
from siliconv.network.fixed_point import FixedPoint
from siliconv.network.intervals import Bounds, sum_of_products_type
from siliconv.rtl.configuration import RtlConfig
from siliconv.rtl.design.logic_products import with_at_most
from siliconv.rtl.design.rtl_design import unsized_design
from siliconv.rtl.plan import planning
from siliconv.rtl.plan.block_memories import RomKind
from siliconv.rtl.plan.blocks import Mvu, Pool
from siliconv.rtl.plan.fusing import units_of
from siliconv.rtl.plan.lanes import Lanes, cycles_of, lanes_for_interval
from siliconv.rtl.plan.planning import plan
from siliconv.rtl.resources.design_parts import parts_of
from siliconv.rtl.resources.memory_choice import block_memories
from siliconv.rtl.resources.multiplier_count import multipliers
from siliconv.rtl.writing.instances import parameters


def test_several_inputs_or_outputs_are_refused_by_name():
    with pytest.raises(FirmwareError, match="RTL-PORTS"):
        plan(crossing(), {})


@pytest.fixture(scope="module")
def designs():
    return [random_design(network, number) for number, network in enumerate(one_of_each_kind())]


def test_every_stream_has_one_writer_and_one_reader(designs):
    for design in designs:
        written = Counter(stream.name for stream in design.streams)
        read = Counter(stream.name for block in design.blocks for stream in block.inputs)
        assert set(written.values()) == {1}
        assert {**read, design.sink.name: 1} == written


def test_every_stream_carries_all_elements_of_its_node(designs):
    for design in designs:
        for stream in design.streams:
            shape = design.network.by_name[stream.node].shape
            assert stream.lanes * stream.words == prod(shape)


def test_a_ring_holds_a_window(designs):
    windows = [block.window for design in designs for block in design.blocks if isinstance(block, Mvu | Pool)]
    assert windows
    assert all(1 << window.log_ring >= window.need for window in windows)


def test_a_requantize_is_the_end_of_what_it_alone_reads():
    (block,) = plan(small_network(), {}).blocks
    assert isinstance(block, Mvu)
    assert block.finish.requantize
    assert block.outputs[0].node == "relu"


def test_a_requantize_of_what_has_more_readers_stands_alone():
    network = small_network()
    dense = network.by_name["dense"]
    other = ir.Requantize("other", ("dense",), (3,), FixedPoint(True, 9, 4), relu=False)
    both = ir.Concatenate("both", ("relu", "other"), (6,), FixedPoint(True, 12, 6))
    more = dataclasses.replace(network, nodes=(*network.nodes, other, both))
    kinds = Counter(type(block).__name__ for block in plan(more, {}).blocks)
    assert kinds["Convert"] == 2
    assert kinds["Copy"] == 1
    assert [unit.node.name for unit in units_of(more)] == [dense.name, "relu", "other", "both"]


def test_what_does_not_lead_to_the_output_is_left_out():
    network = small_network()
    side = ir.Requantize("side", ("dense",), (3,), FixedPoint(True, 9, 4), relu=False)
    nodes = (*network.nodes[:2], side, network.nodes[2])
    assert [unit.output for unit in units_of(dataclasses.replace(network, nodes=nodes))] == ["dense", "relu"]


def test_lanes_that_do_not_divide_are_refused():
    with pytest.raises(FirmwareError) as caught:
        plan(small_network(), {"dense": Lanes(3, 1)})
    assert caught.value.code == "RTL-LANES"
    assert "dense" in caught.value.where


def test_names_are_identifiers_however_nodes_are_called():
    network = small_network()
    strange = dataclasses.replace(network.nodes[1], name="größe / 2__x")
    relu = dataclasses.replace(network.nodes[2], inputs=(strange.name,))
    design = plan(dataclasses.replace(network, nodes=(network.nodes[0], strange, relu)), {})
    names = [stream.name for stream in design.streams] + [block.name for block in design.blocks]
    assert all(name.isascii() and name.isidentifier() and "__" not in name for name in names)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("interval", [1, 3, 4, 6, 12, 100])
def test_lanes_are_the_fewest_that_keep_up(interval):
    network = small_network()
    lanes = lanes_for_interval(network, interval)["dense"]
    products = lanes.pin * lanes.pout
    reached = cycles_of(network.by_name["dense"], network, lanes)
    assert reached <= max(interval, 1)
    fewer = [Lanes(pin, pout) for pin in (1, 2, 4) for pout in (1, 3) if pin * pout < products]
    assert all(cycles_of(network.by_name["dense"], network, one) > interval for one in fewer)


@pytest.mark.parametrize("lanes", [Lanes(1, 2), Lanes(4, 4), Lanes(1, 1, 2)])
def test_what_has_no_weights_takes_as_many_channels_as_it_gives(lanes):
    network = small_network()
    relu = network.nodes[2]
    read_twice = dataclasses.replace(relu, name="other", type=FixedPoint(True, 9, 4))
    both = ir.Add("both", ("relu", "other"), (3,), FixedPoint(True, 20, 15))
    more = dataclasses.replace(network, nodes=(*network.nodes, read_twice, both))
    with pytest.raises(FirmwareError) as caught:
        plan(more, {"both": lanes})
    assert caught.value.code == "RTL-LANES"


def test_a_kind_without_a_block_is_refused_by_name(monkeypatch):
    class Unheard(ir.Node):
        """A kind that nobody knows."""

    network = small_network()
    unknown = Unheard("last", ("relu",), network.output.shape, network.output.type)
    monkeypatch.setattr(planning, "prove", lambda network: {})
    with pytest.raises(FirmwareError) as caught:
        plan(dataclasses.replace(network, nodes=(*network.nodes, unknown)), {})
    assert caught.value.code == "RTL-NODE-KIND"
    assert "Unheard" in caught.value.what


def test_pixels_share_weights_where_that_saves_block_memories():
    network = convolution_network(24, 16, 64)
    node = network.by_name["conv"]
    alone, halved = Lanes(16, 8), lanes_for_interval(network, 24 * 24 * 36)["conv"]
    assert cycles_of(node, network, alone) == 2 * cycles_of(node, network, halved) == 24 * 24 * 72
    assert halved.products == 2 * alone.products
    assert halved.pixels > 1
    taken = [block_memories(plan(network, {"conv": lanes}).blocks, "ecp5") for lanes in (alone, halved)]
    assert taken[1] <= 1.1 * taken[0]
    one_by_one = Lanes(16, 16)
    assert block_memories(plan(network, {"conv": one_by_one}).blocks, "ecp5") > 1.3 * taken[1]


def test_constants_stand_where_they_are_asked_to():
    """48 words of weights are block memory by themselves, the 12 words of the bias are not."""
    network, lanes = small_network(2400), {"dense": Lanes(1, 200)}
    taken = {}
    for kind in get_args(RomKind):
        (block,) = plan(network, lanes, roms={"dense": kind}).blocks
        assert parameters(block)[1].get("SmallRom") == {"auto": None, "block": 1, "distributed": 2**31 - 1}[kind]
        taken[kind] = block_memories((block,), "ecp5")
    assert 0 == taken["distributed"] < taken["auto"] < taken["block"]
    (block,) = unsized_design(network, RtlConfig(interval=48, rom={"dense": "distributed"})).blocks
    assert block.rom == "distributed"
    assert block.weight_bank == 512


def test_a_kind_of_rom_wants_constants_and_a_layer():
    with pytest.raises(FirmwareError, match="RTL-ROM") as caught:
        plan(NetworkBuilder((4, 4, 1)).max_pool(2, 2).network(), {}, roms={"max_pool_1": "block"})
    assert "max_pool_1" in caught.value.where
    with pytest.raises(FirmwareError, match="RTL-LAYER") as caught:
        unsized_design(small_network(), RtlConfig(rom={"nobody": "block"}))
    assert "rtl.rom" in caught.value.where


@pytest.mark.parametrize("most", [0, 1, 9, 20, 31, 32, 100])
def test_products_in_look_up_tables_leave_as_many_multipliers_as_are_allowed(most):
    network = convolution_network(4, 4, 8)
    design = plan(network, {"conv": Lanes(4, 8)})
    assert multipliers(design.blocks, "ecp5") == 32
    moved = with_at_most(design, most, "ecp5")
    assert multipliers(moved.blocks, "ecp5") == min(most, 32)
    sums = [parts_of(one.blocks, "ecp5")[1]["logic_sum"] for one in (design, moved)]
    assert sums[1] >= sums[0] + max(32 - most, 0)


def convolution_network(size, channels, outputs):
    rng = np.random.default_rng(0)
    image = ir.Input("image", (), (size, size, channels), FixedPoint(False, 6, 0))
    kernel = ir.Weights(rng.integers(-32, 31, (3, 3, channels, outputs), endpoint=True), FixedPoint(True, 6, 0))
    bias = ir.Weights(np.zeros(outputs, np.int64), FixedPoint(True, 6, 0))
    ends = Bounds(np.zeros(channels, np.int64), np.full(channels, 63))
    kind = sum_of_products_type(kernel, bias, ends, image.type)
    conv = ir.Conv("conv", ("image",), (size, size, outputs), kind, kernel, bias, (1, 1), ((1, 1), (1, 1)))
    return ir.Network("convolved", (image, conv))
