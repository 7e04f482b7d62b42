"""The lecture's CNN at full size becomes firmware: all 388,673 weights, every layer exact."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.conversion import convert
from siliconv.hls.conversion.weight_headers import read_headers
from siliconv.hls.csim.csim import compare, compile_project
from siliconv.models.architectures.keras_model import build_model
from siliconv.models.architectures.presets import preset
from siliconv.models.data.image_files import to_fraction
from siliconv.network.output_sigmoid import with_sigmoid
from siliconv.quantize.lowering.agreement import compare_layers
from siliconv.quantize.lowering.lowering import lower
from siliconv.quantize.qkeras.qkeras_model import quantized_model, snap_weights
from siliconv.quantize.recipe import Recipe
from siliconv.quantize.training.calibration import choose_types


@pytest.mark.long
def test_the_full_size_network_is_exact_in_every_layer(tmp_path):
    if shutil.which("g++") is None:
        pytest.skip("no g++ on the PATH: firmware can't be compiled here")
    random = np.random.default_rng(0)
    # Smooth random pictures: the activations of untrained layers stay alive on them.
    small = random.integers(0, 256, (3, 8, 8, 3))
    images = np.kron(small, np.ones((1, 8, 8, 1), np.int64)).astype(np.uint8)
    float_model = build_model(preset("lecture"), seed=2)
    assert float_model.count_params() == 388_673
    types = choose_types(float_model, Recipe(), to_fraction(images))
    model = quantized_model(float_model, types)
    snap_weights(model)
    network = with_sigmoid(lower(model, name="lecture"), name="sigmoid")
    codes = images.astype(np.int64)
    assert [layer.name for layer in compare_layers(model, network, codes) if layer.differing] == []

    project = tmp_path / "firmware"
    project.mkdir()
    firmware = convert(network, HlsConfig(), project)
    assert {layer.name: layer.reuse_factor for layer in firmware.layers if layer.products} == {
        "conv2d_1": 1,
        "conv2d_2": 6,
        "conv2d_3": 18,
        "conv2d_4": 72,
        "dense_1": 1,
    }
    headers = read_headers(project, network)
    assert sum(header.numbers.size for header in headers if header.role in ("weight", "bias")) == 388_673
    library = compile_project(project, "lecture", tmp_path / "cache")
    layers = compare(library, network, codes)
    assert [layer for layer in layers if layer.differing] == []
    assert len(layers) == 15
    assert next(layer for layer in layers if layer.name == "conv2d_1").values == 3 * 64 * 64 * 32
