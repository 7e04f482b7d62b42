"""Which stages the SystemVerilog core needs, and what a project file can say about it."""

import pytest

from siliconv.errors import ProjectError, ToolError
from siliconv.project.project import parse_project
from siliconv.rtl.configuration import RtlConfig
from siliconv.stages.rtl_stages import check_rtl_tools
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


def test_what_a_run_lacks_is_told_before_it_starts(monkeypatch):
    monkeypatch.setattr("siliconv.rtl.synthesis.open_tools.has_tool", lambda name: name == "yosys")
    check_rtl_tools("synth", RtlConfig())
    with pytest.raises(ToolError) as caught:
        check_rtl_tools("bitstream", RtlConfig())
    assert "nextpnr-ecp5" in caught.value.what
    monkeypatch.undo()
    monkeypatch.setattr("siliconv.rtl.simulation.verilator.find_verilator", lambda: None)
    with pytest.raises(ToolError) as caught:
        check_rtl_tools("rtlsim", RtlConfig())
    assert caught.value.code == "RTL-NO-VERILATOR"


def test_a_family_that_is_not_placed_is_told_too(monkeypatch):
    monkeypatch.setattr("siliconv.rtl.synthesis.open_tools.has_tool", lambda name: True)
    with pytest.raises(ProjectError) as caught:
        check_rtl_tools("place", RtlConfig(family="xc7"))
    assert caught.value.code == "RTL-FAMILY"


def test_a_wrong_family_names_the_field(tmp_path):
    with pytest.raises(ProjectError) as caught:
        parse_project("model:\n  preset: digits\nrtl:\n  family: ice40\n", tmp_path / "project.yml")
    assert "rtl.family" in str(caught.value)
