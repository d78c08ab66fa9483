"""Work done by other threads: how many there may be, an iterator that runs ahead, a function over
many items, and how a thread whose work nobody waits for ends.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import Any, TypeVar

from unflicker.errors import Cancelled

Item = TypeVar("Item")
Result = TypeVar("Result")
_END = object()
_limit: ContextVar[int] = ContextVar("limit", default=0)
_stops: ContextVar[tuple[threading.Event, ...]] = ContextVar("stops", default=())
"""Set when nobody waits for this thread's work, or for that of a thread it works for."""


def thread_count() -> int:
    """How many threads work may be shared among: what `limited_to` allows, in the threads that
    start here, too; without that as many as there are cores for this process.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return _limit.get() or cores or 1


@contextmanager
def limited_to(threads: int) -> Iterator[int]:
    """Have work shared among `threads` at most (0: as many as there are cores)."""
    before = _limit.set(max(threads, 0))
    try:
        yield thread_count()
    finally:
        _limit.reset(before)


def check_stopped() -> None:
    """End work that nobody waits for any more; cheap enough for every step of a loop.

    Raises:
        Cancelled: Whoever asked for this thread's work has gone.
    """
    if any(stop.is_set() for stop in _stops.get()):
        raise Cancelled("nobody waits for this any more")


@contextmanager
def running_ahead(items: Iterable[Item], *, most: int) -> Iterator[Iterator[Item]]:
    """The items in order, made by another thread up to `most` ahead.

    What the thread raises is raised where the item would have come. Leaving the block early stops
    the thread at its next item or `check_stopped`.

    Args:
        items: Made by the other thread.
        most: Items that may wait to be taken.
    """
    waiting: queue.Queue[object] = queue.Queue(maxsize=most)
    stop = threading.Event()
    fault: list[BaseException] = []

    def work() -> None:
        _stops.set((*_stops.get(), stop))
        try:
            for item in items:
                if not _put(waiting, item, stop):
                    break
        except BaseException as caught:
            fault.append(caught)
        finally:
            if isinstance(items, Generator):  # what it has open is closed here, where it was opened
                items.close()
        _put(waiting, _END, stop)

    # In a copy of this context, so that limits hold there as well.
    run = copy_context().run
    thread = threading.Thread(target=run, args=(work,), name="unflicker-ahead", daemon=True)
    thread.start()
    try:
        yield _taken(waiting, fault)
    finally:
        stop.set()
        thread.join()


def in_parallel(function: Callable[..., Result], *items: Iterable[Any]) -> Iterator[Result]:
    """What a function gives for items, in order, worked on by `thread_count` threads.

    Args:
        function: Spends its time in libraries that let go of the interpreter.
        items: Its arguments, as for `map`.

    Raises:
        Cancelled: Nobody waits for the results (`check_stopped`).
    """
    stops = _stops.get()

    def unless_stopped(*given: Any) -> Result:
        _stops.set(stops)
        check_stopped()
        return function(*given)

    with ThreadPoolExecutor(max_workers=thread_count()) as pool:
        yield from pool.map(unless_stopped, *items)


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
