"""The design of what is not trained: the layers that the integer network will have, and close to its resources."""

from __future__ import annotations

from dataclasses import fields

import pytest
from every_layer_kind import ONE_DIMENSIONAL, TWO_DIMENSIONAL, lowered

from siliconv import legacy_keras
from siliconv.errors import FirmwareError
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.design.design import MatrixLayer
from siliconv.hls.estimate.estimate import estimate
from siliconv.hls.fifo.sized_design import design_of, fifo_depths
from siliconv.models.architectures import layers as kinds
from siliconv.models.architectures.architecture import Architecture, output_activation
from siliconv.models.architectures.folding import deployed_architecture
from siliconv.models.architectures.keras_model import build_model
from siliconv.models.architectures.presets import preset, preset_names
from siliconv.network.output_sigmoid import with_sigmoid
from siliconv.network.output_softmax import with_softmax
from siliconv.plan.design_of_plan import planned_design
from siliconv.plan.plan_of_project import plan_of, plan_of_architecture
from siliconv.project.project import ProjectConfig
from siliconv.quantize.lowering.lowering import lower
from siliconv.quantize.qkeras.qkeras_model import quantized_model
from siliconv.quantize.recipe import Recipe
from siliconv.quantize.training.calibration import choose_types

# What the two with every kind do not have: rows that the templates would forget, a layer without bias, a batch
# normalization of each sort, a flattened stream, and a stream that starts with copies of the image.
UNUSUAL = Architecture(
    input_shape=(12, 10, 3),
    layers=(
        kinds.DepthwiseConv2D(name="depthwise", kernel=1, stride=2, activation="relu"),
        kinds.Conv2D(name="beside", filters=3, stride=2, inputs=("input",), use_bias=False),
        kinds.BatchNormalization(name="folded"),
        kinds.Activation(name="beside_relu", activation="relu"),
        kinds.Concatenate(name="both", inputs=("depthwise", "beside_relu")),
        kinds.BatchNormalization(name="kept"),
        kinds.Dropout(),
        kinds.Conv2D(name="last", filters=5, kernel=1, activation="relu", use_bias=False),
        kinds.Flatten(),
        kinds.Dense(units=4, activation="relu"),
        kinds.Dense(units=1, activation="sigmoid"),
    ),
)
ARCHITECTURES = {"two": TWO_DIMENSIONAL, "one": ONE_DIMENSIONAL, "unusual": UNUSUAL}
# Of an estimate with assumed weights and types, from that of the network itself.
MOST_DIFFERENCE = 0.05


def with_output(network, architecture):
    """The network with the sigmoid or softmax that its architecture ends with."""
    behind = {"sigmoid": with_sigmoid, "softmax": with_softmax}.get(output_activation(architecture))
    return behind(network, name=output_activation(architecture)) if behind else network


def plan(architecture, config):
    return plan_of_architecture("net", architecture, Recipe(), config)


def described(layer):
    """What must be the same with assumed weights: all but numbers of bits, weights and depths."""
    bits = ("type", "weight", "bias", "accumulator", "weights", "table_type", "fifo_depth", "input", "output")
    rest = {one.name: getattr(layer, one.name) for one in fields(layer) if one.name not in bits}
    return type(layer), rest, layer.input.shape, layer.output.shape, layer.output.type.rounds


@pytest.fixture(scope="module")
def networks():
    deployed = {name: deployed_architecture(one) for name, one in ARCHITECTURES.items()}
    return {name: with_output(lowered(one)[1], one) for name, one in deployed.items()}


@pytest.mark.parametrize("io_type", ["io_stream", "io_parallel"])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_layers_are_those_of_the_network(networks, name, io_type):
    config = HlsConfig(io_type=io_type, max_multipliers=64)
    ours, real = planned_design(plan(ARCHITECTURES[name], config)), design_of(networks[name], config)
    # Keras orders branches that do not wait for each other in its own way.
    assert {one.name: described(one) for one in ours.layers} == {one.name: described(one) for one in real.layers}
    assert len(ours.layers) == len(real.layers)
    assert ours.inputs == real.inputs
    assert fifo_depths(ours).keys() == fifo_depths(real).keys()


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_bits_that_no_weight_decides_are_those_of_the_network(networks, name):
    ours, real = (
        {layer.name: layer for layer in one.layers}
        for one in (planned_design(plan(ARCHITECTURES[name], HlsConfig())), design_of(networks[name], HlsConfig()))
    )
    for layer in ours.values():
        other = real[layer.name]
        if isinstance(layer, MatrixLayer):
            assert (layer.weight.width, layer.bias.width) == (other.weight.width, other.bias.width)
        elif getattr(layer, "function", "") in ("sigmoid", "tanh", "relu"):
            assert layer.output.type.width == other.output.type.width
            assert layer.output.type.signed == other.output.type.signed


def test_averages_and_sums_grow_by_as_many_bits_as_in_the_network(networks):
    ours, real = (
        {layer.name: layer.output.type.width for layer in one.layers}
        for one in (planned_design(plan(TWO_DIMENSIONAL, HlsConfig())), design_of(networks["two"], HlsConfig()))
    )
    for name, source in (("average", "separable_relu"), ("mean", "last_relu"), ("sum_part1", "average")):
        assert ours[name] - ours[source] == real[name] - real[source], name


@pytest.fixture(scope="module")
def trained(digits):
    keras, images = legacy_keras.load(), digits.train.read(slice(None)) / 256
    model = build_model(preset("digits"), seed=1)
    model.compile(keras.optimizers.Adam(3e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(images, digits.train.labels, epochs=3, batch_size=64, verbose=0)
    types = choose_types(model, Recipe(), images[:64])
    return with_output(lower(quantized_model(model, types), name="digits"), preset("digits"))


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
        assert not [warning for warning in found.warnings if "no published result of this kind" not in warning]


def test_without_a_search_fifos_are_shallow_but_for_those_that_are_asked_for():
    config = HlsConfig(fifo_words={"stem_relu": 7})
    shallow = planned_design(plan(ONE_DIMENSIONAL, config), search_fifos=False)
    depths = {layer.name: layer.fifo_depth for layer in shallow.layers}
    assert depths.pop("stem_relu") == 7
    assert depths.pop("dense_1") is None, "what leaves the design has no FIFO of its own"
    assert set(depths.values()) == {2}
    whole = planned_design(plan(ONE_DIMENSIONAL, HlsConfig(fifo_depths="hls4ml")), search_fifos=False)
    assert {layer.fifo_depth for layer in whole.layers} == {None}


def test_impossible_settings_are_refused_as_in_the_conversion():
    with pytest.raises(FirmwareError, match="REUSE-ILLEGAL"):
        planned_design(plan(ONE_DIMENSIONAL, HlsConfig(reuse_factors={"stem": 5})))
    with pytest.raises(FirmwareError, match="REUSE-LAYER"):
        planned_design(plan(ONE_DIMENSIONAL, HlsConfig(strategies={"maximum": "latency"})))


def project(architecture, **quantize):
    layers = [layer.model_dump(exclude_none=True) for layer in architecture.layers]
    model = {"input_shape": architecture.input_shape, "layers": layers}
    return ProjectConfig.model_validate({"model": model, "quantize": quantize})


def test_a_network_is_that_of_its_project_and_of_no_other(networks):
    network = networks["unusual"]
    assert plan_of("net", project(UNUSUAL), network).network is network
    for other in (project(UNUSUAL, weights=5), project(UNUSUAL, biases=7), project(TWO_DIMENSIONAL)):
        assert plan_of("net", other, network).network is None


@pytest.mark.parametrize("weights", ["binary", "ternary", "po2"])
def test_a_network_with_levels_is_that_of_its_project(weights):
    small = Architecture(input_shape=(30, 4), layers=(kinds.Flatten(), kinds.Dense(units=3)))
    _, network, _ = lowered(small, recipe=Recipe(weights=weights))
    assert plan_of("net", project(small, weights=weights), network).network is network
