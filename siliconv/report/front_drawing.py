"""The pictures of what searches found: accuracy against hardware, and speed against how full the device is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from siliconv.report.drawings import Tick, ticks_of

HEIGHT = 220
"""Of the plane in which points stand, in pixels."""

_TITLE = 14
"""Pixels at the top in which no mark has room below the title of its axis."""


@dataclass(frozen=True)
class Dot:
    """A point: across in percent, down in pixels; its text, and a class of the style sheet."""

    across: float
    down: float
    told: str
    style: str


@dataclass(frozen=True)
class Scatter:
    """A plane of points: title, what the axes count, their marks, and a line through the points of the front."""

    title: str
    across: str
    up: str
    dots: tuple[Dot, ...]
    ticks_across: tuple[Tick, ...]
    ticks_up: tuple[Tick, ...]
    line: str
    note: str


@dataclass(frozen=True)
class _Point:
    x: float
    y: float
    told: str
    style: str


def search_scatter(found: Mapping[str, Any]) -> Scatter:
    """Draw the trials of ``siliconv search``: how good on the validation images against LUTs."""
    front, cost = set(found["front"]), found["cost"]
    points = []
    for trial in found["trials"]:
        value = trial["validation"]["value"]
        style = "chosen" if trial["id"] == found["chosen"] else "front" if trial["id"] in front else "other"
        told = f"{trial['id']}: {trial['validation']['metric']} {value:.4g}, {trial['costs'][cost]:,.0f} {cost.upper()}"
        told += "" if trial["feasible"] else "; it does not fit as it was asked for"
        points.append(_Point(trial["costs"][cost], value, told, style if trial["feasible"] else "full"))
    metric = found["reference"]["metric"]
    note = (
        f"{len(points)} trials for {found['board']}, core {found['core']}; the float network has "
        f"{metric} {found['reference']['value']:.4g}. Ringed: the chosen one. Hollow: does not fit."
    )
    return _scatter("Bits that suffice (siliconv search)", cost.upper(), f"validation {metric}", points, note)


def fit_scatter(found: Mapping[str, Any], things: str = "images") -> Scatter:
    """Draw the designs of ``siliconv fit``: images (or `things`) a second against the share of the fullest resource."""
    chosen = found["chosen"]
    rate = chosen["images_per_second"] if chosen else None
    points = []
    for one in found["front"]:
        if one["share"] is None or one["images_per_second"] <= 0:
            continue
        told = (
            f"{one['images_per_second']:,.0f} {things}/s, {one['latency_us']:,.1f} µs, {one['share']:.0%} of the "
            f"{one['resource'].upper()}"
        )
        style = "full" if not one["fits"] else "front" if one["surely"] else "risk"
        points.append(_Point(100 * one["share"], one["images_per_second"], told, style))
    if chosen:
        share = max(value for value in chosen["shares"].values() if value is not None)
        points.append(_Point(100 * share, rate or 1.0, f"chosen: {rate:,.0f} {things}/s, {share:.0%} full", "chosen"))
    core = "SystemVerilog core" if found.get("core") == "rtl" else "hls4ml core"
    asked = str(found["target"]).replace("images/s", f"{things}/s")
    note = f"{found['board']['title']}, asked for: {asked}. Ringed: the chosen one. Hollow: does not fit."
    if any(one.style == "risk" for one in points):
        note += " Orange: fits by the estimate, not by its band."
    title = f"Designs for a board (siliconv fit, {core})"
    across = "% of the fullest resource"
    return _scatter(title, across, f"{things} a second", points, note, logarithmic=True)


def _scatter(
    title: str,
    across: str,
    up: str,
    points: Sequence[_Point],
    note: str,
    *,
    logarithmic: bool = False,
) -> Scatter:
    height = math.log10 if logarithmic else float
    xs, ys = [one.x for one in points], [height(one.y) for one in points]
    low_x, high_x = _widened(xs, from_zero=True)
    low_y, high_y = _widened(ys)

    def place(one: _Point) -> tuple[float, float]:
        return (
            100 * (one.x - low_x) / (high_x - low_x),
            HEIGHT * (1 - (height(one.y) - low_y) / (high_y - low_y)),
        )

    dots = [Dot(*place(one), one.told, one.style) for one in sorted(points, key=lambda one: one.style == "chosen")]
    on_front: list[_Point] = []
    best = (one for one in points if one.style in ("front", "risk", "chosen"))
    for one in sorted(best, key=lambda one: (one.x, -one.y)):
        if not on_front or one.y > on_front[-1].y:
            on_front.append(one)
    line = " ".join(f"{x:.2f},{100 * y / HEIGHT:.2f}" for x, y in map(place, on_front))
    marks = _decades(low_y, high_y) if logarithmic else _upward(ticks_of(low_y, high_y))
    marks = tuple(mark for mark in marks if mark.at > _TITLE)
    return Scatter(title, across, up, tuple(dots), ticks_of(low_x, high_x), marks, line, note)


def _widened(values: Sequence[float], *, from_zero: bool = False) -> tuple[float, float]:
    low, high = min(values, default=0.0), max(values, default=1.0)
    room = 0.08 * (high - low) or max(abs(high), 1.0) * 0.08
    return (0.0 if from_zero else low - room), high + room


def _upward(ticks: Sequence[Tick]) -> tuple[Tick, ...]:
    return tuple(Tick(HEIGHT * (1 - tick.at / 100), tick.label) for tick in ticks)


def _decades(low: float, high: float) -> tuple[Tick, ...]:
    """Mark 1, 2 and 5 of each power of ten between two logarithms."""
    marks = [base * 10.0**power for power in range(math.floor(low), math.ceil(high) + 1) for base in (1, 2, 5)]
    inside = [mark for mark in marks if low <= math.log10(mark) <= high]
    return tuple(Tick(HEIGHT * (1 - (math.log10(mark) - low) / (high - low)), f"{mark:,.10g}") for mark in inside)
