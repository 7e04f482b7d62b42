"""What is known of the hardware before any vendor tool, to look at: figures with bands, layers, shares of a board."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from siliconv.hardware.boards import RESOURCES
from siliconv.hls.estimate.estimate import Value

TITLES = {
    "latency_cycles": "latency, cycles",
    "interval_cycles": "interval, cycles",
    "lut": "LUT",
    "ff": "FF",
    "dsp": "DSP",
    "bram18": "BRAM18",
    "uram": "URAM",
}


class HardwareEstimate:
    """The estimate of a firmware: latency and interval in cycles, resources as C synthesis would report them.

    Each figure is an attribute with ``value``, ``low`` and ``high`` (`siliconv.hls.estimate.estimate.Value`):
    ``latency_cycles``, ``interval_cycles``, ``lut``, ``ff``, ``dsp``, ``bram18``, ``uram``.

    Parameters
    ----------
    content
        What `estimate.json` holds.
    """

    latency_cycles: Value
    interval_cycles: Value
    lut: Value
    ff: Value
    dsp: Value
    bram18: Value
    uram: Value

    def __init__(self, content: dict[str, Any]) -> None:
        self._content = content
        for name in TITLES:
            setattr(self, name, Value(**content[name]))

    @property
    def clock_ns(self) -> float:
        """The clock period, nanoseconds."""
        return float(self._content["clock_ns"])

    @property
    def latency_us(self) -> float:
        """The latency in microseconds at that clock."""
        return self.latency_cycles.value * self.clock_ns / 1000

    @property
    def steady_cycles(self) -> float:
        """Cycles from image to image in a long stream: as a tool simulated them, else as simulated here.

        The interval that C synthesis states charges every pixel with a product: with strides, two to three times that.
        """
        measured = (self._content.get("measured") or {}).get("stages", {}).get("cosim", {})
        simulated = self._content.get("axi", {}).get("core_steady_cycles", self.interval_cycles.value)
        return max(float(measured.get("interval_cycles") or simulated), 1.0)

    @property
    def images_per_second(self) -> float:
        """The rate of a long stream of images at that clock."""
        return 1e9 / (self.steady_cycles * self.clock_ns)

    @property
    def board(self) -> str | None:
        """The board that carries the part, None where no board of the list does."""
        return self._content["board"]["title"] if self._content["board"] else None

    @property
    def shares(self) -> dict[str, float]:
        """Share of the board's resources after logic synthesis; empty without a board."""
        return dict(self._content["board"]["shares"]) if self._content["board"] else {}

    @property
    def source(self) -> str:
        """Where the figures are from: ``estimate``, or the report that took its place."""
        return str(self._content["source"])

    def as_json(self) -> dict[str, Any]:
        """Return what `estimate.json` holds."""
        return self._content

    @property
    def after_logic_synthesis(self) -> dict[str, Value]:
        """The resources as logic synthesis would leave them, which is what a device has to hold."""
        return {name: Value(**one) for name, one in self._content["logic_synthesis"].items()}

    @property
    def line(self) -> str:
        """The estimate in one line: resources are those after logic synthesis, as their shares."""
        left = self.after_logic_synthesis
        found = (
            f"{self.latency_cycles.value:,.0f} cycles = {self.latency_us:,.0f} µs, "
            f"{self.images_per_second:,.0f} images/s, {left['lut'].value:,.0f} LUT, {left['dsp'].value:,.0f} DSP, "
            f"{left['bram18'].value:,.0f} BRAM18 (estimate of logic synthesis)"
        )
        if not self.shares:
            return found
        fullest = max(self.shares, key=lambda name: self.shares[name])
        return f"{found}; {fullest.upper()} {self.shares[fullest]:.0%} of {self.board}"

    @property
    def repositories(self) -> dict[str, int]:
        """How many repositories of published results the band of each figure is made of."""
        return dict(self._content.get("repositories", {}))

    def _head(self) -> tuple[str, ...]:
        stated = "C synthesis" if self.source == "estimate" else self.source
        return ("", stated, "band", "repositories", "logic synthesis", f"of {self.board}" if self.board else "")

    def _rows(self) -> Iterator[tuple[str, ...]]:
        left = self.after_logic_synthesis
        for name, title in TITLES.items():
            one: Value = getattr(self, name)
            after = f"{left[name].value:,.0f}" if name in left else ""
            share = f"{self.shares[name]:.0%}" if name in RESOURCES and self.shares else ""
            behind = str(self.repositories.get(name, ""))
            yield title, f"{one.value:,.0f}", f"{one.low:,.0f} to {one.high:,.0f}", behind, after, share

    @property
    def warnings(self) -> tuple[str, ...]:
        """What no published result speaks for, and what could not be modelled."""
        return tuple(self._content["warnings"])

    def __repr__(self) -> str:
        rows = (self._head(), *self._rows())
        lines = (f"{a:<18} {b:>12}  {c:>20}  {d:>12}  {e:>15}  {f}".rstrip() for a, b, c, d, e, f in rows)
        return "\n".join([*lines, *self.warnings])

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(one)}</th>" for one in self._head())
        rows = "".join(
            "<tr><th>" + escape(title) + "</th>" + "".join(f"<td>{escape(one)}</td>" for one in cells) + "</tr>"
            for title, *cells in self._rows()
        )
        told = "".join(f"<p>{escape(one)}</p>" for one in self.warnings)
        return f"<table><tr>{head}</tr>{rows}</table>{told}"
