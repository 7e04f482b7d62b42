"""What somebody else wrote is read within bounds, and all that is wrong with it is said in one kind of error."""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from siliconv.bounded_reading import UnreadableError, as_kind, read_arrays, read_as, read_json, read_text


@dataclass(frozen=True)
class Kind:
    """A kind of file."""

    name: str
    count: int


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b"\xff\xfe", "no UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"name": "a", "count": NaN}', "NaN is no number"),
        (b'{"name": "a", "count": 1e999}', "no finite number"),
        (b'{"name": "a", "count": ' + b"9" * 5000 + b"}", "no JSON"),
        (b'{"name": "a"}', "count: "),
        (b'{"name": [], "count": 1}', "name: "),
        (b'{"name": "a", "count": "many"}', "count: "),
        (b"[]", ""),
        (b"null", ""),
        (b" " * 3000, "more than"),
    ],
)
def test_what_is_not_of_its_kind_is_one_error_in_words(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(UnreadableError, match=says) as found:
        read_as(tmp_path / "a.json", Kind, most=len(content) - 1 if says == "more than" else 1 << 20)
    assert "http" not in str(found.value)


def test_what_is_of_its_kind_comes_back(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"name": "a", "count": 3}')
    assert read_as(tmp_path / "a.json", Kind) == Kind("a", 3)
    assert as_kind({"x": ["y"]}, dict[str, list[str]]) == {"x": ["y"]}


@pytest.mark.parametrize("name", ["nowhere", ".", "x" * 300, "a\0b", "loop"])
def test_what_can_not_be_opened_is_the_same_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "loop").symlink_to("loop")
    for read in (read_text, read_json, read_arrays):
        with pytest.raises(UnreadableError):
            read(tmp_path / name)


def header(shape: tuple[int, ...], descr: str = "'|u1'") -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


@pytest.mark.parametrize(
    "member",
    [header((1 << 45,)), header((-1,)), header((2,), "'|O'") + b"xx", header((2,), "print"), b"", b"\x93NUMPY\x09\x00"],
)
def test_a_header_that_lies_asks_for_no_memory(tmp_path: Path, member: bytes) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", member)
    with pytest.raises(UnreadableError):
        read_arrays(tmp_path / "a.npz")


def test_an_archive_out_of_all_proportion_is_not_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", header((3,)) + b"abc")
        archive.getinfo("x.npy").file_size = 1 << 40
    with pytest.raises(UnreadableError, match="would unpack to 1,099,511,627,776"):
        read_arrays(tmp_path / "a.npz")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_of_every_order_and_kind_come_back(tmp_path: Path, save: object) -> None:
    arrays = {
        "plain": np.arange(6.0).reshape(2, 3),
        "fortran": np.asfortranarray(np.arange(6).reshape(2, 3)),
        "scalar": np.array(3),
        "none": np.empty((0, 4), np.uint8),
        "text": np.array(["a", "bc"]),
        "flags": np.array([True, False]),
    }
    save(tmp_path / "a.npz", **arrays)  # type: ignore[operator]
    found = read_arrays(tmp_path / "a.npz")
    assert set(found) == set(arrays)
    for name, expected in arrays.items():
        np.testing.assert_array_equal(found[name], expected)
        assert found[name].dtype == expected.dtype
        assert found[name].flags.writeable


def test_pipes_and_devices_are_not_waited_for(tmp_path):
    """A pipe that nobody writes into would be read for ever, a device without end until memory is full."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path, says in ((pipe, "no ordinary file"), (Path("/dev/zero"), "no ordinary file"), (tmp_path, "a folder")):
        for read in (read_text, read_arrays):
            with pytest.raises(UnreadableError, match=says):
                read(path)
