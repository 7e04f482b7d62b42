"""Firmware of several inputs and outputs: a port each, a test bench that notices every difference, EXACT or refused."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from several_network import crossing
from strategies import codes_of_inputs, networks

from siliconv.errors import FirmwareError
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.conversion import convert
from siliconv.hls.conversion.layer_settings import describe_layers
from siliconv.hls.conversion.testbench import GOLDEN_VECTORS, VECTORS_FOLDER, ports_of
from siliconv.hls.csim.csim import compare, compile_project, simulate
from siliconv.hls.fifo.sized_design import design_of, fifo_depths
from siliconv.network import reference
from siliconv.network.rows import input_rows
from siliconv.network.vectors.corners import corner_vectors
from siliconv.stages.firmware_project import write_firmware_project


def vectors(network):
    corners = np.stack(list(corner_vectors(network).values()))
    return np.concatenate([corners, input_rows(network, codes_of_inputs(network, 1, batch=6))])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("backend", "io_type"), [("Vitis", "io_stream"), ("Vitis", "io_parallel"), ("Vivado", "io_stream")]
)
def test_firmware_and_test_bench_of_two_inputs_and_two_outputs_are_exact(compiler, tmp_path, backend, io_type):
    network, folder = crossing(), tmp_path / "firmware"
    folder.mkdir()
    rows = vectors(network)
    write_firmware_project(network, HlsConfig(backend=backend, io_type=io_type), rows, folder)
    ports = ports_of(network, folder)
    assert [[port.node for port in side] for side in ports] == [["image", "vector"], ["sum", "small"]]
    assert not (folder / "axi").exists()
    library = compile_project(folder, network.name, tmp_path / "cache")
    compared = {one.name: one for one in compare(library, network, rows, jobs=1)}
    assert {"sum", "small", "conv", "of_image", "of_vector"} <= set(compared)
    assert not any(one.differing for one in compared.values())
    batch = codes_of_inputs(network, 9)
    found, expected = simulate(library, network, batch), reference.run(network, batch)
    for node in network.outputs:
        np.testing.assert_array_equal(found[node.name], expected[node.name])
    make = ["make", "-f", "Makefile", "csim", f"BUILD={tmp_path / 'made'}"]
    assert subprocess.run(make, cwd=folder, check=False, capture_output=True).returncode == 0
    golden = folder / VECTORS_FOLDER / GOLDEN_VECTORS
    lines = golden.read_text().splitlines()
    # The last value of the second output.
    *kept, last = lines[-1].split()
    golden.write_text("\n".join([*lines[:-1], " ".join([*kept, str(int(last) + 1)])]) + "\n")
    again = subprocess.run(make, cwd=folder, check=False, capture_output=True, text=True)
    assert again.returncode != 0
    assert "output 14" in again.stderr


def drawn(seed):
    """Give a random network of two inputs that hls4ml has templates for."""
    found = []

    @settings(max_examples=40, deadline=None, derandomize=True, database=None)
    @given(network=networks(inputs=2, most=6, widest=20))
    def collect(network):
        try:
            describe_layers(network, HlsConfig())
        except FirmwareError:
            return
        found.append(network)

    collect()
    return found[seed % len(found)]


@pytest.mark.slow
@pytest.mark.parametrize(("io_type", "seed"), [("io_stream", 5), ("io_parallel", 11), ("io_stream", 17)])
def test_random_networks_of_two_inputs_are_exact(compiler, tmp_path, io_type, seed):
    network, folder = drawn(seed), tmp_path / "firmware"
    folder.mkdir()
    rows = vectors(network)
    write_firmware_project(network, HlsConfig(io_type=io_type), rows, folder)
    library = compile_project(folder, network.name, tmp_path / "cache")
    compared = {one.name: one for one in compare(library, network, rows, jobs=1)}
    assert {node.name for node in network.outputs} <= set(compared)
    assert not any(one.differing for one in compared.values())


def test_an_input_that_nothing_reads_is_refused():
    network = crossing()
    needed = tuple(node for node in network.nodes if node.name in ("image", "vector", "conv", "small"))
    with pytest.raises(FirmwareError, match="nothing reads the input 'vector'"):
        describe_layers(replace(network, nodes=needed, ends=()), HlsConfig())


def test_an_output_that_is_read_inside_is_copied_and_the_copy_has_a_depth():
    depths = fifo_depths(design_of(crossing(), HlsConfig(io_type="io_stream")))
    assert depths == {"conv": 2, "small": 2, "small->of_image": 2, "of_image": 2, "of_vector": 2}


@pytest.mark.slow
def test_the_depth_of_a_copy_is_written(tmp_path):
    config = HlsConfig(io_type="io_stream")
    folder = tmp_path / "firmware"
    folder.mkdir()
    convert(crossing(), config, folder, fifo_depths={"small->of_image": 7})
    assert "depth=7" in (folder / "firmware" / "crossing.cpp").read_text()


@pytest.mark.parametrize("backend", ["VivadoAccelerator", "Quartus", "Catapult", "oneAPI"])
def test_back_ends_that_take_one_of_each_are_refused_by_name(backend):
    with pytest.raises(FirmwareError, match="FIRMWARE-PORTS") as caught:
        describe_layers(crossing(), HlsConfig(backend=backend))
    assert "use Vitis or Vivado" in str(caught.value)
