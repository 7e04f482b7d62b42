"""How many images a second a board takes: the core, and what the way into it and out of it adds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from siliconv.hardware.boards import Board
from siliconv.hardware.driver_times import driver_times
from siliconv.report.figures import Figure, three_digits

_BITS_OF_BYTE = 10
"""On a serial line, with start and stop."""


def rate_on_board(board: Board, latency_us: float, interval_us: float, thing: str) -> Figure:
    """Say what is known of the rate of a board whose processor feeds the core.

    Parameters
    ----------
    board
        The board.
    latency_us, interval_us
        Of the core: of one image, and from image to image in a long stream.
    thing
        The word for one of the data.
    """
    title = f"{thing.capitalize()}s a second on the {board.title}"
    if not board.processing_system:
        said = "the core alone is not the board: siliconv knows no transfer time for this one, which comes on top"
        return Figure(title, "not known", "", said)
    known = driver_times()
    least, most = known.transfer_us
    enough = max(round((least + most) / 2 / interval_us), 1)
    said = (
        f"one {thing} in each transfer: {least:g} to {most:g} µs for driver and DMA, and the core. With {enough:,} or "
        f"more in a transfer it is at least half of the core's rate. Not counted: what the processor does with "
        f"{thing}s before and after. Not measured on this board, but in {known.source.partition(':')[0]}"
    )
    slowest, fastest = (1e6 / (latency_us + one) for one in (most, least))
    return Figure(title, f"{slowest:,.0f} to {fastest:,.0f}", "", said)


def rate_on_line(title: str, serial: Mapping[str, Any], latency_us: float, thing: str) -> Figure:
    """Say what rate a serial line leaves of the core's: an image goes in, and its result comes back.

    Parameters
    ----------
    title
        Of the board.
    serial
        As ``plan.json`` has it: bits a second, bytes of an image and of its result.
    latency_us
        Of the core.
    thing
        The word for one of the data.
    """
    sent, returned, speed = serial["image_bytes"], serial["result_bytes"], serial["bits_a_second"]
    line_us = _BITS_OF_BYTE * (sent + returned) / speed * 1e6
    said = (
        f"through its serial line, one {thing} after the other: {sent:,} bytes in and {returned:,} out at {speed:,} "
        f"bits a second take {three_digits(line_us)} µs, the core {three_digits(latency_us)} µs. Computed, not measured"
    )
    return Figure(f"{thing.capitalize()}s a second on the {title}", f"{1e6 / (line_us + latency_us):,.0f}", "", said)
