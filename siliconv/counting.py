"""Numbers of things in words, and the words for them."""

from __future__ import annotations

from collections.abc import Sequence


def counted(number: float, word: str) -> str:
    """Write a number of things: '1 layer', '2,000 layers'."""
    return f"{number:,.0f} {word}" + ("" if number == 1 else "s")


def listed(things: Sequence[object], most: int) -> str:
    """Write the first of some things side by side, and dots where there are more."""
    return ", ".join(map(str, things[:most])) + (", ..." if len(things) > most else "")


def example_word(shape: Sequence[int]) -> str:
    """Give the word for one example of the data: 'image' for height, width and channels, 'input' for all else."""
    return "image" if len(shape) == 3 else "input"
