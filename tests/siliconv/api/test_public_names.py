"""The package's face: its public names, how light it is, and that the command line calls nothing else."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import siliconv

COMMANDS = sorted((Path(__file__).resolve().parents[3] / "siliconv" / "commands").glob("*.py"))

PUBLIC = {
    "Certificate",
    "Firmware",
    "HardwareEstimate",
    "HlsConfig",
    "InputConfig",
    "Project",
    "QuantizedModel",
    "Recipe",
    "Run",
    "__version__",
    "boards",
    "calibrate",
    "compare",
    "convert",
    "doctor",
    "errors",
    "estimate_records",
    "fine_tune",
    "load",
    "network",
    "presets",
    "projects",
    "schema",
}


def test_the_public_names_are_these():
    assert set(siliconv.__all__) == PUBLIC


def test_every_public_name_says_what_it_is():
    for name in sorted(PUBLIC):
        value = getattr(siliconv, name)
        assert inspect.getdoc(value), name
        if inspect.isclass(value) and value.__module__.startswith("siliconv.api"):
            undocumented = [
                key for key, one in vars(value).items() if not key.startswith("_") and callable(one) and not one.__doc__
            ]
            assert not undocumented, f"{name}: {undocumented}"


def test_importing_the_package_loads_nothing_heavy():
    heavy = ("tensorflow", "keras", "tf_keras", "qkeras", "hls4ml", "onnxruntime", "numpy", "pydantic", "matplotlib")
    script = f"import sys, siliconv; print([name for name in {heavy} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.stem)
def test_the_command_line_calls_public_names_only(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in for_types or not isinstance(node, ast.ImportFrom) or not node.module:
            continue
        if node.module == "siliconv":
            assert {alias.name for alias in node.names} <= PUBLIC, f"{path.name}:{node.lineno}"
        elif node.module.startswith("siliconv."):
            room = node.module.split(".")[1]
            assert room in ("commands", "errors", "progress"), f"{path.name}:{node.lineno} imports {node.module}"
