"""A model file delivers its own numbers and nobody else's bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from siliconv.bounded_reading import UnreadableError
from siliconv.models.data.hdf5 import Arrays, member, plain_texts


@pytest.fixture
def file(tmp_path: Path) -> Any:
    with h5py.File(tmp_path / "a.h5", "w") as made:
        made["group/kernel"] = np.arange(6.0).reshape(2, 3)
        yield made


def test_an_array_of_the_file_is_read(file: Any) -> None:
    np.testing.assert_array_equal(Arrays(file).read("group/kernel"), np.arange(6.0).reshape(2, 3))


def test_what_reaches_for_another_file_is_refused(file: Any, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"TOP SECRET " * 4)
    file.create_dataset("stored", (4,), "f4", external=[(str(tmp_path / "secret"), 0, 16)])
    layout = h5py.VirtualLayout((2, 3), "f8")
    layout[...] = h5py.VirtualSource(str(tmp_path / "other.h5"), "x", (2, 3))
    file.create_virtual_dataset("put_together", layout)
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["x"] = np.ones((2, 3))
    file["away"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/x")
    file["aside"] = h5py.SoftLink("/group/kernel")
    file["round"] = h5py.SoftLink("/round")
    for name, says in (
        ("stored", "in another file"),
        ("put_together", "in another file"),
        ("away", "a link"),
        ("aside", "a link"),
        ("round", "a link"),
    ):
        with pytest.raises(UnreadableError, match=says):
            Arrays(file).read(name)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (np.array(["a", "b"], dtype=object), "no numbers"),
        (np.array([1j]), "no numbers"),
        (np.array([np.nan, 1.0]), "not finite"),
        (np.array([np.inf]), "not finite"),
    ],
)
def test_what_is_no_array_of_finite_numbers_is_refused(file: Any, values: np.ndarray, says: str) -> None:
    file.create_dataset("odd", data=values, dtype=h5py.string_dtype() if values.dtype == object else None)
    with pytest.raises(UnreadableError, match=says):
        Arrays(file).read("odd")


def test_terabytes_that_nobody_stored_are_not_asked_for(file: Any) -> None:
    file.create_dataset("huge", (1 << 40,), "f4", chunks=(1024,))
    with pytest.raises(UnreadableError, match="more than 256 MiB"):
        Arrays(file).read("huge")


def test_what_is_not_there_and_what_is_no_array_are_told(file: Any) -> None:
    with pytest.raises(UnreadableError, match="no 'group/bias'"):
        member(file, "group/bias")
    with pytest.raises(UnreadableError, match="no array"):
        Arrays(file).read("group")
    with pytest.raises(UnreadableError, match="there is no"):
        member(file, "group/kernel/deeper")


def test_texts_of_the_file_are_read_and_those_of_another_are_not(file: Any, tmp_path: Path) -> None:
    file["names"] = ["ant", "bee"]
    assert plain_texts(file, "names").tolist() == ["ant", "bee"]
    assert plain_texts(file, "group/kernel") is None
    assert plain_texts(file, "group") is None
    file.create_dataset("long", data=np.array([b"x" * 300]))
    with pytest.raises(UnreadableError, match="or long ones"):
        plain_texts(file, "long")
    (tmp_path / "secret").write_bytes(b"TOP SECRET " * 4)
    file.create_dataset("stored", (4,), "S4", external=[(str(tmp_path / "secret"), 0, 16)])
    with pytest.raises(UnreadableError, match="in another file"):
        plain_texts(file, "stored")
