"""Pure work, done by several processes of this machine.

    with LocalPool(workers=4, threads=2) as pool:
        for result in pool.in_order(work, items):
            ...

Work is a function of a module and its item can be pickled; it must depend on nothing but its item.
A process that dies is replaced, and does its item again.
"""

from __future__ import annotations

import contextlib
import queue
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as NotYet
from multiprocessing import get_context
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, TypeVar

from unflicker.compute.devices import limited_threads
from unflicker.compute.threads import check_stopped
from unflicker.errors import UnflickerError
from unflicker.jobs.local import environment

Item = TypeVar("Item")
Result = TypeVar("Result")
_TRIES = 3
"""How often an item is given to a process, until it is the item that must be wrong."""
_ONE_AT_A_TIME = threading.Lock()
"""For starting processes, which inherit an environment that is changed for a moment."""
_POLL_SECONDS = 0.2
_GRACE_SECONDS = 2.0


class WorkerDiedError(UnflickerError):
    """The process that did an item died, again and again."""


class LocalPool:
    """Processes of this machine; a context manager. It may be used by several threads at once."""

    def __init__(self, *, workers: int, threads: int = 1) -> None:
        """Prepare a pool; processes start when there is work.

        Args:
            workers: Number of processes.
            threads: Threads of the libraries of each.
        """
        self.workers = workers
        self._threads = threads
        self._waiting: queue.Queue[tuple[Future[Any], Callable[[Any], Any], Any]]
        self._waiting = queue.Queue()
        self._ended = threading.Event()
        self._crew = [
            threading.Thread(target=self._attend, name="unflicker-worker", daemon=True)
            for _ in range(workers)
        ]

    def __enter__(self) -> LocalPool:
        """Start."""
        for thread in self._crew:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End all processes; work that is not done is abandoned."""
        self._ended.set()
        for thread in self._crew:
            thread.join()

    def submit(self, work: Callable[[Item], Result], item: Item) -> Future[Result]:
        """Have an item done by some process.

        Args:
            work: Function of a module.
            item: Its argument.
        """
        future: Future[Result] = Future()
        self._waiting.put((future, work, item))
        return future

    def in_order(
        self,
        work: Callable[[Item], Result],
        items: Iterable[Item],
        *,
        known: Callable[[Item], Result | None] = lambda _: None,
    ) -> Iterator[tuple[Item, Result]]:
        """Each item with its result, in order.

        One more item than there are processes is taken ahead, so memory is bounded.

        Args:
            work: Function of a module.
            items: Its arguments; iterated in this thread.
            known: Returns the result of an item that is known already.

        Raises:
            UnflickerError: As the work raised it.
            WorkerDiedError: The process of an item died three times.
            Cancelled: The results are not wanted any more.
        """
        running: deque[tuple[Item, Future[Result]]] = deque()
        try:
            for item in items:
                result = known(item)
                if result is None:
                    running.append((item, self.submit(work, item)))
                else:
                    future: Future[Result] = Future()
                    future.set_result(result)
                    running.append((item, future))
                if len(running) > self.workers:
                    yield self._first_of(running)
            while running:
                yield self._first_of(running)
        finally:
            for _, future in running:
                future.cancel()

    def _first_of(self, running: deque[tuple[Item, Future[Result]]]) -> tuple[Item, Result]:
        item, future = running[0]
        while True:
            check_stopped()
            with contextlib.suppress(NotYet):
                result = future.result(timeout=_POLL_SECONDS)
                running.popleft()
                return item, result
            if self._ended.is_set():
                raise CancelledError

    def _attend(self) -> None:
        """What the thread of one process does: hand it items, and replace it when it dies."""
        worker: _Worker | None = None
        try:
            while not self._ended.is_set():
                with contextlib.suppress(queue.Empty):
                    future, work, item = self._waiting.get(timeout=_POLL_SECONDS)
                    if future.set_running_or_notify_cancel():
                        worker = self._done(future, (work, item), worker)
        finally:
            if worker is not None:
                worker.stop()

    def _done(
        self, future: Future[Any], task: tuple[Any, Any], worker: _Worker | None
    ) -> _Worker | None:
        """Do one item, by this process or another; returns the process that may go on."""
        for _ in range(_TRIES):
            worker = worker or _Worker(threads=self._threads)
            try:
                good, value = worker.done(task, self._ended)
            except (EOFError, OSError):
                worker.stop()
                worker = None
                continue
            except CancelledError as ended:
                future.set_exception(ended)
                return worker
            except Exception as fault:  # what cannot be pickled, above all
                worker.stop()
                future.set_exception(fault)
                return None
            if good:
                future.set_result(value)
            else:
                future.set_exception(value)
            return worker
        future.set_exception(
            WorkerDiedError(
                "a process that did part of the work died three times; memory may have run out, "
                "pass a smaller number of --jobs"
            )
        )
        return worker


class _Worker:
    """The parent's view of one process."""

    def __init__(self, *, threads: int) -> None:
        spawn = get_context("spawn")
        self._link, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_serve, args=(theirs, threads), daemon=True)
        with _ONE_AT_A_TIME, environment(threads):
            self._process.start()
        theirs.close()

    def done(self, task: tuple[Any, Any], ended: threading.Event) -> tuple[bool, Any]:
        """Whether the work succeeded, and its result or exception.

        Args:
            task: Function and item.
            ended: Set when the result is not wanted any more.

        Raises:
            EOFError: The process died.
            CancelledError: The result is not wanted any more.
        """
        self._link.send(task)
        while not self._link.poll(_POLL_SECONDS):
            if ended.is_set():
                raise CancelledError
        return self._link.recv()

    def stop(self) -> None:
        """End the process, by force if it does not react."""
        self._process.terminate()
        self._process.join(_GRACE_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._link.close()


def _serve(parent: Connection, threads: int) -> None:
    """What the process does: one item after the other, until its parent ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this one
    with limited_threads(threads):
        while True:
            try:
                work, item = parent.recv()
            except EOFError:
                return
            try:
                answer = True, work(item)
            except BaseException as fault:
                answer = False, _sendable(fault)
            parent.send(answer)


def _sendable(fault: BaseException) -> BaseException:
    """The exception, or its text if it is not one of ours, which may not be picklable."""
    if isinstance(fault, UnflickerError):
        return fault
    return RuntimeError(f"{type(fault).__name__}: {fault}")
