"""Make the next items of an iteration in a thread while the caller works on one."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")

_END = object()


def ahead(items: Iterable[Item], count: int) -> Iterator[Item]:
    """Yield the items in their order, up to `count` of them made in advance; an error comes where it
    happened.

    TensorFlow's own prefetching is switched off together with everything else that could change an order when
    its operations are told to be deterministic; one thread that makes one item after the other changes none.
    """
    made: queue.Queue[object] = queue.Queue(count)
    stopped = threading.Event()

    def put(item: object) -> bool:
        while not stopped.is_set():
            try:
                made.put(item, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def make() -> None:
        try:
            for item in items:
                if not put(item):
                    return
            put(_END)
        except BaseException as error:
            put(_Failed(error))
            if not isinstance(error, Exception):
                raise

    thread = threading.Thread(target=make, name="batches", daemon=True)
    thread.start()
    try:
        while (item := made.get()) is not _END:
            if isinstance(item, _Failed):
                raise item.error
            yield item  # type: ignore[misc]
    finally:
        stopped.set()
        thread.join()


class _Failed:
    def __init__(self, error: BaseException) -> None:
        self.error = error
