"""The page of the boards: what their devices hold, for which core, and where the figures are from."""

from __future__ import annotations

from markdown_text import cell

from siliconv.hardware.board_design.board_design import board_for
from siliconv.hardware.boards import boards

INTRODUCTION = """# Boards

`siliconv boards` prints the same table. A board is a name for `--board`; any other part can be written as `hls.part`.

- **Estimate** says whether resources are estimated for this vendor's devices.
- **Bitstream** says whether `siliconv build --bitstream` writes a block design for it. No bitstream was built with a
  real vendor tool so far.

This page is made from the source by `docs_site/write_pages.py`.

| board | device | LUT | FF | DSP | BRAM18 | URAM | clock ns | hls4ml back end | estimate | bitstream |
|---|---|---|---|---|---|---|---|---|---|---|
"""


def board_page() -> str:
    """Write the page."""
    rows, sources = [], []
    for one in boards():
        counts = " | ".join(f"{count:,}" for count in (one.lut, one.ff, one.dsp, one.bram18, one.uram))
        estimate, stream = (
            "yes" if told else "no" for told in (one.is_calibrated, board_for(one.part, one.name) is not None)
        )
        backend = one.backend or "none"
        rows.append(
            f"| `{one.name}` ({cell(one.title)}) | `{one.part}` | {counts} | {one.clock_ns:g} | {backend} | {estimate}"
            f" | {stream} |"
        )
        sources.append(f"| `{one.name}` | {cell(one.source)} | {cell(one.note)} |")
    title = "\n## Where the figures are from\n\n| board | source | note |\n|---|---|---|\n"
    return INTRODUCTION + "\n".join(rows) + "\n" + title + "\n".join(sources) + "\n"
