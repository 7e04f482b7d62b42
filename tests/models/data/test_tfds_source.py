"""TensorFlow Datasets: the real loading code against a stand-in of the library, and the way out
without it.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from siliconv.errors import DataError, ToolError
from siliconv.models.data.data_config import DataConfig
from siliconv.models.data.datasets import prepare
from siliconv.models.data.image_files import decode_image
from siliconv.models.data.image_store import open_dataset


class _ImageFeature:
    """Stands for tfds.features.Image."""


class _ClassLabel:
    """Stands for tfds.features.ClassLabel."""

    def __init__(self, names: list[str]) -> None:
        self.names = names


def _jpeg(seed: int) -> bytes:
    file = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (21, 17, 3), np.uint8)
    Image.fromarray(pixels).save(file, "JPEG")
    return file.getvalue()


def _library(features: dict[str, Any], splits: dict[str, list[dict[str, Any]]]) -> SimpleNamespace:
    def as_dataset(split: str, shuffle_files: bool, decoders: dict[str, str]) -> Iterator[dict[str, Any]]:
        assert not shuffle_files
        assert decoders == {"image": "as it is"}
        return iter(splits[split])

    def builder(name: str, data_dir: str | None) -> SimpleNamespace:
        if name == "unreachable":
            fail = ConnectionError("no route to host\nsecond line")

            def download() -> None:
                raise fail

            return SimpleNamespace(download_and_prepare=download)
        return SimpleNamespace(
            download_and_prepare=lambda: None,
            info=SimpleNamespace(features=features, splits=splits),
            as_dataset=as_dataset,
        )

    return SimpleNamespace(
        builder=builder,
        as_numpy=lambda stream: stream,
        features=SimpleNamespace(Image=_ImageFeature, ClassLabel=_ClassLabel),
        decode=SimpleNamespace(SkipDecoding=lambda: "as it is"),
    )


def test_l13_celeb_a_with_the_attribute_male_and_its_own_splits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faces(count: int, start: int) -> list[dict[str, Any]]:
        return [
            {"image": _jpeg(start + i), "attributes": {"Male": np.bool_(i % 2), "Smiling": np.bool_(i % 3)}}
            for i in range(count)
        ]

    splits = {"train": faces(8, 0), "validation": faces(4, 100), "test": faces(6, 200)}
    library = _library({"image": _ImageFeature(), "attributes": {"Male": bool, "Smiling": bool}}, splits)
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", library)
    config = DataConfig(source="tfds", name="celeb_a", label="Male")
    summary = prepare(config, (16, 16, 3), tmp_path)
    assert summary.class_names == ("not Male", "Male")
    assert summary.counts == {"train": (4, 4), "val": (2, 2), "test": (3, 3)}
    found = open_dataset(tmp_path).test.read([1])[0]
    assert (found == decode_image(splits["test"][1]["image"], (16, 16, 3))).all()
    with pytest.raises(DataError, match="Male, Smiling"):
        prepare(config.model_copy(update={"label": "Bald"}), (16, 16, 3), tmp_path)


def test_l13_cats_vs_dogs_has_one_split_which_is_divided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    examples = [{"image": _jpeg(i), "label": np.int64(i % 2)} for i in range(40)]
    examples[3]["image"] = b"damaged"
    library = _library({"image": _ImageFeature(), "label": _ClassLabel(["cat", "dog"])}, {"train": examples})
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", library)
    summary = prepare(DataConfig(source="tfds", name="cats_vs_dogs"), (16, 16, 3), tmp_path)
    assert summary.class_names == ("cat", "dog")
    assert sum(map(sum, summary.counts.values())) == 39
    assert [name for name, _ in summary.left_out] == ["cats_vs_dogs, image 3"]
    few = prepare(DataConfig(source="tfds", name="cats_vs_dogs", limit=10), (16, 16, 3), tmp_path)
    assert sum(map(sum, few.counts.values())) + len(few.left_out) == 10
    label_of = {
        decode_image(example["image"], (16, 16, 3)).tobytes(): int(example["label"])
        for number, example in enumerate(examples)
        if number != 3
    }
    train = open_dataset(tmp_path).train
    found = [label_of[pixels.tobytes()] for pixels in train.read(slice(None))]
    assert found == train.labels.tolist()


def test_l13_without_the_library_the_message_names_the_alternatives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(ToolError, match=r"(?s)folder.*npz.*digits") as found:
        prepare(DataConfig(source="tfds", name="celeb_a"), (16, 16, 3), tmp_path)
    assert found.value.code == "TFDS-MISSING"


def test_l13_a_download_that_fails_names_reason_and_alternatives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", _library({}, {}))
    with pytest.raises(DataError, match=r"(?s)no route to host\n.*folder.*npz.*digits") as found:
        prepare(DataConfig(source="tfds", name="unreachable"), (16, 16, 3), tmp_path)
    assert found.value.code == "DATA-DOWNLOAD"


@pytest.mark.parametrize(
    ("features", "splits", "name", "code"),
    [
        ({"text": 1}, {"train": []}, "imdb", "DATA-LAYOUT"),
        ({"image": _ImageFeature(), "label": _ClassLabel(["a", "b"])}, {"extra": []}, "x", "DATA-LAYOUT"),
        ({"image": _ImageFeature()}, {"train": []}, "x", "DATA-LABEL"),
        ({}, {}, None, "DATA-MISSING"),
    ],
)
def test_sets_without_a_meaning_here(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    features: dict[str, Any],
    splits: dict[str, list[Any]],
    name: str | None,
    code: str,
) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", _library(features, splits))
    with pytest.raises(DataError) as found:
        prepare(DataConfig(source="tfds", name=name), (16, 16, 3), tmp_path)
    assert found.value.code == code
