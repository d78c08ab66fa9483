"""The jobs of a comparison, their order, and estimates of their time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from unflicker.datasets.examples import Example
from unflicker.evaluation.finished import film_of
from unflicker.evaluation.methods import INPUT, LeftOut, Method, version_of, why_not
from unflicker.evaluation.results import Mark, folder_name

QUICK_KINDS = ("exposure", "local", "bands", "w3")
QUICK_CLIPS = 3
"""The first clips, on which a quick run is done; fits run on `QUICK_FITS` of them, and one kind."""
QUICK_FITS = {"synthetic": 2, "processed": 1}
QUICK_KIND_OF_FITS = "w3"
SCORING_SECONDS = 0.12
"""Cost of reading, scoring and encoding, for each frame at 480 x 270."""
START_SECONDS = 8.0
"""Cost of starting a process and loading its libraries."""
_BATCH_SECONDS = 120.0
_MOST_IN_BATCH = 24
_SLOW_SECONDS = 1.0
"""Methods that take longer than this for a frame run after all faster ones."""


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Size, length and effort of a comparison."""

    width_px: int = 448
    """Wider videos are downscaled to this."""
    frames: int = 30
    """Frames of each video, from its beginning."""
    effort: str = "reduced"
    """Effort of methods that are fitted to each video; see `methods.EFFORTS`."""
    quick: bool = False
    """Whether the comparison is limited to few clips and kinds."""
    every_kind: bool = False
    """Whether slow methods also run on every kind of synthetic flicker."""


QUICK = Scope(width_px=320, frames=24, effort="quick", quick=True)


@dataclass(frozen=True, kw_only=True, eq=False)
class Job:
    """One method on one example."""

    method: Method
    example: Example
    mark: Mark
    seconds: float
    """Estimated time."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """Jobs of one method for one process."""

    method: Method
    effort: str
    jobs: tuple[Job, ...]

    @property
    def seconds(self) -> float:
        """Estimated time."""
        return START_SECONDS + sum(job.seconds for job in self.jobs)


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan:
    """All jobs of a comparison."""

    batches: tuple[Batch, ...]
    """In the order in which they are started."""
    done_before: int
    """Number of jobs with existing results."""
    left_out: tuple[LeftOut, ...]

    @property
    def jobs(self) -> int:
        """Number of jobs to run."""
        return sum(len(batch.jobs) for batch in self.batches)

    def minutes(self, at_once: int) -> float:
        """Estimated minutes with so many processes, on the machine of docs/benchmark.md."""
        total = sum(batch.seconds for batch in self.batches)
        longest = max((batch.seconds for batch in self.batches), default=0.0)
        return max(total / max(at_once, 1), longest) / 60


def plan(
    methods: Sequence[Method],
    examples: Sequence[Example],
    scope: Scope,
    *,
    weights: Path | None,
    done: set[Mark],
) -> Plan:
    """The jobs without results, cheap methods first, so that a stopped run is useful.

    Args:
        methods: The methods to compare.
        examples: All examples.
        scope: Size, length and effort.
        weights: Folder of the weights of trained baselines; None if there is none.
        done: Marks of jobs with existing results.
    """
    left_out, batches, before = [], [], 0
    for method in methods:
        why = why_not(method, weights=weights)
        if why:
            left_out.append(LeftOut(name=method.name, why=why))
            continue
        jobs = _jobs(method, examples, scope, weights=weights)
        if method.folder is not None and not jobs:
            names = f"{folder_name(examples[0].name)}.mp4" if examples else "an example"
            why = f"{method.folder} has no film named after an example, such as {names}"
            left_out.append(LeftOut(name=method.name, why=why))
            continue
        new = [job for job in jobs if job.mark not in done]
        before += len(jobs) - len(new)
        batches += _batches(method, new)
    return Plan(
        batches=tuple(_ordered(batches, scope)), done_before=before, left_out=tuple(left_out)
    )


def _jobs(
    method: Method, examples: Sequence[Example], scope: Scope, *, weights: Path | None
) -> list[Job]:
    effort = method.effort(scope.effort)
    version = version_of(method, effort=effort, weights=weights)
    width_px = min(scope.width_px, method.efforts[effort].width_px or scope.width_px)
    size = (width_px / 480) ** 2
    seconds = method.seconds(effort=effort, frames=scope.frames, width_px=width_px)
    seconds += SCORING_SECONDS * scope.frames * size
    return [
        Job(
            method=method,
            example=example,
            mark=Mark(
                method=method.name,
                example=example.name,
                effort=effort,
                width=width_px,
                frames=scope.frames,
                version=version,
            ),
            seconds=seconds,
        )
        for example in _for_method(method, examples, scope)
    ]


def _for_method(method: Method, examples: Sequence[Example], scope: Scope) -> list[Example]:
    """The examples on which a method runs."""
    slow = len(method.efforts) > 1 or bool(method.few_kinds)
    kinds, clips = {example.kind for example in examples}, {example.clip for example in examples}
    if scope.quick and slow:
        kinds, clips = _few_kinds(examples, (QUICK_KIND_OF_FITS,)), _few_clips(examples)
    elif method.few_kinds and not scope.every_kind:
        kinds = _few_kinds(examples, method.few_kinds)
    return [
        example
        for example in examples
        if (example.category != "synthetic" or example.kind in kinds)
        and example.clip in clips
        and (example.original is not None or not method.guided)
        and (method.folder is None or film_of(method.folder, example) is not None)
    ]


def _few_kinds(examples: Sequence[Example], wanted: tuple[str, ...]) -> set[str]:
    """Some kinds of synthetic flicker; all, in a data set that has none of them."""
    kinds = {example.kind for example in examples if example.category == "synthetic"}
    return kinds & set(wanted) or kinds


def _few_clips(examples: Sequence[Example]) -> set[str]:
    """The clips on which methods that fit run in a quick comparison."""
    clips: dict[str, list[str]] = {}
    for example in examples:
        found = clips.setdefault(example.category, [])
        if example.clip not in found and len(found) < QUICK_FITS.get(example.category, 0):
            found.append(example.clip)
    return {clip for found in clips.values() for clip in found}


def _batches(method: Method, jobs: Sequence[Job]) -> Iterator[Batch]:
    """Groups of successive jobs that share a process, limited in time."""
    waiting: list[Job] = []
    for job in jobs:
        full = len(waiting) >= _MOST_IN_BATCH
        if waiting and (full or sum(j.seconds for j in waiting) + job.seconds > _BATCH_SECONDS):
            yield _batch(method, waiting)
            waiting = []
        waiting.append(job)
    if waiting:
        yield _batch(method, waiting)


def _batch(method: Method, jobs: Sequence[Job]) -> Batch:
    return Batch(method=method, effort=jobs[0].mark.effort, jobs=tuple(jobs))


def _ordered(batches: Iterable[Batch], scope: Scope) -> list[Batch]:
    """The input first, then fast methods in order, then the others, long batches first."""

    def place(batch: Batch) -> tuple[bool, bool, float]:
        seconds = sum(job.seconds for job in batch.jobs) / len(batch.jobs) / scope.frames
        slow = seconds > _SLOW_SECONDS
        return batch.method.name != INPUT, slow, -batch.seconds if slow else 0.0

    return sorted(batches, key=place)
