"""Threads: their number, an iterator that runs ahead, parallel functions, abandoned work.

Work is abandoned when its caller has left the block that started it; its threads then end.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import Any, Protocol, TypeVar, runtime_checkable

from unflicker.errors import Cancelled

Item = TypeVar("Item")
Result = TypeVar("Result")
_END = object()
_limit: ContextVar[int] = ContextVar("limit", default=0)
_share: ContextVar[int] = ContextVar("share", default=0)
"""A process's part of the cores of its machine; 0 for all."""


@runtime_checkable
class Flag(Protocol):
    """What says that work is abandoned, such as `threading.Event`."""

    def is_set(self) -> bool:
        """Whether it is."""
        ...


_stops: ContextVar[tuple[Flag, ...]] = ContextVar("stops", default=())
"""Set when this thread's work, or that of a thread it works for, is abandoned."""


def thread_count() -> int:
    """Number of threads for parallel work: the limit of `limited_to`, else the available cores, or
    this process's share of them.

    Both also hold in threads that are started here.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return _limit.get() or _share.get() or cores or 1


def share_cores(threads: int) -> None:
    """Give this process a part of the cores of its machine, from now on.

    Unlike a limit it has no influence on what depends on a number of threads, as encoders do.

    Args:
        threads: Of all parallel work without a limit of its own.
    """
    _share.set(threads)


@contextmanager
def limited_to(threads: int) -> Iterator[int]:
    """Limit parallel work to a number of threads until the block ends.

    Args:
        threads: Threads at most; 0 for one a core.
    """
    before = _limit.set(max(threads, 0))
    try:
        yield thread_count()
    finally:
        _limit.reset(before)


@contextmanager
def stopped_by(flag: Flag) -> Iterator[None]:
    """Have work that begins in the block be abandoned when a flag is set, in all of its threads."""
    before = _stops.set((*_stops.get(), flag))
    try:
        yield
    finally:
        _stops.reset(before)


def check_stopped() -> None:
    """End abandoned work; cheap enough for every step of a loop.

    Raises:
        Cancelled: This thread's work is abandoned.
    """
    if any(stop.is_set() for stop in _stops.get()):
        raise Cancelled("this work was abandoned")


@contextmanager
def running_ahead(items: Iterable[Item], *, most: int) -> Iterator[Iterator[Item]]:
    """The items in order, computed by another thread up to `most` ahead.

    An exception of the thread is raised in place of its item. Leaving the block early stops the
    thread at its next item, given or taken, or `check_stopped`.

    Args:
        items: Iterated by the other thread.
        most: Items that wait in the queue at most; 1 or more.

    Raises:
        Cancelled: The work that takes the items is abandoned.
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
            if isinstance(items, Generator):  # its files are closed in the thread that opened them
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


@contextmanager
def in_background(threads: int) -> Iterator[Callable[..., Future[Any]]]:
    """A function that has calls done by other threads, in order; leaving the block abandons them.

    Args:
        threads: Calls that are done at the same time.
    """
    stop = threading.Event()
    stops = (*_stops.get(), stop)

    def work(function: Callable[..., Result], *given: Any) -> Result:
        _stops.set(stops)
        check_stopped()
        return function(*given)

    # Each in a copy of this context, so that limits hold there as well.
    with ThreadPoolExecutor(threads, thread_name_prefix="unflicker-background") as pool:
        try:
            yield lambda *call: pool.submit(copy_context().run, work, *call)
        finally:
            stop.set()


def in_parallel(function: Callable[..., Result], *items: Iterable[Any]) -> Iterator[Result]:
    """The results of a function for items, in order, computed by `thread_count` threads.

    Args:
        function: Spends its time in libraries that release the interpreter's lock.
        items: Its arguments, as for `map`.

    Raises:
        Cancelled: The work is abandoned (`check_stopped`).
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
    # Otherwise abandoned work would first gather the rest of a window, up to a second.
    while (item := waiting.get()) is not _END:
        check_stopped()
        yield item
    if fault:
        raise fault[0]
