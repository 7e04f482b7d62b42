"""Inputs and right answers by name, from .npz, HDF5 and tables: rows in the order of the network's inputs."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from siliconv.errors import DataError
from siliconv.models.answers.task import Question
from siliconv.models.data.data_config import DataConfig
from siliconv.models.data.datasets import prepare
from siliconv.models.data.image_store import Dataset, DataSummary, open_dataset

RANDOM = np.random.default_rng(5)
COUNT = 40
IMAGES, NUMBERS = RANDOM.normal(size=(COUNT, 2, 2, 1)), RANDOM.normal(size=(COUNT, 3))
KINDS, SIZES = np.arange(COUNT) % 4, RANDOM.normal(size=COUNT)
PORTS = (("image", (2, 2, 1)), ("numbers", (3,)))
PARTS = (Question("auto", "kind", (), (4,), "softmax"), Question("auto", "size", (), (1,)))
QUESTION = Question("several", "output", (7,), (5,), None, False, PORTS, PARTS)


def prepared(folder: Path, question: Question = QUESTION, **config) -> tuple[DataSummary, Dataset]:
    summary = prepare(DataConfig(**config), question.inputs, folder / "store", question=question)
    return summary, open_dataset(folder / "store")


def every(dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """All rows and answers, in the order of the last feature."""
    splits = (dataset.train, dataset.val, dataset.test)
    values = np.concatenate([one.values(slice(None)) for one in splits])
    answers = np.concatenate([one.labels for one in splits])
    order = np.argsort(values[:, -1], kind="stable")
    return values[order], answers[order]


def assert_all_there(folder: Path, **config) -> None:
    summary, dataset = prepared(folder, **config)
    assert summary.task == "several"
    assert [part.task for part in summary.parts] == ["classification", "regression"]
    values, answers = every(dataset)
    order = np.argsort(NUMBERS[:, -1], kind="stable")
    rows = np.concatenate([IMAGES.reshape(COUNT, -1), NUMBERS], axis=1)[order]
    np.testing.assert_allclose(values, rows, atol=dataset.input.step)
    np.testing.assert_array_equal(answers[:, 0], KINDS[order])
    np.testing.assert_allclose(answers[:, 1], SIZES[order], rtol=1e-6)


def test_arrays_called_like_inputs_and_outputs_are_found(tmp_path):
    np.savez(tmp_path / "data.npz", image=IMAGES, numbers=NUMBERS, kind=KINDS, y_size=SIZES)
    assert_all_there(tmp_path, source="npz", path=tmp_path / "data.npz")


def test_arrays_of_other_names_are_said(tmp_path):
    with h5py.File(tmp_path / "data.h5", "w") as file:
        for name, values in {"run/pixels": IMAGES, "run/extra": NUMBERS, "truth": KINDS, "e": SIZES}.items():
            file[name] = values
    x, y = {"numbers": "/run/extra", "image": "/run/pixels"}, {"kind": "truth", "size": "e"}
    assert_all_there(tmp_path, source="hdf5", path=tmp_path / "data.h5", x=x, y=y)


def test_columns_of_a_table_are_said(tmp_path):
    names = ["a", "b", "c", "d", "u", "v", "w", "kind", "size"]
    table = np.column_stack([IMAGES.reshape(COUNT, -1), NUMBERS, KINDS, SIZES])
    np.savetxt(tmp_path / "data.csv", table, delimiter=",", header=",".join(names), comments="", fmt="%.9g")
    x = {"image": ("a", "b", "c", "d"), "numbers": ("u", "v", "w")}
    assert_all_there(tmp_path, source="csv", path=tmp_path / "data.csv", x=x)
    assert_all_there(tmp_path, source="csv", path=tmp_path / "data.csv")


def test_splits_of_the_source_are_kept(tmp_path):
    half = COUNT // 2
    arrays = {
        f"{name}_{split}": values[part]
        for split, part in (("train", slice(half)), ("test", slice(half, None)))
        for name, values in (("image", IMAGES), ("numbers", NUMBERS), ("kind", KINDS), ("size", SIZES))
    }
    np.savez(tmp_path / "data.npz", **arrays)
    summary, dataset = prepared(tmp_path, source="npz", path=tmp_path / "data.npz", validation=0.1)
    assert summary.size("test") == half
    order = np.argsort(dataset.test.values(slice(None))[:, -1])
    expected = np.argsort(NUMBERS[half:, -1])
    np.testing.assert_array_equal(dataset.test.labels[order][:, 0], KINDS[half:][expected])


def test_one_array_is_given_to_every_input_whose_shape_it_has(tmp_path):
    ports = (("left", (3,)), ("right", (3,)))
    question = Question("none", "out", (6,), (2,), None, False, ports)
    np.savez(tmp_path / "data.npz", x=NUMBERS)
    _, dataset = prepared(tmp_path, question, source="npz", path=tmp_path / "data.npz")
    rows = dataset.train.values(slice(None))
    np.testing.assert_array_equal(rows[:, :3], rows[:, 3:])


@pytest.mark.parametrize(
    ("arrays", "config", "says"),
    [
        ({"image": IMAGES, "kind": KINDS}, {}, "no array for the input 'numbers'"),
        ({"x": IMAGES}, {}, "one array of shape"),
        ({"image": IMAGES, "numbers": NUMBERS[:, :2]}, {}, "cannot become the input 'numbers'"),
        ({"image": IMAGES, "numbers": NUMBERS[:9]}, {}, "different numbers of examples"),
        ({"image": IMAGES, "numbers": NUMBERS}, {"x": {"nothing": "image"}}, "'nothing' is none of image, numbers"),
        ({"image": IMAGES, "numbers": NUMBERS}, {"x": {"image": "image", "numbers": "n"}}, "there is no array 'n'"),
        ({"image": IMAGES, "numbers": NUMBERS}, {"y": {"kind": "k"}}, "there is no array 'k'"),
    ],
)
def test_what_does_not_belong_together_is_refused(tmp_path, arrays, config, says):
    np.savez(tmp_path / "data.npz", **arrays)
    with pytest.raises(DataError, match=says):
        prepared(tmp_path, source="npz", path=tmp_path / "data.npz", **config)


def test_names_of_ports_are_refused_for_a_network_of_one_of_each(tmp_path):
    np.savez(tmp_path / "data.npz", x=NUMBERS, y=KINDS)
    question = Question("auto", "kind", (3,), (4,))
    with pytest.raises(DataError, match="one input and one output"):
        prepared(tmp_path, question, source="npz", path=tmp_path / "data.npz", x={"numbers": "x"})
