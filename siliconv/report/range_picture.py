"""The picture of ranges against types: what each tensor's type holds, and what its values need."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

_DPI = 110


def range_picture(ranges: Sequence[dict[str, Any]], path: Path) -> Path:
    """Draw each tensor's type as a grey bar from its step to its largest value, and its magnitudes as a box.

    ``ranges``: `siliconv.network.explanation.ranges.ValueRange` as dictionaries. The box has the quartiles, with
    whiskers to the least and the largest magnitude.
    """
    figure = Figure(figsize=(9, 0.9 + 0.28 * len(ranges)), layout="constrained")
    axes = figure.subplots()
    for row, one in enumerate(ranges):
        axes.plot(
            [one["step"], one["limit"]], [row, row], color="#d5dbe3", linewidth=11, solid_capstyle="butt", zorder=1
        )
        if one["quantiles"]:
            least, lower, median, upper, largest = one["quantiles"]
            axes.plot([least, largest], [row, row], color="#2f6db3", linewidth=1.2, zorder=2)
            axes.plot([lower, upper], [row, row], color="#2f6db3", linewidth=5, solid_capstyle="butt", zorder=3)
            axes.plot([median], [row], marker="|", color="white", markersize=6, zorder=4)
        if one["at_limit"] > 0:
            axes.annotate(
                f"{one['at_limit']:.2%} at the end",
                (one["limit"], row),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize=7,
                color="#b3261e",
            )
    axes.set_xscale("log", base=2)
    axes.set_yticks(
        range(len(ranges)), [f"{one['name']}  {one['type'].split(',RND')[0].rstrip('>')}>" for one in ranges]
    )
    axes.tick_params(labelsize=8)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set_xlabel("magnitude")
    axes.grid(alpha=0.3, axis="x")
    FigureCanvasAgg(figure).print_figure(path, dpi=_DPI, metadata={"Software": None})
    return path
