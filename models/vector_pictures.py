"""Matplotlib figures as SVG that stands in a page: its colours and its font, texts that show when pointed at."""

from __future__ import annotations

import io
import re
from pathlib import Path

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

_COLOURS = {
    "#000000": "currentColor",
    "#ffffff": "var(--paper, #ffffff)",
    "#b0b0b0": "var(--line, #b0b0b0)",
    "#808080": "var(--soft, #808080)",
    "#cccccc": "var(--line, #cccccc)",
    "#1f77b4": "var(--series-1, #1f77b4)",
    "#ff7f0e": "var(--series-2, #ff7f0e)",
    "#2ca02c": "var(--series-3, #2ca02c)",
    "#d62728": "var(--series-4, #d62728)",
}
"""Matplotlib's own colours, and what a page may put in their place."""

_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}


def tell(artist: Artist, text: str) -> None:
    """Let a text show when this part of the picture is pointed at."""
    artist.set_gid(f"told: {text}")


def save_vector_picture(figure: Figure, path: Path) -> Path:
    """Write a figure as SVG; the same figure gives the same bytes, and its names are not those of another one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.patch.set_visible(False)
    for axes in figure.axes:
        axes.patch.set_visible(False)
    # A page may hold several pictures of one name, from folders of several outputs.
    name = re.sub(r"\W", "_", f"{path.parent.name}-{path.stem}")
    written = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        FigureCanvasSVG(figure).print_svg(written, metadata=_NO_METADATA)
    path.write_text(_for_page(written.getvalue(), name), encoding="utf-8")
    return path


def _for_page(text: str, name: str) -> str:
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r'<g id="told: ([^"]*)">', r"<g><title>\1</title>", text)
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", text)
    # As wide as it is put, in the font of the page.
    text = re.sub(r'<svg ([^>]*?)(?:height|width)="[^"]*"([^>]*?)(?:height|width)="[^"]*"', r"<svg \1\2", text, count=1)
    text = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font-size: \1", text)
    text = re.sub(r"font-family: [^;\"]*;?", "", text)
    for own, of_page in _COLOURS.items():
        text = text.replace(own, of_page)
    return text
