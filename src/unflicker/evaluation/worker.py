"""The work of one process: a batch of jobs of one method, each run, timed, scored and encoded.

Large libraries are loaded inside, after the process has its number of threads.
"""

from __future__ import annotations

import contextlib
import datetime
import logging
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unflicker.errors import UnflickerError
from unflicker.evaluation.machine import machine, peak_mb, restart_peak
from unflicker.evaluation.methods import INPUT, Method, callable_for
from unflicker.evaluation.plan import Job
from unflicker.evaluation.results import COST, FAILED, Row
from unflicker.jobs.job import Tell

if TYPE_CHECKING:
    from unflicker.datasets.load import Loaded
    from unflicker.frames.clip import Clip

MOTION = ".motion"
"""Cache folder of the motion of steady videos, removed after a comparison."""
_WARM_UP_FRAMES, _WARM_UP_PX = 6, 128
_WORTH_WARMING_SECONDS = 0.5
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Options of a process, besides its batch."""

    out: Path
    """Folder of the results, for motion and viewing copies."""
    weights: Path | None
    threads: int
    """Threads of the process; 0 for one a core."""


def work(jobs: tuple[Job, ...], tell: Tell, *, method: Method, effort: str, bench: Bench) -> None:
    """Run the jobs of a method; the result of each is its rows, which may be a failure.

    Args:
        jobs: In order.
        tell: Receives ("ready",), then what `jobs.job.Tell` says.
        method: Of all the jobs; unfit if it cannot be loaded.
        effort: Of the method.
        bench: Options of the process.
    """
    # The parent handles Ctrl-C: it ends this process, and removes its unfinished files.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from unflicker.compute.devices import limited_threads

    with limited_threads(bench.threads):
        try:
            began = time.perf_counter()
            called = callable_for(method, effort=effort, weights=bench.weights)
            for library in method.needs:
                __import__(library)
            loading = time.perf_counter() - began
        except Exception as fault:
            tell(("unfit", _words(fault)))
            return
        tell(("ready",))
        for place, job in enumerate(jobs):
            tell(("begun", place))
            warm = place == 0 and method.seconds_a_frame <= _WORTH_WARMING_SECONDS
            rows = _tried(job, called, bench, warm_up=warm)
            for row in rows:
                if row["set"] == COST and method.folder is None:
                    row["values"]["setup_seconds"] = round(loading, 3)
            tell(("done", place, rows))
    tell(("end",))


def failure(job: Job, error: str) -> Row:
    """The line of a job that failed.

    Args:
        job: The job.
        error: The message.
    """
    return _row(job, FAILED, {}) | {"error": error}


def _tried(job: Job, method: Callable[..., Any], bench: Bench, *, warm_up: bool) -> list[Row]:
    try:
        return list(_measured(job, method, bench, warm_up=warm_up))
    except Exception as fault:
        _log.exception("%s on %s", job.method.name, job.example.name)
        return [failure(job, _words(fault))]


def _measured(
    job: Job, method: Callable[..., Any], bench: Bench, *, warm_up: bool
) -> Iterator[Row]:
    """Run a method on an example; yields its scores and its cost."""
    from unflicker.datasets.load import load
    from unflicker.datasets.motion_cache import paths_of
    from unflicker.evaluation.scores import scores

    loaded = load(job.example, width_px=job.mark.width, frames=job.mark.frames)
    if job.method.folder is not None:
        found = method(loaded, job.method.folder)
        result, loaded, cost = found.result, found.loaded, found.as_numbers()
    else:
        result, cost = _timed(job, method, loaded, warm_up=warm_up)
        cost["threads"] = bench.threads
    steady = loaded.steady
    paths = None if steady is None else paths_of(steady, keep_in=bench.out / MOTION)
    for which, values in scores(result, loaded, paths=paths).items():
        yield _row(job, which, {name: round(float(value), 6) for name, value in values.items()})
    _show(job, result, loaded, out=bench.out)
    yield _row(job, COST, cost)


def _timed(
    job: Job, method: Callable[..., Any], loaded: Loaded, *, warm_up: bool
) -> tuple[Clip, dict[str, float]]:
    """The result of a method, and its cost."""
    clips = [loaded.video]
    if job.method.guided and loaded.original is not None:
        clips.append(loaded.original)
    if warm_up:
        # A few coarse frames may be refused, such as an original that no longer looks alike.
        with contextlib.suppress(UnflickerError):
            method(*(_small(clip) for clip in clips))
    restart_peak()
    wall, processor = time.perf_counter(), time.process_time()
    result = method(*clips)
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    frames = max(len(loaded.video), 1)
    return result, {
        "seconds_a_frame": round(wall / frames, 8),
        "cpu_seconds_a_frame": round(processor / frames, 8),
        "peak_mb": round(peak_mb(), 1),
    }


def _show(job: Job, result: Clip, loaded: Loaded, *, out: Path) -> None:
    """Write the viewing copy; for the input also that of the steady video."""
    from unflicker.evaluation.viewing import folder_of, write_copy

    folder = folder_of(job.example, out)
    write_copy(result, folder / f"{job.method.name}.mp4")
    if job.method.name == INPUT and loaded.steady is not None:
        name = "truth" if loaded.truth is not None else "original"
        write_copy(loaded.steady, folder / f"{name}.mp4")


def _small(clip: Clip) -> Clip:
    """A few small frames, to load and compile the code of a method before it is timed."""
    from unflicker.frames.clip import Clip as Small

    step = max(1, -(-clip.pixels.shape[2] // _WARM_UP_PX))
    pixels = clip.pixels[:_WARM_UP_FRAMES, ::step, ::step].copy()
    return Small(pixels=pixels, seconds=clip.seconds[:_WARM_UP_FRAMES])


def _row(job: Job, which: str, values: dict[str, float]) -> Row:
    mark, example = job.mark, job.example
    return {
        "method": mark.method,
        "example": mark.example,
        "clip": example.clip,
        "category": example.category,
        "kind": example.kind,
        "set": which,
        "values": values,
        "frames": mark.frames,
        "width": mark.width,
        "effort": mark.effort,
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "version": mark.version,
        "machine": machine(),
    }


def _words(fault: BaseException) -> str:
    return f"{type(fault).__name__}: {fault}"
