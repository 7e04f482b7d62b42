"""The design of what is not trained: the layers that the integer network will have, and close to its resources."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from siliconv.errors import FirmwareError
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.design import MatrixLayer
from siliconv.hls.estimate import estimate
from siliconv.hls.network_design import design_of, fifo_depths
from siliconv.hls.planned_design import planned_design
from siliconv.models import layers as kinds
from siliconv.models import legacy_keras
from siliconv.models.architecture import Architecture, output_activation, without_output_activation
from siliconv.models.keras_model import build_model
from siliconv.models.presets import preset, preset_names
from siliconv.planning import plan_of_architecture
from siliconv.quantize.calibration import choose_types
from siliconv.quantize.lowering import lower
from siliconv.quantize.output_sigmoid import with_sigmoid
from siliconv.quantize.output_softmax import with_softmax
from siliconv.quantize.qkeras_model import quantized_model
from siliconv.quantize.recipe import Recipe

EVERY_KIND = Architecture(
    input_shape=(12, 10, 3),
    layers=(
        kinds.Conv2D(name="stem", filters=4, activation="tanh"),
        kinds.DepthwiseConv2D(name="depthwise", kernel=1, stride=2, activation="sigmoid"),
        kinds.SeparableConv2D(name="separable", filters=6, activation="relu", inputs=("depthwise",)),
        kinds.AveragePool(name="average", pool=3, stride=1, padding="same"),
        kinds.ZeroPadding(name="wider", before=(1, 0), after=2, inputs=("separable",)),
        kinds.MaxPool(name="maximum", pool=3, stride=1, padding="same", inputs=("separable",)),
        kinds.Add(name="sum", inputs=("average", "maximum", "separable"), activation="relu"),
        kinds.Concatenate(name="both", inputs=("sum", "average")),
        kinds.Dropout(),
        kinds.Conv2D(name="last", filters=5, kernel=1, activation="relu", use_bias=False),
        kinds.Conv2D(name="reduced", filters=2, kernel=2, stride=2, padding="valid", inputs=("wider",)),
        kinds.GlobalMaxPool(name="largest", inputs=("last",)),
        kinds.GlobalAveragePool(name="mean", inputs=("last",)),
        kinds.GlobalAveragePool(name="mean_reduced", inputs=("reduced",)),
        kinds.Concatenate(name="features", inputs=("largest", "mean", "mean_reduced")),
        kinds.Dense(units=3, activation="softmax"),
    ),
)
WAVEFORM = Architecture(
    input_shape=(24, 2),
    layers=(
        kinds.Conv1D(name="stem", filters=4, stride=2, activation="relu"),
        kinds.DepthwiseConv1D(name="depthwise", padding="valid", kernel=2, activation="tanh"),
        kinds.MaxPool(name="maximum", pool=2, padding="same"),
        kinds.Flatten(),
        kinds.Dense(units=4, activation="relu"),
        kinds.Dense(units=1, activation="sigmoid"),
    ),
)
# Of an estimate with assumed weights and types, from that of the network itself.
MOST_DIFFERENCE = 0.05


def network_of(architecture, images, *, epochs=0):
    """The integer network of an architecture, trained for some epochs on (codes, labels)."""
    codes, labels = images
    model = build_model(without_output_activation(architecture), seed=1)
    pictures = (codes / 256).astype(np.float32)
    if epochs:
        keras = legacy_keras.load()
        model.compile(keras.optimizers.Adam(3e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        model.fit(pictures, labels, epochs=epochs, batch_size=64, verbose=0)
    types = choose_types(model, Recipe(), pictures[:64])
    network = lower(quantized_model(model, types), name="net")
    behind = {"sigmoid": with_sigmoid, "softmax": with_softmax}.get(output_activation(architecture))
    return behind(network, name=output_activation(architecture)) if behind else network


def noise(architecture):
    codes = np.random.default_rng(0).integers(0, 256, (6, *architecture.input_shape))
    return codes, None


def plan(architecture, config):
    return plan_of_architecture("net", architecture, Recipe(), config)


def described(layer):
    """What must be the same with assumed weights: all but numbers of bits, weights and depths."""
    bits = ("type", "weight", "bias", "accumulator", "weights", "fifo_depth", "input", "output")
    rest = {one.name: getattr(layer, one.name) for one in fields(layer) if one.name not in bits}
    return type(layer), rest, layer.input.shape, layer.output.shape, layer.output.type.rounds


@pytest.fixture(scope="module")
def networks():
    return {name: network_of(one, noise(one)) for name, one in (("every kind", EVERY_KIND), ("waveform", WAVEFORM))}


@pytest.mark.parametrize("io_type", ["io_stream", "io_parallel"])
@pytest.mark.parametrize("name", ["every kind", "waveform"])
def test_the_layers_are_those_of_the_network(networks, name, io_type):
    architecture = {"every kind": EVERY_KIND, "waveform": WAVEFORM}[name]
    config = HlsConfig(io_type=io_type, max_multipliers=64)
    ours, real = planned_design(plan(architecture, config)), design_of(networks[name], config)
    # Keras orders branches that do not wait for each other in its own way.
    assert {one.name: described(one) for one in ours.layers} == {one.name: described(one) for one in real.layers}
    assert len(ours.layers) == len(real.layers)
    assert ours.inputs == real.inputs
    assert fifo_depths(ours).keys() == fifo_depths(real).keys()


def test_bits_that_no_weight_decides_are_those_of_the_network(networks):
    ours, real = (
        {layer.name: layer for layer in one.layers}
        for one in (planned_design(plan(EVERY_KIND, HlsConfig())), design_of(networks["every kind"], HlsConfig()))
    )
    for name in ("stem_tanh", "stem_tanh_input", "depthwise_sigmoid", "softmax"):
        assert ours[name].output.type == real[name].output.type
    for name, layer in ours.items():
        if isinstance(layer, MatrixLayer):
            assert (layer.weight.width, layer.bias.width) == (real[name].weight.width, real[name].bias.width)
    # As many more bits as in the network, for a relu's own number of integer bits cancels.
    for name, source in (("average", "separable_relu"), ("mean", "last_relu"), ("sum_part1", "average")):
        growth = [one[name].output.type.width - one[source].output.type.width for one in (ours, real)]
        assert growth[0] == growth[1], name


@pytest.fixture(scope="module")
def trained(digits):
    images = digits.train.read(slice(None))
    return network_of(preset("digits"), (images, digits.train.labels), epochs=3)


@pytest.mark.parametrize("io_type", ["io_stream", "io_parallel"])
def test_resources_are_near_those_of_a_trained_network(trained, io_type):
    config = HlsConfig(io_type=io_type, max_multipliers=64)
    ours, real = estimate(planned_design(plan(preset("digits"), config))), estimate(design_of(trained, config))
    assert ours.lut.value == pytest.approx(real.lut.value, rel=MOST_DIFFERENCE)
    assert ours.ff.value == pytest.approx(real.ff.value, rel=MOST_DIFFERENCE)
    assert ours.bram18.value == pytest.approx(real.bram18.value, rel=MOST_DIFFERENCE, abs=2)
    assert ours.interval_cycles.value == real.interval_cycles.value


def test_every_preset_has_a_design():
    for name in preset_names():
        found = estimate(planned_design(plan(preset(name), HlsConfig())))
        assert found.latency_cycles.value > 0
        assert not found.warnings


def test_without_a_search_fifos_are_shallow_but_for_those_that_are_asked_for():
    config = HlsConfig(fifo_words={"stem_relu": 7})
    shallow = planned_design(plan(WAVEFORM, config), search_fifos=False)
    depths = {layer.name: layer.fifo_depth for layer in shallow.layers}
    assert depths.pop("stem_relu") == 7
    assert depths.pop("sigmoid") is None, "what leaves the design has no FIFO of its own"
    assert set(depths.values()) == {2}
    whole = planned_design(plan(WAVEFORM, HlsConfig(fifo_depths="hls4ml")), search_fifos=False)
    assert {layer.fifo_depth for layer in whole.layers} == {None}


def test_impossible_settings_are_refused_as_in_the_conversion():
    with pytest.raises(FirmwareError, match="REUSE-ILLEGAL"):
        planned_design(plan(WAVEFORM, HlsConfig(reuse_factors={"stem": 5})))
    with pytest.raises(FirmwareError, match="REUSE-LAYER"):
        planned_design(plan(WAVEFORM, HlsConfig(strategies={"maximum": "latency"})))
