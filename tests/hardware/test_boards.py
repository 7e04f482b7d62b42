"""Boards: the ones that are promised, with plausible figures, found by name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siliconv.errors import ProjectError
from siliconv.hardware import boards, devices

PROMISED = {
    *("pynq-z2", "zcu102", "zcu104", "zcu106", "kv260", "ultra96-v2", "arty-a7-35t", "arty-a7-100t"),
    *("alveo-u50", "alveo-u200", "alveo-u250", "alveo-u55c", "vu13p", "de10-nano", "ecp5-evn", "ulx3s-85f"),
}


def test_the_promised_boards_are_there():
    assert {one.name for one in boards.boards()} >= PROMISED


@pytest.mark.parametrize("one", boards.boards(), ids=lambda one: one.name)
def test_figures_are_plausible_and_have_a_source(one):
    assert one.source
    assert 10_000 < one.lut <= one.ff <= 4 * one.lut
    assert 0 < one.dsp < 13_000
    assert 50 < one.bram18 < 6_000
    assert 0 <= one.uram < 1_500
    assert 2 <= one.clock_ns <= 50
    assert one.backend in ("Vitis", "Vivado", "VivadoAccelerator", "Quartus", "")
    if one.vendor == "AMD":
        assert devices.family_of(one.part).name in ("series7", "ultrascale+")


def test_devices_whose_figures_a_vendor_report_states():
    """Available resources as Vitis HLS 2024.1 (U250) and Vivado HLS 2020.1 (Zynq 7020) print them."""
    u250 = boards.board("alveo-u250")
    assert (u250.bram18, u250.dsp, u250.ff, u250.lut, u250.uram) == (5376, 12288, 3456000, 1728000, 1280)
    pynq = boards.board("PYNQ_Z2")
    assert (pynq.bram18, pynq.dsp, pynq.ff, pynq.lut) == (280, 220, 106400, 53200)


def test_an_unknown_board_names_the_nearest():
    with pytest.raises(ProjectError, match="zcu104") as caught:
        boards.board("zcu105")
    assert caught.value.code == "BOARD-UNKNOWN"


@given(st.sampled_from(boards.RESOURCES), st.integers(0, 10**7))
def test_shares(resource, used):
    one = boards.board("pynq-z2")
    share = one.shares({resource: used})[resource]
    if getattr(one, resource):
        assert share == used / getattr(one, resource)
    else:
        assert share == (float("inf") if used else 0.0)
