"""In which cycles a test bench's source or sink pauses: the same numbers as in bench.cpp."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CHUNK = 1 << 12


class Pauses:
    """The open cycles of one stream end.

    Parameters
    ----------
    seed
        The test bench's, plus twice the number of the network, plus one for a sink.
    percent
        Cycles of a hundred in which it pauses.
    """

    def __init__(self, seed: int, percent: int) -> None:
        self._seed, self._percent = seed, percent
        self._next: list[int] = []

    def open_from(self, cycle: int) -> int:
        """Give the first open cycle that is not before this one."""
        if self._percent == 0:
            return cycle
        while len(self._next) <= cycle or self._next[cycle] < 0:
            self._grow()
        return self._next[cycle]

    def _grow(self) -> None:
        """Know as many cycles more; a cycle whose next open one is not known yet stands as -1."""
        total = len(self._next) + max(CHUNK, len(self._next))
        opened = np.where(_open(np.arange(total, dtype=np.uint32), self._seed, self._percent), np.arange(total), total)
        following = np.minimum.accumulate(opened[::-1])[::-1]
        self._next = np.where(following < total, following, -1).tolist()


def _open(cycles: NDArray[np.uint32], seed: int, percent: int) -> NDArray[np.bool_]:
    x = cycles * np.uint32(0x9E3779B1) + np.uint32(seed * 0x85EBCA6B % (1 << 32))
    x = x ^ (x >> np.uint32(15))
    x = x * np.uint32(0x2C1B3C6D)
    x = x ^ (x >> np.uint32(12))
    x = x * np.uint32(0x297A2D39)
    x = x ^ (x >> np.uint32(15))
    found: NDArray[np.bool_] = (x & np.uint32(0xFFFF)) >= percent * 65536 // 100
    return found
