"""What every wing's tests share: where the image data lies, and the digits, prepared once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from siliconv.models.data.data_config import DataConfig
from siliconv.models.data.datasets import prepare
from siliconv.models.data.image_store import Dataset, open_dataset

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with faces, cats_dogs, pets_originals and mnist.npz, beside the checkout or where
    SILICONV_SHARED says.
    """
    shared = Path(os.environ.get("SILICONV_SHARED", ROOT.parent / "shared"))
    if not (shared / "data").is_dir():
        pytest.skip(f"no test images in {shared / 'data'}; set SILICONV_SHARED to the folder above data/")
    return shared / "data"


@pytest.fixture(scope="session")
def digits_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded digits as `prepare` writes them."""
    folder = tmp_path_factory.mktemp("digits")
    prepare(DataConfig(), (8, 8, 1), folder)
    return folder


@pytest.fixture(scope="session")
def digits(digits_folder: Path) -> Dataset:
    """The embedded digits, opened."""
    return open_dataset(digits_folder)


@pytest.fixture(autouse=True)
def _no_own_calibration(tmp_path_factory, monkeypatch):
    """Estimates of tests are the package's, whatever this user has measured."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.getbasetemp() / "configuration"))
