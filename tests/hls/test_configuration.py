"""The firmware's settings: a project is for the board that it names, also where another carries the same device."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from siliconv.errors import FirmwareError
from siliconv.hardware.board_design.board_design import board_for
from siliconv.hardware.boards import board, boards
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.fit.settings import without_settings
from siliconv.rtl.configuration import BLOCK_DESIGNS, FAMILY_OF_BOARD, BoardName, RtlConfig
from siliconv.rtl.fit.rtl_fit import device_of, family_of


@pytest.mark.parametrize("name", [one.name for one in boards()])
def test_a_board_brings_its_part_and_its_clock_and_is_the_one_that_is_named(name):
    config = HlsConfig(board=name)
    assert (config.part, config.clock_ns) == (board(name).part, board(name).clock_ns)
    assert config.device == board(name)
    assert without_settings(HlsConfig(), board(name)).device == board(name)


def test_without_a_name_it_is_the_first_board_with_the_part():
    assert HlsConfig().device.name == "zcu104"
    assert HlsConfig(part="xc7k325tffg900-2").device is None
    assert HlsConfig(board="ZCU106", clock_ns=4).model_dump()["board"] == "zcu106"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"board": "zcu107"}, "did you mean zcu10"),
        (
            {"board": "zcu106", "part": "xc7z020clg400-1"},
            "board: zcu106 carries xczu7ev-ffvc1156-2-e, and part: says",
        ),
    ],
)
def test_a_board_that_is_none_or_carries_another_part_is_refused(said, why):
    with pytest.raises(ValidationError, match=why):
        HlsConfig(**said)


def test_the_core_in_systemverilog_knows_every_board_that_it_is_counted_on():
    families = {"ulx3s": "ecp5"}
    for one in boards():
        try:
            family = family_of(one)
        except FirmwareError:
            continue
        if family != "ecp5":
            families[one.name] = family
    assert families == FAMILY_OF_BOARD
    assert set(BoardName.__args__) == set(families)
    assert {one.name for one in boards() if one.processing_system} == set(BLOCK_DESIGNS)


def test_the_core_in_systemverilog_is_judged_on_the_board_that_is_named():
    config = RtlConfig(board="zcu106", family="xcup")
    assert device_of(config) == board("zcu106")
    assert config.block_design is None, "that of the ZCU104 is for another board"
    assert RtlConfig(board="zcu104", family="xcup").block_design == ("zcu104", 150.0)
    assert board_for(HlsConfig(board="zcu106").part, "zcu106") is None
