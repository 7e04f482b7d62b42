"""What networks become: every kind has its blocks, streams fit together, what can be fused is."""

import dataclasses
from collections import Counter
from math import prod

import pytest
from rtl_designs import WITHOUT_BLOCK, drawn, one_of_each_kind, random_design
from several_network import crossing
from small_network import small_network
from strategies import networks

from siliconv.errors import FirmwareError
from siliconv.network import graph as ir
from siliconv.network.fixed_point import FixedPoint
from siliconv.rtl.plan.blocks import Mvu, Pool
from siliconv.rtl.plan.fusing import units_of
from siliconv.rtl.plan.lanes import Lanes, cycles_of, lanes_for_interval
from siliconv.rtl.plan.planning import plan


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


@pytest.mark.parametrize("kind", WITHOUT_BLOCK)
def test_a_kind_without_a_block_is_refused_by_name(kind):
    network = drawn(networks(first=kind, most=1), 2, seed=1, with_blocks=False)[-1]
    with pytest.raises(FirmwareError) as caught:
        plan(network, {})
    assert caught.value.code == "RTL-NODE-KIND"
    assert kind.__name__ in caught.value.what
