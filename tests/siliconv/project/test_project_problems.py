"""What is wrong with layers of a project file: the known fields of that kind of layer, and all problems at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from siliconv.project.project import parse_project
from siliconv.project.project_problems import ProjectProblemsError

LAYERS = """
  layers:
    - conv2d
    - {kind: conv2d, filters: 3, kernel_size: 3}
    - {kind: max_pool, pool_size: 2}
    - {kind: convolution2d}
    - {kind: dense, units: -1}
    - {filters: 3}
"""


@pytest.mark.parametrize("shape", ["input_shape: [8, 8, 1]", "inputs: {image: [8, 8, 1], numbers: [3]}"])
def test_every_layer_is_told_what_it_knows(shape):
    with pytest.raises(ProjectProblemsError) as raised:
        parse_project(f"model:\n  {shape}{LAYERS}", Path("project.yml"))
    problems = raised.value.problems
    assert [one.where.rpartition("field ")[2] for one in problems] == [
        "model.layers.0",
        "model.layers.1.kernel_size",
        "model.layers.2.pool_size",
        "model.layers.3",
        "model.layers.4.units",
        "model.layers.5",
    ]
    fixes = [one.fix for one in problems]
    assert fixes[0].startswith("write it as - {kind: conv2d, ...}; its fields: ")
    assert "filters" in fixes[0]
    assert fixes[1].startswith("did you mean 'kernel'? known fields: ")
    assert "padding" in fixes[1]
    assert "did you mean 'pool'?" in fixes[2]
    assert "did you mean 'conv2d'?" in fixes[3]
    assert fixes[4] == "units is number of outputs"
    assert fixes[5].startswith("write it as - {kind: conv2d")


@pytest.mark.parametrize("name", ["[", "a(b", "int", "tuple[int]", "conv[12]"])
@pytest.mark.parametrize(
    "section", ["{}", "model: {{preset: digits, {}}}", "quantize: {{layers: {{'conv[12]': {{{}}}}}}}"]
)
def test_a_field_may_look_like_anything(name, section):
    """Pydantic puts names of kinds with brackets into the place of an error; a user's own field is none of them."""
    with pytest.raises(ProjectProblemsError) as raised:
        parse_project(section.format(f"'{name}': 1") + "\n", Path("project.yml"))
    assert f"unknown field '{name}'" in str(raised.value)
