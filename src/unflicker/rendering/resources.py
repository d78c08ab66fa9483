"""The resources of a run: its workspace, what finished parts depend on, and its processes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from unflicker.compute.context import RunContext
from unflicker.compute.threads import thread_count
from unflicker.files.workspace import Workspace, content_key, workspace_of
from unflicker.jobs.pool import LocalPool
from unflicker.recording import library_versions
from unflicker.rendering.options import RunOptions
from unflicker.rendering.side_by_side import RenderTask
from unflicker.settings import Settings, to_dict
from unflicker.video import VideoSource
from unflicker.video.segments import SEGMENT_FRAMES

_CORES_A_JOB = 2
"""One process uses two cores well: decoding, analysis and encoding overlap."""
_BYTES_A_JOB = 1_500_000_000


def open_work(task: RenderTask, target: Path, options: RunOptions) -> Workspace:
    """The workspace of a run, not entered yet.

    Args:
        task: The film, and how segments are rendered and encoded.
        target: The result.
        options: Of the run.
    """
    folder = workspace_of(target, beside=options.work_dir)
    continues = not task.settings.redraws  # networks with a memory begin at the first frame
    return Workspace(folder, _key(task, options), keep=options.keep_work, continues=continues)


@contextmanager
def open_pool(
    film: VideoSource, settings: Settings, options: RunOptions, context: RunContext
) -> Iterator[LocalPool | None]:
    """The processes that share the work of a run; None if this one does it alone.

    Args:
        film: The source.
        settings: Of the run.
        options: Of the run.
        context: Of the run.
    """
    jobs = _jobs(film, settings, options, context)
    if jobs == 1:
        yield None
        return
    with LocalPool(workers=jobs, threads=max(1, thread_count() // jobs)) as pool:
        yield pool


def _jobs(film: VideoSource, settings: Settings, options: RunOptions, context: RunContext) -> int:
    """How many processes pay: half as many as cores, for two segments each and more."""
    if settings.redraws:
        return 1
    if options.jobs is not None:
        return options.jobs
    if context.device != "cpu" or settings.atlas.used or film.estimated_frames is None:
        return 1
    pays = film.estimated_frames // (2 * SEGMENT_FRAMES)
    return max(1, min(thread_count() // _CORES_A_JOB, pays, _free_bytes() // _BYTES_A_JOB))


def _free_bytes() -> int:
    """Memory that is free, where the system tells; else enough for two jobs."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return 2 * _BYTES_A_JOB


def _key(task: RenderTask, options: RunOptions) -> dict[str, Any]:
    """Everything that a part's content depends on, by names for people."""
    settings = task.settings
    files = {"mask": task.mask, "original": task.film.original, "plan": options.plan}
    return {
        "input": content_key(task.film.source),
        **{name: None if path is None else content_key(path) for name, path in files.items()},
        "part of the film": [options.start_seconds, options.duration_seconds],
        "strengths of shots": sorted(options.shot_strengths.items()),
        "settings": to_dict(settings),
        "encoding": task.form.key,
        "versions": library_versions(neural=settings.atlas.used),
    }
