"""The licence of what siliconv writes: the text of the Apache License 2.0, in every project of any core."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

LICENSE_FILE = "LICENSE"


def write_license(folder: Path) -> None:
    """Write LICENSE into a project."""
    text = resources.files("siliconv.hardware").joinpath("constants/Apache-2.0.txt").read_text("utf-8")
    (folder / LICENSE_FILE).write_text(text, encoding="utf-8", newline="\n")
