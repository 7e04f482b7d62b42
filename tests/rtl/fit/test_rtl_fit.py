"""The search for a board: the fastest that fits, the smallest that reaches a rate, and nothing where nothing does."""

from dataclasses import replace

import pytest
from small_network import small_network

from siliconv.errors import FirmwareError
from siliconv.hardware.boards import board
from siliconv.rtl.cycles.cycle_model import cycles
from siliconv.rtl.fit.rtl_fit import choices, chosen_of, family_of

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


def test_a_small_device_takes_a_slow_design():
    tiny = replace(board("ulx3s-85f"), dsp=3)
    found = choices(NETWORK, tiny, 100.0)
    one = chosen_of(found, None, None)
    assert one.cells.dsp <= 3
    assert not found[-1].fits
    assert found[-1].binding[0] == "dsp"


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
