import numpy as np
import pytest

from siliconv.errors import DataError
from siliconv.models.answers.task import Question
from siliconv.models.data.array_sources import list_generated
from siliconv.models.data.data_config import DataConfig
from siliconv.models.data.generated import generated


def test_sounds_train_on_normal_ones_and_are_told_apart_by_what_eight_numbers_cannot_repeat():
    sounds = generated("sounds")
    assert not sounds["y_train"].any()
    mean = sounds["x_train"].mean(axis=0)
    known = np.linalg.svd(sounds["x_train"][:2000] - mean, full_matrices=False)[2][:8]
    left = sounds["x_test"] - mean - (sounds["x_test"] - mean) @ known.T @ known
    errors = np.square(left).mean(axis=1)
    normal, strange = (np.sort(errors[sounds["y_test"] == kind]) for kind in (0, 1))
    area = np.searchsorted(normal, strange).mean() / len(normal)
    assert 0.8 < area < 0.97  # neither hidden nor plain


def test_a_generated_set_is_the_same_every_time():
    first, second = generated("sounds"), generated("sounds")
    assert all(np.array_equal(first[key], second[key]) for key in first)


def test_the_splits_and_classes_of_a_generated_set_are_kept():
    config = DataConfig(source="generated", name="sounds")
    listing = list_generated(config, (640,), Question("auto", "dense_10", (640,), (640,)))
    assert (listing.answers.task, listing.answers.names) == ("autoencoder", ("normal", "strange"))
    assert np.bincount(listing.given).tolist() == [6000, 0, 1000]


def test_a_generated_set_of_another_name_is_refused():
    with pytest.raises(DataError, match="DATA-MISSING"):
        generated("photos")
