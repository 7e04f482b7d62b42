"""The version of the code behind a result: a hash of the modules it is computed by, found by following imports."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGE = "siliconv"

# How things are said and shown changes no result.
WITHOUT_EFFECT = ("siliconv.counting", "siliconv.errors", "siliconv.progress")


def code_hash(*modules: str) -> str:
    """Give a hash of the source of these modules and of everything in siliconv that they import, at any depth."""
    digest = hashlib.sha256()
    for name in sorted(_closure(modules)):
        digest.update(name.encode())
        digest.update(_source_file(name).read_bytes())
        for file in _files_beside(name):
            digest.update(file.read_bytes())
    return digest.hexdigest()


@cache
def library_version(name: str) -> str:
    """Give the installed version of a library, or ``none``."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


def _closure(modules: Iterable[str]) -> set[str]:
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name not in found and name not in WITHOUT_EFFECT:
            found.add(name)
            waiting.extend(_imports(name))
    return found


@cache
def _imports(name: str) -> tuple[str, ...]:
    tree = ast.parse(_source_file(name).read_text(encoding="utf-8"))
    return tuple(_imported_modules(tree))


def _imported_modules(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == PACKAGE:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if _is_module(inner) else node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == PACKAGE)


@cache
def _is_module(name: str) -> bool:
    # Looking for a module inside another module would import the other one, and with it perhaps TensorFlow.
    package = importlib.util.find_spec(name.rpartition(".")[0])
    if package is None or package.submodule_search_locations is None:
        return False
    return importlib.util.find_spec(name) is not None


@cache
def _source_file(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(name)
    return Path(spec.origin)


@cache
def _files_beside(name: str) -> tuple[Path, ...]:
    """Template files, constants and Verilog beside a module, if its source speaks of such a folder."""
    source = _source_file(name)
    text = source.read_text(encoding="utf-8")
    folders = [source.parent / folder for folder in ("templates", "constants", "verilog") if folder in text]
    return tuple(sorted(path for folder in folders for path in folder.rglob("*") if path.is_file()))
