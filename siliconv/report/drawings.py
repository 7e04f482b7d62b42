"""Where the parts of the report's own pictures stand: across in percent of the width, down in pixels.

So a picture is as wide as the page, and its text stays as large as the page's, on a phone too. The templates turn it
into SVG; every part has a text that shows when it is pointed at.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from siliconv.counting import counted

COLOURS = 8
"""So many does the style sheet know for parts of a whole."""

_BOX, _LINE, BETWEEN = 26, 16, 16
"""Of the block diagram, in pixels: a box without its lines, a line in it, and what is free between two boxes."""

_LABELLED = 18.0
"""Percent of the width from which a part has room for its name."""


@dataclass(frozen=True)
class Bar:
    """A horizontal bar: where it begins and how wide it is in percent, its text, a class of the style sheet."""

    left: float
    width: float
    told: str
    style: str = ""
    label: str = ""


@dataclass(frozen=True)
class Row:
    """A line of a picture: a name on the left, a remark on the right, and bars below both."""

    name: str
    remark: str
    bars: tuple[Bar, ...]
    marked: bool = False


@dataclass(frozen=True)
class Tick:
    """A mark of an axis: where in percent, and what stands there."""

    at: float
    label: str

    @property
    def anchor(self) -> str:
        """How its text is aligned, so that it stays inside the picture."""
        return "start" if self.at < 5 else "end" if self.at > 95 else "middle"


@dataclass(frozen=True)
class Chart:
    """Rows over one axis, and what the axis counts."""

    rows: tuple[Row, ...]
    ticks: tuple[Tick, ...]
    axis: str

    @property
    def marked(self) -> tuple[str, ...]:
        """Names of the rows that are marked."""
        return tuple(row.name for row in self.rows if row.marked)


def waterfall(times: Mapping[str, Any], thing: str = "image") -> Chart:
    """Draw when each layer works on two images; the one that works longest sets the pace, and is marked.

    Parameters
    ----------
    times
        ``cycles``: of all that is shown; ``layers``: name, spans (first and last cycle of each image), busy cycles.
    thing
        The word for one of the data.
    """
    end, layers = max(times["cycles"], 1), times["layers"]
    slowest = max((one["busy"] or 0 for one in layers), default=0)
    # Where most work as long as the slowest, none stands in the way of the others.
    is_bottleneck = sum(one["busy"] == slowest for one in layers) <= len(layers) / 2
    rows = []
    for one in layers:
        marked = is_bottleneck and one["busy"] is not None and one["busy"] == slowest
        bars = []
        for number, (first, last) in enumerate(one["spans"]):
            length = last + 1 - first
            told = f"{one['name']}, {thing} {number + 1}: cycles {first:,} to {last:,}"
            if one["busy"] is not None:
                told += f", of which it works {min(one['busy'], length):,} of {length:,}"
            tone = "slowest" if marked else "works"
            style = f"{tone} later" if number else tone
            bars.append(Bar(100 * first / end, max(100 * length / end, 0.4), told, style))
        busy = f"works {counted(one['busy'], 'cycle')} an {thing}" if one["busy"] is not None else ""
        rows.append(Row(one["name"], f"bottleneck: {busy}" if marked else busy, tuple(bars), marked))
    return Chart(tuple(rows), ticks_of(0.0, float(end)), "cycles")


def stacked(layers: Sequence[tuple[str, Mapping[str, float]]], titles: Mapping[str, str]) -> Chart:
    """Draw what of each resource each layer takes, as parts of all that is taken.

    Parameters
    ----------
    layers
        Names and counts by resource, in the order of the data.
    titles
        Of the resources that are drawn.
    """
    rows = []
    for key, title in titles.items():
        counts = [(name, float(used.get(key) or 0)) for name, used in layers]
        total = sum(count for _, count in counts)
        if not total:
            continue
        bars, left = [], 0.0
        for number, (name, count) in enumerate(counts):
            width = 100 * count / total
            if count:
                told = f"{name}: {count:,.0f} {title}, {width:.0f} % of all"
                label = name if width > _LABELLED else ""
                bars.append(Bar(left, width, told, f"part-{number % COLOURS}", label))
            left += width
        rows.append(Row(title, f"{total:,.0f} in all", tuple(bars)))
    return Chart(tuple(rows), tuple(Tick(at, f"{at} %") for at in (0, 50, 100)), "of all that is taken")


@dataclass(frozen=True)
class FillCurve:
    """The words in a FIFO over time: its name, how full it gets, and an outline in a box of 100 by 100."""

    name: str
    remark: str
    points: str
    told: str


def fifo_curves(times: Mapping[str, Any]) -> tuple[FillCurve, ...]:
    """Draw how full each FIFO is while two images go through; 100 is its depth."""
    found = []
    for one in times["fifos"]:
        depth = one["depth"] or max(one["most"], 1)
        step = 100 / max(len(one["curve"]), 1)
        line: list[str] = []
        for number, words in enumerate(one["curve"]):
            up = 100 - 100 * min(words / depth, 1.0)
            line += [f"{number * step:.2f},{up:.1f}", f"{(number + 1) * step:.2f},{up:.1f}"]
        limit = f"{depth:,}" if one["depth"] else "any number of"
        remark = f"at most {one['most']:,} of {limit} words of {one['bits']:,} bits"
        name = one["name"].replace("->", " → ")
        found.append(FillCurve(name, remark, " ".join(["0,100", *line, "100,100"]), f"behind {name}: {remark}"))
    return tuple(found)


@dataclass(frozen=True)
class NodeBox:
    """A box of the block diagram, from `top` so many pixels high: a node, and what it reads.

    ``jumps``: where a box begins that is read and is not the one before, and the lane beside the boxes in which the
    line from there runs.
    """

    top: int
    height: int
    name: str
    kind: str
    lines: tuple[str, ...]
    told: str
    reads_above: bool
    jumps: tuple[tuple[int, int], ...]


def block_diagram(nodes: Sequence[Mapping[str, Any]], notes: Mapping[str, Sequence[str]]) -> tuple[NodeBox, ...]:
    """Draw the nodes of an integer network one below the other; lines beside them lead to what is read further down.

    Parameters
    ----------
    nodes
        As in ``network.json``.
    notes
        What each core does for a node: its reuse factor, its products a cycle.
    """
    rows = {node["name"]: number for number, node in enumerate(nodes)}
    free: list[int] = []
    found: list[NodeBox] = []
    top = 2
    for number, node in enumerate(nodes):
        sources = [rows[name] for name in node["inputs"]]
        jumps = []
        for source in sources:
            if source != number - 1:
                lane = next((lane for lane, until in enumerate(free) if until <= source), len(free))
                free[lane : lane + 1] = [number]
                jumps.append((found[source].top, lane))
        shape, kind = " × ".join(map(str, node["shape"])), str(node["kind"])
        lines = (f"{shape} · {node['type']}", *notes.get(node["name"], ()))
        told = "; ".join([f"{node['name']}: {kind}, {shape} values of {node['type']}", *lines[1:]])
        height = _BOX + _LINE * len(lines)
        found.append(NodeBox(top, height, node["name"], kind, lines, told, number - 1 in sources, tuple(jumps)))
        top += height + BETWEEN
    return tuple(found)


def ticks_of(low: float, high: float) -> tuple[Tick, ...]:
    """Give four or five marks at round numbers over a range."""
    span = max(high - low, 1e-12)
    size = 10.0 ** math.floor(math.log10(span))
    step = next(one * size for one in (0.2, 0.25, 0.5, 1.0, 2.0, 2.5) if span / (one * size) <= 5)
    first = math.ceil(low / step)
    marks = [number * step for number in range(first, math.floor(high / step + 1e-9) + 1)]
    return tuple(Tick(100 * (mark - low) / span, f"{mark:,.10g}") for mark in marks)
