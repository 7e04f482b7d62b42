"""Fine-tuning as a whole: pruned, distilled, interrupted at any epoch, and never mixed up with another recipe's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from siliconv import legacy_keras
from siliconv.models.architectures import layers as kinds
from siliconv.models.architectures.architecture import Architecture
from siliconv.models.architectures.keras_model import build_model
from siliconv.models.data.image_store import Dataset
from siliconv.models.training.train_config import TrainConfig
from siliconv.quantize.lowering.lowering import lower
from siliconv.quantize.recipe import Distillation, LayerBits, Pruning, Recipe
from siliconv.quantize.training.fine_tuning import quantize

pytestmark = pytest.mark.long

NETWORK = Architecture(
    input_shape=(8, 8, 1),
    layers=(
        kinds.Conv2D(filters=4, activation="relu"),
        kinds.MaxPool(),
        kinds.Dropout(rate=0.25),
        kinds.Conv2D(filters=6, activation="relu"),
        kinds.Flatten(),
        kinds.Dense(units=10),
    ),
)
TRAIN = TrainConfig(epochs=3, learning_rate=1e-3, schedule="plateau", plateau_epochs=1)
LAYERS = {"conv2d_1": LayerBits(sparsity=0.0)}


@pytest.fixture(scope="module")
def few(digits):
    """Enough images for a few steps of one size: XLA compiles for each size anew."""
    train = digits.train.subset(np.arange(0, len(digits.train), 6)[:192])
    return Dataset(train, digits.val.subset(np.arange(64)), digits.test.subset(np.arange(64)), digits.summary)


@pytest.fixture(scope="module")
def float_model(few, tmp_path_factory):
    from siliconv.models.training.float_model import train_float

    config = TrainConfig(epochs=4, batch_normalization=False, learning_rate=3e-3)
    return train_float(NETWORK, few, config, work=tmp_path_factory.mktemp("float"))[0]


def weights_of(found):
    return [value.tobytes() for value in found.model.get_weights()]


class StopError(Exception):
    pass


class Told:
    """A progress that remembers what is said, and may interrupt the fine-tuning in the middle of an epoch."""

    def __init__(self, stop_in_epoch=None):
        self.stop_in_epoch, self.said = stop_in_epoch, []

    def begin(self, *_arguments, **_named):
        pass

    def update(self, _done, note=""):
        if f"epoch {self.stop_in_epoch}/" in note and "validation" not in note:
            raise StopError

    def end(self):
        pass

    def say(self, line):
        self.said.append(line)


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(
            train=TRAIN, pruning=Pruning(sparsity=0.5, end=0.6, every=4), layers=LAYERS, distillation=Distillation()
        ),
        Recipe(train=TRAIN, pruning=Pruning(pattern="2:4", before=TRAIN)),
    ],
    ids=["pruned and distilled while fine-tuned", "pruned 2:4 before"],
)
def test_interrupted_it_ends_with_the_same_bits_and_exact_zeros(recipe, few, float_model, tmp_path):
    straight = quantize(float_model, few, recipe, work=tmp_path / "straight")
    with pytest.raises(StopError):
        quantize(float_model, few, recipe, work=tmp_path / "broken", progress=Told(stop_in_epoch=2))
    resumed = quantize(float_model, few, recipe, work=tmp_path / "broken")
    assert weights_of(resumed) == weights_of(straight)
    network = lower(straight.model, name="net")
    for name, (zeros, weights) in straight.zeros.items():
        assert (network.by_name[name].kernel.codes == 0).sum() == zeros
        wanted = 0.0 if name in recipe.layers else (0.5 if name != "conv2d_1" else 0.0)
        assert zeros >= round(wanted * weights)
    pruned = [zeros / weights for name, (zeros, weights) in straight.zeros.items() if name != "conv2d_1"]
    assert min(pruned) >= 0.5
    assert 0.4 < straight.sparsity < 0.8


def test_a_pattern_is_kept_through_fine_tuning_and_rounding(few, float_model, tmp_path):
    found = quantize(float_model, few, Recipe(train=None, pruning=Pruning(pattern="2:4")), work=tmp_path)
    kernel = found.model.get_layer("dense_1").kernel.numpy()
    assert np.all((kernel.reshape(-1, 4, kernel.shape[-1]) != 0).sum(axis=1) <= 2)
    assert found.history is None


def test_another_recipe_does_not_go_on_from_this_ones_checkpoint(few, float_model, tmp_path):
    train = TRAIN.model_copy(update={"epochs": 1})
    for weights, said in ((6, 0), (6, 0), (4, 1)):
        told = Told()
        quantize(float_model, few, Recipe(train=train, weights=weights), work=tmp_path, progress=told)
        assert sum("belongs to other settings" in line for line in told.said) == said


def test_with_all_the_weight_on_the_float_network_the_labels_are_not_looked_at(few, tmp_path):
    from siliconv.models.training.training import fit
    from siliconv.quantize.training.distillation import distillation

    network = Architecture(input_shape=(8, 8, 1), layers=(kinds.Flatten(), kinds.Dense(units=10)))
    mixed = replace(few.train, labels=few.train.labels[::-1].copy())
    config = TrainConfig(epochs=1, keep="last")
    results = {}
    for weight in (1.0, 0.5):
        for name, images in (("right", few.train), ("wrong", mixed)):
            model, data = build_model(network, seed=5), Dataset(images, few.val, few.test, few.summary)
            mix = distillation(build_model(network, seed=6), Distillation(weight=weight))
            fit(model, data, config, work=tmp_path / f"{weight}{name}", mix=mix)
            results[weight, name] = model.get_weights()[0].tobytes()
    assert results[1.0, "right"] == results[1.0, "wrong"]
    assert results[0.5, "right"] != results[0.5, "wrong"]


@pytest.mark.parametrize("outputs", [1, 3])
def test_the_distilled_loss_is_the_formula(outputs):
    from siliconv.quantize.training.distillation import distillation

    tf = legacy_keras.tensorflow()
    keras = legacy_keras.load()
    image = keras.Input((4,))
    teacher = keras.Model(image, keras.layers.Dense(outputs)(image))
    random = np.random.default_rng(0)
    images, logits = random.normal(size=(5, 4)).astype(np.float32), random.normal(size=(5, outputs))
    losses = random.uniform(size=5).astype(np.float32)
    found = distillation(teacher, Distillation(weight=0.3, temperature=2.5))(
        tf.constant(images), tf.constant(logits, tf.float32), tf.constant(losses)
    )

    def probabilities(values):
        values = np.concatenate([np.zeros_like(values), values], axis=1) if outputs == 1 else values
        powers = np.exp(values / 2.5)
        return powers / powers.sum(axis=1, keepdims=True)

    entropy = -(probabilities(teacher(images).numpy()) * np.log(probabilities(logits))).sum(axis=1)
    assert np.allclose(found, 0.7 * losses + 0.3 * 2.5**2 * entropy, rtol=1e-5)


def test_fine_tuning_keeps_its_own_schedule_and_stops_early(few, float_model, tmp_path):
    train = TrainConfig(epochs=8, learning_rate=1e-7, schedule="cosine", warmup_epochs=2, patience=2)
    found = quantize(float_model, few, Recipe(train=train), work=tmp_path)
    rates = [record.learning_rate for record in found.history.epochs]
    assert len(rates) < 8
    assert rates[0] < rates[1] <= 1e-7
    assert rates[2] < rates[1]


def test_recipes_that_make_no_sense_are_refused():
    with pytest.raises(ValidationError, match="from_logits"):
        Recipe(train=TrainConfig(from_logits=False))
    with pytest.raises(ValidationError, match="before it begins"):
        Pruning(begin=0.6, end=0.5)


def test_the_float_model_stays_as_it_was(few, tmp_path):
    model = build_model(NETWORK, seed=2)
    before = [value.tobytes() for value in model.get_weights()]
    quantize(model, few, Recipe(train=None, pruning=Pruning()), work=tmp_path)
    assert [value.tobytes() for value in model.get_weights()] == before
