"""The cycle model on its own: intervals by formula, and stalls that it names."""

import numpy as np
import pytest
from rtl_designs import one_of_each_kind, random_design
from small_network import small_network

from siliconv.errors import WorkSaysNoError
from siliconv.network import graph as ir
from siliconv.network.fixed_point import FixedPoint
from siliconv.rtl.cycles.cycle_model import cycles
from siliconv.rtl.cycles.pauses import Pauses
from siliconv.rtl.plan.blocks import Mvu, Pool
from siliconv.rtl.plan.lanes import Lanes, lanes_for_interval
from siliconv.rtl.plan.planning import plan


@pytest.mark.parametrize(("pin", "pout", "expected"), [(1, 1, 12), (2, 1, 6), (4, 1, 3), (4, 3, 1), (1, 3, 4)])
def test_a_dense_layer_takes_its_products_by_its_lanes(pin, pout, expected):
    found = cycles(plan(small_network(), {"dense": Lanes(pin, pout)}), 50)
    assert found.interval == expected


def test_the_interval_is_the_slowest_block_where_rings_are_deep():
    for network in one_of_each_kind():
        design = plan(network, lanes_for_interval(network, 40))
        busy = [block.window.busy for block in design.blocks if isinstance(block, Mvu | Pool)]
        assert cycles(design, 30).interval >= max(busy, default=1)


def test_a_branch_that_keeps_too_little_stops_the_stream():
    image = ir.Input("image", (), (6, 12, 1), FixedPoint(False, 4, 4))
    kernel = ir.Weights(np.ones((3, 3, 1, 1), np.int64), FixedPoint(True, 2, 2))
    bias = ir.Weights(np.zeros(1, np.int64), FixedPoint(True, 2, 2))
    padding = ((1, 1), (1, 1))
    conv = ir.Conv("conv", ("image",), image.shape, FixedPoint(False, 8, 8), kernel, bias, (1, 1), padding)
    network = ir.Network(
        "residual", (image, conv, ir.Add("sum", ("conv", "image"), image.shape, FixedPoint(False, 9, 9)))
    )
    design = plan(network, {})
    branch = next(block.name for block in design.blocks if block.name.endswith("1_branch"))
    assert cycles(design, 2).given
    with pytest.raises(WorkSaysNoError) as caught:
        cycles(plan(network, {}, rings={branch: 4}), 2)
    assert caught.value.code == "RTL-DEADLOCK"
    assert cycles(plan(network, {}, rings={branch: 16}), 2).interval == cycles(design, 2).interval


def test_pauses_are_open_as_often_as_said():
    pauses, cycle, opened = Pauses(3, 75), 0, 0
    while cycle < 10000:
        cycle = pauses.open_from(cycle) + 1
        opened += 1
    assert 2300 < opened < 2700
    assert Pauses(3, 0).open_from(17) == 17


def test_every_word_moves_after_the_one_before():
    for number, network in enumerate(one_of_each_kind()):
        found = cycles(random_design(network, number), 3, pauses=(30, 30))
        assert all((np.diff(times) > 0).all() for times in found.moved.values())
        assert all(len(times) % 3 == 0 for times in found.moved.values())


def test_a_stall_is_an_error(monkeypatch):
    from siliconv.rtl.cycles import wires

    monkeypatch.setattr(wires.Credits, "known", lambda self: False)
    with pytest.raises(WorkSaysNoError) as caught:
        cycles(plan(small_network(), {}), 1)
    assert caught.value.code == "RTL-DEADLOCK"
