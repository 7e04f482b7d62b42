"""Labels are classes as they are stored, or are refused: none is cut, rounded or chosen among several."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from siliconv.errors import DataError
from siliconv.models.answers.labels import class_labels
from siliconv.models.data.data_config import DataConfig
from siliconv.models.data.datasets import prepare

PATH = Path("data.npz")


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (np.array([0, 2, 1], np.uint8), [0, 2, 1]),
        (np.array([[0], [2], [1]]), [0, 2, 1]),
        (np.array([0.0, 2.0, 1.0]), [0, 2, 1]),
        (np.array([True, False, True]), [1, 0, 1]),
        (np.array(["cat", "dog", "cat"]), ["cat", "dog", "cat"]),
        (np.array([b"cat", b"dog", b"cat"]), ["cat", "dog", "cat"]),
        (np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1]]), [1, 0, 2]),
        (np.array([[0, 1], [1, 0], [0, 1]], bool), [1, 0, 1]),
        (np.eye(4, dtype=np.float32)[[3, 0, 1]], [3, 0, 1]),
    ],
)
def test_what_names_a_class_is_taken(labels: np.ndarray, expected: list[object]) -> None:
    assert class_labels(labels, 3, PATH).tolist() == expected


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        (np.array([0.1, 1.0, 1.9]), "2 labels are no whole numbers, such as 0.1, 1.9"),
        (np.array([0.0, np.nan, 1.0]), "1 labels are NaN or infinite"),
        (np.array([0.0, np.inf, 1.0]), "1 labels are NaN or infinite"),
        (np.array([0.0, 1e300, 1.0]), "no whole numbers"),
        (np.array([[1, 1], [0, 1], [0, 0]]), "of 3 rows of labels 1 mark several classes and 1 none"),
        (np.array([[0.9, 0.1], [0, 1], [1, 0]]), "not 0 or 1"),
        (np.array([[2, 0], [0, 1], [1, 0]]), "not 0 or 1"),
        (np.array([[np.nan, 0], [0, 1], [1, 0]]), "not 0 or 1"),
        (np.array([["a", "b"]] * 3), "not 0 or 1"),
        (np.zeros((3, 8, 8, 1)), "like images"),
        (np.array(["2024-01-01"] * 3, "datetime64[D]"), "of the type datetime64"),
        (np.array([0, 1j, 1]), "of the type complex"),
    ],
)
def test_what_names_none_is_refused(labels: np.ndarray, says: str) -> None:
    with pytest.raises(DataError, match="DATA-LABELS") as found:
        class_labels(labels, 3, PATH)
    assert says in found.value.what


@pytest.mark.parametrize("labels", [np.zeros(2), np.zeros((2, 2)), np.zeros(6), np.array(1)])
def test_an_image_has_one_label(labels: np.ndarray) -> None:
    with pytest.raises(DataError, match="DATA-LAYOUT"):
        class_labels(labels, 3, PATH)


@pytest.mark.parametrize(
    ("arrays", "code"),
    [
        ({"y": np.linspace(0.1, 1.9, 20)}, "DATA-LABELS"),
        ({"y": np.arange(80).reshape(20, 4) % 3 % 2}, "DATA-LABELS"),
        ({"y": np.full(20, np.nan)}, "DATA-LABELS"),
    ],
)
def test_a_file_of_such_numbers_is_not_prepared(tmp_path: Path, arrays: dict[str, np.ndarray], code: str) -> None:
    good = {"x": np.zeros((20, 8, 8), np.uint8), "y": np.arange(20) % 2}
    np.savez(tmp_path / "data.npz", **{**good, **arrays})  # type: ignore[arg-type]
    with pytest.raises(DataError, match=code):
        prepare(DataConfig(source="npz", path=tmp_path / "data.npz"), (8, 8, 1), tmp_path / "store")
