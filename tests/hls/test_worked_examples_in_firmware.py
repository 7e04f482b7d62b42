"""The numbers that the lecture's slides compute, from the generated firmware, exactly."""

from __future__ import annotations

import numpy as np
import pytest
import worked_examples as slides
from written_firmware import compile_firmware

from siliconv.hls.csim.csim import simulate
from siliconv.models.architectures import layers as kinds
from siliconv.models.architectures.architecture import Architecture
from siliconv.models.architectures.keras_model import build_model
from siliconv.models.architectures.shapes import window_count
from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding, to_values
from siliconv.quantize.lowering.lowering import lower
from siliconv.quantize.qkeras.qkeras_model import quantized_model

pytestmark = pytest.mark.usefixtures("compiler")


def rounded_type(signed, width, integer):
    return FixedPoint(signed, width, integer, Rounding.RND_CONV, Overflow.SAT)


def computed(layers, images, folder, *, weights=(), kernel=None, bias=None):
    """Take a float network through QKeras, the integer network and the firmware; values of every layer by name."""
    model = build_model(Architecture(input_shape=images.shape[1:], layers=layers))
    if weights:
        model.set_weights([weight.astype(np.float32) for weight in weights])
    name = model.layers[1].name
    types = {f"{name}.kernel": kernel, f"{name}.bias": bias} if weights else {}
    network = lower(quantized_model(model, types), name="slide", input_type=FixedPoint(True, 10, 10))
    found = simulate(compile_firmware(network, folder), network, images.astype(np.int64))
    return {name: to_values(codes, network.by_name[name].type) for name, codes in found.items()}


def test_convolution_in_one_dimension(tmp_path):
    layer = kinds.Conv1D(name="conv", filters=1, kernel=4, stride=2, padding="valid")
    types = {"kernel": rounded_type(True, 4, 2), "bias": rounded_type(True, 2, 2)}
    weights = (slides.SAMPLES_KERNEL, np.zeros(1))
    found = computed((layer,), slides.SAMPLES[None], tmp_path, weights=weights, **types)
    assert found["conv"].ravel().tolist() == slides.SAMPLES_CONVOLVED


def test_convolution_of_an_rgb_image(tmp_path):
    types = {"kernel": rounded_type(True, 2, 2), "bias": rounded_type(True, 2, 2)}
    layer = kinds.Conv2D(name="conv", filters=1)
    found = computed((layer,), slides.IMAGE[None], tmp_path, weights=(slides.IMAGE_KERNEL, np.ones(1)), **types)
    assert found["conv"].shape == (1, 5, 5, 1)
    assert found["conv"][0, 0, 0, 0] == slides.IMAGE_FIRST == -25


def test_maximum_and_average_pooling(tmp_path):
    layers = (
        kinds.MaxPool(name="maximum"),
        kinds.AveragePool(name="average", inputs=("input",)),
        kinds.Concatenate(inputs=("maximum", "average")),
    )
    found = computed(layers, np.stack([slides.MAXIMUM_OF, slides.AVERAGE_OF]), tmp_path)
    assert found["maximum"][0, :, :, 0].tolist() == slides.MAXIMUM
    assert found["average"][1, :, :, 0].tolist() == slides.AVERAGE


def test_max_pooling_is_invariant(tmp_path):
    found = computed((kinds.MaxPool(name="maximum"),), slides.ALIKE, tmp_path)
    for image in found["maximum"]:
        assert image[:, :, 0].tolist() == slides.ALIKE_MAXIMUM


def test_output_sizes():
    assert [window_count(7, 3, stride, "valid") for stride in (1, 2)] == [5, 3]
