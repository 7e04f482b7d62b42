"""Data sets: every source, every oddity of real files, and one clear message for what cannot be used."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from siliconv.errors import DataError
from siliconv.models.data.data_config import DataConfig
from siliconv.models.data.datasets import prepare, source_fingerprint
from siliconv.models.data.image_files import decode_image, to_fraction
from siliconv.models.data.image_store import SPLITS, Dataset, open_dataset
from siliconv.models.data.sources import list_source


def _picture(path: Path, seed: int, size: tuple[int, int] = (20, 14)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def _tree(root: Path, count: int = 20) -> Path:
    for number, name in enumerate(("bee", "ant")):
        for index in range(count):
            _picture(root / name / f"{index:03d}.png", 1000 * number + index)
    return root


def _folder(root: Path, **options: object) -> DataConfig:
    return DataConfig.model_validate({"source": "folder", "path": root, **options})


def test_digits_are_split_by_class_and_scaled_to_bytes(digits: Dataset) -> None:
    assert [len(images) for images in (digits.train, digits.val, digits.test)] == [1259, 179, 359]
    assert digits.class_names == tuple("0123456789")
    pixels = digits.train.read(slice(None))
    assert pixels.shape == (1259, 8, 8, 1)
    assert (pixels.min(), pixels.max()) == (0, 255)
    assert min(np.bincount(digits.test.labels)) == 35


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_split(tmp_path: Path, digits_folder: Path) -> None:
    for name, seed in (("same", 1), ("other", 2)):
        prepare(DataConfig(seed=seed), (8, 8, 1), tmp_path / name)
    for split in SPLITS:
        first = (digits_folder / f"{split}.u8").read_bytes()
        assert (tmp_path / "same" / f"{split}.u8").read_bytes() == first
        assert (tmp_path / "other" / f"{split}.u8").read_bytes() != first


def test_a_tree_of_classes_is_split_and_read_in_any_order(tmp_path: Path) -> None:
    summary = prepare(_folder(_tree(tmp_path / "tree")), (8, 10, 3), tmp_path / "store")
    assert summary.class_names == ("ant", "bee")
    assert summary.counts == {"train": (14, 14), "val": (2, 2), "test": (4, 4)}
    train = open_dataset(tmp_path / "store").train
    assert (train.read([5, 0, 5]) == train.read(slice(None))[[5, 0, 5]]).all()
    with pytest.raises(IndexError):
        train.read([len(train)])


def test_train_val_test_above_the_classes_are_kept(tmp_path: Path) -> None:
    for seed, split in enumerate(("train", "valid", "test")):
        for index in range(3 + seed):
            for number, name in enumerate(("ant", "bee")):
                _picture(tmp_path / "tree" / split / name / f"{index}.png", seed * 100 + number * 10 + index)
    summary = prepare(_folder(tmp_path / "tree"), (8, 8, 3), tmp_path / "store")
    assert summary.counts == {"train": (3, 3), "val": (4, 4), "test": (5, 5)}
    found = open_dataset(tmp_path / "store").test.read([0])[0]
    assert (found == decode_image(tmp_path / "tree" / "test" / "ant" / "0.png", (8, 8, 3))).all()


def test_a_missing_validation_split_is_taken_from_training(tmp_path: Path) -> None:
    for split in ("train", "test"):
        _tree(tmp_path / "tree" / split, 10)
    summary = prepare(_folder(tmp_path / "tree"), (8, 8, 3), tmp_path / "store")
    assert summary.counts == {"train": (9, 9), "val": (1, 1), "test": (10, 10)}


def test_damaged_and_foreign_files_are_counted_named_and_left_out(tmp_path: Path) -> None:
    root = _tree(tmp_path / "tree")
    whole = (root / "ant" / "000.png").read_bytes()
    (root / "ant" / "half.png").write_bytes(whole[: len(whole) // 2])
    (root / "ant" / "empty.jpg").touch()
    (root / "bee" / "notes.txt").write_text("not an image")
    (root / "bee" / ".DS_Store").write_bytes(b"\0" * 64)
    summary = prepare(_folder(root), (8, 8, 3), tmp_path / "store")
    assert {name for name, _ in summary.left_out} == {
        "ant/half.png",
        "ant/empty.jpg",
        "bee/notes.txt",
        "bee/.DS_Store",
    }
    assert all(reason for _, reason in summary.left_out)
    assert sum(map(sum, summary.counts.values())) == 40
    assert open_dataset(tmp_path / "store").summary == summary


def test_exact_duplicates_across_splits_are_reported(tmp_path: Path) -> None:
    for split in ("train", "val", "test"):
        _tree(tmp_path / "tree" / split, 0)
        for index in range(3):
            for number, name in enumerate(("ant", "bee")):
                seed = {"train": 0, "val": 100, "test": 200}[split] + 10 * number + index
                _picture(tmp_path / "tree" / split / name / f"{index}.png", seed)
    copy = tmp_path / "tree" / "test" / "ant" / "copy.bmp"
    Image.open(tmp_path / "tree" / "train" / "ant" / "1.png").save(copy)
    summary = prepare(_folder(tmp_path / "tree"), (8, 8, 3), tmp_path / "store")
    assert summary.duplicates == 1
    assert summary.duplicate_examples == (("train/ant/1.png", "test/ant/copy.bmp"),)


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda root: None, "DATA-MISSING"),
        (lambda root: root.mkdir(), "DATA-EMPTY"),
        (lambda root: (root / "ant").mkdir(parents=True), "DATA-EMPTY"),
        (lambda root: _picture(root / "ant" / "0.png", 1), "DATA-CLASSES"),
        (lambda root: [_picture(root / "ant" / "0.png", 1), (root / "bee").mkdir()], "DATA-CLASSES"),
        (lambda root: _picture(root, 1), "DATA-LAYOUT"),
        (lambda root: [_picture(root / "all" / name / "0.png", 1) for name in ("ant", "bee")], "DATA-LAYOUT"),
    ],
)
def test_folders_that_cannot_be_used(tmp_path: Path, make: object, code: str) -> None:
    root = tmp_path / "tree.png"
    make(root)  # type: ignore[operator]
    with pytest.raises(DataError) as found:
        prepare(_folder(root), (8, 8, 3), tmp_path / "store")
    assert found.value.code == code


def test_only_damaged_files_is_an_empty_data_set(tmp_path: Path) -> None:
    for name in ("ant", "bee"):
        (tmp_path / "tree" / name).mkdir(parents=True)
        (tmp_path / "tree" / name / "0.jpg").write_bytes(b"nothing")
    with pytest.raises(DataError, match="none of 2 files") as found:
        prepare(_folder(tmp_path / "tree"), (8, 8, 3), tmp_path / "store")
    assert found.value.code == "DATA-EMPTY"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(DataError, match="DATA-WRITE"):
        prepare(DataConfig(), (8, 8, 1), tmp_path / "store")


def test_a_file_in_place_of_the_store_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "store").touch()
    with pytest.raises(DataError, match="DATA-WRITE"):
        prepare(DataConfig(), (8, 8, 1), tmp_path / "store")


@pytest.mark.parametrize(
    "keys",
    [
        ("x", "y"),
        ("images", "labels"),
        ("data", "target"),
        ("X", "Y"),
    ],
)
def test_npz_without_splits(tmp_path: Path, keys: tuple[str, str]) -> None:
    images = np.random.default_rng(1).integers(0, 256, (40, 9, 7), np.uint8)
    np.savez(tmp_path / "data.npz", **{keys[0]: images, keys[1]: np.arange(40) % 2})  # type: ignore[arg-type]
    config = DataConfig(source="npz", path=tmp_path / "data.npz")
    assert prepare(config, (9, 7, 1), tmp_path / "store").counts["train"] == (14, 14)
    train = open_dataset(tmp_path / "store").train.read([0])[0, :, :, 0]
    assert any((train == image).all() for image in images)


@pytest.mark.parametrize("layout", ["x_{split}", "{split}_images"])
def test_npz_with_splits_names_and_fractions(tmp_path: Path, layout: str) -> None:
    arrays = {}
    for split, count in (("train", 6), ("val", 4), ("test", 2)):
        key = layout.format(split=split)
        arrays[key] = np.linspace(0.0, 1.0, count * 64).reshape(count, 8, 8, 1)
        arrays[key.replace("x_", "y_").replace("images", "labels")] = np.array(["no", "yes"] * (count // 2))
    np.savez(tmp_path / "data.npz", **arrays)  # type: ignore[arg-type]
    summary = prepare(DataConfig(source="npz", path=tmp_path / "data.npz"), (8, 8, 1), tmp_path / "store")
    assert summary.class_names == ("no", "yes")
    assert summary.counts == {"train": (3, 3), "val": (2, 2), "test": (1, 1)}
    assert open_dataset(tmp_path / "store").test.read([1]).max() == 255


def test_npz_of_waveforms_keeps_its_shape(tmp_path: Path) -> None:
    waves = np.random.default_rng(1).integers(0, 256, (20, 128, 2), np.uint8)
    np.savez(tmp_path / "data.npz", x=waves, y=np.eye(2)[np.arange(20) % 2])
    summary = prepare(DataConfig(source="npz", path=tmp_path / "data.npz"), (128, 2), tmp_path / "store")
    assert summary.shape == (128, 2)


@pytest.mark.parametrize(
    ("arrays", "code"),
    [
        ({"a": np.zeros(3)}, "DATA-LAYOUT"),
        ({"x": np.zeros((4, 8, 8)), "y": np.zeros(3)}, "DATA-LAYOUT"),
        ({"x": np.zeros((4, 3, 8, 8)), "y": np.arange(4) % 2}, "DATA-LAYOUT"),
        ({"x": np.full((4, 8, 8), np.nan), "y": np.arange(4) % 2}, "DATA-RANGE"),
        ({"x": np.zeros((4, 8, 8)), "y": np.zeros(4)}, "DATA-CLASSES"),
        ({"x": np.zeros((4, 8, 8)), "y": np.array([object()] * 4)}, "DATA-LAYOUT"),
        (None, "DATA-LAYOUT"),
    ],
)
def test_npz_that_cannot_be_used(tmp_path: Path, arrays: dict[str, np.ndarray] | None, code: str) -> None:
    path = tmp_path / "data.npz"
    if arrays is None:
        path.write_bytes(b"PK nothing")
    else:
        np.savez(path, **arrays)  # type: ignore[arg-type]
    with pytest.raises(DataError) as found:
        prepare(DataConfig(source="npz", path=path), (8, 8, 1), tmp_path / "store")
    assert found.value.code == code


def test_limit_takes_a_stratified_share(tmp_path: Path) -> None:
    summary = prepare(_folder(_tree(tmp_path / "tree"), limit=20), (8, 8, 3), tmp_path / "store")
    assert summary.counts == {"train": (7, 7), "val": (1, 1), "test": (2, 2)}


def test_a_damaged_or_unfinished_store_is_not_opened(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="DATA-STORE"):
        open_dataset(tmp_path)
    prepare(DataConfig(), (8, 8, 1), tmp_path / "store")
    pixels = tmp_path / "store" / "val.u8"
    pixels.write_bytes(pixels.read_bytes()[:-1])
    with pytest.raises(DataError, match=r"val\.u8 has"):
        open_dataset(tmp_path / "store")


def test_the_fingerprint_follows_the_files_and_the_settings(tmp_path: Path) -> None:
    root = _tree(tmp_path / "tree", 3)
    first = source_fingerprint(_folder(root))
    assert source_fingerprint(_folder(root)) == first
    assert source_fingerprint(_folder(root, seed=2)) != first
    _picture(root / "ant" / "new.png", 5)
    assert source_fingerprint(_folder(root)) != first


@pytest.mark.parametrize("wrong", [{"sauce": "digits"}, {"validation": 0.7}, {"source": "web"}, {"limit": 0}])
def test_a_wrong_configuration_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        DataConfig.model_validate(wrong)


def test_fractions_are_exact() -> None:
    every = np.arange(256, dtype=np.uint8)
    assert to_fraction(every).dtype == np.float32
    assert (to_fraction(every) * 256 == every).all()


@pytest.mark.parametrize("source", ["npz", "npy", "csv", "hdf5"])
def test_a_device_or_a_pipe_is_no_file_of_arrays(tmp_path: Path, source: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(DataError, match="DATA-LAYOUT"):
            list_source(DataConfig(source=source, path=path), (8, 8, 1))
