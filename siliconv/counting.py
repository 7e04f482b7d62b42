"""Numbers of things in words."""

from __future__ import annotations


def counted(number: float, word: str) -> str:
    """Write a number of things: '1 layer', '2,000 layers'."""
    return f"{number:,.0f} {word}" + ("" if number == 1 else "s")
