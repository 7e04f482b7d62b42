"""What the log of Vitis HLS or Vivado HLS says of loops: initiation intervals and depths of pipelines, and warnings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

_MODULE = re.compile(r"-- Implementing module '(?P<module>\w+)'")
_BEGUN = re.compile(r"Pipelining (?:loop|function) '(?P<name>[^']+)'")
_RESULT = re.compile(
    r"Pipelining result ?: Target II ?[=:] ?(?P<target>NA|\d+), Final II ?[=:] ?(?P<final>\d+), "
    r"Depth ?[=:] ?(?P<depth>\d+)(?:, (?:loop|function) '(?P<name>[^']+)')?"
)
_WARNING = re.compile(r"^\s*WARNING: \[(?P<code>[\w+]+ \d+-\d+)\] ?(?P<text>.*)")
_CALL = re.compile(r"nnet::\w+<.*\b(?P<config>\w*config\d+(?:_\w+)?)>\(.*\);\s*// (?P<layer>\w+)")

PIPELINES_FILE = "siliconv_pipelines.json"
"""What `read_log` found, beside the reports of the design that the tool made."""

TOLD = {
    "HLS 200-880": "the initiation interval was missed: a dependence",
    "HLS 200-885": "the initiation interval was missed: memory ports",
    "HLS 200-875": "the initiation interval was missed: timing",
    "SCHED 204-68": "the initiation interval was missed: a dependence",
    "SCHED 204-69": "the initiation interval was missed: memory ports",
    "HLS 200-960": "a loop was not flattened",
    "HLS 200-805": "a FIFO has its default depth",
    "HLS 200-1990": "the dataflow was changed",
    "HLS 200-871": "the estimated period is longer than the clock's",
    "SCHED 204-21": "the estimated period is longer than the clock's",
    "HLS 214-169": "a function is not the dataflow's",
    "HLS 207-5292": "a pragma was ignored",
    "XFORM 203-505": "a pragma was ignored",
}
"""Warnings that say that hardware differs from what was asked for, by their codes in UG1448 and public logs."""

_PRAGMAS, _IGNORED = "HLS 214-", "a pragma was ignored, or not taken as it is written"
"""The front end of Vitis HLS says so with these codes, whatever the pragma."""


@dataclass(frozen=True)
class LoopResult:
    """A pipelined loop or function.

    ``module``: of the generated hardware; ``layer``: of the network, empty where it belongs to none; ``asked``,
    ``achieved``: initiation intervals, 0 where none was asked for; ``depth``: stages of the pipeline.
    """

    module: str
    name: str
    layer: str
    asked: int
    achieved: int
    depth: int

    def as_json(self) -> dict[str, Any]:
        """Return the fields by name."""
        return asdict(self)


@dataclass(frozen=True)
class SynthesisLog:
    """Pipelines in the order of the log, and how often each warning of `TOLD` was given, with its first text."""

    loops: tuple[LoopResult, ...]
    warnings: Mapping[str, tuple[int, str]]

    def as_json(self) -> dict[str, Any]:
        """Return loops and warnings as objects."""
        warnings = [
            {"code": code, "what": TOLD.get(code, _IGNORED), "count": count, "first": first}
            for code, (count, first) in self.warnings.items()
        ]
        return {"loops": [loop.as_json() for loop in self.loops], "warnings": warnings}


def layers_by_config(source: str) -> dict[str, str]:
    """Give the layer of each configuration in the top function's source, whose calls end with the layer's name."""
    return {found["config"]: found["layer"] for found in _CALL.finditer(source)}


def read_log(lines: Iterable[str], layers: Mapping[str, str]) -> SynthesisLog:
    """Read a log.

    Parameters
    ----------
    lines
        Of the log.
    layers
        Layer by configuration, as `layers_by_config` gives it.
    """
    module = begun = ""
    loops: list[LoopResult] = []
    warnings: dict[str, tuple[int, str]] = {}
    for line in lines:
        if found := _MODULE.search(line):
            module = found["module"]
        elif found := _RESULT.search(line):
            asked = 0 if found["target"] == "NA" else int(found["target"])
            layer = _layer_of(module, layers)
            name = found["name"] or begun
            loops.append(LoopResult(module, name, layer, asked, int(found["final"]), int(found["depth"])))
        elif found := _BEGUN.search(line):
            begun = found["name"]
        elif (found := _WARNING.match(line)) and (found["code"] in TOLD or found["code"].startswith(_PRAGMAS)):
            count, first = warnings.get(found["code"], (0, found["text"].strip()[:300]))
            warnings[found["code"]] = (count + 1, first)
    return SynthesisLog(tuple(loops), warnings)


def _layer_of(module: str, layers: Mapping[str, str]) -> str:
    """Give the layer whose configuration a module is named after; the longest name counts (`relu_config3`)."""
    named = [config for config in layers if re.search(rf"(?<![A-Za-z]){config}(?!\d)", module)]
    return layers[max(named, key=len)] if named else ""
