"""Which stages the SystemVerilog core needs, and what a project file can say about it."""

import pytest

from siliconv.errors import ProjectError
from siliconv.project.project import parse_project
from siliconv.stages.stages import RTL_STAGES, STAGE_NAMES, road_to


def test_the_core_stands_on_the_network_alone():
    names = [stage.name for stage in road_to("rtlsim")]
    assert names == ["data", "train", "quantize", "lower", "rtl", "rtlsim"]
    assert "convert" not in [stage.name for stage in road_to("bitstream")]


def test_each_stage_is_behind_what_it_needs():
    for stage in RTL_STAGES:
        assert all(STAGE_NAMES.index(name) < STAGE_NAMES.index(stage.name) for name in stage.needs)


def test_the_section_of_the_project_file(tmp_path):
    text = "model:\n  preset: digits\nrtl:\n  interval: 576\n  family: xc7\n  lanes: {conv2d_1: [1, 8]}\n"
    config = parse_project(text, tmp_path / "project.yml").rtl
    assert (config.interval, config.multiplier_bits, config.lanes) == (576, 25, {"conv2d_1": (1, 8)})


def test_a_wrong_family_names_the_field(tmp_path):
    with pytest.raises(ProjectError) as caught:
        parse_project("model:\n  preset: digits\nrtl:\n  family: ice40\n", tmp_path / "project.yml")
    assert "rtl.family" in str(caught.value)
