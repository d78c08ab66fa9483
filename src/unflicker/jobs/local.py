"""Jobs in processes of this machine, a new one for each batch; no crash reaches another job."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Any

from unflicker.jobs.job import Batch, Done, Event, Failed, Unfit

_GRACE_SECONDS = 5.0
_POLL_SECONDS = 0.5
_START_SECONDS = 900.0
"""Time limit for a process to load its libraries."""
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Environment variables that limit the threads of libraries."""


def carried_out(
    batches: Sequence[Batch], *, at_once: int, limit_seconds: float, threads: int
) -> Generator[Event, None, None]:
    """Run batches, and yield each job when it ends.

    A job that takes longer than the limit, or whose process dies, has failed; another process runs
    the later jobs of its batch. Closing the generator ends all processes.

    Args:
        batches: In the order in which they are started.
        at_once: Number of parallel processes.
        limit_seconds: Time limit of one job.
        threads: Threads of the libraries of each process; 0 leaves them their own choice.
    """
    waiting, running = deque(batches), list[_Worker]()
    unfit = set[str]()
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                batch = waiting.popleft()
                if batch.name not in unfit:
                    running.append(_Worker(batch, limit_seconds=limit_seconds, threads=threads))
            wait([worker.link for worker in running], timeout=_POLL_SECONDS)
            for event in (event for worker in running for event in worker.heard()):
                if isinstance(event, Unfit):
                    unfit.add(event.name)
                yield event
            waiting.extendleft(worker.rest for worker in running if worker.rest is not None)
            running = [worker for worker in running if not worker.over]
    finally:
        for worker in running:
            worker.ask_to_end()
        for worker in running:
            worker.stop()


class _Worker:
    """The parent's view of one process and its batch."""

    def __init__(self, batch: Batch, *, limit_seconds: float, threads: int) -> None:
        spawn = get_context("spawn")
        self.link, theirs = spawn.Pipe(duplex=False)
        self.over = False
        self.rest: Batch | None = None
        """The remaining jobs for another process, after this one has ended."""
        self._batch, self._limit = batch, limit_seconds
        self._place: int | None = None
        self._next = 0
        self._since = time.monotonic()
        self._process = spawn.Process(target=_worked, args=(batch, theirs), daemon=True)
        with environment(threads):
            self._process.start()
        theirs.close()

    def heard(self) -> Iterator[Event]:
        """The events since the last call, including a failure if the process died or is late."""
        try:
            while self.link.poll():
                yield from self._understood(self.link.recv())
        except EOFError:
            self._process.join(_GRACE_SECONDS)
            if not self.over:
                yield from self._given_up(self._last_words())
        allowed = self._limit if self._place is not None else _START_SECONDS
        late = time.monotonic() - self._since > allowed
        if late and not self.over:
            self.stop()
            minutes = f"{allowed / 60:g}"
            yield from self._given_up(f"not done in {minutes} minutes", late=True)

    def ask_to_end(self) -> None:
        """Send the process a signal to end, without waiting for it."""
        self._process.terminate()

    def stop(self) -> None:
        """End the process, by force if it does not react."""
        self.ask_to_end()
        self._process.join(_GRACE_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self.link.close()

    def _understood(self, message: tuple[Any, ...]) -> Iterator[Event]:
        word, *rest = message
        self._since = time.monotonic()
        if word == "begun":
            self._place = rest[0]
        elif word == "done":
            self._place, self._next = None, rest[0] + 1
            yield Done(job=self._batch.jobs[rest[0]], result=rest[1])
        elif word == "unfit":
            self.over = True
            yield Unfit(name=self._batch.name, why=rest[0])
        elif word == "end":
            self.over = True
        if self.over:
            self._process.join(_GRACE_SECONDS)

    def _given_up(self, why: str, *, late: bool = False) -> Iterator[Failed]:
        """The failure of the current job; the jobs after it remain for another process."""
        self.over = True
        place = self._next if self._place is None else self._place
        job = self._batch.jobs[place]
        later = self._batch.jobs[place + 1 :]
        self.rest = replace(self._batch, jobs=later) if later else None
        yield Failed(job=job, why=why, late=late)

    def _last_words(self) -> str:
        code = self._process.exitcode
        if code is not None and code < 0:
            return f"its process was ended by signal {-code}; memory may have run out"
        return f"its process ended by itself, with code {code}"


def _worked(batch: Batch, parent: Connection) -> None:
    """What the other process runs."""
    batch.work(batch.jobs, parent.send)


@contextmanager
def environment(threads: int) -> Iterator[None]:
    """The environment that a process started here inherits: the number of threads of libraries."""
    if not threads:
        yield
        return
    before: Mapping[str, str | None] = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, str(threads)))
    try:
        yield
    finally:
        for name, value in before.items():
            with suppress(KeyError):
                del os.environ[name]
            if value is not None:
                os.environ[name] = value
