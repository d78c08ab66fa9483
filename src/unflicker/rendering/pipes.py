"""Films and streams of raw video, in any combination: `unflicker - -o -`.

A stream is y4m. It is read once, and written frame by frame; `rendering.latency` says how far it is
read ahead. A result that is a file is written without the other streams of a film, since a stream
has none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from unflicker.compute.context import RunContext, run_context
from unflicker.errors import PartlyFailedError, UsageError
from unflicker.frames.picture import Frame
from unflicker.progress import Report, silent
from unflicker.rendering.checks import need_networks, refuse_original
from unflicker.rendering.item import Item
from unflicker.rendering.latency import latency_frames, within_latency
from unflicker.rendering.options import RunOptions
from unflicker.rendering.piped import rendered_in_order
from unflicker.settings import Settings
from unflicker.video import (
    FilmFiles,
    PipeSource,
    PipeTarget,
    StreamTags,
    VideoSource,
    open_writer,
)
from unflicker.video.pipe import UNTAGGED
from unflicker.video.raw_stream import Bytes, Sink

_PLAIN = RunOptions()


@dataclass(frozen=True, kw_only=True)
class Piped:
    """What a run by streams did."""

    frames: int
    latency_frames: int
    """Frames that were read, at most, before the first of them was written; 0 with a plan."""
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class PipeOptions:
    """What concerns streams only."""

    tags: StreamTags = UNTAGGED
    """They replace what an input stream tells."""
    latency_seconds: float | None = None
    """Bound on how far an input stream is read ahead; None for windows of the usual length."""


def pipe(
    source: Bytes | Path,
    target: Sink | Path,
    *,
    settings: Settings,
    options: RunOptions = _PLAIN,
    stream: PipeOptions | None = None,
    progress: Report = silent,
) -> Piped:
    """Remove flicker from a stream, or from a film into a stream.

    Args:
        source: The bytes of a y4m stream, or a film.
        target: Where to write a y4m stream, or a film.
        settings: Of the run.
        options: The part of a film, a plan to follow, a mask.
        stream: Tags and latency of an input stream.
        progress: Called with the progress; may stop the run by raising `Cancelled`.

    Raises:
        UsageError: An option has no effect on streams.
        PartlyFailedError: The stream is broken; all whole frames before that are written.
        UnflickerError: See `errors`.
    """
    stream = stream or PipeOptions()
    if stream.latency_seconds is not None and (options.cluster or (options.jobs or 1) > 1):
        raise UsageError("--latency-seconds is kept by one process; leave out --jobs and --cluster")
    film = _opened(source, settings, options, stream)
    if stream.latency_seconds is not None:
        fps = float(film.rate)
        settings = within_latency(settings, seconds=stream.latency_seconds, fps=fps)
    running = run_context(device=settings.device, threads=settings.threads, report=progress)
    with running as context:
        done, notes = _written(film, target, settings, options, context)
    if isinstance(film, PipeSource) and film.fault:
        raise PartlyFailedError(
            f"the y4m stream is broken: {film.fault}; its first {done} frames are written"
        )
    latency = 0 if options.plan is not None else latency_frames(settings)
    return Piped(frames=done, latency_frames=latency, notes=(*film.notes, *notes))


def _opened(
    source: Bytes | Path, settings: Settings, options: RunOptions, stream: PipeOptions
) -> VideoSource:
    if settings.redraws:
        raise UsageError("preset paper reads a film twice and writes it whole; use it without -")
    if isinstance(source, Path):
        if stream.tags != UNTAGGED or stream.latency_seconds is not None:
            raise UsageError("--tag and --latency-seconds are for a stream; the input is a film")
        if options.original is None:
            need_networks(settings)
        else:
            refuse_original(settings, options)
        return FilmFiles(
            source=source,
            original=options.original,
            start_seconds=options.start_seconds,
            duration_seconds=options.duration_seconds,
            strict=settings.strict,
            stills=options.stills,
        ).open()
    if options.original is not None or options.start_seconds or options.duration_seconds:
        raise UsageError(
            "a stream has no --start, --duration or --original; write it to a film first"
        )
    need_networks(settings)
    return PipeSource(source, tags=stream.tags)


def _written(
    film: VideoSource,
    target: Sink | Path,
    settings: Settings,
    options: RunOptions,
    context: RunContext,
) -> tuple[int, tuple[str, ...]]:
    """Write the result; returns the number of frames, and notes."""
    if isinstance(target, Path):
        encoding, overwrite = settings.encoding, options.overwrite
        writer = open_writer(film, target, encoding=encoding, overwrite=overwrite)
        with writer, _results(film, settings, options, context) as frames:
            return _each(frames, writer.write), writer.notes
    into = PipeTarget(film=film, target=target)
    with _results(film, settings, options, context) as frames:
        return _each(frames, lambda frame: into.write(frame.picture)), into.notes


def _each(frames: Iterator[Frame], write: Callable[[Frame], None]) -> int:
    """Write all frames; returns their number."""
    count = 0
    for frame in frames:
        write(frame)
        count += 1
    return count


@contextmanager
def _results(
    film: VideoSource, settings: Settings, options: RunOptions, context: RunContext
) -> Iterator[Iterator[Frame]]:
    def told(item: Item) -> Frame:
        total = film.estimated_frames
        context.tell("render", done=item.frame.index + 1, total=total)
        return replace(item.frame, picture=item.picture)

    with rendered_in_order(film, settings, options, context) as items:
        yield map(told, items)
