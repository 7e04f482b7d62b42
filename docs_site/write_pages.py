"""Write the reference pages of docs/reference from the code: `python docs_site/write_pages.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from board_page import board_page
from command_page import command_page
from layer_page import layer_page
from message_page import message_page
from project_file_page import project_file_page
from python_page import python_page

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference"

PAGES: Mapping[str, Callable[[], str]] = {
    "boards.md": board_page,
    "commands.md": command_page,
    "layers.md": layer_page,
    "messages.md": message_page,
    "project_file.md": project_file_page,
    "python.md": python_page,
}
"""The pages by file name, each with the function that makes it."""


def main() -> None:
    """Write all pages."""
    REFERENCE.mkdir(exist_ok=True)
    for name, make in PAGES.items():
        (REFERENCE / name).write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    main()
