"""The verdicts of the report's first screen: whether a core is exact, and whether it fits the named device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from siliconv.counting import counted

RESOURCE_TITLES = {"lut": "LUT", "ff": "FF", "dsp": "DSP", "bram18": "BRAM (18 Kb)", "uram": "URAM"}

Tone = Literal["good", "risk", "bad", "unknown"]
"""How a verdict is coloured; its word says the same."""


@dataclass(frozen=True)
class Verdict:
    """A word in capitals with its tone, the sentence behind it, and further lines, each with a title."""

    word: str
    tone: Tone
    says: str
    lines: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class DeviceShare:
    """What a core takes of one resource: counts, shares of the device, and the ends of the band where there is one."""

    title: str
    used: float
    available: float
    low: float | None
    high: float | None

    @property
    def share(self) -> float:
        """Of the device; 0 where it has none, which then none is used of."""
        return self.used / self.available if self.available else 0.0

    @property
    def band(self) -> tuple[float, float] | None:
        """The ends of the band as shares."""
        if self.low is None or self.high is None or not self.available:
            return None
        return self.low / self.available, self.high / self.available

    @property
    def most(self) -> float:
        """The upper end of the band as a share, or the share where there is no band."""
        return self.band[1] if self.band is not None else self.share


_GROUNDS = (
    ("proof", "Proven for every input", "proven for every input"),
    ("comparison", "Compared in files", "compared in files"),
    ("test", "Tested", "tested"),
)
"""What a claim can stand on, the title of its line, and how it is counted."""


def exactness(certificate: Mapping[str, Any], why_not: str, thing: str = "image") -> Verdict:
    """Say what a certificate claims: what was proven for every input, compared in files, and tested on how much.

    Parameters
    ----------
    certificate
        The content of ``csim.json`` or ``rtlsim.json``.
    why_not
        Why it is not exact.
    thing
        The word for one of the data.
    """
    lines, counts = [], []
    for ground, title, done in _GROUNDS:
        claims = [one for one in certificate["claims"] if one["ground"] == ground]
        if claims:
            lines.append((title, "; ".join(f"{one['claim']} ({_counted(one)}, {one['executor']})" for one in claims)))
            counts.append(f"{len(claims)} {done}")
    lines.append(("Test vectors", f"{certificate['vectors']:,}: {origins(certificate, thing)}"))
    if certificate["edited"]:
        lines.append(("Edited since it was written", "; ".join(certificate["edited"])))
    if not certificate["exact"]:
        return Verdict("NOT EXACT", "bad", why_not, tuple(lines))
    values = sum(layer["values"] for layer in certificate["layers"])
    with_model = any(layer.get("quantized_differs") is not None for layer in certificate["layers"])
    who = "Core, integer network and quantized model" if with_model else "Core and integer network"
    says = (
        f"{who} give the same bits: {values:,} values in "
        f"{counted(len(certificate['layers']), 'layer')} compared on {counted(certificate['vectors'], 'test vector')}. "
        f"Claims: {', '.join(counts)}."
    )
    return Verdict("EXACT", "good", says, tuple(lines))


def origins(certificate: Mapping[str, Any], thing: str) -> str:
    """Say where the vectors of a certificate are from."""
    found = certificate["vectors_by_origin"].items()
    return ", ".join(f"{count:,} {name.replace('images', f'{thing}s')}" for name, count in found)


def _counted(claim: Mapping[str, Any]) -> str:
    return f"{claim['count']:,} {claim['unit']}" + ("" if claim["holds"] else ", NOT TRUE")


def hls_fit(estimate: Mapping[str, Any]) -> tuple[Verdict, tuple[DeviceShare, ...]]:
    """Say whether hls4ml's core fits the board of its part, by the report of logic synthesis or the estimate of it."""
    clock = f"{1e3 / estimate['clock_ns']:g} MHz ({estimate['clock_ns']:g} ns)"
    board = estimate.get("board")
    if estimate["source"] == "none" or board is None:
        why = estimate.get("reason", f"no board that siliconv knows carries {estimate['part']}")
        return Verdict("NO VERDICT", "unknown", f"{estimate['part']} at {clock}: {why}."), ()
    where = f"{board['title']} at {clock}"
    measured = estimate.get("measured")
    if measured and "vsynth" in measured["stages"]:
        used = measured["stages"]["vsynth"]
        shares = _shares({name: (used[name], None, None) for name in used if name in RESOURCE_TITLES}, board)
        return _reported(where, shares, measured), shares
    found = estimate["logic_synthesis"]
    shares = _shares({name: (one["value"], one["low"], one["high"]) for name, one in found.items()}, board)
    fit = board["fit"]
    room = f"{fit['most_share']:.0%} of each resource can be used"
    fullest = max(shares, key=lambda one: one.share)
    if fullest.share > 1:
        says = f"{where}: it takes {fullest.share:.0%} of the {fullest.title}."
        return Verdict("DOES NOT FIT", "bad", says), shares
    if fit["surely"]:
        return Verdict("FITS", "good", f"{where}: so do the upper ends of the bands ({room})."), shares
    widest = max(shares, key=lambda one: one.most)
    says = (
        f"{where}: it fits with a chance of about {fit['chance']:.0%}; the band of {widest.title} reaches to "
        f"{widest.most:.0%} ({room})."
    )
    return Verdict("AT RISK", "risk", says), shares


def _reported(where: str, shares: Sequence[DeviceShare], measured: Mapping[str, Any]) -> Verdict:
    fullest = max(shares, key=lambda one: one.share)
    if fullest.share > 1:
        return Verdict("DOES NOT FIT", "bad", f"{where}: {fullest.share:.0%} of the {fullest.title}, as reported.")
    met = measured["timing"].get("met")
    if met is False:
        return Verdict("AT RISK", "risk", f"{where}: it fits, and the report says that the clock is not met.")
    said = "the clock is met" if met else "no report says whether the clock is met"
    return Verdict("FITS", "good", f"{where}: reported by {measured['tool']} and Vivado; {said}.")


def _shares(
    used: Mapping[str, tuple[float, float | None, float | None]], board: Mapping[str, Any]
) -> tuple[DeviceShare, ...]:
    return tuple(
        DeviceShare(title, used[name][0], board["available"][name], used[name][1], used[name][2])
        for name, title in RESOURCE_TITLES.items()
        if name in used and (board["available"][name] or used[name][0])
    )


_PLACED_TITLES = {"TRELLIS_COMB": "LUT", "TRELLIS_FF": "FF", "MULT18X18D": "DSP (18 x 18)", "DP16KD": "BRAM (16 Kb)"}
"""Cells of an ECP5 as nextpnr counts them."""


def rtl_fit(
    rtl: Mapping[str, Any], board: Mapping[str, Any] | None, asked_mhz: float
) -> tuple[Verdict, tuple[DeviceShare, ...]]:
    """Say whether the SystemVerilog core fits: placed and routed, else by what Yosys counts for a board.

    Parameters
    ----------
    rtl
        As `siliconv.report.rtl_content.rtl_content` gives it.
    board
        The board that the project names for the core: its title, and what is available; None where it names none.
    asked_mhz
        The clock that it was placed for.
    """
    place, synth = rtl["place"], rtl["synth"]
    if place:
        shares = tuple(
            DeviceShare(title, place["used"].get(cell, 0), place["available"][cell], None, None)
            for cell, title in _PLACED_TITLES.items()
            if cell in place["available"]
        )
        says = f"{place['part']} at {place['mhz']:.1f} MHz: placed and routed there by nextpnr"
        if place["mhz"] < asked_mhz:
            return Verdict("AT RISK", "risk", f"{says}; {asked_mhz:g} MHz were asked for."), shares
        return Verdict("FITS", "good", f"{says}, asked for {asked_mhz:g} MHz."), shares
    if synth and board:
        counts = {
            "lut": synth["lut"] + synth["lut_memory"],
            "ff": synth["ff"],
            "dsp": synth["dsp"],
            "bram18": synth["block_memory"],
        }
        shares = _shares({name: (float(count), None, None) for name, count in counts.items()}, board)
        fullest = max(shares, key=lambda one: one.share)
        where = f"{board['title']}, counted by Yosys before placement"
        if fullest.share > 1:
            return Verdict("DOES NOT FIT", "bad", f"{where}: {fullest.share:.0%} of the {fullest.title}."), shares
        says = f"{where}: {fullest.share:.0%} of the {fullest.title}; which clock is met is not known before placement."
        tone: Tone = "good" if fullest.share <= board["most_share"] else "risk"
        return Verdict("FITS" if tone == "good" else "AT RISK", tone, says), shares
    if synth:
        says = f"mapped for {synth['family']} by Yosys; the project names no board for this core (rtl.board)."
        return Verdict("NO VERDICT", "unknown", says), ()
    return Verdict("NO VERDICT", "unknown", "not mapped to any device yet (--until synth, --until place)."), ()
