"""Arrays of numbers from files of any kind: the same codes, splits and answers, or a refusal with its place."""

from __future__ import annotations

import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest

from siliconv.errors import DataError
from siliconv.models.answers.task import Question
from siliconv.models.data.data_config import DataConfig, InputConfig
from siliconv.models.data.datasets import prepare, row_digests
from siliconv.models.data.image_store import Dataset, DataSummary, open_dataset
from siliconv.models.data.number_type import PIXELS, NumberType

RANDOM = np.random.default_rng(3)
FEATURES = RANDOM.normal(0, 2, (60, 4)).astype(np.float32)
CLASSES = np.arange(60) % 3
QUESTION = Question("auto", "dense", (4,), (3,))


def prepared(folder: Path, question: Question | None = QUESTION, shape=(4,), **config) -> tuple[DataSummary, Dataset]:
    summary = prepare(DataConfig(**config), shape, folder / "store", question=question)
    return summary, open_dataset(folder / "store")


def every(dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """All values and answers, in the order of the values' first feature."""
    splits = (dataset.train, dataset.val, dataset.test)
    values = np.concatenate([one.values(slice(None)) for one in splits])
    answers = np.concatenate([one.labels for one in splits])
    order = np.argsort(values.reshape(len(values), -1)[:, 0], kind="stable")
    return values[order], answers[order]


def as_npz(folder: Path) -> dict[str, object]:
    np.savez(folder / "data.npz", x=FEATURES, y=CLASSES)
    return {"source": "npz", "path": folder / "data.npz"}


def as_npy(folder: Path) -> dict[str, object]:
    np.save(folder / "x.npy", FEATURES)
    np.save(folder / "y.npy", CLASSES)
    return {"source": "npy", "path": folder / "x.npy", "y": "y.npy"}


def as_hdf5(folder: Path) -> dict[str, object]:
    with h5py.File(folder / "data.h5", "w") as file:
        file["jets/features"] = FEATURES
        file["jets/flavour"] = CLASSES
    return {"source": "hdf5", "path": folder / "data.h5", "x": "/jets/features", "y": "/jets/flavour"}


def as_csv(folder: Path) -> dict[str, object]:
    lines = [",".join(map(repr, map(float, row))) + f",{name}" for row, name in zip(FEATURES, CLASSES, strict=True)]
    (folder / "data.csv").write_text("pt,eta,phi,mass,label\n" + "\n".join(lines) + "\n")
    return {"source": "csv", "path": folder / "data.csv"}


@pytest.mark.parametrize("source", [as_npz, as_npy, as_hdf5, as_csv])
def test_every_kind_of_file_gives_the_same_rounded_numbers_and_classes(tmp_path, source):
    summary, dataset = prepared(tmp_path, **source(tmp_path))
    kind = summary.input.type
    assert (kind.signed, kind.bits) == (True, 16)
    values, answers = every(dataset)
    order = np.argsort(kind.decode(kind.encode(FEATURES[:, 0])[0]), kind="stable")
    assert (values == kind.decode(kind.encode(FEATURES)[0])[order]).all()
    assert answers.tolist() == CLASSES[order].tolist()
    assert summary.task == "classification"
    assert sum(summary.size(split) for split in ("train", "val", "test")) == 60
    assert summary.input.saturated == 0.0
    assert dataset.summary == summary


def test_samples_of_an_adc_keep_their_twelve_bits(tmp_path):
    samples = RANDOM.integers(0, 4096, (40, 10, 4)).astype(np.uint16)
    samples[0, 0, 0] = 4095
    np.savez(tmp_path / "data.npz", x=samples, y=np.arange(40) % 2)
    question = Question("auto", "dense", (10, 4), (2,))
    config = {"source": "npz", "path": tmp_path / "data.npz", "test": 0.0, "validation": 0.0}
    summary, dataset = prepared(tmp_path, question, (10, 4), **config)
    assert summary.input.type == NumberType(False, 12, 12)
    assert (dataset.train.read(slice(None)) == samples).all()
    assert dataset.train.path.name == "train.u16"
    stated = InputConfig(bits=12, integer=0, signed=False)
    summary, dataset = prepared(tmp_path, question, (10, 4), **config, scale=1 / 4096, input=stated)
    assert (dataset.train.values([5]) == samples[5] / np.float32(4096)).all()


def test_bytes_stay_pixels_and_images_of_numbers_up_to_255_too(tmp_path):
    pixels = RANDOM.integers(0, 256, (30, 6, 6, 1))
    question = Question("auto", "dense", (6, 6, 1), (2,))
    for stored in (pixels.astype(np.uint8), pixels.astype(np.int64), pixels.astype(np.float32), pixels / 255):
        np.savez(tmp_path / "data.npz", x=stored, y=np.arange(30) % 2)
        config = {"source": "npz", "path": tmp_path / "data.npz", "test": 0.0, "validation": 0.0}
        summary, dataset = prepared(tmp_path, question, (6, 6, 1), **config)
        assert summary.input.type == PIXELS
        assert (dataset.train.read(slice(None)) == pixels).all()
    np.savez(tmp_path / "data.npz", x=pixels * 0.5, y=np.arange(30) % 2)
    summary, dataset = prepared(tmp_path, question, (6, 6, 1), **config)
    assert (dataset.train.values(slice(None)) == pixels * 0.5).all()


def test_splits_of_the_file_are_kept_and_the_type_comes_from_the_training_data(tmp_path):
    np.savez(
        tmp_path / "data.npz",
        x_train=np.full((9, 4), 0.5), y_train=np.arange(9) % 3,
        x_test=np.full((6, 4), 100.0), y_test=np.arange(6) % 3,
    )  # fmt: skip
    summary, dataset = prepared(tmp_path, source="npz", path=tmp_path / "data.npz", validation=0.0)
    assert len(dataset.train) == 9
    assert summary.input.type.ends[1] < 2
    assert summary.input.saturated == pytest.approx(6 / 15)
    assert summary.input.largest == 100.0


def test_columns_of_texts_are_classes_and_chosen_columns_are_inputs(tmp_path):
    lines = [f"{row[0]};{row[1]};{'top' if n % 2 else 'qcd'};{n}" for n, row in enumerate(FEATURES)]
    (tmp_path / "t.csv").write_text("pt;eta;kind;event\n" + "\n".join(lines))
    config = {"source": "csv", "path": tmp_path / "t.csv", "x": ("eta", "pt"), "y": "kind"}
    summary, dataset = prepared(tmp_path, Question("auto", "d", (2,), (2,)), (2,), **config)
    assert summary.class_names == ("qcd", "top")
    first = summary.input.type.decode(summary.input.type.encode(FEATURES[:, [1, 0]])[0])
    assert sorted(map(tuple, every(dataset)[0].tolist())) == sorted(map(tuple, first.tolist()))


def test_names_of_classes_stand_in_the_file(tmp_path):
    np.savez(tmp_path / "data.npz", x=FEATURES, y=CLASSES, class_names=np.array(["g", "q", "t"]))
    assert prepared(tmp_path, source="npz", path=tmp_path / "data.npz")[0].class_names == ("g", "q", "t")


def elsewhere(folder: Path) -> dict[str, object]:
    np.save(folder / "secret.npy", np.zeros(4))
    with h5py.File(folder / "data.h5", "w") as file:
        file["y"] = CLASSES
        file.create_dataset("x", (60, 4), "f8", external=[(str(folder / "secret.npy"), 0, h5py.h5f.UNLIMITED)])
    return {"source": "hdf5", "path": folder / "data.h5", "x": "x", "y": "y"}


def linked(folder: Path) -> dict[str, object]:
    with h5py.File(folder / "other.h5", "w") as file:
        file["x"] = FEATURES
    with h5py.File(folder / "data.h5", "w") as file:
        file["y"] = CLASSES
        file["x"] = h5py.ExternalLink("other.h5", "x")
    return {"source": "hdf5", "path": folder / "data.h5", "x": "x", "y": "y"}


def no_such_array(folder: Path) -> dict[str, object]:
    return {**as_npz(folder), "x": "features"}


def ragged(folder: Path) -> dict[str, object]:
    (folder / "d.csv").write_text("a,b,c,d,label\n1,2,3,4,0\n1,2,3,0\n")
    return {"source": "csv", "path": folder / "d.csv"}


def no_number(folder: Path) -> dict[str, object]:
    (folder / "d.csv").write_text("a,b,c,d,label\n" + "1,2,3,4,0\n" * 2000 + "1,2,x,4,0\n")
    return {"source": "csv", "path": folder / "d.csv"}


def no_names(folder: Path) -> dict[str, object]:
    (folder / "d.csv").write_text("1,2,3,4,0\n1,2,3,4,0\n")
    return {"source": "csv", "path": folder / "d.csv"}


def endless_line(folder: Path) -> dict[str, object]:
    (folder / "d.csv").write_text("a,b,c,d,label\n1,2,3,4,0\n1,2,3," + "4" * (3 << 20))
    return {"source": "csv", "path": folder / "d.csv"}


def never_written(folder: Path) -> dict[str, object]:
    with h5py.File(folder / "data.h5", "w") as file:
        file.create_dataset("x", (1 << 40, 4), "f8", chunks=(1024, 4))
        file["y"] = CLASSES
    return {"source": "hdf5", "path": folder / "data.h5", "x": "x", "y": "y"}


def one_large_chunk(folder: Path) -> dict[str, object]:
    with h5py.File(folder / "data.h5", "w") as file:
        file.create_dataset("x", (60, 4), "f8", chunks=(1 << 24, 4), maxshape=(None, 4), compression="gzip")
        file["y"] = CLASSES
    return {"source": "hdf5", "path": folder / "data.h5", "x": "x", "y": "y"}


def swollen_labels(folder: Path) -> dict[str, object]:
    with h5py.File(folder / "data.h5", "w") as file:
        file["x"] = FEATURES
        y = file.create_dataset("y", (60, 1 << 20), "f8", chunks=(1, 1 << 20), compression="gzip")
        for row in range(60):  # 8 MiB each, of some kilobytes
            y.id.write_direct_chunk((row, 0), zlib.compress(bytes(8 << 20), 1))
    return {"source": "hdf5", "path": folder / "data.h5", "x": "x", "y": "y"}


def short(folder: Path) -> dict[str, object]:
    found = as_npy(folder)
    (folder / "x.npy").write_bytes((folder / "x.npy").read_bytes()[:-8])
    return found


def objects(folder: Path) -> dict[str, object]:
    found = as_npy(folder)
    np.save(folder / "x.npy", np.array([{}, {}], dtype=object), allow_pickle=True)
    return found


def another_shape(folder: Path) -> dict[str, object]:
    np.savez(folder / "data.npz", x=FEATURES[:, :3], y=CLASSES)
    return {"source": "npz", "path": folder / "data.npz"}


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (elsewhere, "another file"),
        (linked, "link to another place"),
        (no_such_array, "no array 'features'"),
        (ragged, "line 3 has 4 entries for 5 columns"),
        (no_number, "line 2002, column 'c'"),
        (no_names, "first line gives no names"),
        (endless_line, "longer than 1,048,576"),
        (never_written, "announces"),
        (one_large_chunk, "chunks of"),
        (swollen_labels, "would unpack"),
        (short, "announced"),
        (objects, "Python objects"),
        (another_shape, "inputs of shape"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(tmp_path, source, words):
    with pytest.raises(DataError, match=words) as found:
        prepared(tmp_path, **source(tmp_path))
    assert found.value.code == "DATA-LAYOUT"


def test_numbers_beyond_any_type_are_refused_with_the_way_out(tmp_path):
    np.savez(tmp_path / "data.npz", x=FEATURES * 1e30, y=CLASSES)
    with pytest.raises(DataError, match=r"data\.scale"):
        prepared(tmp_path, source="npz", path=tmp_path / "data.npz")


def test_a_long_file_is_read_in_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr("siliconv.models.data.columns.BLOCK_BYTES", 100)
    summary, dataset = prepared(tmp_path, limit=30, **as_npy(tmp_path))
    assert sum(summary.size(split) for split in ("train", "val", "test")) == 30
    known = {tuple(row) for row in summary.input.type.decode(summary.input.type.encode(FEATURES)[0]).tolist()}
    assert {tuple(row) for row in every(dataset)[0].tolist()} <= known


def test_equal_rows_have_equal_digests_and_others_have_others():
    rows = np.random.default_rng(0).integers(-(2**15), 2**15, (5000, 16)).astype(np.int16)
    rows[1] = rows[0]
    rows[2] = rows[0][::-1]
    digests = row_digests(rows)
    assert digests[0] == digests[1]
    assert len(np.unique(digests)) == len(np.unique(rows, axis=0))


def test_rows_that_occur_in_two_splits_are_counted(tmp_path):
    same = {"x_train": FEATURES[:30], "y_train": CLASSES[:30], "x_test": FEATURES[27:], "y_test": CLASSES[27:]}
    np.savez(tmp_path / "data.npz", **same)
    config = {"source": "npz", "path": tmp_path / "data.npz", "validation": 0.0}
    assert prepared(tmp_path, **config)[0].duplicates == 3


def test_a_split_without_labels_is_not_left_out_in_silence(tmp_path):
    np.savez(tmp_path / "data.npz", x_train=FEATURES[:30], y_train=CLASSES[:30], x_test=FEATURES[30:])
    with pytest.raises(DataError, match=r"DATA-LAYOUT.*x_test has no labels"):
        prepared(tmp_path, source="npz", path=tmp_path / "data.npz")


def test_pixels_with_the_one_channel_in_front_are_pixels(tmp_path):
    pixels = RANDOM.integers(0, 256, (30, 1, 6, 5)).astype(np.uint8)
    np.savez(tmp_path / "data.npz", x=pixels, y=np.arange(30) % 2)
    question = Question("auto", "dense", (6, 5, 1), (2,))
    config = {"source": "npz", "path": tmp_path / "data.npz", "test": 0.0, "validation": 0.0}
    _, dataset = prepared(tmp_path, question, (6, 5, 1), **config)
    assert (dataset.train.read(slice(None)) == pixels.reshape(30, 6, 5, 1)).all()
    np.savez(tmp_path / "data.npz", x=np.repeat(pixels, 3, axis=1) / 7, y=np.arange(30) % 2)
    with pytest.raises(DataError, match=r"the network takes \(6, 5, 3\)") as caught:
        prepared(tmp_path, Question("auto", "dense", (6, 5, 3), (2,)), (6, 5, 3), **config)
    assert "numpy.moveaxis(x, 1, -1)" in caught.value.fix


def test_texts_in_hdf5_are_labels_and_tables_are_named(tmp_path):
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["x"] = FEATURES
        file["y"] = [("qcd", "top", "w")[number] for number in CLASSES]
    summary, _ = prepared(tmp_path, source="hdf5", path=tmp_path / "data.h5")
    assert summary.class_names == ("qcd", "top", "w")
    summary, _ = prepared(tmp_path, source="hdf5", path=tmp_path / "data.h5", x="/x", y="/y")
    assert summary.class_names == ("qcd", "top", "w")
    with h5py.File(tmp_path / "table.h5", "w") as file:
        file["events"] = np.zeros(9, [("pt", "f4"), ("eta", "f4")])
    with pytest.raises(DataError, match="events is a table of columns"):
        prepared(tmp_path, source="hdf5", path=tmp_path / "table.h5")


def test_features_that_the_type_is_too_coarse_for_are_named(tmp_path):
    values = FEATURES * np.array([1.0, 1e6, 1.0, 1e6])
    values[:, 2] = CLASSES % 2
    np.savez(tmp_path / "data.npz", x=values, y=CLASSES)
    summary, _ = prepared(tmp_path, source="npz", path=tmp_path / "data.npz")
    assert summary.input.coarse == (0, 2)
    assert "2 features (number 0, 2, from 0) of 4" in summary.input.coarse_in_words(summary.shape)
    # Two values that are codes are whole, in however few steps.
    np.savez(tmp_path / "data.npz", x=np.stack([CLASSES % 2, np.arange(60)], axis=1), y=CLASSES)
    question = Question("auto", "dense", (2,), (3,))
    assert prepared(tmp_path, question, (2,), source="npz", path=tmp_path / "data.npz")[0].input.coarse == ()


def test_an_index_and_a_comment_of_a_table_are_no_inputs(tmp_path):
    rows = [f"{n}," + ",".join(map(repr, map(float, row))) + f",{CLASSES[n]}" for n, row in enumerate(FEATURES)]
    (tmp_path / "t.csv").write_text("# of run 7\n,pt,eta,phi,mass,label\n" + "\n".join(rows))
    summary, dataset = prepared(tmp_path, source="csv", path=tmp_path / "t.csv")
    assert summary.shape == (4,)
    kind = summary.input.type
    assert set(every(dataset)[0][:, 0]) == set(kind.decode(kind.encode(FEATURES[:, 0])[0]))
