"""Mutations of the SystemVerilog: one operator of a module is changed, and bits or cycles have to differ."""

from __future__ import annotations

import random
import re
import tempfile
from pathlib import Path
from typing import Any

from rtl_designs import PAUSES, Bench, one_of_each_kind, random_design, written

from siliconv.errors import ToolError, WorkSaysNoError
from siliconv.rtl.simulation.verilator import build

SEEDS = 100
DESIGNS = 6
"""Of those with the module, how many are built: a build takes longer than the networks."""

_OPERATORS = {" + ": " - ", " - ": " + ", " & ": " | ", " | ": " & ", " == ": " != ", " << ": " >> ", " < ": " <= "}
_OPERATORS |= {" > ": " >= ", " >> ": " << ", "~": "", "1'b0": "1'b1", "1'b1": "1'b0"}
_PLACES = re.compile("|".join(re.escape(operator) for operator in _OPERATORS))


def run(seed: int) -> dict[str, Any]:
    """Mutate one place that a seed chooses; ``killed`` tells whether a bit, a cycle or the build noticed."""
    chosen = random.Random(seed)
    designs = [random_design(network, number) for number, network in enumerate(one_of_each_kind(seed))]
    with tempfile.TemporaryDirectory() as scratch, tempfile.TemporaryDirectory() as other:
        written(designs, Path(other))
        used = {design.name: _used(Path(other), design.name) for design in designs}
        module = chosen.choice(sorted(set().union(*used.values())))
        with_it = [design for design in designs if module in used[design.name]]
        bench = written(chosen.sample(with_it, min(len(with_it), DESIGNS)), Path(scratch))
        path = Path(scratch) / "library" / f"{module}.sv"
        text, what = _mutated(path.read_text(encoding="utf-8"), chosen)
        path.write_text(text, encoding="utf-8")
        killed = _is_noticed(bench)
    return {"file": path.name, "mutation": what, "killed": killed}


def _used(folder: Path, top: str) -> set[str]:
    """Give the modules that stand in a design: those of a board's serial line do not."""
    library = {path.stem: path for path in (folder / "library").glob("*.sv")}
    found: set[str] = set()
    waiting = [(folder / f"{top}.sv").read_text(encoding="utf-8")]
    while waiting:
        text = waiting.pop()
        new = {name for name in library if re.search(rf"^\s*{name} #?\(", text, flags=re.MULTILINE)} - found
        found |= new
        waiting += [library[name].read_text(encoding="utf-8") for name in new]
    return found


def _mutated(text: str, chosen: random.Random) -> tuple[str, str]:
    """Change one operator behind the head of a module, outside of comments."""
    start = text.index(");\n", text.index("\nmodule "))
    places = [
        found
        for found in _PLACES.finditer(text, start)
        if "//" not in text[text.rindex("\n", 0, found.start()) : found.start()]
    ]
    place = chosen.choice(places)
    other = _OPERATORS[place[0]]
    line = text.count("\n", 0, place.start()) + 1
    return text[: place.start()] + other + text[place.end() :], f"line {line}: {place[0].strip()} -> {other.strip()}"


def _is_noticed(bench: Bench) -> bool:
    try:
        build(bench.folder, optimize="-O0")
        return any(bench.differences(pauses) for pauses in PAUSES)
    except (ToolError, WorkSaysNoError):
        return True
