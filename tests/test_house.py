"""The house's rules: data flows one way, and so do imports; no path or host of a machine in any file."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAY_IMPORT = {
    "network": {"network"},
    "hardware": {"network", "hardware"},
    "models": {"models"},
    "quantize": {"models", "network", "quantize"},
    "hls": {"network", "hardware", "hls"},
    "siliconv": {"network", "hardware", "models", "quantize", "hls", "siliconv"},
}
"""Each wing's folder, and the wings that it may import from (docs/architecture.md shows the same)."""

GROUND = {"siliconv.errors", "siliconv.progress"}
LEGACY_KERAS = "siliconv.legacy_keras"
WITHOUT_KERAS = ("network", "hardware")
"""Wings that can be installed and imported where there is no TensorFlow."""

HEAVY = {"tensorflow", "keras", "tf_keras", "qkeras", "hls4ml"}

SAME_PART: dict[str, str] = {"estimate.py": "the estimate of a design, and what a notebook sees of it"}
"""File names that stand in two wings, and which part both play there."""

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


def test_the_table_of_wings_names_every_top_level_package():
    found = {path.parent.name for path in ROOT.glob("*/__init__.py") if path.parent.name != "tests"}
    assert found == set(MAY_IMPORT)


@pytest.mark.parametrize("wing", MAY_IMPORT)
def test_a_wing_imports_only_what_the_table_allows(wing):
    ground = GROUND if wing in WITHOUT_KERAS else {*GROUND, LEGACY_KERAS}
    wrong = [
        f"{module} imports {imported}"
        for module in MODULES
        if wing_of(module) == wing
        for imported in imported_modules(module) - ground
        if wing_of(imported) not in MAY_IMPORT[wing]
    ]
    assert not wrong


@pytest.mark.parametrize("module", sorted({*GROUND, LEGACY_KERAS}))
def test_the_ground_stands_on_nothing_else(module):
    assert imported_modules(module) <= GROUND


def test_rooms_form_no_circle_of_imports():
    """Late imports count: one that runs inside a function hides a circle from Python, not from a reader."""
    reads: dict[str, set[str]] = defaultdict(set)
    why: dict[tuple[str, str], str] = {}
    for module in MODULES:
        for imported in imported_modules(module):
            one, other = room_of(module), room_of(imported)
            if one != other:
                reads[one].add(other)
                why[one, other] = f"{module} imports {imported}"
    try:
        TopologicalSorter(reads).prepare()
    except CycleError as error:
        circle = error.args[1][::-1]
        pytest.fail("\n".join(why[pair] for pair in pairwise(circle)))


@pytest.mark.parametrize("wing", WITHOUT_KERAS)
def test_a_wing_without_keras_imports_none_of_it(wing):
    """Every module of the wing in one fresh interpreter; and none asks for it later, inside a function."""
    modules = [module for module in MODULES if wing_of(module) == wing]
    asked = {name: libraries_of(MODULES[name]) & HEAVY for name in modules}
    assert not {name: heavy for name, heavy in asked.items() if heavy}
    program = "\n".join(
        [*(f"import {name}" for name in modules), f"import sys; print(*sorted({HEAVY!r} & set(sys.modules)))"]
    )
    run = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == []


def test_no_two_files_have_one_name_unless_they_play_the_same_part():
    named: dict[str, list[str]] = defaultdict(list)
    for path in FILES:
        if path.name != "__init__.py":
            named[path.name].append(path.relative_to(ROOT).as_posix())
    twice = {name: paths for name, paths in named.items() if len(paths) > 1}
    assert {name: paths for name, paths in twice.items() if name not in SAME_PART} == {}
    assert set(SAME_PART) <= set(twice), "the table lists a name that stands only once"
    for name, paths in twice.items():
        assert len({path.split("/")[0] for path in paths}) == len(paths), f"{name}: twice in one wing"


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.relative_to(ROOT).as_posix())
def test_a_room_says_in_one_sentence_what_it_is_for(room):
    entrance = room / "__init__.py"
    assert entrance.is_file(), f"{room} has no __init__.py"
    said = ast.get_docstring(ast.parse(entrance.read_text(encoding="utf-8")))
    assert said, f"{entrance} says nothing"
    summary, *more = said.split("\n\n")
    assert summary.endswith("."), f"{entrance}: {summary}"
    assert not re.search(r"[.!?]\s", summary), f"{entrance}: more than one sentence"
    assert not more or module_name(entrance) in OPEN_TO_NOTEBOOKS, f"{entrance}: more than one sentence"


def test_the_installed_package_has_every_room():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    assert sorted(settings["packages"]) == sorted(module_name(room / "__init__.py") for room in ROOMS)
    assert settings["package-dir"] == {
        "siliconv": "siliconv",
        **{f"siliconv.{wing}": wing for wing in MAY_IMPORT if wing != "siliconv"},
    }


def test_a_file_reads_in_one_sitting():
    lines = {path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert {name: count for name, count in lines.items() if count > LONGEST_FILE} == {}


def test_only_the_entry_point_imports_the_command_line():
    assert [name for name in MODULES if "siliconv.commands.cli" in imported_modules(name)] == ["siliconv.__main__"]


def tracked_files() -> Iterator[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    return (ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file())


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
