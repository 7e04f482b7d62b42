"""Weights outside the core: whole in every file of the project, exact, and refused where hls4ml can't write them so."""

from __future__ import annotations

import json
import subprocess

import numpy as np
import pytest

from siliconv.errors import FirmwareError
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.axi import write_axi
from siliconv.hls.conversion.conversion import convert
from siliconv.hls.conversion.layer_settings import plan_layers
from siliconv.hls.conversion.manifest import write_manifest
from siliconv.hls.conversion.project_readme import write_readme
from siliconv.hls.conversion.testbench import write_testbench
from siliconv.hls.csim.csim import compare, compile_project
from siliconv.hls.design.design import MatrixLayer
from siliconv.hls.estimate.estimate import estimate
from siliconv.hls.fifo.sized_design import design_of
from siliconv.hls.kinds import Synthesis
from siliconv.network.output_sigmoid import with_sigmoid

pytestmark = pytest.mark.usefixtures("compiler")


@pytest.fixture(scope="module")
def network(build):
    return build((5, 4, 2)).conv(4, (3, 3)).relu().flatten().dense(3).network()


@pytest.mark.long
@pytest.mark.parametrize("backend", ["Vitis", pytest.param("Vivado", marks=pytest.mark.slow)])
def test_a_project_with_weights_outside_the_core_is_exact_in_every_test_bench(network, backend, tmp_path):
    config = HlsConfig(backend=backend, bram_factor=100, reuse_factors={"dense_1": 10})
    folder = tmp_path / "firmware"
    folder.mkdir()
    firmware = convert(network, config, folder)
    codes = np.random.default_rng(0).integers(0, 256, (4, *network.input.shape))
    write_testbench(network, codes, folder, config, weight_ports=firmware.weight_ports)
    write_axi(network, config, folder, weight_ports=firmware.weight_ports)
    write_readme(firmware, network, config, vectors=len(codes))
    write_manifest(firmware, network, config, folder)

    library = compile_project(folder, network.name, tmp_path / "cache")
    assert not any(layer.differing for layer in compare(library, network, codes, jobs=1))
    for target in ("csim", "axi"):
        done = subprocess.run(
            ["make", "-f", "Makefile", target], cwd=folder, capture_output=True, text=True, check=False
        )
        assert "PASS: 4 vectors" in done.stdout, done.stderr

    (port,) = firmware.weight_ports
    assert (port.layer, port.weights, port.steps) == ("dense_1", 240, 10)
    assert f"{port.type} {port.name}[240]" in (folder / "firmware" / "net.h").read_text()
    for top in ("firmware/net.cpp", "axi/net_axi.cpp"):
        assert f"#pragma HLS INTERFACE bram port={port.name}" in (folder / top).read_text()
    assert f"| {port.name} | dense_1 | 240 of" in (folder / "README.md").read_text()
    assert json.loads((folder / "siliconv.json").read_text())["weight_ports"] == [vars(port)]


def test_without_large_layers_the_project_is_the_same(network, tmp_path):
    for name, config in (("with", HlsConfig(bram_factor=240)), ("without", HlsConfig())):
        (tmp_path / name).mkdir()
        assert convert(network, config, tmp_path / name).weight_ports == ()
    for path in ("firmware/net.cpp", "firmware/net.h", "net_bridge.cpp"):
        assert (tmp_path / "with" / path).read_text() == (tmp_path / "without" / path).read_text()


@pytest.mark.parametrize(
    "config",
    [
        HlsConfig(bram_factor=100, io_type="io_parallel"),
        HlsConfig(bram_factor=100, backend="VivadoAccelerator"),
        HlsConfig(bram_factor=100, backend="Catapult"),
    ],
    ids=lambda config: f"{config.backend}, {config.io_type}",
)
def test_it_is_refused_where_the_ports_would_not_be_whole(network, config):
    with pytest.raises(FirmwareError, match="BRAM-FACTOR"):
        plan_layers(network, config)


@pytest.mark.parametrize("strategy", ["latency", "resource_unrolled", "distributed_arithmetic"])
def test_strategies_that_do_not_read_weights_are_refused(network, strategy):
    plan_layers(network, HlsConfig(bram_factor=100, strategies={"conv_1": strategy}))
    with pytest.raises(FirmwareError) as raised:
        plan_layers(network, HlsConfig(bram_factor=100, strategies={"dense_1": strategy}))
    assert raised.value.code == "BRAM-STRATEGY"
    assert "240" in raised.value.fix


def test_tables_stay_in_the_core(build, tmp_path):
    network = with_sigmoid(build((4,)).dense(1).network(), name="sigmoid")
    with pytest.raises(FirmwareError) as raised:
        convert(network, HlsConfig(bram_factor=100), tmp_path)
    assert raised.value.code == "BRAM-TABLE"
    assert "sigmoid" in raised.value.where


def test_the_estimate_has_no_memory_for_them_and_says_so(network):
    settings = {"reuse_factors": {"conv_1": 18, "dense_1": 40}}
    inside, outside = (design_of(network, HlsConfig(**settings, bram_factor=factor)) for factor in (None, 1))
    assert all(layer.weights_outside for layer in outside.layers if isinstance(layer, MatrixLayer))
    for stage in Synthesis:
        assert estimate(outside, stage=stage).bram18.value < estimate(inside, stage=stage).bram18.value
    (warning,) = (one for one in estimate(outside).warnings if "no published result" not in one)
    assert "conv_1, dense_1" in warning
    assert all("no published result" in one for one in estimate(inside).warnings)
