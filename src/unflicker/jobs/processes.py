"""Work done by several processes of this machine."""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from types import TracebackType
from typing import Any

from unflicker.jobs.local import THREADS
from unflicker.jobs.pool import (
    TRIES,
    Answer,
    Item,
    Pool,
    Result,
    Tell,
    WorkerDiedError,
    packed,
    unheard,
)
from unflicker.jobs.worker import BOOTSTRAP, Task

_POLL_SECONDS = 0.2
_GRACE_SECONDS = 5.0
"""For a process that is to end: to remove what it has begun to write."""


def can_start_processes() -> bool:
    """Whether this program knows an interpreter for others; one inside another program may not."""
    return bool(sys.executable) and not getattr(sys, "frozen", False)


class LocalPool(Pool):
    """Processes of this machine, which start when there is work."""

    def __init__(self, *, workers: int, threads: int = 1) -> None:
        """Prepare a pool.

        Args:
            workers: Number of processes.
            threads: Of each.
        """
        self._workers, self._threads = workers, threads
        self._waiting: queue.Queue[tuple[Future[Any], Task, Tell]] = queue.Queue()
        self._ended = threading.Event()
        self._crew = [_Attendant(self._waiting, self._ended, threads) for _ in range(workers)]

    @property
    def workers(self) -> int:
        """Number of processes."""
        return self._workers

    @property
    def has_ended(self) -> bool:
        """Whether the block is left."""
        return self._ended.is_set()

    def __enter__(self) -> LocalPool:
        """Start."""
        for attendant in self._crew:
            attendant.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End all processes."""
        self._ended.set()
        for attendant in self._crew:
            attendant.interrupt()
        for attendant in self._crew:
            attendant.join()

    def submit(self, work: Callable[[Item], Result], item: Item) -> Future[Result]:
        """See `Pool`.

        Args:
            work: Function of a module.
            item: Its argument.
        """
        return self._submitted(Task(work=work, item=item), unheard)

    def submit_telling(
        self, work: Callable[[Item, Tell], Result], item: Item, told: Tell
    ) -> Future[Result]:
        """See `Pool`.

        Args:
            work: Function of a module.
            item: Its first argument.
            told: Called with its news.
        """
        return self._submitted(Task(work=work, item=item, tells=True), told)

    def _submitted(self, task: Task, told: Tell) -> Future[Any]:
        future: Future[Any] = Future()
        self._waiting.put((future, task, told))
        return future


class _Attendant(threading.Thread):
    """Hands tasks to one process, and replaces it when it dies."""

    def __init__(
        self,
        waiting: queue.Queue[tuple[Future[Any], Task, Tell]],
        ended: threading.Event,
        threads: int,
    ) -> None:
        super().__init__(name="unflicker-worker", daemon=True)
        self._waiting, self._ended, self._threads = waiting, ended, threads
        self._worker: _Worker | None = None

    def run(self) -> None:
        """Hand over tasks until the pool ends."""
        while not self._ended.is_set():
            with contextlib.suppress(queue.Empty):
                future, task, told = self._waiting.get(timeout=_POLL_SECONDS)
                if future.set_running_or_notify_cancel():
                    self._do(future, task, told)
        self._discard()

    def interrupt(self) -> None:
        """Ask the process to end, in the middle of its work."""
        worker = self._worker
        if worker is not None:
            worker.terminate()

    def _do(self, future: Future[Any], task: Task, told: Tell) -> None:
        for _ in range(TRIES):
            try:
                answer = self._answer(task, told)
            except (EOFError, OSError, pickle.UnpicklingError):
                self._discard()
                if self._ended.is_set():
                    future.set_exception(CancelledError())
                    return
                continue
            except Exception as fault:  # what cannot be pickled, above all
                self._discard()
                future.set_exception(fault)
                return
            answer.settle(future)
            return
        future.set_exception(
            WorkerDiedError(
                "a process that did part of the work died three times; memory may have run out, "
                "pass a smaller number of --jobs"
            )
        )

    def _answer(self, task: Task, told: Tell) -> Answer:
        if self._worker is None:
            self._worker = _Worker(threads=self._threads)
        if self._ended.is_set():  # `interrupt` may have come before there was a worker
            raise EOFError
        return self._worker.done(task, told)

    def _discard(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.stop()


class _Worker:
    """The parent's view of one process."""

    def __init__(self, *, threads: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", BOOTSTRAP],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **dict.fromkeys(THREADS, str(threads))},
        )
        self._send((sys.path, threads))

    def done(self, task: Task, told: Tell) -> Answer:
        """The answer to a task.

        Args:
            task: The work.
            told: Called with its news.

        Raises:
            EOFError: The process died, or its pipe is broken.
        """
        self._send(task)
        while True:
            message = pickle.load(self._from)
            if isinstance(message, Answer):
                return message
            told(message.value)

    def terminate(self) -> None:
        """Ask the process to end."""
        self._process.terminate()

    def stop(self) -> None:
        """End the process, by force if it does not react."""
        self.terminate()
        try:
            self._process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    @property
    def _from(self) -> Any:
        assert self._process.stdout is not None
        return self._process.stdout

    def _send(self, message: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(packed(message))
        self._process.stdin.flush()
