"""Pruning: the right weights become zero, at the right steps, and zero they stay, in firmware codes too."""

from __future__ import annotations

import numpy as np
import pytest

from siliconv import legacy_keras
from siliconv.models.architectures.keras_model import build_model
from siliconv.models.architectures.presets import preset
from siliconv.quantize.recipe import LayerBits, Pruning, Recipe

keras = legacy_keras.load()
tf = legacy_keras.tensorflow()


def share_of_zeros(variable):
    return float((variable.numpy() == 0).mean())


def pruner_of(model, recipe, **others):
    from siliconv.quantize.training.pruning import Pruner

    pruner = Pruner(model, recipe, **{"epochs": 10, "steps": 20, **others})
    pruner.watch(model)
    return pruner


@pytest.mark.parametrize("sparsity", [0.0, 0.3, 0.5, 0.99])
def test_exactly_the_smallest_weights_are_pruned(sparsity):
    from siliconv.quantize.training.pruning import mask_of

    kernel = tf.Variable(np.random.default_rng(0).permutation(np.arange(1, 601)).reshape(3, 2, 10, 10) / 600.0)
    mask = mask_of(kernel, sparsity, Pruning()).numpy()
    pruned = kernel.numpy()[mask == 0]
    assert pruned.size == round(sparsity * 600)
    assert pruned.size == 0 or pruned.max() < kernel.numpy()[mask == 1].min()


def test_equal_weights_do_not_keep_more_than_their_share():
    from siliconv.quantize.training.pruning import mask_of

    assert mask_of(tf.Variable(tf.ones((4, 25))), 0.6, Pruning()).numpy().sum() == 40


@pytest.mark.parametrize("shape", [(3, 3, 8, 5), (3, 8, 5), (8, 5), (3, 3, 3, 4)])
def test_the_2_4_pattern_keeps_the_two_largest_of_four_neighbouring_inputs(shape):
    from siliconv.quantize.training.pruning import mask_of

    kernel = tf.Variable(np.random.default_rng(1).normal(size=shape).astype(np.float32))
    mask = mask_of(kernel, 0.5, Pruning(pattern="2:4")).numpy()
    inputs = shape[-2]
    for start in range(0, inputs, 4):
        block = np.abs(kernel.numpy()[..., start : start + 4, :])
        kept = mask[..., start : start + 4, :]
        assert np.all(kept.sum(axis=-2) == 2)
        smallest_kept = np.where(kept == 1, block, np.inf).min(axis=-2)
        assert np.all(np.where(kept == 0, block, 0).max(axis=-2) <= smallest_kept)


def test_the_polynomial_rises_to_the_full_sparsity_at_its_end_and_layers_may_differ():
    model = build_model(preset("digits"), seed=3)
    layers = {"conv2d_1": LayerBits(sparsity=0.0), "dense_*": LayerBits(sparsity=0.8)}
    recipe = Recipe(pruning=Pruning(sparsity=0.5, begin=0.1, end=0.5, every=10), layers=layers)
    pruner = pruner_of(model, recipe)
    shares = []
    for step in range(200):
        pruner.before_step(step)
        shares.append(share_of_zeros(model.get_layer("conv2d_2").kernel))
    assert not any(shares[:20])
    assert np.all(np.diff(shares) >= 0)
    expected = [0.5 - 0.5 * (1 - min(1, (step - 20) / 80)) ** 3 for step in range(20, 200, 10)]
    assert np.allclose(shares[20::10], expected, atol=1e-3)
    assert shares[100] == shares[-1] == 0.5
    assert share_of_zeros(model.get_layer("conv2d_1").kernel) == 0
    assert share_of_zeros(model.get_layer("dense_1").kernel) == pytest.approx(0.8, abs=1e-3)


def test_constant_sparsity_is_full_from_its_first_step():
    model = build_model(preset("digits"), seed=3)
    pruner = pruner_of(model, Recipe(pruning=Pruning(sparsity=0.25, schedule="constant", begin=0.5, end=0.5)))
    pruner.before_step(99)
    assert share_of_zeros(model.get_layer("conv2d_2").kernel) == 0
    pruner.before_step(100)
    assert share_of_zeros(model.get_layer("conv2d_2").kernel) == pytest.approx(0.25, abs=1e-3)


def test_no_epoch_before_the_full_sparsity_may_be_kept_as_the_best():
    from siliconv.models.training.history import EpochRecord, History
    from siliconv.models.training.train_config import TrainConfig
    from siliconv.quantize.training.pruning import settled

    train = TrainConfig(epochs=10, patience=2)
    assert settled(Pruning(end=0.45), train) == 5
    assert settled(Pruning(end=1.0), train) == 9
    assert settled(Pruning(schedule="constant", begin=0.0), train) == 0
    accuracies = [0.99, 0.98, 0.9, 0.91, 0.90, 0.905]
    history = History(tuple(EpochRecord(n, 1.0, 0.5, 1.0, a, 1e-3, 1.0) for n, a in enumerate(accuracies)))
    assert history.best_epoch(train) == 0
    assert history.best_epoch(train, 2) == 3
    assert history.should_stop(train)
    assert history.should_stop(train, 2)
    assert not History(history.epochs[:5]).should_stop(train, 2)
    assert history.best_epoch(train, 6) is None
