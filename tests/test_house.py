"""The house's rules: data flows one way, and so do imports; no path or host of a machine in any file."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path

import pytest
from house import (
    FILES,
    GROUND,
    HEAVY,
    LEGACY_KERAS,
    LONGEST_FILE,
    MAY_IMPORT,
    MODULES,
    OPEN_TO_NOTEBOOKS,
    ROOMS,
    ROOT,
    SAME_PART,
    SAME_PART_OF_CLASSES,
    WITHOUT_KERAS,
    imported_modules,
    imports_before_legacy_keras,
    libraries_of,
    module_name,
    room_of,
    tracked_files,
    wing_of,
)


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


def test_keras_2_is_asked_for_before_anything_that_would_bring_keras_3():
    """An import of qkeras alone binds TensorFlow to Keras 3, for the whole process.

    Two files decide which Keras it is: one for all, and one in a process of its own, for a file of either.
    """
    deciding = {ROOT / "siliconv" / "legacy_keras.py", ROOT / "models" / "architectures" / "keras_prediction.py"}
    assert [line for path in FILES if path not in deciding for line in imports_before_legacy_keras(path)] == []


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


def test_a_class_name_stands_for_one_thing():
    places = defaultdict(list)
    for module, path in MODULES.items():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                places[node.name].append(module)
    twice = {name: modules for name, modules in places.items() if len(modules) > 1 and not name.startswith("_")}
    assert {name: modules for name, modules in twice.items() if name not in SAME_PART_OF_CLASSES} == {}
    assert set(SAME_PART_OF_CLASSES) <= set(twice), "an exception that is none"


def test_only_the_entry_point_imports_the_command_line():
    assert [name for name in MODULES if "siliconv.commands.cli" in imported_modules(name)] == ["siliconv.__main__"]


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
