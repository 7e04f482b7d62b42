"""The picture of ranges against types: what each tensor's type holds, and what its values need."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from siliconv.report.drawings import Bar, Chart, Row, Tick

_MOST_TICKS = 5


def range_chart(ranges: Sequence[dict[str, Any]]) -> Chart:
    """Draw each tensor's type as a bar from its step to its largest value, and its magnitudes as a box, in octaves.

    ``ranges``: `siliconv.network.explanation.ranges.ValueRange` as dictionaries. The box has the quartiles, with
    whiskers to the least and the largest magnitude.
    """
    ends = [math.log2(one[key]) for one in ranges for key in ("step", "limit") if one[key] > 0]
    low, high = math.floor(min(ends, default=0.0)) - 1, math.ceil(max(ends, default=1.0)) + 1

    def at(value: float) -> float:
        return 100 * (math.log2(value) - low) / (high - low) if value > 0 else 0.0

    def bar(first: float, last: float, told: str, style: str) -> Bar:
        return Bar(at(first), max(at(last) - at(first), 0.3), told, style)

    rows = []
    for one in ranges:
        text = f"{one['name']}: {one['type']} goes from {one['step']:.4g} to {one['limit']:.6g}"
        bars = [bar(one["step"], one["limit"], text, "type")]
        if one["quantiles"]:
            least, lower, median, upper, largest = one["quantiles"]
            text = (
                f"{one['name']}: magnitudes from {least:.4g} to {largest:.4g}, half of them {lower:.4g} to {upper:.4g}"
            )
            bars += [bar(least, largest, text, "whisker"), bar(lower, upper, text, "box")]
            bars.append(bar(median, median, f"{one['name']}: half of the magnitudes are below {median:.4g}", "median"))
        at_end = f", {one['at_limit']:.2%} at the end" if one["at_limit"] > 0 else ""
        short = one["type"].split(",RND")[0].rstrip(">") + ">"
        rows.append(Row(one["name"], f"{short}{at_end}", tuple(bars), marked=one["at_limit"] > 0))
    step = max(math.ceil((high - low) / _MOST_TICKS), 1)
    ticks = tuple(Tick(100 * (power - low) / (high - low), f"2^{power}") for power in range(low, high + 1, step))
    return Chart(tuple(rows), ticks, "magnitude")
