"""Tops for boards: a network on the serial line of a ULX3S, its pins, and the script at the other end of the line."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

from siliconv.rtl.plan.blocks import RtlDesign
from siliconv.rtl.writing.top_level import render

BAUD = 1_000_000
"""Bits a second of the serial line."""


@dataclass(frozen=True)
class BoardTop:
    """A board: the module and the folder of its own files, its device, its clock, the file of its pins."""

    module: str
    part: str
    clock_mhz: int
    pins_file: str

    @property
    def pins(self) -> str:
        """The constraints for nextpnr."""
        return resources.files("siliconv.rtl.writing").joinpath("templates", self.pins_file).read_text("utf-8")


BOARD_TOPS = {"ulx3s": BoardTop("ulx3s_top", "LFE5U-85F-6BG381", 25, "ulx3s.lpf")}
"""By the name that `rtl.board` has."""


def serial_bytes(design: RtlDesign) -> dict[str, int]:
    """Give what goes over the serial line: its bits a second, the bytes of an image and of its result."""
    source, sink = design.source, design.sink
    return {
        "bits_a_second": BAUD,
        "image_bytes": source.words * -(-source.bits // 8),
        "result_bytes": sink.words * -(-sink.bits // 8),
    }


def board_files(design: RtlDesign) -> dict[str, str]:
    """Give the files for all boards by their path in a project."""
    found = {}
    for name, board in BOARD_TOPS.items():
        facts = {
            "design": design,
            "source": design.source,
            "sink": design.sink,
            "baud": BAUD,
            "cycles_per_bit": board.clock_mhz * 1_000_000 // BAUD,
            "kept_in": design.source.kept_bytes,
            "kept_out": design.sink.kept_bytes,
        }
        found[f"{name}/{board.module}.sv"] = render(f"{board.module}.sv.j2", **facts)
        found[f"{name}/{board.pins_file}"] = board.pins
        found[f"{name}/check_board.py"] = render("serial_check.py.j2", **facts)
    return found
