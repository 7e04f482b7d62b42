"""The numbers that the lecture's slides compute, from the generated firmware, exactly."""

from __future__ import annotations

import numpy as np
import pytest

from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.conversion import convert
from siliconv.hls.csim.csim import compile_project, simulate
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
    images = np.asarray(images)
    model = build_model(Architecture(input_shape=images.shape[1:], layers=layers))
    if weights:
        model.set_weights([weight.astype(np.float32) for weight in weights])
    name = model.layers[1].name
    types = {f"{name}.kernel": kernel, f"{name}.bias": bias} if weights else {}
    network = lower(quantized_model(model, types), name="slide", input_type=FixedPoint(True, 10, 10))
    project = folder / "firmware"
    project.mkdir()
    convert(network, HlsConfig(), project)
    library = compile_project(project, "slide", folder / "cache")
    found = simulate(library, network, images.astype(np.int64))
    return {name: to_values(codes, network.by_name[name].type) for name, codes in found.items()}


def test_convolution_in_one_dimension(tmp_path):
    samples = np.array([3, 2, 1, 7, 1, 2, 5, 4])[None, :, None]
    kernel = np.array([1 / 4, 1, 3 / 4, 1 / 2])[:, None, None]
    layer = kinds.Conv1D(name="conv", filters=1, kernel=4, stride=2, padding="valid")
    types = {"kernel": rounded_type(True, 4, 2), "bias": rounded_type(True, 2, 2)}
    found = computed((layer,), samples, tmp_path, weights=(kernel, np.zeros(1)), **types)
    assert found["conv"].ravel().tolist() == [7, 9, 8]


def test_convolution_of_an_rgb_image(tmp_path):
    red = [[156, 155, 156, 158, 158], [153, 154, 157, 159, 159], [149, 151, 155, 158, 159]]
    red += [[146, 146, 149, 153, 158], [145, 143, 143, 148, 158]]
    green = [[167, 166, 167, 169, 169], [164, 165, 168, 170, 170], [160, 162, 166, 169, 170]]
    green += [[156, 156, 159, 163, 168], [155, 153, 153, 158, 168]]
    blue = [[163, 162, 163, 165, 165], [160, 161, 164, 166, 166], [156, 158, 162, 165, 166]]
    blue += [[155, 155, 158, 162, 167], [154, 152, 152, 157, 167]]
    kernels = [
        [[-1, -1, 1], [0, 1, -1], [0, 1, 1]],
        [[1, 0, 0], [1, -1, -1], [1, 0, -1]],
        [[0, 1, 1], [0, 1, 0], [1, -1, 1]],
    ]
    image, kernel = np.stack([red, green, blue], axis=-1), np.moveaxis(np.array(kernels), 0, -1)[..., None]
    types = {"kernel": rounded_type(True, 2, 2), "bias": rounded_type(True, 2, 2)}
    layer = kinds.Conv2D(name="conv", filters=1)
    found = computed((layer,), image[None], tmp_path, weights=(kernel, np.ones(1)), **types)
    assert found["conv"].shape == (1, 5, 5, 1)
    assert found["conv"][0, 0, 0, 0] == 308 - 498 + 164 + 1 == -25


def test_maximum_and_average_pooling(tmp_path):
    images = [
        [[3, 5, 1, 0], [7, 9, -6, -3], [2, 8, -2, 1], [4, -3, -4, 8]],
        [[3, 5, 1, 0], [7, 9, -6, -3], [2, 8, -2, 6], [4, -3, -4, 8]],
    ]
    layers = (
        kinds.MaxPool(name="maximum"),
        kinds.AveragePool(name="average", inputs=("input",)),
        kinds.Concatenate(inputs=("maximum", "average")),
    )
    found = computed(layers, np.array(images)[..., None], tmp_path)
    assert found["maximum"][0, :, :, 0].tolist() == [[9, 1], [8, 8]]
    assert found["average"][1, :, :, 0].tolist() == [[6, -2], [2.75, 2]]


def test_max_pooling_is_invariant(tmp_path):
    one = [[10, 255, 125, 0, 170, 100], [70, 255, 105, 25, 25, 70], [255, 0, 150, 0, 10, 10]]
    one += [[0, 255, 10, 10, 150, 20], [70, 15, 200, 100, 95, 0], [35, 25, 100, 20, 0, 60]]
    other = [[100, 100, 100, 50, 100, 50], [95, 255, 100, 125, 125, 170], [80, 40, 10, 10, 125, 150]]
    other += [[255, 30, 150, 20, 120, 125], [30, 30, 150, 100, 70, 70], [70, 30, 100, 200, 70, 95]]
    found = computed((kinds.MaxPool(name="maximum"),), np.array([one, other])[..., None], tmp_path)
    for image in found["maximum"]:
        assert image[:, :, 0].tolist() == [[255, 125, 170], [255, 150, 150], [70, 200, 95]]


def test_output_sizes():
    assert [window_count(7, 3, stride, "valid") for stride in (1, 2)] == [5, 3]
