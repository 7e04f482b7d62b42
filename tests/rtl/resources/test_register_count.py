"""Flip-flops are counted from the sources: what becomes a shift register, or part of a multiplier, or no counter."""

from dataclasses import replace

import numpy as np
import pytest
from network_builder import NetworkBuilder
from small_network import small_network

from siliconv.rtl.plan.blocks import Mvu, Window
from siliconv.rtl.plan.lanes import Lanes
from siliconv.rtl.plan.planning import plan
from siliconv.rtl.resources.constant_bits import distinct_columns, is_held
from siliconv.rtl.resources.register_count import (
    chain,
    counter,
    registers_of,
    released_kinds,
    rounded_bits,
    sums_in_multiplier,
    tree_bits,
    window_counters,
)

VALID = Window((8, 8), 2, (0, 0), (0, 0), (3, 3), (1, 1), (6, 6), 4, False)


def test_a_long_chain_is_a_shift_register_where_there_are_such():
    assert chain(5, 3, "xc7") == {"srl": 5}
    assert chain(5, 2, "xc7") == {"ff": 10}
    assert chain(5, 3, "ecp5") == {"ff": 15}


@pytest.mark.parametrize(
    ("count", "width", "bits"), [(1, 8, (0, 0)), (2, 8, (9, 9)), (3, 4, (11, 15)), (4, 4, (16, 16))]
)
def test_a_tree_gets_wider_level_by_level(count, width, bits):
    assert tree_bits(count, width) == bits


def test_a_counter_of_two_values_is_its_own_flag():
    assert [counter(count) for count in (1, 2, 3, 4, 5, 16)] == [2, 1, 3, 3, 4, 5]


def test_counters_that_lead_to_nothing_are_gone():
    assert window_counters(VALID) == [6, 3, 4, 6, 6]
    assert window_counters(replace(VALID, before=(0, 1), out=(6, 7))) == [6, 3, 4, 2, 9, 7, 6]
    assert window_counters(replace(VALID, before=(1, 1), after=(1, 1), out=(8, 8))) == [6, 3, 4, 2, 10, 10, 8, 8]
    dense = Window((1, 5), 7, (0, 0), (0, 0), (1, 1), (1, 1), (1, 5), 3, False)
    assert (released_kinds(dense), window_counters(dense)) == (1, [7, 1, 3])
    assert released_kinds(VALID) == 3


def test_constants_that_an_address_bit_decides():
    assert is_held(np.array([0, 1, 0, 1, 1]))
    assert not is_held(np.array([0, 1, 0, 1, 1, 0]))
    assert not is_held(np.array([0, 0, 1, 1]))
    assert is_held(np.array([0, 1, 1, 1]))
    columns = distinct_columns(np.array([[3, 3, 0], [1, 1, 0], [2, 2, 0]]), 3)
    assert sorted(columns.tolist()) == [[1, 0, 1], [1, 1, 0]]


def test_a_single_product_is_summed_inside_its_multiplier_on_xilinx_alone():
    (block,) = plan(small_network(12), {}).blocks
    assert isinstance(block, Mvu)
    assert sums_in_multiplier(block, "xc7")
    assert not sums_in_multiplier(block, "ecp5")
    assert not sums_in_multiplier(replace(block, logic=1), "xc7")
    wide = plan(small_network(12), {"dense": Lanes(2, 1)}).blocks[0]
    assert not sums_in_multiplier(wide, "xc7")
    few = registers_of((block,), "xc7")["ff"] + block.node.type.width
    assert few < registers_of((block,), "ecp5")["ff"]


def test_only_bits_that_are_looked_at_are_rounded():
    (block,) = plan(small_network(12), {}).blocks
    finish = block.finish
    assert rounded_bits(finish) == finish.source.width - 1 - finish.drop + 1
    assert rounded_bits(replace(finish, relu=False)) == finish.source.width - finish.drop + 1


def test_a_register_behind_a_fifo_takes_its_address_over():
    """A window keeps a word as it comes, what changes lanes does not: the address is there twice."""
    network = NetworkBuilder((6, 6, 2)).conv(4, (3, 3)).relu().max_pool(2, 2).network()
    same = plan(network, {"conv_1": Lanes(2, 2), "max_pool_1": Lanes(2, 2)}).blocks
    changed = plan(network, {"conv_1": Lanes(2, 2), "max_pool_1": Lanes(1, 1)}).blocks
    (first, *_), (other, narrower, *_) = same, changed
    assert registers_of((first, same[1]), "ecp5")["ff"] - registers_of((same[1],), "ecp5")["ff"] == (
        registers_of((other, narrower), "ecp5")["ff"] - registers_of((narrower,), "ecp5")["ff"] - first.finish.log_depth
    )
