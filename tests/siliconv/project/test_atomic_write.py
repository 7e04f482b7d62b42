"""Files that are whole or not there, and why a file can't be written, in the terms of its path."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from siliconv.errors import ProjectError
from siliconv.project.atomic_write import why_unwritable, write_atomically, write_named


def test_a_file_that_cannot_be_put_in_place_leaves_nothing_behind(tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(IsADirectoryError):
        write_atomically(tmp_path / "taken", "text")
    assert [one.name for one in tmp_path.iterdir()] == ["taken"]


@pytest.mark.parametrize(
    ("place", "number", "what", "fix"),
    [
        ("folder", errno.EISDIR, "it is a folder", "folder/NAME"),
        ("file/below/it", errno.ENOTDIR, "file is no folder", "choose a place in a folder"),
        ("folder/none/x", errno.EACCES, "nothing can be written in", "where you may write"),
        ("file", errno.EACCES, "cannot write: Permission denied", "make the file and its folder writable"),
        ("x", errno.ENOSPC, "cannot write: No space left on device", "free disk space"),
        ("x", errno.ENAMETOOLONG, "cannot write: File name too long", "use a shorter name"),
    ],
)
def test_the_reason_is_that_of_the_path_and_not_of_a_temporary_file(tmp_path, place, number, what, fix):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    error = OSError(number, os.strerror(number), str(tmp_path / ".temporary.1"))
    said, advice = why_unwritable(tmp_path / place, error)
    assert what in said
    assert fix in advice
    assert ".temporary" not in said + advice


def test_a_relative_place_is_looked_for_from_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said, _ = why_unwritable(Path("none/x"), PermissionError(errno.EACCES, "Permission denied"))
    assert said == f"nothing can be written in {tmp_path}"
    with pytest.raises(ProjectError, match="WRITE-PLACE"):
        write_named(tmp_path, "text")
