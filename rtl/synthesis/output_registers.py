"""The registers behind block memories moved into them, in a netlist for an ECP5: Yosys leaves those of DP16KD unused.

A block memory answers an edge after 4 to 6 ns, its own output register after 1: a path that starts at a memory is the
longest of a fast design.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

Module = dict[str, Any]
"""A module as Yosys writes it as JSON."""

_WIDE = 36
"""In words of so many bits, port B reads through the outputs of both ports."""


def absorb_output_registers(module: Module) -> int:
    """Move the flip-flops behind each DP16KD into it where all that it gives goes to such alone.

    Parameters
    ----------
    module
        A flat module of `write_json`; it is changed.

    Returns
    -------
    How many flip-flops are gone.
    """
    cells = module["cells"]
    sinks: dict[Any, list[tuple[str, str]]] = defaultdict(list)
    for name, cell in cells.items():
        for port, bits in cell["connections"].items():
            if cell["port_directions"][port] == "input":
                for bit in bits:
                    sinks[bit].append((name, port))
    for port in module["ports"].values():
        if port["direction"] == "output":
            for bit in port["bits"]:
                sinks[bit].append(("", ""))
    gone = 0
    for name, cell in list(cells.items()):
        if cell["type"] == "DP16KD":
            gone += sum(_absorb(cells, name, outputs, sinks) for outputs in _readers(cell))
    return gone


def _readers(cell: dict[str, Any]) -> list[str]:
    """Give the ports that are read, those of both letters together where a word is as wide as both."""
    width = int(cell["parameters"]["DATA_WIDTH_B"], 2)
    return ["AB"] if width == _WIDE else ["A", "B"]


def _absorb(cells: dict[str, Any], name: str, ports: str, sinks: dict[Any, list[tuple[str, str]]]) -> int:
    memory = cells[name]
    outputs = [
        (port, bits)
        for port, bits in memory["connections"].items()
        if port[:2] == "DO" and port[2] in ports and any(sinks[bit] for bit in bits)
    ]
    if not outputs:
        return 0
    clock = memory["connections"]["CLKB" if "B" in ports else "CLKA"]
    flip_flops = {}
    for port, bits in outputs:
        (reader, pin), *others = sinks[bits[0]]
        if others or pin != "DI" or not _plain(cells[reader], clock):
            return 0
        flip_flops[port] = reader
    for port, reader in flip_flops.items():
        memory["connections"][port] = cells.pop(reader)["connections"]["Q"]
    for port in ports:
        memory["parameters"][f"REGMODE_{port}"] = "OUTREG"
    return len(flip_flops)


def _plain(cell: dict[str, Any], clock: list[Any]) -> bool:
    """Tell whether a cell is a flip-flop of that clock that takes its data in every cycle."""
    wires = cell["connections"]
    return (
        cell["type"] == "TRELLIS_FF"
        and wires["CLK"] == clock
        and cell["parameters"].get("CLKMUX", "CLK") == "CLK"
        and _constant(cell, "CE", "1")
        and _constant(cell, "LSR", "0")
    )


def _constant(cell: dict[str, Any], pin: str, value: str) -> bool:
    return cell["parameters"].get(f"{pin}MUX", pin).strip() == value or cell["connections"].get(pin) in ([], [value])
