"""QKeras against the integer network: its float32 rounding is counted apart, a real difference stops the work."""

from __future__ import annotations

import numpy as np
import pytest

from siliconv import legacy_keras
from siliconv.errors import WorkSaysNoError
from siliconv.models.architectures.architecture import Architecture
from siliconv.models.architectures.keras_model import build_model
from siliconv.network.fixed_point import FixedPoint
from siliconv.network.reference import FLOAT32_SIGNIFICAND, FLOAT64_SIGNIFICAND
from siliconv.quantize.lowering.agreement import agree, compare_layers, rounding_nodes
from siliconv.quantize.lowering.lowering import lower
from siliconv.quantize.qkeras.qkeras_model import quantized_model, snap_weights
from siliconv.quantize.recipe import Recipe
from siliconv.quantize.training.calibration import choose_types

keras = legacy_keras.load()

SHAPE = (8, 8, 3)
DEEP = [{"kind": "conv2d", "filters": 4}, {"kind": "flatten"}, {"kind": "dense", "units": 3}]
EVERY = [
    {"kind": "conv2d", "filters": 4, "activation": "tanh"},
    {"kind": "average_pool", "pool": 3},
    {"kind": "depthwise_conv2d", "kernel": 2, "activation": "relu"},
    {"kind": "max_pool", "pool": 2},
    {"kind": "flatten"},
    {"kind": "dense", "units": 3},
]


def built(layers, **recipe):
    """Give the quantized model, a function that builds it again, and its network, with random weights."""
    architecture = Architecture.model_validate({"input_shape": SHAPE, "layers": layers})
    floats = build_model(architecture, seed=3)
    codes = np.random.default_rng(4).integers(0, 256, (24, *SHAPE))
    types = choose_types(floats, Recipe(train=None, **recipe), (codes / 256).astype(np.float32))

    def make():
        again = build_model(architecture)
        again.set_weights(floats.get_weights())
        model = quantized_model(again, types)
        snap_weights(model)
        return model

    model = make()
    return model, make, lower(model, name="net"), codes


def logits(codes):
    return lambda model: model.predict((codes / 256).astype(np.float32), verbose=0)


def test_float32_that_rounds_is_counted_apart_and_float64_is_equal():
    model, make, network, codes = built(DEEP, weights=12, activations=8)
    expected = network_codes(network, codes)
    found = agree(model, make, network, codes, logits=logits(codes), expected=expected).require_equal()
    assert found.precision == "float64"
    assert found.float32.differing > 0
    assert found.exact.differing == 0
    assert found.exact.test_images.values == found.float32.test_images.values == 24 * 3
    assert not found.undecided
    assert not found.unexplained
    assert "its float32 rounds in" in found.in_words
    assert keras.backend.floatx() == "float32"


def network_codes(network, codes):
    from siliconv.network import reference

    return reference.run(network, codes)[network.logits.name]


def test_where_float32_is_exact_there_is_no_second_evaluation():
    model, _, network, codes = built(EVERY, weights=6, activations=6)
    found = agree(model, lambda: pytest.fail("built again"), network, codes)
    assert found.precision == "float32"
    assert found.in_words == "equal to QKeras in every bit"


@pytest.mark.parametrize("weights", [6, "binary", "ternary", "po2"])
def test_every_quantizer_computes_in_float64_too(weights):
    from siliconv.legacy_keras import double_precision

    _, make, network, codes = built(EVERY, weights=weights, activations=6)
    with double_precision():
        model = make()
        assert {str(layer.dtype) for layer in model.layers} == {"float64"}
        layers = compare_layers(model, network, codes)
    assert len(layers) == len(network.nodes) - 1 - 1, "all but the input and the rounding in front of the table"
    assert [layer.name for layer in layers if layer.differing] == []


def test_a_real_difference_is_no_rounding_and_stops_the_work():
    model, make, network, codes = built(DEEP, weights=12, activations=8)
    kernel, bias = model.layers[-1].get_weights()
    kernel[0, 0] += 2.0**-6

    def other():
        changed = make()
        changed.layers[-1].set_weights([kernel, bias])
        return changed

    with pytest.raises(WorkSaysNoError, match="LOWER-DIFFERS") as caught:
        agree(model, other, network, codes).require_equal()
    assert "layer 'dense_1', QKeras in float64" in caught.value.where


def test_which_sums_may_round():
    *_, network, _ = built(DEEP, weights=12, activations=8)
    assert rounding_nodes(network, FLOAT32_SIGNIFICAND) == {"dense_1"}
    assert rounding_nodes(network, FLOAT64_SIGNIFICAND) == frozenset()
    *_, network, _ = built(EVERY, weights=6, activations=6)
    assert rounding_nodes(network, FLOAT32_SIGNIFICAND) == frozenset()


def test_a_layer_is_compared_behind_its_own_activation():
    import qkeras

    image = keras.Input((4, 4, 2))
    bits = "quantized_bits(6,0,alpha=1)"
    tensor = qkeras.QConv2D(
        3, 2, kernel_quantizer=bits, bias_quantizer=bits, activation="quantized_relu(4,1)", name="conv"
    )(image)
    model = keras.Model(image, tensor)
    network = lower(model, name="net", input_type=FixedPoint(False, 8, 0))
    codes = np.random.default_rng(1).integers(0, 256, (6, 4, 4, 2))
    assert [(layer.name, layer.differing) for layer in compare_layers(model, network, codes)] == [("conv", 0)]
