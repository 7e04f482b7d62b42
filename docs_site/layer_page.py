"""The page of the layers: for each node of the integer network, what every executor makes of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from markdown_text import cell
from messages import ROOT

from siliconv.network import graph

EXECUTORS = {
    "emulator": ("network/emulator/onnx_nodes.py", "emit"),
    "QONNX": ("network/qonnx/qonnx_export.py", "emit"),
    "hls4ml": ("hls/conversion/layer_list.py", "describe"),
    "estimate": ("hls/design/hardware_layers.py", "hardware_layers"),
    "SystemVerilog": ("rtl/plan/planning.py", ""),
}
"""Where each executor registers what it makes of a kind of node, and with which function."""

_BLOCKS = {"multiplied": "Multiply", "pooled": "Pool", "padded": "Pad", "rearranged": "Rearrange"}
"""What the functions that choose a block are called after."""

INTRODUCTION = """# Layers and executors

A Keras layer becomes one or more nodes of the integer network. [The guide to layers](../layers.md) says which. This
page lists every kind of node, and what each executor makes of it.

- **Meaning**: the definition. The reference in NumPy computes exactly this, and every executor is compared with it.
- **Emulator**: operations of ONNX Runtime.
- **QONNX**: operations of the export; a dash means that the export refuses the node.
- **hls4ml**: the layer of hls4ml, or a kernel of siliconv. Each is compared in C simulation.
- **Estimate**: the hardware that latency and resources are counted of.
- **SystemVerilog**: the block of the second core. Each is compared in Verilator.

This page is made from the source by `docs_site/write_pages.py`.
"""


def layer_page() -> str:
    """Write the page."""
    made = {name: _made(ROOT / file, function) for name, (file, function) in EXECUTORS.items()}
    kinds = [kind for kind in graph.KINDS if kind != "Input"]
    parts = [INTRODUCTION, "| node | meaning | " + " | ".join(EXECUTORS) + " |", "|---" * (len(EXECUTORS) + 2) + "|"]
    for kind in kinds:
        said = " ".join((graph.KINDS[kind].__doc__ or "").split("\n\n")[0].split()).replace("``", "`")
        cells = (cell(", ".join(made[name].get(kind) or _without(name, kind))) for name in EXECUTORS)
        parts.append(f"| `{kind}` | {said} | " + " | ".join(cells) + " |")
    return "\n".join(parts) + "\n"


def _without(executor: str, kind: str) -> tuple[str, ...]:
    """Say why an executor has no rule: the core of SystemVerilog takes some nodes into the blocks beside them."""
    fused = (ROOT / "rtl" / "plan" / "fusing.py").read_text(encoding="utf-8")
    return ("no block of its own",) if executor == "SystemVerilog" and f"ir.{kind}" in fused else ("–",)


def _made(path: Path, function: str) -> dict[str, tuple[str, ...]]:
    """Give what a file makes of each kind: the operations, layers or blocks that its rule names."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: dict[str, tuple[str, ...]] = {}
    for node in ast.walk(tree):
        if function and isinstance(node, ast.FunctionDef):
            for kind in _registered(node, function):
                found[kind] = tuple(dict.fromkeys(_named(node))) or ("yes",)
        elif not function and isinstance(node, ast.match_case):
            for kind in {one.cls.attr for one in ast.walk(node.pattern) if isinstance(one, ast.MatchClass)}:  # type: ignore[attr-defined]
                blocks = (_blocks(statement) for statement in node.body)
                found[kind] = tuple(dict.fromkeys(name for names in blocks for name in names))
    return found


def _registered(node: ast.FunctionDef, function: str) -> Iterator[str]:
    """Yield the kinds that a rule is for: named in the decorator, or by the annotation of its first parameter."""
    for decorator in node.decorator_list:
        call = decorator.func if isinstance(decorator, ast.Call) else decorator
        if ast.unparse(call) != f"{function}.register":
            continue
        if isinstance(decorator, ast.Call):
            yield ast.unparse(decorator.args[0]).removeprefix("ir.")
        else:
            first = next(one for one in node.args.args if one.arg != "self")
            assert first.annotation is not None
            yield from (name.removeprefix("ir.") for name in ast.unparse(first.annotation).split(" | "))


def _named(node: ast.FunctionDef) -> Iterator[str]:
    for call in (one for one in ast.walk(node) if isinstance(one, ast.Call)):
        called = ast.unparse(call.func)
        if called == "self.graph.op" and isinstance(call.args[0], ast.Constant):
            yield str(call.args[0].value)
        elif called in ("attributes_of", "_pooling"):
            given = call.args[0]
            yield str(given.value) if isinstance(given, ast.Constant) else _pattern(given)
        elif called.endswith("Layer") and called != "InputLayer" and called[0].isupper():
            yield called
        elif called == "self._quant":
            yield "Quant"


def _pattern(node: ast.expr) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(str(one.value) if isinstance(one, ast.Constant) else "n" for one in node.values)
    return ast.unparse(node)


def _blocks(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "block":
        call = statement.value
        if isinstance(call, ast.Call) and ast.unparse(call.func) != "replace":
            yield _BLOCKS.get(ast.unparse(call.func), ast.unparse(call.func))
