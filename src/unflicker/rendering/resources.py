"""The resources of a run: its workspace, what finished parts depend on, and its processes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from unflicker.compute.context import RunContext
from unflicker.compute.devices import chosen
from unflicker.compute.memory import free_bytes, refuse_too_large
from unflicker.compute.threads import thread_count
from unflicker.compute.versions import library_versions
from unflicker.errors import OutputError, UsageError
from unflicker.files.remote import RemotePath
from unflicker.files.workspace import Workspace, content_key, workspace_of
from unflicker.jobs.pool import CORES_A_WORKER, Pool
from unflicker.jobs.processes import LocalPool, can_start_processes
from unflicker.rendering.options import RunOptions
from unflicker.rendering.side_by_side import RenderTask
from unflicker.settings import Settings, to_dict
from unflicker.video import FilmFiles, VideoSource
from unflicker.video.picture_order import is_pattern, place_of
from unflicker.video.segments import SEGMENT_FRAMES

_LEAST_JOBS = 2
"""Of a film, where there are two cores: 720 frames at 480p on two of them took 27 and 30 s (`fast`)
and 57 s (`standard`) by two processes, 37 and 61 s by one (benchmarks/scale.py)."""
_BYTES_A_JOB = 1_500_000_000
_NOT_DIVIDED = "preset paper draws a film from its beginning on; run it without --cluster"


def open_film(files: FilmFiles) -> VideoSource:
    """The film of a run, once it is clear that its frames fit into memory.

    Raises:
        InputError: It cannot be read, or is too large for this machine.
    """
    film = files.open()
    frame_bytes = film.layout.frame_bytes(*film.size)
    refuse_too_large(film.size, frame_bytes=frame_bytes, name=film.name)
    return film


def open_work(task: RenderTask, target: Path, options: RunOptions) -> Workspace:
    """The workspace of a run, not entered yet.

    Args:
        task: The film, and how segments are rendered and encoded.
        target: The result.
        options: Of the run.
    """
    folder = workspace_of(place_of(target), beside=options.work_dir)
    continues = not task.settings.redraws  # networks with a memory begin at the first frame
    return Workspace(folder, _key(task, options), keep=options.keep_work, continues=continues)


@contextmanager
def made_here(target: Path, options: RunOptions) -> Iterator[tuple[Path, RunOptions]]:
    """Where a result is made, and the options for that; to a URL it is copied at the end.

    Args:
        target: The result.
        options: Of the run.

    Raises:
        UsageError: The URL is a pattern of pictures.
        OutputError: The result cannot be copied there; it is kept here.
    """
    if not isinstance(target, RemotePath):
        yield target, options
        return
    if is_pattern(target):
        raise UsageError(
            f"{target} is a pattern of pictures, which are written to this machine only; name a "
            "folder here, and copy it"
        )
    local = (options.work_dir or Path.cwd()) / f".{target.stem}.to-copy{target.suffix}"
    yield local, replace(options, overwrite=True)
    try:
        target.put(local)
    except OutputError as fault:
        fault.add_note(f"the result is complete and kept as {local}; it can be copied by hand")
        raise
    local.unlink()


@contextmanager
def open_pool(
    film: VideoSource, settings: Settings, options: RunOptions, context: RunContext
) -> Iterator[Pool | None]:
    """The workers that share the work of a run; None if this process does it alone.

    Args:
        film: The source.
        settings: Of the run.
        options: Of the run.
        context: Of the run.
    """
    if options.pool is not None:
        yield None if settings.redraws else options.pool
        return
    pays = (film.estimated_frames or 0) // (2 * SEGMENT_FRAMES)
    cores = thread_count()
    most = min(pays, max(cores // CORES_A_WORKER, min(cores, _LEAST_JOBS)))
    with _opened(settings, options, device=context.device, most=most) as pool:
        yield pool


@contextmanager
def open_workers(settings: Settings, options: RunOptions, *, films: int) -> Iterator[Pool | None]:
    """The workers that films of a batch are given to; None if this process does them in turn.

    Args:
        settings: Of all runs.
        options: Of all runs.
        films: Number of films.

    Raises:
        MissingError: The device is not available.
    """
    if settings.redraws and options.cluster:
        raise UsageError(_NOT_DIVIDED)
    if options.pool is not None:
        yield options.pool
        return
    jobs = None if options.jobs is None else min(options.jobs, films)
    options = replace(options, jobs=jobs)
    most = min(films, thread_count() // CORES_A_WORKER)
    with _opened(settings, options, device=chosen(settings.device), most=most) as pool:
        yield pool


@contextmanager
def _opened(
    settings: Settings, options: RunOptions, *, device: str, most: int
) -> Iterator[Pool | None]:
    if options.cluster:
        if settings.redraws:
            raise UsageError(_NOT_DIVIDED)
        from unflicker.jobs.cluster import RayPool

        on_gpu = device != "cpu"
        with RayPool(options.cluster, on_gpu=on_gpu, neural=settings.atlas.used) as pool:
            yield pool
        return
    jobs = _jobs(settings, options, device=device, most=most)
    if jobs == 1:
        yield None
        return
    with LocalPool(workers=jobs, threads=max(1, thread_count() // jobs)) as pool:
        yield pool


def _jobs(settings: Settings, options: RunOptions, *, device: str, most: int) -> int:
    """How many processes pay, if memory allows."""
    if settings.redraws or not can_start_processes():
        return 1
    if options.jobs is not None:
        return options.jobs
    if device != "cpu" or settings.atlas.used:
        return 1
    free = free_bytes() or 2 * _BYTES_A_JOB
    return max(1, min(most, free // _BYTES_A_JOB))


def _key(task: RenderTask, options: RunOptions) -> dict[str, Any]:
    """Everything that a part's content depends on, by names for people."""
    settings = task.settings
    files = {"mask": task.mask, "original": task.film.original, "plan": options.plan}
    return {
        "input": content_key(task.film.source),
        **{name: None if path is None else content_key(path) for name, path in files.items()},
        "part of the film": [options.start_seconds, options.duration_seconds],
        "pictures": [str(options.stills.rate), options.stills.order],
        "strengths of shots": sorted(options.shot_strengths.items()),
        "settings": to_dict(settings),
        "encoding": task.form.key,
        "versions": library_versions(neural=settings.atlas.used),
    }
