"""What integer networks take when every product is a circuit of its own, adders shared: da4ml's count of LUTs.

Usage: python benchmarks/unrolled_luts.py FOLDER... [--json FILE]

FOLDER is ``build/network`` of a project or ``runs/search-.../trials/ID/network`` of a search. The network is traced
with da4ml, each output position on its own, and its cost is da4ml's: a LUT for each bit of an adder. Ties round up,
where the network rounds them to even; types saturate as they do in it. The trace has to give the logits of the network
that rounds up, on random inputs.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from siliconv.network import graph as ir
from siliconv.network import network_file
from siliconv.network.emulator import emulator
from siliconv.network.fixed_point import Codes, FixedPoint, Overflow, Rounding

INPUTS = 64
"""Random ones, on which trace and network are compared."""


def main() -> None:
    """Count and print, and write the figures if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    figures: dict[str, Any] = {}
    for folder in arguments.networks:
        began = time.perf_counter()
        luts = unrolled_luts(network_file.load(folder))
        figures[str(folder)] = {"da4ml_lut": luts, "seconds": round(time.perf_counter() - began, 1)}
        print(folder, json.dumps(figures[str(folder)]), flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def unrolled_luts(network: ir.Network) -> int:
    """Trace a network of convolutions, poolings, dense layers and requantizations, and give da4ml's cost."""
    from da4ml.trace import FixedVariableArray, HWConfig, comb_trace

    kind, shape = network.input.type, network.input.shape
    sign, integer, fraction = (np.full(shape, bits) for bits in (kind.signed, _integer(kind), kind.fraction))
    entrance = FixedVariableArray.from_kif(sign, integer, fraction, HWConfig(1, -1, -1))
    values: dict[str, Any] = {network.input.name: entrance}
    for node in network.nodes[1:]:
        values[node.name] = _traced(node, network, values[node.inputs[0]])
        if node is network.logits:
            break
    logic = comb_trace(entrance.ravel(), values[network.logits.name].ravel())
    _check(network, logic)
    return round(logic.cost)


def _check(network: ir.Network, logic: Any) -> None:
    up = replace(network, nodes=tuple(_rounds_up(node) for node in network.nodes))
    low, high = network.input.type.codes
    codes = np.random.default_rng(0).integers(low, high + 1, (INPUTS, *network.input.shape))
    wanted = emulator.compile(up).run(codes, keep=[up.logits.name])[up.logits.name] * up.logits.type.step
    found = logic.predict((codes * network.input.type.step).reshape(INPUTS, -1))
    if (found != wanted.reshape(found.shape)).any():
        raise SystemExit(f"{network.name}: the trace computes something else than the network")


def _rounds_up(node: ir.Node) -> ir.Node:
    return replace(node, type=replace(node.type, rounding=Rounding.RND)) if isinstance(node, ir.Requantize) else node


def _traced(node: ir.Node, network: ir.Network, source: Any) -> Any:
    match node:
        case ir.Dense():
            return _product(source.ravel(), node, node.kernel.codes)
        case ir.Conv():
            windows = _windows(node, source)
            return _stacked([_product(part.ravel(), node, node.kernel.codes[at]) for part, at in windows], node.shape)
        case ir.MaxPool():
            axes = tuple(range(len(node.window)))
            return _stacked([np.max(part, axis=axes) for part, _ in _windows(node, source)], node.shape)
        case ir.Reshape():
            return source.reshape(node.shape)
        case ir.Requantize(type=kind) if kind.overflow is Overflow.SAT:
            rectified = source.relu() if node.relu else source
            bits = int(kind.signed), _integer(kind), kind.fraction
            return rectified.quantize(*bits, overflow_mode="SAT", round_mode="RND")
    raise SystemExit(f"{network.name}: no trace of {type(node).__name__} '{node.name}'")


def _product(values: Any, node: ir.Conv | ir.Dense, kernel: Codes) -> Any:
    matrix = kernel.reshape(-1, kernel.shape[-1]) * node.kernel.type.step
    return values @ matrix + node.bias.codes * node.bias.type.step


def _windows(node: ir.Conv | ir.MaxPool, source: Any) -> Iterator[tuple[Any, tuple[slice, ...]]]:
    """Give the real elements below the window at each output position, and where they lie in the window."""
    axes = list(zip(source.shape, node.window, node.strides, node.padding, strict=False))
    counts = [(size + sum(padding) - window) // stride + 1 for size, window, stride, padding in axes]
    for position in product(*map(range, counts)):
        first = [at * stride - padding[0] for at, (_, _, stride, padding) in zip(position, axes, strict=True)]
        ends = [min(at + window, size) for at, (size, window, _, _) in zip(first, axes, strict=True)]
        taken = tuple(slice(max(at, 0), end) for at, end in zip(first, ends, strict=True))
        yield source[taken], tuple(slice(one.start - at, one.stop - at) for one, at in zip(taken, first, strict=True))


def _stacked(parts: list[Any], shape: ir.Shape) -> Any:
    return np.stack(parts).reshape(shape)


def _integer(kind: FixedPoint) -> int:
    """Give integer bits as da4ml counts them: without the sign."""
    return kind.integer - int(kind.signed)


if __name__ == "__main__":
    main()
