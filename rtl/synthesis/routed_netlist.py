"""What nextpnr packed, placed and routed for an ECP5, as cells that Yosys and our models know.

nextpnr's cells are those of the chip: a look-up table with its carry and its multiplexer (TRELLIS_COMB), which may be a
memory; a flip-flop that takes one of two inputs (TRELLIS_FF); pins, the clock's buffer, block memories and multipliers
whose pins may be set by a configuration bit instead of a wire. Open inputs of look-up tables are 1, as in the chip.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from siliconv.errors import ToolError

Cell = dict[str, Any]
"""A cell as nextpnr and Yosys write it as JSON."""

Bit = int | str
"""A wire's number, or a constant."""

_WRITE_PORTS = ("WCK", "WRE", "WD", "WAD3", "WAD2", "WAD1", "WAD0")
_READ_PINS = {"RAD0": "D", "RAD1": "B", "RAD2": "C", "RAD3": "A"}
_WRITE_WAYS = {"WADO0": "D0", "WADO1": "B0", "WADO2": "C0", "WADO3": "A0"}
_WRITE_WAYS |= {"WDO0": "C1", "WDO1": "A1", "WDO2": "D1", "WDO3": "B1"}
"""Which pins of a slice lead to the memory in its neighbours."""


_CASCADED = ("SRI", "SRO", "ROA", "ROB", "ROC", "SIGNEDP")
"""Pins that lead from multiplier to multiplier, which our model does not have: nothing is connected to them."""


def as_known_cells(content: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Give a design that nextpnr wrote (`--write`) with the cells of a netlist before placement.

    Parameters
    ----------
    content
        The JSON: one module, which nextpnr calls top.
    name
        What the module is called in what is returned.

    Raises
    ------
    ToolError
        ``RTL-ROUTED-CELL`` for a cell that is not known here.
    """
    (module,) = content["modules"].values()
    wires = [bit for cell in module["cells"].values() for bits in cell["connections"].values() for bit in bits]
    writer = _Cells(count(max(bit for bit in wires if isinstance(bit, int)) + 1))
    for cell_name, cell in module["cells"].items():
        make = _MAKERS.get(cell["type"])
        if make is None:
            raise ToolError(
                "RTL-ROUTED-CELL",
                f"a {cell['type']} in what nextpnr wrote",
                where=cell_name,
                fix="report it with the design",
            )
        make(writer, cell_name, cell)
    return {"modules": {name: {"attributes": {}, "ports": module["ports"], "cells": writer.cells, "netnames": {}}}}


class _Cells:
    """The cells in the making."""

    def __init__(self, numbers: count[int]) -> None:
        self._numbers = numbers
        self.cells: dict[str, Cell] = {}

    def wire(self) -> Bit:
        return next(self._numbers)

    def add(self, kind: str, output: str, pins: Mapping[str, list[Bit]], **parameters: str) -> None:
        self.cells[f"cell_{len(self.cells)}"] = {
            "hide_name": 0,
            "type": kind,
            "parameters": parameters,
            "attributes": {},
            "port_directions": {pin: "output" if pin == output else "input" for pin in pins},
            "connections": dict(pins),
        }

    def table(self, contents: str, inputs: list[Bit]) -> Bit:
        """Add a look-up table and give its output."""
        result = self.wire()
        self.add("$lut", "Y", {"A": inputs, "Y": [result]}, WIDTH=f"{len(inputs):032b}", LUT=contents)
        return result

    def same(self, source: Bit, target: list[Bit]) -> None:
        """Let a wire have the value of another, where there is one."""
        if target:
            self.add("$_BUF_", "Y", {"A": [source], "Y": target})

    def chosen(self, low: Bit, high: Bit, select: Bit, target: list[Bit]) -> None:
        """Let a wire have one of two values."""
        self.add("$_MUX_", "Y", {"A": [low], "B": [high], "S": [select], "Y": target})


def _logic(cells: _Cells, name: str, cell: Cell) -> None:
    """A look-up table with what stands around it."""
    wires, settings = cell["connections"], cell["parameters"]
    mode = settings.get("MODE", "LOGIC")
    if mode == "RAMW_BLOCK":
        return

    def pin(name: str, default: str = "1") -> Bit:
        return wires[name][0] if wires.get(name) else default

    if mode == "DPRAM":
        pins = {port: [pin(port)] for port in _WRITE_PORTS} | {at: [pin(of)] for at, of in _READ_PINS.items()}
        if settings.get("WCKMUX", "WCK") != "WCK" or settings.get("WREMUX", "WRE") != "WRE":
            raise ToolError("RTL-ROUTED-CELL", "a memory of another clock edge", where=name, fix="report it")
        cells.add("LUT_MEMORY", "DO", {**pins, "DO": wires["F"]})
        return
    contents = settings.get("INITVAL", "0" * 16)
    table = cells.table(contents, [pin(one) for one in "ABCD"])
    if mode == "CCU2":
        carry, injected = pin("FCI", "0"), settings.get("CCU2_INJECT1", "NO") == "YES"
        if wires.get("F"):
            cells.add("$_XOR_", "Y", {"A": [table], "B": ["0" if injected else carry], "Y": wires["F"]})
        if wires.get("FCO"):
            small = "0" if injected else cells.table(contents[-4:], [pin("A"), pin("B")])
            cells.chosen(small, carry, table, wires["FCO"])
        return
    cells.same(table, wires.get("F", []))
    if wires.get("OFX"):
        low, high = (pin("FXA"), pin("FXB")) if wires.get("FXA") else (table, pin("F1"))
        cells.chosen(low, high, pin("M"), wires["OFX"])


def _flip_flop(cells: _Cells, name: str, cell: Cell) -> None:
    """A flip-flop takes DI, from its look-up table, or M."""
    wires, settings = cell["connections"], dict(cell["parameters"])
    from_table = settings.pop("SD", "1").strip() == "1"
    pins = {"CLK": wires["CLK"], "DI": wires["DI" if from_table else "M"], "Q": wires["Q"]}
    enable = settings["CEMUX"] = settings.get("CEMUX", "CE").strip()
    pins |= {"CE": wires["CE"] if enable not in "01" else ["1"], "LSR": wires.get("LSR") or ["0"], "M": ["0"]}
    cells.add("TRELLIS_FF", "Q", pins, **settings)


def _hard_block(cells: _Cells, name: str, cell: Cell) -> None:
    """A block whose pins are wires, constants of the configuration, or open, which is 1; either may be inverted."""
    settings = {key: value for key, value in cell["parameters"].items() if not key.endswith("MUX")}
    connections: dict[str, list[Bit]] = {}
    for pin, bits in cell["connections"].items():
        if not bits and pin.startswith(_CASCADED):
            continue
        if cell["port_directions"][pin] == "output":
            connections[pin] = bits or [cells.wire()]
            continue
        way = cell["parameters"].get(f"{pin}MUX", pin).strip()
        if way in ("0", "1"):
            connections[pin] = [way]
        elif way == "INV" and bits:
            inverted = cells.wire()
            cells.add("$_NOT_", "Y", {"A": bits, "Y": [inverted]})
            connections[pin] = [inverted]
        else:
            connections[pin] = bits or ["0" if way == "INV" else _open(cell["type"], pin)]
    cells.add(cell["type"], "", connections, **settings)
    directions = {pin: cell["port_directions"][pin] for pin in connections}
    cells.cells[next(reversed(cells.cells))]["port_directions"] = directions


def _open(kind: str, pin: str) -> str:
    """Tell what an open pin of a block is: controls are 1; data and addresses are set by constants."""
    return "1" if pin.startswith(("CE", "OCE", "WE", "CS", "CLK", "RST", "SIGNED")) else "0"


def _pin(cells: _Cells, name: str, cell: Cell) -> None:
    wires = cell["connections"]
    if cell["parameters"]["DIR"] == "INPUT":
        cells.same(wires["B"][0], wires.get("O", []))
    else:
        cells.same(wires["I"][0], wires["B"])


def _clock(cells: _Cells, name: str, cell: Cell) -> None:
    cells.same(cell["connections"]["CLKI"][0], cell["connections"]["CLKO"])


def _ways_of_memory(cells: _Cells, name: str, cell: Cell) -> None:
    for target, source in _WRITE_WAYS.items():
        bits = cell["connections"].get(source)
        cells.same(bits[0] if bits else "1", cell["connections"].get(target, []))


_MAKERS: dict[str, Callable[[_Cells, str, Cell], None]] = {
    "TRELLIS_COMB": _logic,
    "TRELLIS_FF": _flip_flop,
    "TRELLIS_IO": _pin,
    "TRELLIS_RAMW": _ways_of_memory,
    "DCCA": _clock,
    "DP16KD": _hard_block,
    "MULT18X18D": _hard_block,
}
