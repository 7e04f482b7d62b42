"""A stream as times: when each word is offered, when its reader is ready for it, when it moves."""

from __future__ import annotations

from collections.abc import Iterator

Process = Iterator[None]
"""Runs on until it waits for a time that is not known yet, and then yields."""


class Wire:
    """The words of one stream.

    A word that is offered stays, and a reader that is ready stays ready: it moves in the first cycle in which both
    are, and not in that of the word before it.
    """

    __slots__ = ("moved", "name", "offered", "ready")

    def __init__(self, name: str) -> None:
        self.name = name
        self.offered: list[int] = []
        self.ready: list[int] = []
        self.moved: list[int] = []

    def offer(self, cycle: int) -> None:
        """Say when the next word is there."""
        self.offered.append(cycle)
        if len(self.ready) >= len(self.offered):
            self._move()

    def accept(self, cycle: int) -> None:
        """Say when the reader is ready for the next word."""
        self.ready.append(cycle)
        if len(self.offered) >= len(self.ready):
            self._move()

    def _move(self) -> None:
        number = len(self.moved)
        before = self.moved[-1] + 1 if number else 0
        self.moved.append(max(self.offered[number], self.ready[number], before))


class Credits:
    """The places of a credit FIFO: a result may start when one is free."""

    __slots__ = ("depth", "started", "wire")

    def __init__(self, wire: Wire, log_depth: int) -> None:
        self.wire, self.depth, self.started = wire, 1 << log_depth, 0

    def known(self) -> bool:
        """Tell whether it is known when the next result may start."""
        return self.started < self.depth or len(self.wire.moved) > self.started - self.depth

    def take(self) -> int:
        """Give the first cycle in which the next result may start."""
        number = self.started - self.depth
        self.started += 1
        return self.wire.moved[number] + 1 if number >= 0 else 0
