"""Batches: every image once an epoch, as k/256, with its label and weight, in an order that the seed
gives.
"""

from __future__ import annotations

import numpy as np

from siliconv.models.data.batches import epoch_seed, training_batches
from siliconv.models.data.image_files import to_fraction
from siliconv.models.data.image_store import Dataset


def test_an_epoch_is_every_image_once_as_fractions_with_label_and_weight(digits: Dataset) -> None:
    images = digits.train
    weights = np.arange(len(images), dtype=np.float32)
    epoch = training_batches(images, weights, 32)
    orders = []
    for seed in (1, 1, 2):
        batches = [[part.numpy() for part in batch] for batch in epoch(seed)]
        pixels, labels, order = (np.concatenate(parts) for parts in zip(*batches, strict=True))
        assert [len(batch[0]) for batch in batches[:-1]] == [32] * (len(batches) - 1)
        assert (np.sort(order) == weights).all()
        assert (pixels == to_fraction(images.read(order.astype(int)))).all()
        assert (labels == images.labels[order.astype(int)]).all()
        orders.append(order)
    assert (orders[0] == orders[1]).all()
    assert (orders[0] != orders[2]).any()
    assert (orders[0] != weights).any()


def test_augmentation_gets_another_seed_for_every_batch_and_epoch(digits: Dataset) -> None:
    seen = []

    def note(pixels: object, seed: object) -> object:
        from siliconv.legacy_keras import tensorflow

        tensorflow().py_function(lambda value: seen.append(tuple(value.numpy().tolist())), [seed], [])
        return pixels

    epoch = training_batches(digits.val, np.ones(len(digits.val), np.float32), 32, note)
    for seed in (5, 6):
        assert len(list(epoch(seed))) == 6
    assert sorted(seen) == [(seed, number) for seed in (5, 6) for number in range(6)]


def test_epoch_seeds_differ_and_repeat() -> None:
    seeds = [epoch_seed(1, epoch) for epoch in range(100)]
    assert len(set(seeds)) == 100
    assert seeds == [epoch_seed(1, epoch) for epoch in range(100)]
    assert all(0 <= seed < 2**31 for seed in seeds)
