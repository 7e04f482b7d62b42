"""Mutations of the SystemVerilog: one operator of a module is changed, and bits or cycles have to differ."""

from __future__ import annotations

import random
import re
import tempfile
from pathlib import Path
from typing import Any

from chosen_rtl_designs import chosen_designs
from rtl_designs import PAUSES, modules_of, one_of_each_kind, random_design, written

from siliconv.errors import ToolError, WorkSaysNoError
from siliconv.rtl.plan.blocks import RtlDesign
from siliconv.rtl.simulation.verilator import build

SEEDS = 100
AT_ONCE = 8
"""Designs with the module that are built together; more are only where these notice nothing."""

_OPERATORS = {" + ": " - ", " - ": " + ", " & ": " | ", " | ": " & ", " == ": " != ", " << ": " >> ", " < ": " <= "}
_OPERATORS |= {" > ": " >= ", " >> ": " << ", "~": "", "1'b0": "1'b1", "1'b1": "1'b0"}
_PLACES = re.compile("|".join(re.escape(operator) for operator in _OPERATORS))
_STRUCTURE = re.compile(r"^\s*(localparam |for \(genvar |(else )?if \(.*begin : gen_|\.Logic )")
"""Lines that say how much is built or of what, not what it does: a spare bit or a product in LUTs changes no result."""
_EQUAL = re.compile(r"lane > most_q|for \(int unsigned|Pad(Left|Top|Right|Bottom) > 0 &&")
"""Of two equal values either is the largest; a bit beyond a vector is zero; without padding the edge is the end."""


def run(seed: int) -> dict[str, Any]:
    """Mutate one place that a seed chooses; ``killed`` tells whether a bit, a cycle or the build noticed."""
    chosen = random.Random(seed)
    designs = [random_design(network, number) for number, network in enumerate(one_of_each_kind(seed))]
    designs += chosen_designs()
    with tempfile.TemporaryDirectory() as scratch:
        written(designs, Path(scratch))
        used = {design.name: modules_of(design, Path(scratch)) for design in designs}
        modules = sorted(set().union(*used.values()))
        module = chosen.choice([name for name in modules if _places(Path(scratch) / "library" / f"{name}.sv")])
        text, what = _mutated(Path(scratch) / "library" / f"{module}.sv", chosen)
    with_it = [design for design in designs if module in used[design.name]]
    chosen.shuffle(with_it)
    some = [with_it[first : first + AT_ONCE] for first in range(0, len(with_it), AT_ONCE)]
    killed = any(_is_noticed(module, text, these) for these in some)
    return {"file": f"{module}.sv", "mutation": what, "killed": killed}


def _places(path: Path) -> list[re.Match[str]]:
    """Find the operators of a module behind its head, outside of comments and of what is structure."""
    text = path.read_text(encoding="utf-8")
    found = []
    for place in _PLACES.finditer(text, text.index(");\n", text.index("\nmodule "))):
        begins = text.rindex("\n", 0, place.start()) + 1
        line = text[begins : text.index("\n", place.start())]
        if "//" not in text[begins : place.start()] and not _STRUCTURE.match(line) and not _EQUAL.search(line):
            found.append(place)
    return found


def _mutated(path: Path, chosen: random.Random) -> tuple[str, str]:
    """Change one operator that a draw chooses."""
    text = path.read_text(encoding="utf-8")
    place = chosen.choice(_places(path))
    other = _OPERATORS[place[0]]
    line = text.count("\n", 0, place.start()) + 1
    return text[: place.start()] + other + text[place.end() :], f"line {line}: {place[0].strip()} -> {other.strip()}"


def _is_noticed(module: str, text: str, designs: list[RtlDesign]) -> bool:
    """Build designs with another text of a module, and compare."""
    with tempfile.TemporaryDirectory() as scratch:
        bench = written(designs, Path(scratch))
        (Path(scratch) / "library" / f"{module}.sv").write_text(text, encoding="utf-8")
        try:
            build(bench.folder, optimize="-O0")
            return any(bench.differences(pauses) for pauses in PAUSES)
        except (ToolError, WorkSaysNoError):
            return True
