"""An iterator that runs ahead of who uses it, in a thread of its own."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")
_END = object()


@contextmanager
def running_ahead(items: Iterable[Item], *, most: int) -> Iterator[Iterator[Item]]:
    """The items in order, made by another thread up to `most` ahead.

    What the thread raises is raised where the item would have come. Leaving the block early stops
    the thread at its next item.
    """
    waiting: queue.Queue[object] = queue.Queue(maxsize=most)
    stop = threading.Event()
    fault: list[BaseException] = []

    def work() -> None:
        try:
            for item in items:
                if not _put(waiting, item, stop):
                    return
        except BaseException as caught:
            fault.append(caught)
        _put(waiting, _END, stop)

    thread = threading.Thread(target=work, name="unflicker-ahead", daemon=True)
    thread.start()
    try:
        yield _taken(waiting, fault)
    finally:
        stop.set()
        thread.join()


def _put(waiting: queue.Queue[object], item: object, stop: threading.Event) -> bool:
    while not stop.is_set():
        try:
            waiting.put(item, timeout=0.1)
            return True
        except queue.Full:
            continue
    return False


def _taken(waiting: queue.Queue[object], fault: list[BaseException]) -> Iterator:
    while (item := waiting.get()) is not _END:
        yield item
    if fault:
        raise fault[0]
