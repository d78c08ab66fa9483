"""Processes at work: a fresh one for each batch, several at once; none can take the rest down."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing import get_context
from multiprocessing.connection import wait
from typing import Any

from unflicker.evaluation.methods import LeftOut
from unflicker.evaluation.plan import Batch, Job
from unflicker.evaluation.results import Row
from unflicker.evaluation.worker import Bench, failure, work

_GRACE_SECONDS = 5.0
_POLL_SECONDS = 0.5
_START_SECONDS = 900.0
"""Within which a process has to load what it needs."""
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, kw_only=True)
class Done:
    """A job that ended, well or not."""

    job: Job
    rows: list[Row]
    """Its lines; of one that failed, the failure."""


def carried_out(
    batches: Sequence[Batch], bench: Bench, *, at_once: int, limit_seconds: float
) -> Generator[Done | LeftOut, None, None]:
    """Do batches, and tell of each job when it ends.

    A job that takes longer than the limit, or whose process dies, has failed; what was to come
    after it in its batch is done by another process. Leaving early ends all processes.

    Args:
        batches: In the order in which they are begun.
        bench: What each process is told.
        at_once: How many processes work side by side.
        limit_seconds: For one job.
    """
    waiting, running = deque(batches), list[_Worker]()
    unfit = set[str]()
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                batch = waiting.popleft()
                if batch.method.name not in unfit:
                    running.append(_Worker(batch, bench, limit_seconds=limit_seconds))
            wait([worker.link for worker in running], timeout=_POLL_SECONDS)
            for event in (event for worker in running for event in worker.heard()):
                if isinstance(event, LeftOut):
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
    """One process and its batch, as the parent sees them."""

    def __init__(self, batch: Batch, bench: Bench, *, limit_seconds: float) -> None:
        spawn = get_context("spawn")
        self.link, theirs = spawn.Pipe(duplex=False)
        self.over = False
        self.rest: Batch | None = None
        """What is left for another process, once this one is over."""
        self._batch, self._limit = batch, limit_seconds
        self._place: int | None = None
        self._next = 0
        self._since = time.monotonic()
        self._process = spawn.Process(target=work, args=(batch, bench, theirs), daemon=True)
        with _environment(bench.threads):
            self._process.start()
        theirs.close()

    def heard(self) -> Iterator[Done | LeftOut]:
        """What it has said since; and what has to be said of it if it died or is late."""
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
            yield from self._given_up(f"not done in {minutes} minutes; allow more: --time-limit")

    def ask_to_end(self) -> None:
        """Have the process end; nobody waits for it yet."""
        self._process.terminate()

    def stop(self) -> None:
        """End the process, the hard way if it does not listen."""
        self.ask_to_end()
        self._process.join(_GRACE_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self.link.close()

    def _understood(self, message: tuple[Any, ...]) -> Iterator[Done | LeftOut]:
        word, *rest = message
        self._since = time.monotonic()
        if word == "begun":
            self._place = rest[0]
        elif word == "done":
            self._place, self._next = None, rest[0] + 1
            yield Done(job=self._batch.jobs[rest[0]], rows=rest[1])
        elif word == "unfit":
            self.over = True
            yield LeftOut(name=self._batch.method.name, why=rest[0])
        elif word == "end":
            self.over = True
        if self.over:
            self._process.join(_GRACE_SECONDS)

    def _given_up(self, error: str) -> Iterator[Done]:
        """The job in hand has failed; the jobs after it are left for another process."""
        self.over = True
        place = self._next if self._place is None else self._place
        job = self._batch.jobs[place]
        later = self._batch.jobs[place + 1 :]
        self.rest = replace(self._batch, jobs=later) if later else None
        yield Done(job=job, rows=[failure(job, error)])

    def _last_words(self) -> str:
        code = self._process.exitcode
        if code is not None and code < 0:
            return f"its process was ended by signal {-code}; memory may have run out"
        return f"its process ended by itself, with code {code}"


@contextmanager
def _environment(threads: int) -> Iterator[None]:
    """What a process started here inherits: the number of threads of libraries."""
    if not threads:
        yield
        return
    before: Mapping[str, str | None] = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, str(threads)))
    try:
        yield
    finally:
        for name, value in before.items():
            with suppress(KeyError):
                del os.environ[name]
            if value is not None:
                os.environ[name] = value
