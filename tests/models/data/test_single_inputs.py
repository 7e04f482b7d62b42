"""Inputs that are handed in one by one: what is no file is refused by what it is."""

from __future__ import annotations

import pytest

from siliconv.errors import DataError
from siliconv.models.data.data_config import DataConfig
from siliconv.models.data.image_store import open_dataset
from siliconv.models.data.single_inputs import read_inputs


@pytest.mark.parametrize(
    ("name", "what", "fix"),
    [
        ("folder", "it is a folder", "folder/*"),
        ("folder.csv", "it is a folder", "folder.csv/*"),
        ("none.png", "there is no such file", "correct the path"),
        ("none.npy", "there is no such file", "correct the path"),
        ("/dev/null", "it is no ordinary file", "correct the path"),
    ],
)
def test_what_is_no_file_is_named(digits_folder, tmp_path, name, what, fix):
    for folder in ("folder", "folder.csv"):
        (tmp_path / folder).mkdir()
    with pytest.raises(DataError, match="DATA-INPUT") as raised:
        read_inputs([tmp_path / name], DataConfig(), open_dataset(digits_folder).summary)
    assert what in raised.value.what
    assert fix in raised.value.fix
