"""A batch: each film's outcome, as soon as it has one."""

from __future__ import annotations

import contextlib
import logging
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from math import ceil
from pathlib import Path
from typing import Any

from unflicker.batch.jobs import FilmJob
from unflicker.batch.make import FilmTask, Outcome, make_film
from unflicker.batch.schedule import SERIAL, Schedule, Work, schedule
from unflicker.compute.threads import in_background, in_parallel, thread_count
from unflicker.errors import Cancelled, InputError, UnflickerError
from unflicker.jobs.pool import CORES_A_WORKER, Pool
from unflicker.progress import Report
from unflicker.video.segments import SEGMENT_FRAMES

ReportOf = Callable[[FilmJob], contextlib.AbstractContextManager[Report]]
"""Opens a callback for the progress of a film."""
_POLL_SECONDS = 0.2
_ALONE: dict[str, Any] = {"jobs": 1, "cluster": "", "pool": None}
"""Options of a film that one worker makes."""
_log = logging.getLogger(__name__)


def outcomes(tasks: Sequence[FilmTask], *, report_of: ReportOf) -> Generator[Outcome, None, None]:
    """Run films, several of them side by side where that pays; a fault of one stops no other.

    Results are the same however many processes there are. Closing the iterator ends all work.

    Args:
        tasks: One at least; their options say how many processes share the work.
        report_of: Of each film, while it is in progress.

    Raises:
        Cancelled: The user stopped the work.
    """
    with _pool(tasks) as pool:
        plan = _plan(tasks, pool)
        if pool is not None:
            yield from _side_by_side(tasks, plan, pool, report_of)
            return
    for place in plan.whole:
        task = tasks[place]
        try:
            with report_of(task.job) as report:
                outcome = make_film(task, report)
        except Exception as fault:
            outcome = _failed(task, fault)
        yield outcome


@contextmanager
def _pool(tasks: Sequence[FilmTask]) -> Iterator[Pool | None]:
    """Workers for whole films; None where this process does them one after the other."""
    from unflicker.rendering.resources import open_workers

    first = tasks[0]
    if len(tasks) == 1:
        yield None
        return
    with open_workers(first.settings, first.options, films=len(tasks)) as pool:
        yield pool


def _plan(tasks: Sequence[FilmTask], pool: Pool | None) -> Schedule:
    if pool is None:
        return Schedule(divided=(), whole=tuple(range(len(tasks))))
    if not pool.shares_files and not _reached(tasks, pool):
        return Schedule(divided=tuple(range(len(tasks))), whole=())
    works = list(in_parallel(_work, tasks))
    return schedule(works, workers=pool.workers, drivers=_drivers(pool))


def _work(task: FilmTask) -> Work:
    """The work that a film is: its frames times their pixels; none if it cannot be opened."""
    from unflicker.video import open_video

    with contextlib.suppress(Exception):  # the run will say what is wrong with it
        film = open_video(
            task.job.source,
            start_seconds=task.options.start_seconds,
            duration_seconds=task.options.duration_seconds,
            stills=task.options.stills,
        )
        (height, width), frames = film.size, film.estimated_frames or 0
        return Work(length=float(frames * height * width), parts=-(-frames // SEGMENT_FRAMES) or 1)
    return Work(length=0.0)


Running = dict[Future[Outcome], tuple[FilmTask, contextlib.ExitStack]]


@dataclass(kw_only=True, eq=False)
class _Lane:
    """Films that are made in the same way, some of them at the same time."""

    waiting: deque[FilmTask]
    start: Callable[[FilmTask, Report], Future[Outcome]]
    most: Callable[[], int]
    """Films in progress at most, now."""
    running: Running = field(default_factory=dict)

    def fill(self, report_of: ReportOf) -> None:
        """Start as many films as may be in progress."""
        while self.waiting and len(self.running) < self.most():
            task, stack = self.waiting.popleft(), contextlib.ExitStack()
            report = stack.enter_context(report_of(task.job))
            self.running[self.start(task, report)] = task, stack

    def taken(self, done: set[Future[Outcome]]) -> Iterator[Outcome]:
        """The outcomes of its films that are done."""
        for future in done & self.running.keys():
            task, stack = self.running.pop(future)
            stack.close()
            yield _result(future, task)

    def end(self) -> None:
        """Abandon what is in progress."""
        for future, (_, stack) in self.running.items():
            future.cancel()
            stack.close()


def _side_by_side(
    tasks: Sequence[FilmTask], plan: Schedule, pool: Pool, report_of: ReportOf
) -> Iterator[Outcome]:
    """Divided films, each driven by a thread of this process that hands its parts to the workers,
    and whole films, each by one worker, all at the same time.

    A worker waits for none, so films cannot block each other. What waits for workers is bounded: as
    many whole films as there are workers, and a few parts of each divided film in progress.
    """
    drivers = _drivers(pool)
    with in_background(drivers) as apart:

        def divided(task: FilmTask, report: Report) -> Future[Outcome]:
            return apart(make_film, _with(task, pool=pool), report)

        def whole(task: FilmTask, report: Report) -> Future[Outcome]:
            return pool.submit_telling(make_film, _with(task, **_ALONE), report)

        lanes = [
            _Lane(
                waiting=deque(tasks[place] for place in places),
                start=start,
                most=most,
            )
            for places, start, most in (
                (plan.divided, divided, lambda: drivers),
                (plan.whole, whole, lambda: pool.workers),
            )
        ]
        try:
            while any(lane.waiting or lane.running for lane in lanes):
                for lane in lanes:
                    lane.fill(report_of)
                running = {future for lane in lanes for future in lane.running}
                done, _ = wait(running, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
                for lane in lanes:
                    yield from lane.taken(done)
        finally:
            for lane in lanes:
                lane.end()


def _drivers(pool: Pool) -> int:
    """Divided films in progress: enough to keep all workers busy, as each needs one thread's work
    for ten workers'. On other machines' workers it is two at least, as one may be at its joining.
    """
    if pool.shares_files:
        return 1
    enough = ceil(SERIAL * pool.workers)
    return max(2, min(enough, thread_count() // CORES_A_WORKER))


def _with(task: FilmTask, **options: Any) -> FilmTask:
    return replace(task, options=replace(task.options, **options))


def _result(future: Future[Outcome], task: FilmTask) -> Outcome:
    try:
        return future.result()
    except Exception as fault:
        return _failed(task, fault)


def _failed(task: FilmTask, fault: Exception) -> Outcome:
    """The outcome of a film that failed; what the user stopped is raised again."""
    if isinstance(fault, Cancelled):
        raise fault
    if not isinstance(fault, UnflickerError):
        _log.error("%s failed", task.job.source, exc_info=fault)
    return Outcome(job=task.job, state="failed", fault=fault)


def _reached(tasks: Sequence[FilmTask], pool: Pool) -> bool:
    """Whether workers of other machines see the films and the place of the results.

    Raises:
        InputError: They do not see the films.
    """
    first = tasks[0].job
    sees_film, sees_results = pool.submit(_sees, (first.source, _around(first.target))).result()
    if not sees_film and first.source.exists():
        raise InputError(
            f"the machines of the cluster do not find {first.source}; put films where all of them "
            "do, under one path, or name them by URL"
        )
    return sees_results


def _sees(places: tuple[Path, Path]) -> tuple[bool, bool]:
    return places[0].exists(), places[1].exists()


def _around(target: Path) -> Path:
    return next(place for place in target.absolute().parents if place.exists())
