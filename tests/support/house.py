"""What the tests know of the house: its wings and rooms, its modules and what they import."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAY_IMPORT = {
    "network": {"network"},
    "hardware": {"network", "hardware"},
    "models": {"models"},
    "quantize": {"models", "network", "quantize"},
    "hls": {"network", "hardware", "hls"},
    "rtl": {"network", "hardware", "rtl"},
    "siliconv": {"network", "hardware", "models", "quantize", "hls", "rtl", "siliconv"},
}
"""Each wing's folder, and the wings that it may import from (docs/architecture.md shows the same)."""

GROUND = {"siliconv.counting", "siliconv.errors", "siliconv.progress", "siliconv.bounded_reading"}
LEGACY_KERAS = "siliconv.legacy_keras"
WITHOUT_KERAS = ("network", "hardware", "rtl")
"""Wings that can be installed and imported where there is no TensorFlow."""

HEAVY = {"tensorflow", "keras", "tf_keras", "qkeras", "hls4ml"}

SAME_PART: dict[str, str] = {
    "configuration.py": "the section of a core in the project file",
    "estimate.py": "the estimate of a design, and what a notebook sees of it",
}
"""File names that stand in two wings, and which part both play there."""

SAME_PART_OF_CLASSES = {
    **dict.fromkeys(
        ("Add", "AveragePool", "Concatenate", "Dense", "MaxPool", "Rearrange", "Reshape"),
        "a layer of an architecture, and the node of the integer network that it becomes",
    ),
    "Cycles": "what a layer takes in hls4ml's templates, and a network in the core of rtl",
    **dict.fromkeys(("Pairwise", "Softmax"), "a node of the integer network, and the block of rtl that computes it"),
    "Finding": "what was found by looking: by a pre-flight rule, and of a tool on this machine",
}
"""Class names that stand twice in the package, and which part both play."""

OPEN_TO_NOTEBOOKS = {"siliconv", "siliconv.network"}
"""Packages whose names users import: their docstrings go on with an example, a stub lists the names."""

LONGEST_FILE = 400


def module_name(path: Path) -> str:
    """Give a file's name inside the package: top-level folders are its subpackages."""
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    parts = parts if parts[0] == "siliconv" else ["siliconv", *parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = [path for wing in MAY_IMPORT for path in sorted((ROOT / wing).rglob("*.py"))]
MODULES = {module_name(path): path for path in FILES}
STUBS = {module_name(path): path for wing in MAY_IMPORT for path in sorted((ROOT / wing).rglob("*.pyi"))}
"""What a package imports when one of its names is asked for (`lazy_loader`)."""
ROOMS = sorted({path.parent for path in FILES})


LEGACY = (HEAVY - {"hls4ml"}) | {"tensorflow_datasets", "tensorflow_model_optimization"}
"""Libraries whose import binds TensorFlow to Keras 3, unless `siliconv.legacy_keras` came first."""

LEGACY_CALLS = {"load", "tensorflow"} | {f"legacy_keras.{name}" for name in ("load", "tensorflow", "qkeras")}
"""What asks for Keras 2."""


def imports_before_legacy_keras(path: Path) -> list[str]:
    """Name the lines of a file that import one of `LEGACY` where nothing above has asked for Keras 2."""
    found: list[str] = []

    def visit(nodes: list[ast.stmt], asked: bool) -> None:
        for node in nodes:
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names]
                if not asked and {name.split(".")[0] for name in names} & LEGACY:
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
                continue
            inner = [part for name in ("body", "orelse", "finalbody") for part in getattr(node, name, [])]
            inner += [part for handler in getattr(node, "handlers", []) for part in handler.body]
            visit([part for part in inner if isinstance(part, ast.stmt)], asked)
            if not isinstance(node, ast.FunctionDef | ast.ClassDef):
                asked = asked or any(
                    isinstance(one, ast.Call) and ast.unparse(one.func) in LEGACY_CALLS for one in ast.walk(node)
                )

    visit(ast.parse(path.read_text(encoding="utf-8")).body, asked=False)
    return found


@cache
def imported_modules(module: str) -> frozenset[str]:
    """Give the modules of the package that one imports: at its top, inside a function, or by its stub."""
    found = set()
    for path in (MODULES[module], STUBS.get(module)):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if path else ():
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names if alias.name.split(".")[0] == "siliconv"}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0 or path.suffix == ".pyi", f"{path}: imports are absolute"
                above = module.split(".")[: len(module.split(".")) - node.level + 1] if node.level else []
                source = ".".join([*above, *filter(None, [node.module])])
                if source.split(".")[0] == "siliconv":
                    inner = [f"{source}.{alias.name}" for alias in node.names]
                    found |= {whole if whole in MODULES else source for whole in inner}
    return frozenset(found)


def libraries_of(path: Path) -> set[str]:
    """Give the top-level packages that a file imports, at its top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def wing_of(module: str) -> str:
    return MODULES[module].relative_to(ROOT).parts[0]


def room_of(module: str) -> str:
    """Give the folder of a module; what is on the ground, the entry point and a door with a stub stand alone."""
    alone = module in {*GROUND, LEGACY_KERAS, "siliconv.__main__", *STUBS}
    return module if alone else MODULES[module].parent.relative_to(ROOT).as_posix()


def tracked_files() -> Iterator[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    return (ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file())
