"""Conversion: hls4ml gets every type and reuse factor from the network, and a change of any is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from siliconv.errors import FirmwareError
from siliconv.hls.backends import BACKENDS
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion import conversion
from siliconv.hls.conversion.conversion import build_graph, convert
from siliconv.hls.conversion.layer_settings import plan_layers
from siliconv.hls.conversion.manifest import write_manifest


@pytest.fixture
def network(build):
    return build((8, 8, 2)).conv(4, (3, 3)).relu().flatten().dense(3).network()


def test_the_project_states_every_type(network, tmp_path):
    convert(network, HlsConfig(), tmp_path)
    defines = (tmp_path / "firmware" / "defines.h").read_text()
    assert "ap_ufixed<8,0>" in defines.replace(" ", "")
    assert "ap_ufixed<5,2,AP_RND_CONV,AP_SAT,0>" in defines.replace(" ", "")
    assert "fixed<16,6>" not in defines.replace(" ", ""), "hls4ml's default type is in use somewhere"


def test_the_reuse_factor_keeps_to_the_multipliers_allowed(network, tmp_path):
    firmware = convert(network, HlsConfig(max_multipliers=20), tmp_path)
    by_name = {layer.name: layer for layer in firmware.layers}
    conv, dense = by_name["conv_1"], by_name["dense_1"]
    assert conv.products == (18, 4)
    assert conv.reuse_factor == 6
    assert dense.products == (256, 3)
    assert 256 * 3 / dense.reuse_factor <= 20


def test_an_illegal_reuse_factor_is_an_error_that_names_the_nearest(network, tmp_path):
    with pytest.raises(FirmwareError) as raised:
        convert(network, HlsConfig(reuse_factors={"conv_1": 5}), tmp_path)
    assert raised.value.code == "REUSE-ILLEGAL"
    assert "3 or 6" in raised.value.fix


def test_a_reuse_factor_for_an_unknown_layer_is_refused(network, tmp_path):
    with pytest.raises(FirmwareError, match="REUSE-LAYER"):
        convert(network, HlsConfig(reuse_factors={"conv_9": 1}), tmp_path)


def test_a_type_that_hls4ml_changed_is_refused(network, tmp_path, monkeypatch):
    monkeypatch.setattr(conversion, "_as_hls4ml_writes", lambda kind: "fixed<3,1,TRN,WRAP,0>")
    with pytest.raises(FirmwareError, match="FIRMWARE-CHANGED"):
        convert(network, HlsConfig(), tmp_path)


@pytest.mark.parametrize("backend", BACKENDS)
def test_converting_twice_gives_the_same_project(network, tmp_path, backend):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        convert(network, HlsConfig(backend=backend), tmp_path / name)
    files = [path for path in sorted((tmp_path / "one").rglob("*")) if path.is_file()]
    assert len(files) > 50
    for path in files:
        twin = tmp_path / "two" / path.relative_to(tmp_path / "one")
        assert path.read_bytes() == twin.read_bytes(), path.name
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"], "written beside the project"


@pytest.mark.parametrize("backend", ["Quartus", "Catapult"])
@pytest.mark.parametrize("io_type", ["io_stream", "io_parallel"])
def test_templates_with_ac_fixed_keep_what_is_stated_and_refuse_what_they_would_change(build, backend, io_type):
    network = build((8, 8, 2)).conv(4, (3, 3)).relu().flatten().dense(3).network()
    for factor in (1, 3, 18, 36):
        (conv,) = _convs(network, HlsConfig(backend=backend, io_type=io_type, reuse_factors={"conv_1": factor}))
        assert conv.reuse_factor == factor
    (conv,) = _convs(network, HlsConfig(backend=backend, io_type=io_type, max_multipliers=20))
    assert conv.reuse_factor == 6
    with pytest.raises(FirmwareError, match="REUSE-ILLEGAL") as raised:
        plan_layers(network, HlsConfig(backend=backend, io_type=io_type, reuse_factors={"conv_1": 5}))
    assert "3 or 6" in raised.value.fix
    missing = {"Quartus": "latency", "Catapult": "distributed_arithmetic"}[backend]
    for settings in ({"strategy": missing}, {"strategies": {"conv_1": missing}}):
        with pytest.raises(FirmwareError, match="STRATEGY-BACKEND") as raised:
            plan_layers(network, HlsConfig(backend=backend, io_type=io_type, **settings))
        assert "use " in raised.value.fix
    pixels = HlsConfig(backend=backend, io_type=io_type, parallelization_factors={"conv_1": 4})
    if backend == "Quartus" and io_type == "io_parallel":
        assert _convs(network, pixels)[0].parallelization_factor == 4
    else:
        with pytest.raises(FirmwareError, match="PARALLEL-ILLEGAL"):
            plan_layers(network, pixels)


def _convs(network, config):
    """Give the convolutions of a graph that hls4ml built and that was found to be kept."""
    build_graph(network, config, Path("unused"))
    return [layer for layer in plan_layers(network, config) if layer.kind == "Conv"]


def test_the_manifest_tells_how_the_project_was_made(network, tmp_path):
    firmware = convert(network, HlsConfig(), tmp_path)
    write_manifest(firmware, network, HlsConfig(), tmp_path)
    manifest = json.loads((tmp_path / "siliconv.json").read_text())
    assert manifest["top"] == "net"
    assert [layer["name"] for layer in manifest["layers"]] == [node.name for node in network.nodes]


@pytest.mark.parametrize("wrong", [{"clock_ns": 0}, {"backend": "Vitus"}, {"reuse_factors": {"a": 0}}, {"clok": 5}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ValidationError):
        HlsConfig(**wrong)


def test_an_accelerator_for_a_part_without_a_board_is_refused(network, tmp_path):
    with pytest.raises(FirmwareError) as raised:
        convert(network, HlsConfig(backend="VivadoAccelerator", part="xcku115-flvb2104-2-i"), tmp_path)
    assert raised.value.code == "FIRMWARE-BOARD"
    assert "pynq-z2" in raised.value.fix
