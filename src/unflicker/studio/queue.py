"""The queue: work on films, done by workers, kept in the library, so that nothing is lost.

Quick work (looks, analysis, previews) has a worker of its own, so that it does not wait for films
that are rendered. What was running when the studio ended is done again; a film continues with
its finished segments.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as NotYet
from typing import Any

from unflicker.compute.threads import thread_count
from unflicker.errors import Cancelled, UnflickerError
from unflicker.jobs.pool import CORES_A_WORKER
from unflicker.jobs.processes import LocalPool
from unflicker.progress import Progress
from unflicker.studio.library import OVER, Library, Task
from unflicker.studio.work import Done, Order, carried_out

QUICK = ("look", "analyse", "preview", "compare", "share")
"""Kinds of quick work, the most urgent first."""
RENDER = ("render",)
_POLL_SECONDS = 0.1
_TOLD_SECONDS = 0.3
_log = logging.getLogger(__name__)


class Queue:
    """Does the work of a library; a context manager."""

    def __init__(self, library: Library) -> None:
        self._library = library
        films = max(1, thread_count() // CORES_A_WORKER)
        self._ended = threading.Event()
        self._stopped: set[int] = set()
        self._lanes = [
            _Lane(QUICK, self._next, self._do, ended=self._ended),
            *(_Lane(RENDER, self._next, self._do, ended=self._ended) for _ in range(films)),
        ]
        self._turn = threading.Lock()

    def __enter__(self) -> Queue:
        """Begin, with what was left from before."""
        for task in self._library.tasks("running"):
            self._library.change(task.task, state="waiting", done=0)
        for lane in self._lanes:
            lane.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End; what is running will be done again."""
        self._ended.set()
        for lane in self._lanes:
            lane.join()

    def cancel(self, number: int) -> None:
        """Stop a task, or take it out of the queue.

        Raises:
            UsageError: There is no such task.
        """
        with self._turn:
            task = self._library.task(number)
            if task.state == "waiting":
                self._library.change(number, state="cancelled", ended=time.time())
            elif task.state == "running":
                self._stopped.add(number)

    def cancel_all(self, film: str, *kinds: str) -> None:
        """Stop what is done for a film.

        Args:
            film: Its name in addresses.
            kinds: Of work; none for all.
        """
        for task in self._library.tasks("waiting", "running", film=film):
            if not kinds or task.kind in kinds:
                self.cancel(task.task)

    def wait(self, number: int, *, seconds: float) -> Task:
        """A task when it is over, or after so many seconds.

        Args:
            number: Of the task.
            seconds: At most.
        """
        until = time.monotonic() + seconds
        task = self._library.task(number)
        while task.state not in OVER and time.monotonic() < until:
            time.sleep(_POLL_SECONDS)
            task = self._library.task(number)
        return task

    def _next(self, kinds: tuple[str, ...]) -> Task | None:
        with self._turn:
            waiting = [t for t in self._library.tasks("waiting") if t.kind in kinds]
            if not waiting:
                return None
            first = min(waiting, key=lambda task: (kinds.index(task.kind), task.task))
            self._library.change(first.task, state="running", began=time.time())
            return first

    def _do(self, task: Task, pool: LocalPool) -> bool:
        """Do a task; returns whether the pool can go on."""
        try:
            done = self._answer(task, pool)
        except (Cancelled, CancelledError):
            if not self._ended.is_set():
                self._settle(task, state="cancelled")
            return False
        except UnflickerError as fault:
            self._settle(task, state="failed", says=str(fault))
        except Exception as fault:
            _log.exception("a task failed")
            self._settle(task, state="failed", says=f"a fault of ours: {fault}")
        else:
            self._library.learn(task.film, **done.facts)
            self._settle(task, state="done", says=done.says, result=done.result)
            self._follow(task)
        return True

    def _follow(self, task: Task) -> None:
        """Put in the queue what follows a task by itself, once for each decision."""
        steering = self._library.steering(task.film)
        keys = {"look": ("analyse", steering.analysis_key), "analyse": ("compare", steering.key)}
        if task.kind in keys:
            kind, key = keys[task.kind]
            self._library.submit(task.film, kind, {"key": key})

    def _answer(self, task: Task, pool: LocalPool) -> Done:
        film = self._library.film(task.film)
        folder = self._library.folder_of(task.film)
        folder.mkdir(parents=True, exist_ok=True)
        order = Order(
            kind=task.kind,
            source=film.source,
            folder=folder,
            steering=self._library.steering(task.film),
            wanted=task.wanted,
        )
        future = pool.submit_telling(carried_out, order, self._teller(task))
        while True:
            try:
                return future.result(timeout=_POLL_SECONDS)
            except NotYet:
                if task.task in self._stopped or self._ended.is_set():
                    raise Cancelled("stopped") from None

    def _teller(self, task: Task) -> Callable[[Progress], None]:
        last: dict[str, Any] = {"at": 0.0, "stage": ""}

        def tell(progress: Progress) -> None:
            now = time.monotonic()
            if now - last["at"] < _TOLD_SECONDS and progress.stage == last["stage"]:
                return
            last.update(at=now, stage=progress.stage)
            self._library.change(
                task.task, stage=progress.stage, done=progress.done, total=progress.total
            )

        return tell

    def _settle(self, task: Task, **values: Any) -> None:
        self._stopped.discard(task.task)
        self._library.change(task.task, ended=time.time(), **values)


class _Lane(threading.Thread):
    """Does tasks of some kinds, one after the other, in a process of its own."""

    def __init__(
        self,
        kinds: tuple[str, ...],
        following: Callable[[tuple[str, ...]], Task | None],
        do: Callable[[Task, LocalPool], bool],
        *,
        ended: threading.Event,
    ) -> None:
        super().__init__(name=f"unflicker-studio-{kinds[0]}", daemon=True)
        self._kinds, self._following, self._do, self._ended = kinds, following, do, ended

    def run(self) -> None:
        """Work until the queue ends; a process that was stopped is replaced."""
        while not self._ended.is_set():
            with LocalPool(workers=1, threads=thread_count()) as pool:
                while not self._ended.is_set():
                    task = self._following(self._kinds)
                    if task is None:
                        time.sleep(_POLL_SECONDS)
                    elif not self._do(task, pool):
                        break
