"""The search by gradient: counts what the integer network counts, and goes on after an interruption to the same."""

from __future__ import annotations

import numpy as np
import pytest

from siliconv.models.architectures import layers as kinds
from siliconv.models.architectures.architecture import Architecture
from siliconv.models.architectures.keras_model import build_model
from siliconv.models.data.image_store import Dataset
from siliconv.models.data.number_type import NumberType
from siliconv.models.training.train_config import TrainConfig
from siliconv.network.span import span_operations
from siliconv.quantize.input_type import fixed_point_of
from siliconv.quantize.recipe import Distillation, Recipe
from siliconv.search.gradient_search import (
    FrontPoint,
    GradientSettings,
    best_within,
    gradient_search,
    taught,
    weights_of,
)
from siliconv.search.search_study import spread_over

EVERY_KIND = Architecture(
    input_shape=(8, 8, 1),
    layers=(
        kinds.Conv2D(filters=3, activation="relu"),
        kinds.DepthwiseConv2D(kernel=3, activation="relu"),
        kinds.Conv2D(filters=4, stride=2, activation="tanh"),
        kinds.AveragePool(),
        kinds.Flatten(),
        kinds.Dense(units=6, activation="relu"),
        kinds.Dense(units=10),
    ),
)
TRAIN = TrainConfig(batch_size=64, learning_rate=1e-3)


@pytest.fixture(scope="module")
def few(digits):
    train = digits.train.subset(np.arange(0, len(digits.train), 6)[:192])
    return Dataset(train, digits.val.subset(np.arange(64)), digits.test.subset(np.arange(64)), digits.summary)


class StopError(Exception):
    pass


class Stops:
    """Progress that stops the training in its last epoch, when the front has a point."""

    def begin(self, *about):
        pass

    def update(self, done, note=""):
        if done == 17:
            raise StopError

    def end(self):
        pass

    def say(self, line):
        pass


def points(few, work, progress=None):
    settings = GradientSettings(target=3000, epochs=6, seed=3)
    return gradient_search(build_model(EVERY_KIND, output="logits"), few, Recipe(), settings, work=work, train=TRAIN,
                           progress=progress)  # fmt: skip


@pytest.mark.slow
def test_a_stopped_search_ends_with_the_same_front_and_its_operations_are_those_of_the_network(few, tmp_path):
    from siliconv.quantize.lowering.lowering import lower
    from siliconv.quantize.qkeras.quantization import parse_quantization
    from siliconv.quantize.training.fine_tuning import quantize
    from siliconv.search.recipe_of_bits import weight_setting

    found = points(few, tmp_path / "one")
    with pytest.raises(StopError):
        points(few, tmp_path / "two", Stops())
    assert (tmp_path / "two" / "front" / "front.json").is_file()
    assert points(few, tmp_path / "two") == found
    assert all(point.epoch >= 4 for point in found)  # the settled end
    for point in found:
        one, two = (weights_of(tmp_path / name / "front", point) for name in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()
    point = found[0]
    layers = {
        name.removesuffix(".kernel"): {"weights": weight_setting(parse_quantization(text))}
        for name, text in point.types.items()
        if name.endswith(".kernel")
    }
    behind = {"conv2d_1": "conv2d_1_relu", "depthwise_conv2d_1": "depthwise_conv2d_1_relu", "dense_1": "dense_1_relu"}
    for layer, activation in behind.items():
        layers[layer]["activations"] = parse_quantization(point.types[activation]).width
    recipe = Recipe.model_validate(
        {"layers": layers, "train": None, "start": weights_of(tmp_path / "one/front", point)}
    )
    rounded = Dataset(few.train, few.val, few.test, few.summary)
    made = quantize(build_model(EVERY_KIND, output="logits"), rounded, recipe, work=tmp_path / "three")
    network = lower(made.model, name="net", input_type=fixed_point_of(few.input))
    counted = span_operations(network)
    # The data keep their 8 bits here, so the first layer's share is counted with them.
    counted["conv2d_1"] = counted["conv2d_1"] // few.input.bits * point.input.bits
    assert sum(counted.values()) == point.span_operations


def point(epoch, goodness, operations):
    return FrontPoint(epoch, goodness, 1 - goodness, operations, {}, NumberType(False, 3, 0))


FRONT = [point(3, 0.8, 1000), point(2, 0.9, 2000), point(1, 0.95, 4000), point(0, 0.96, 8000)]


def test_the_float_network_teaches_as_the_recipe_says_or_by_default():
    assert taught(Recipe(distillation=Distillation(weight=0.2))).weight == 0.2
    assert taught(Recipe()) == Distillation()


def test_the_best_point_within_a_cost():
    assert best_within(FRONT, 4100).epoch == 1
    assert best_within(FRONT, 999) is None


def test_points_are_chosen_at_equal_ratios_of_cost():
    assert [one.epoch for one in spread_over(FRONT, 3, None)] == [0, 1, 2]
    assert [one.epoch for one in spread_over(FRONT, 1, None)] == [0]
    assert [one.epoch for one in spread_over(FRONT, 2, 4000)] == [1, 2]
    assert spread_over((), 3, None) == ()
