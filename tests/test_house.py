"""The house's rules: data flows one way, and so do imports; no path or host of a machine in any file."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
WINGS = ("models", "quantize", "hls")
# The last is the one door to TensorFlow, which hls4ml imports too.
GROUND_FLOOR = {"siliconv.errors", "siliconv.progress", "siliconv.models", "siliconv.legacy_keras"}
MAY_IMPORT = {"models": {"models"}, "quantize": {"models", "quantize"}, "hls": {"quantize", "hls"}}


def imported_modules(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: imports are absolute"
            found |= {node.module}
            if node.module == "siliconv":
                found |= {f"siliconv.{alias.name}" for alias in node.names}
    return {module for module in found if module.split(".")[0] == "siliconv"} - {"siliconv"}


@pytest.mark.parametrize("path", [p for wing in WINGS for p in sorted((ROOT / wing).rglob("*.py"))], ids=str)
def test_a_wing_imports_only_what_lies_before_it(path):
    wing = path.relative_to(ROOT).parts[0]
    for module in imported_modules(path) - GROUND_FLOOR:
        assert module.split(".")[1] in MAY_IMPORT[wing], f"{path.relative_to(ROOT)} imports {module}"


def test_only_the_entry_point_imports_the_command_line():
    for path in (ROOT / "siliconv").rglob("*.py"):
        if path.name != "__main__.py":
            assert "siliconv.commands.cli" not in imported_modules(path), path


def tracked_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_no_path_of_a_machine_in_any_tracked_file():
    machine = re.compile(r"/(?:home|root|work|Users)/\w+/")
    for path in tracked_files():
        if path == Path(__file__):
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        assert not machine.search(text), f"{path}: {machine.search(text)}"


def test_no_pictures_in_the_repository_but_plots():
    pictures = {".jpg", ".jpeg", ".png", ".npz", ".npy", ".h5"}
    for path in tracked_files():
        plots = path.is_relative_to(ROOT / "docs") or path.is_relative_to(ROOT / "benchmarks" / "results")
        assert path.suffix not in pictures or plots, path
