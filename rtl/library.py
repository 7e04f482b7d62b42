"""The modules of the block library, which stand in verilog/ beside this file."""

from __future__ import annotations

from importlib import resources

FAMILY_FOLDERS = ("ecp5",)
"""Folders of modules that take the place of those of the same name on a family."""


def library_files() -> dict[str, str]:
    """Give the text of each module by its path in the library."""
    verilog = resources.files("siliconv.rtl").joinpath("verilog")
    found = {}
    for folder in ("", *FAMILY_FOLDERS):
        for module in (verilog / folder if folder else verilog).iterdir():
            if module.name.endswith(".sv"):
                found[f"{folder}/{module.name}" if folder else module.name] = module.read_text("utf-8")
    return found
