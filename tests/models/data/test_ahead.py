"""Items made in advance: the same items, in order, errors where they happened, nothing left running."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from siliconv.models.data.ahead import ahead


def _running() -> int:
    return sum(thread.name == "batches" for thread in threading.enumerate())


def test_order_and_end() -> None:
    assert list(ahead(range(1000), 3)) == list(range(1000))
    assert list(ahead([], 3)) == []
    assert _running() == 0


def test_items_are_made_in_advance_but_not_more_than_asked_for() -> None:
    made: list[int] = []

    def make() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    items = ahead(make(), 4)
    next(items)
    time.sleep(0.3)
    assert len(made) == 6  # one taken, four waiting, one in the hand
    items.close()  # type: ignore[attr-defined]
    assert _running() == 0


def test_making_and_using_overlap() -> None:
    def make() -> Iterator[int]:
        for number in range(10):
            time.sleep(0.05)
            yield number

    started = time.monotonic()
    for _ in ahead(make(), 2):
        time.sleep(0.05)
    assert time.monotonic() - started < 0.85


def test_an_error_comes_where_it_happened() -> None:
    def make() -> Iterator[int]:
        yield 1
        message = "broken"
        raise ValueError(message)

    items = ahead(make(), 4)
    assert next(items) == 1
    with pytest.raises(ValueError, match="broken"):
        next(items)
    assert _running() == 0
