"""What the tests of commands and projects share: a project of the embedded digits."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project file that names the preset and nothing else, in a folder of its own."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "project.yml").write_text("model: {preset: digits}\n")
    return folder
