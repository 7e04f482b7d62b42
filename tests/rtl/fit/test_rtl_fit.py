"""The search for a board: the fastest that fits, the smallest that reaches a rate, and nothing where nothing does."""

from dataclasses import replace

import pytest
from small_network import small_network

from siliconv.errors import FirmwareError
from siliconv.hardware.boards import board
from siliconv.rtl.configuration import RtlConfig
from siliconv.rtl.cycles.cycle_model import cycles
from siliconv.rtl.design.rtl_design import unsized_design
from siliconv.rtl.fit.rtl_fit import choices, chosen_of, family_of
from siliconv.rtl.resources.predicted_cells import predicted

NETWORK = small_network(12)


@pytest.fixture(scope="module")
def found():
    return choices(NETWORK, board("ulx3s-85f"), 100.0)


def test_choices_go_from_slow_to_fast_and_take_more(found):
    assert len(found) > 3
    assert [one.interval for one in found] == sorted((one.interval for one in found), reverse=True)
    assert found[-1].cells.dsp > found[0].cells.dsp
    assert found[-1].interval == 1


def test_the_interval_is_that_of_the_cycle_model_where_rings_are_deep(found):
    for one in found:
        assert cycles(one.design, 40).interval == pytest.approx(one.interval, rel=0.3)


def test_what_is_asked_for_is_reached_by_the_slowest_that_does(found):
    assert chosen_of(found, None, None) is found[-1]
    one = chosen_of(found, 5e6, None)
    assert one.images_per_second >= 5e6
    slower = [other for other in found if other.interval > one.interval]
    assert all(other.images_per_second < 5e6 for other in slower)
    assert chosen_of(found, 1e9, None) is None
    assert chosen_of(found, None, found[1].latency_us).latency_us <= found[1].latency_us
    assert chosen_of(found, None, 0.0) is None


def test_products_that_find_no_multiplier_stand_in_look_up_tables():
    tiny = replace(board("ulx3s-85f"), dsp=3)
    found = choices(NETWORK, tiny, 100.0)
    assert found[0].multipliers is None
    assert found[-1].multipliers == found[-1].cells.dsp == 3
    assert found[-1].cells.lut > choices(NETWORK, board("ulx3s-85f"), 100.0)[-1].cells.lut
    again = unsized_design(NETWORK, RtlConfig(interval=found[-1].interval, multipliers=3))
    assert predicted(again, "ecp5") == found[-1].cells


def test_weights_that_find_no_block_memory_stand_in_look_up_tables():
    network = small_network(2400)
    whole = choices(network, board("ulx3s-85f"), 100.0)
    few = choices(network, replace(board("ulx3s-85f"), bram18=1), 100.0)
    assert any(one.cells.block_memory for one in whole)
    moved = next(one for one in few if one.roms)
    assert moved.roms == {"dense": "distributed"}
    assert moved.cells.block_memory == 0
    assert moved.cells.lut > next(one for one in whole if one.interval == moved.interval).cells.lut
    again = unsized_design(network, RtlConfig(interval=moved.interval, rom=dict(moved.roms)))
    assert predicted(again, "ecp5") == moved.cells


def test_a_small_device_takes_a_slow_design():
    tiny = replace(board("ulx3s-85f"), dsp=3, lut=600)
    found = choices(NETWORK, tiny, 100.0)
    one = chosen_of(found, None, None)
    assert one.cells.lut <= 0.8 * 600
    assert not found[-1].fits
    assert found[-1].binding[0] == "lut"


def test_families_by_device():
    assert [family_of(board(name)) for name in ("ulx3s-85f", "pynq-z2", "zcu104", "kv260", "alveo-u250")] == [
        "ecp5",
        "xc7",
        "xcup",
        "xcup",
        "xcup",
    ]
    with pytest.raises(FirmwareError) as caught:
        family_of(board("de10-nano"))
    assert caught.value.code == "RTL-BOARD"
