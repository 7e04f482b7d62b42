"""The rate of a board is not that of its core: driver, DMA or serial line come on top, or nobody knows."""

from __future__ import annotations

import pytest

from siliconv.hardware.boards import board
from siliconv.hardware.driver_times import driver_times
from siliconv.report.board_rate import rate_on_board, rate_on_line


def test_driver_and_dma_come_on_top_of_the_core():
    least, most = driver_times().transfer_us
    found = rate_on_board(board("pynq-z2"), 9.5, 7.2, "image")
    assert found.title == "Images a second on the TUL PYNQ-Z2"
    assert found.value == f"{1e6 / (9.5 + most):,.0f} to {1e6 / (9.5 + least):,.0f}"
    assert f"{least:g} to {most:g} µs for driver and DMA" in found.source
    assert f"With {round((least + most) / 2 / 7.2)} or more" in found.source
    assert "Not measured on this board" in found.source


def test_a_board_whose_transfers_nobody_measured_has_no_rate():
    found = rate_on_board(board("zcu102"), 9.5, 7.2, "input")
    assert (found.title, found.value) == ("Inputs a second on the AMD ZCU102", "not known")


@pytest.mark.parametrize(("image", "result", "rate"), [(64, 1, "1,511"), (1, 1, "40,000")])
def test_a_serial_line_sets_the_pace(image, result, rate):
    serial = {"bits_a_second": 1_000_000, "image_bytes": image, "result_bytes": result}
    latency = 5.0 if image == 1 else 12.0
    found = rate_on_line("ULX3S", serial, latency, "image")
    assert found.value == rate
    assert f"{image} bytes in" in found.source
