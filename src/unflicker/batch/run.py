"""A batch: each film's outcome, as soon as it has one."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from unflicker.batch.jobs import FilmJob
from unflicker.batch.make import FilmTask, Outcome, make_film
from unflicker.batch.schedule import Schedule, Work, schedule
from unflicker.compute.threads import in_parallel
from unflicker.errors import Cancelled, InputError, UnflickerError
from unflicker.jobs.pool import Pool
from unflicker.progress import Report
from unflicker.video.segments import SEGMENT_FRAMES

ReportOf = Callable[[FilmJob], contextlib.AbstractContextManager[Report]]
"""Opens a callback for the progress of a film."""
_POLL_SECONDS = 0.2
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
            yield from _side_by_side([tasks[place] for place in plan.whole], pool, report_of)
    for place in plan.divided if pool is not None else plan.whole:
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
    return schedule(list(in_parallel(_work, tasks)), workers=pool.workers)


def _work(task: FilmTask) -> Work:
    """The work that a film is: its frames times their pixels; none if it cannot be opened."""
    from unflicker.video import open_video

    with contextlib.suppress(Exception):  # the run will say what is wrong with it
        film = open_video(
            task.job.source,
            start_seconds=task.options.start_seconds,
            duration_seconds=task.options.duration_seconds,
        )
        (height, width), frames = film.size, film.estimated_frames or 0
        return Work(length=float(frames * height * width), parts=-(-frames // SEGMENT_FRAMES) or 1)
    return Work(length=0.0)


def _side_by_side(tasks: Sequence[FilmTask], pool: Pool, report_of: ReportOf) -> Iterator[Outcome]:
    """Whole films, each by one worker; as many are handed over as there are workers."""
    waiting = list(reversed(tasks))
    running: dict[Future[Outcome], tuple[FilmTask, contextlib.ExitStack]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < pool.workers:
                task = waiting.pop()
                stack = contextlib.ExitStack()
                report = stack.enter_context(report_of(task.job))
                one = replace(task, options=replace(task.options, jobs=1, cluster=""))
                running[pool.submit_telling(make_film, one, report)] = task, stack
            done, _ = wait(running, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
            for future in done:
                task, stack = running.pop(future)
                stack.close()
                yield _result(future, task)
    finally:
        for future, (_, stack) in running.items():
            future.cancel()
            stack.close()


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
