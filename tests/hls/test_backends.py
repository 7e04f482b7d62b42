"""Back ends: their devices, what is written for those that can't be simulated here, and why one is none of them."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from siliconv import legacy_keras
from siliconv.errors import FirmwareError, ToolError
from siliconv.hls.backends import BACKENDS, check_simulated, family_of
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.conversion import convert
from siliconv.hls.conversion.firmware_form import without_output_function
from siliconv.hls.conversion.project_readme import write_readme
from siliconv.hls.conversion.testbench import write_hls4ml_vectors
from siliconv.hls.vendor.vendor_tools import find_tool
from siliconv.network import reference
from siliconv.network.fixed_point import FixedPoint, Rounding
from siliconv.network.function_table import table_node
from siliconv.network.graph import Network


@pytest.fixture
def network(build) -> Network:
    return build((8, 8, 2)).conv(3, (3, 3)).relu().max_pool(2, 2).flatten().dense(4).network()


def with_sigmoid(network: Network) -> Network:
    probability = FixedPoint(False, 8, 0, Rounding.RND_CONV)
    return Network(network.name, (*network.nodes, table_node("sigmoid", network.output, "sigmoid", probability)))


def test_every_back_end_has_a_part_of_its_own_vendor():
    parts = {name: HlsConfig(backend=name).part for name in BACKENDS}
    assert parts == {name: facts.part for name, facts in BACKENDS.items()}
    assert parts["Vitis"].startswith("xczu")
    assert parts["Quartus"] == "Arria10"
    assert HlsConfig(backend="Quartus", part="10AX115").part == "10AX115"


def test_only_amd_back_ends_are_estimated_and_built():
    assert [name for name, facts in BACKENDS.items() if facts.is_amd] == ["Vitis", "Vivado", "VivadoAccelerator"]
    with pytest.raises(FirmwareError, match="ESTIMATE-BACKEND"):
        family_of("Quartus")
    with pytest.raises(ToolError, match="VENDOR-BACKEND"):
        find_tool("Quartus")
    with pytest.raises(ToolError, match="icpx"):
        check_simulated("oneAPI")


@pytest.mark.parametrize("io_type", ["io_stream", "io_parallel"])
def test_a_oneapi_project_states_every_type_and_comes_with_vectors(network, io_type, tmp_path):
    config = HlsConfig(backend="oneAPI", io_type=io_type)
    codes = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 2))
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        firmware = convert(network, config, tmp_path / name)
        write_hls4ml_vectors(network, codes, tmp_path / name)
        write_readme(firmware, network, config, vectors=len(codes))
    files = [path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file()]
    for path in files:
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes(), path
    defines = (tmp_path / "one" / "src" / "firmware" / "defines.h").read_text()
    logits = network.output.type
    assert f"ac_fixed<{logits.width},{logits.integer},true>" in defines.replace(" ", "")
    sources = (tmp_path / "one" / "src" / "firmware" / "net.cpp").read_text()
    assert all(layer.name in sources for layer in firmware.layers if layer.kind in ("Conv", "Dense", "MaxPool"))
    expected = np.loadtxt(tmp_path / "one" / "tb_data" / "tb_output_predictions.dat") / logits.step
    assert np.array_equal(expected, reference.run(network, codes)[network.output.name])
    assert "not simulated" in (tmp_path / "one" / "README.md").read_text()
    assert not (tmp_path / "one" / "Makefile").exists()


def test_what_takes_kernels_of_ours_is_refused_or_left_out_for_oneapi(network, tmp_path):
    whole = with_sigmoid(network)
    with pytest.raises(FirmwareError, match="FIRMWARE-LAYER") as raised:
        convert(whole, HlsConfig(backend="oneAPI"), tmp_path)
    assert "sigmoid" in raised.value.where
    assert without_output_function(whole).nodes == network.nodes
    assert without_output_function(network).nodes == network.nodes


def test_hls4ml_cannot_write_for_libero(tmp_path):
    """Shown on stock hls4ml: where it is mended, the reason that users are given is wrong."""
    with pytest.raises(ValidationError, match=r"build_lib\.sh"):
        HlsConfig(backend="Libero")
    legacy_keras.load()
    from hls4ml.model.graph import ModelGraph
    from hls4ml.utils.config import create_config

    settings = create_config(str(tmp_path / "out"), "net", "Libero", smarthls_path="none")
    settings["HLSConfig"] = {"Model": {"Precision": "fixed<16,6>", "ReuseFactor": 1, "Strategy": "latency"}}
    layers = [
        {"name": "image", "class_name": "InputLayer", "input_shape": [4], "inputs": []},
        {
            "name": "dense",
            "class_name": "Dense",
            "inputs": ["image"],
            "n_in": 4,
            "n_out": 2,
            "weight_data": np.ones((4, 2)),
            "bias_data": np.zeros(2),
        },
    ]
    with pytest.raises(FileNotFoundError, match=r"build_lib\.sh"):
        ModelGraph.from_layer_list(settings, layers, inputs=["image"], outputs=["dense"]).write()
