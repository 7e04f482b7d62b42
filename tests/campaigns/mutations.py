"""Mutations: one operator or constant of an exact module is changed, and its tests have to notice."""

from __future__ import annotations

import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

SEEDS = 60
ROOT = Path(__file__).resolve().parents[2]
WINGS = ("network", "hardware", "models", "quantize", "hls", "rtl")
SECONDS = 300

TARGETS = {
    "network/fixed_point.py": ["tests/network/test_fixed_point.py"],
    "network/intervals.py": ["tests/network/test_intervals.py"],
    "network/reference.py": ["tests/network/test_reference.py", "tests/network/emulator"],
    "network/structure.py": ["tests/network/test_structure.py", "tests/network/test_network_file.py"],
    "network/windows.py": ["tests/network", "tests/quantize/lowering"],
    "network/function_table.py": ["tests/network/test_function_table.py"],
    "hardware/stream/fifo_depths.py": ["tests/hardware/stream"],
    "hls/conversion/reuse_factors.py": ["tests/hls/conversion/test_reuse_factors.py"],
    "rtl/plan/reciprocals.py": ["tests/rtl/plan/test_reciprocals.py"],
    "rtl/plan/lanes.py": ["tests/rtl/plan"],
    "rtl/writing/memory_words.py": ["tests/rtl/writing"],
    "rtl/simulation/word_files.py": ["tests/rtl/simulation/test_word_files.py"],
}
"""What is mutated, and the tests that shall see it."""

_OPERATORS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.FloorDiv: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.And: ast.Or,
    ast.Or: ast.And,
}


def run(seed: int) -> dict[str, Any]:
    """Mutate one place that a seed chooses; ``killed`` tells whether a test failed."""
    chosen = random.Random(seed)
    target = chosen.choice(sorted(TARGETS))
    text, what = _mutated((ROOT / target).read_text(encoding="utf-8"), chosen)
    with tempfile.TemporaryDirectory() as scratch:
        package = Path(scratch) / "siliconv"
        shutil.copytree(ROOT / "siliconv", package, ignore=shutil.ignore_patterns("__pycache__"))
        for wing in WINGS:
            shutil.copytree(ROOT / wing, package / wing, ignore=shutil.ignore_patterns("__pycache__"))
        (package / target).write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-m", "not slow and not long"]
        environment = {**os.environ, "PYTHONPATH": scratch, "PYTHONSAFEPATH": "1"}
        try:
            done = subprocess.run(
                [*command, *TARGETS[target]],
                cwd=ROOT,
                env=environment,
                capture_output=True,
                timeout=SECONDS,
                check=False,
            )
            killed = done.returncode == 1 or done.returncode == 2  # a failure, or not even imported
        except subprocess.TimeoutExpired:
            killed = True
    return {"file": target, "mutation": what, "killed": killed}


def _mutated(source: str, chosen: random.Random) -> tuple[str, str]:
    """Change one operator or integer constant of a source outside its docstrings."""
    tree = ast.parse(source)
    places: list[tuple[ast.AST, str, type[ast.AST] | None]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp | ast.BoolOp) and type(node.op) in _OPERATORS:
            places.append((node, "op", _OPERATORS[type(node.op)]))
        elif isinstance(node, ast.Compare) and type(node.ops[0]) in _OPERATORS:
            places.append((node, "ops", _OPERATORS[type(node.ops[0])]))
        elif isinstance(node, ast.Constant) and type(node.value) is int:
            places.append((node, "value", None))
    node, field, other = chosen.choice(places)
    before = ast.unparse(node)
    if other is None:
        assert isinstance(node, ast.Constant)
        node.value = int(str(node.value)) + 1
    else:
        setattr(node, field, [other(), *node.ops[1:]] if isinstance(node, ast.Compare) else other())
    line = getattr(node, "lineno", 0)
    return ast.unparse(ast.fix_missing_locations(tree)), f"line {line}: {before} -> {ast.unparse(node)}"
