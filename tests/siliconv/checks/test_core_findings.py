"""What `siliconv check` says of a built network as the SystemVerilog core, where the project names one."""

from types import SimpleNamespace

import pytest
from small_network import small_network

from siliconv.checks.checks import core_findings
from siliconv.checks.preflight import Severity
from siliconv.project.project import parse_project


def found(text, tmp_path, network):
    project = parse_project(f"model: {{preset: digits}}\n{text}", tmp_path / "project.yml")
    return core_findings(SimpleNamespace(project=project, plan=SimpleNamespace(network=network)))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("rtl: {lanes: {dense: [3, 1]}}", "RTL-LANES"),
        ("rtl: {lanes: {conv: [1, 1]}}", "RTL-LAYER"),
        ("rtl: {rom: {conv: block}}", "RTL-LAYER"),
        ("rtl: {rom: {relu: block}}", "RTL-LAYER"),
    ],
)
def test_what_can_not_be_laid_out_is_an_error(text, code, tmp_path):
    (one,) = found(text, tmp_path, small_network())
    assert (one.code, one.severity) == (code, Severity.ERROR)


def test_a_full_device_is_told(tmp_path):
    (one,) = found("rtl: {interval: 1}", tmp_path, small_network(1200))
    assert (one.code, one.severity) == ("RTL-FULL", Severity.WARNING)
    assert "DSP of a LFE5UM5G-85F" in one.what
    assert "--board ecp5-evn" in one.fix
    (one,) = found("rtl: {interval: 1, family: xc7, board: pynq-z2}", tmp_path, small_network(1200))
    assert "--board pynq-z2" in one.fix
    assert found("rtl: {interval: 1, family: xc7}", tmp_path, small_network(1200)) == ()
    assert found("rtl: {interval: 2400}", tmp_path, small_network(1200)) == ()


def test_nothing_is_said_without_cause(tmp_path):
    assert found("rtl: {lanes: {dense: [2, 1]}}", tmp_path, small_network()) == ()
    assert found("", tmp_path, small_network()) == ()
    assert found("rtl: {lanes: {conv: [1, 1]}}", tmp_path, None) == ()
