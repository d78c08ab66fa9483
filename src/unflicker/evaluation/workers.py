"""The jobs of a comparison in parallel processes."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial

from unflicker.evaluation.methods import LeftOut
from unflicker.evaluation.plan import Batch, Job
from unflicker.evaluation.results import Row
from unflicker.evaluation.worker import Bench, failure, work
from unflicker.jobs import job as jobs
from unflicker.jobs.local import carried_out


@dataclass(frozen=True, kw_only=True)
class Done:
    """A job that ended, with or without success."""

    job: Job
    rows: list[Row]
    """Its lines, or that of its failure."""


def compared(
    batches: Sequence[Batch], bench: Bench, *, at_once: int, limit_seconds: float
) -> Generator[Done | LeftOut, None, None]:
    """Run batches, and yield each job when it ends; closing the generator ends all processes.

    Args:
        batches: In the order in which they are started.
        bench: Options of each process.
        at_once: Number of parallel processes.
        limit_seconds: Time limit of one job.
    """
    given = [
        jobs.Batch(
            name=batch.method.name,
            jobs=batch.jobs,
            work=partial(work, method=batch.method, effort=batch.effort, bench=bench),
        )
        for batch in batches
    ]
    events = carried_out(given, at_once=at_once, limit_seconds=limit_seconds, threads=bench.threads)
    with closing(events):
        for event in events:
            if isinstance(event, jobs.Unfit):
                yield LeftOut(name=event.name, why=event.why)
            elif isinstance(event, jobs.Failed):
                hint = "; allow more: --time-limit" if event.late else ""
                yield Done(job=event.job, rows=[failure(event.job, event.why + hint)])
            else:
                yield Done(job=event.job, rows=event.result)
