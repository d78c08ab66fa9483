"""The processing of one video: two passes with a plan between them.

    source ─► proxies ─► shots, windows ─► tone ─► fine light ─► plan    `analysis`
    source + plan ─► grade ─► repair ─► refine ─► encode                 `rendering`

Presets with networks add an atlas and a neural filter before the plan.

Analysis runs a window ahead of rendering, in its own thread. It hands over plans of frames, so
memory is bounded by the length of a window, not of the video.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, TypedDict, Unpack

import numpy as np

from unflicker.compute.context import RunContext, run_context
from unflicker.compute.threads import running_ahead
from unflicker.errors import UsageError
from unflicker.files.outputs import Written, companions, named, refuse_loss
from unflicker.files.remote import as_path
from unflicker.files.workspace import Workspace
from unflicker.frames.arrays import pixels_of
from unflicker.frames.clip import Clip
from unflicker.jobs.pool import Pool
from unflicker.jobs.resources import Resources
from unflicker.progress import Report, silent
from unflicker.recording import Record, Recorder
from unflicker.rendering.checks import checked_rate, need_networks, refuse_original
from unflicker.rendering.in_memory import render_arrays
from unflicker.rendering.options import RunOptions
from unflicker.rendering.planned import planned
from unflicker.rendering.render import need_plans, render_film
from unflicker.rendering.resources import made_here, open_film, open_pool, open_work
from unflicker.rendering.segments import Segment
from unflicker.rendering.side_by_side import RenderTask
from unflicker.rendering.spots_sampled import damage_of, notes_on
from unflicker.settings import Settings, asked_for
from unflicker.video import (
    ArraySource,
    FilmFiles,
    StreamSource,
    VideoSource,
    WithOriginal,
    Writer,
    default_target,
    is_picture_folder,
    open_writer,
)
from unflicker.video.losses import refuse_losses
from unflicker.video.picture_order import place_of

PLAIN = RunOptions()


class Asked(TypedDict, total=False):
    """The options of a run that can be passed without a settings tree."""

    preset: str
    """Name of a preset: fast, standard, best or paper."""
    strength: float
    """Share of the flicker to remove, 0 to 1."""
    keep_slower_than: float
    """Light changes that take longer than this are kept, in seconds."""


def run(
    source: str | Path,
    target: str | Path | None = None,
    *,
    settings: Settings | None = None,
    options: RunOptions = PLAIN,
    progress: Report = silent,
    **asked: Unpack[Asked],
) -> Record:
    """Remove flicker from a film, write the result in the source's format, and return the record.

    Args:
        source: A video file, its URL (`s3://…`; extra `remote`), a folder of pictures, or a TIFF
            with pages.
        target: The file (or folder) to write; `film_unflickered.mp4` next to the source if None.
            A pattern such as `stills/%06d.exr` is a folder of pictures. A file of a URL is made on
            this machine first.
        settings: Preset `standard` if None.
        options: The part of the film to process, and other files to read and write.
        progress: Called with the progress; may stop the run by raising `Cancelled`.
        asked: `preset`, `strength`, `keep_slower_than` (seconds) in place of `settings`.

    Raises:
        UnflickerError: See `errors`; no file is left under the target's name.
    """
    settings = asked_for(settings, **asked)
    target = as_path(target) if target is not None else default_target(as_path(source))
    folder = is_picture_folder(target, source=as_path(source))
    written = Written(path=place_of(target), what="the result", folder=folder)
    _refuse_loss(source, written, settings=settings, options=options)
    files = _files(source, settings, options)
    film = open_film(files)
    recorder = Recorder(film, settings, output=str(target))
    running = run_context(device=settings.device, threads=settings.threads, report=progress)
    with running as context, _rendered(film, files, target, recorder, options, context) as result:
        for segment in result.segments:
            recorder.add(segment.measured)
            result.writer.join(segment.place)
    recorder.incomplete |= result.writer.incomplete
    return recorder.record(notes=result.notes)


def analyze(
    source: str | Path,
    *,
    settings: Settings | None = None,
    options: RunOptions = PLAIN,
    progress: Report = silent,
    **asked: Unpack[Asked],
) -> Record:
    """The kind and strength of a film's flicker; no film is written.

    Args:
        source: A video file or a folder of pictures.
        settings: Preset `standard` if None.
        options: The part of the film to analyse, and where to save the plan.
        progress: Called with the progress; may stop the run by raising `Cancelled`.
        asked: As in `run`.

    Returns:
        What was found, in numbers; it has no stills.

    Raises:
        UnflickerError: See `errors`.
    """
    settings = asked_for(settings, **asked)
    need_plans(settings)
    _refuse_loss(source, settings=settings, options=options)
    options = replace(options, measures_gate=True)
    film = open_film(_files(source, settings, options))
    recorder = Recorder(film, settings, output="", measured=False)
    running = run_context(device=settings.device, threads=settings.threads, report=progress)
    with running as context:
        context.announce(film.notes)
        with (
            open_pool(film, settings, options, context) as pool,
            planned(
                film, settings, options, recorder, context, resources=Resources(pool=pool)
            ) as plan,
        ):
            damage = damage_of(film, plan.settings, plan.ordered(), context)
    return replace(recorder.record(notes=(*film.notes, *notes_on(damage))), **vars(damage))


def deflicker(
    frames: Any,
    *,
    fps: float | Fraction = 24.0,
    settings: Settings | None = None,
    original: Any = None,
    jobs: int = 1,
    progress: Report = silent,
    **asked: Unpack[Asked],
) -> Any:
    """Remove flicker from pictures in memory.

    Args:
        frames: RGB, RGBA or grey `(time, height, width[, channels])`: an array, a torch tensor, or
            a list of pictures; uint8, uint16, or floats in [0, 1]. Alpha is kept.
        fps: Frames a second.
        settings: Preset `standard` if None.
        original: The steady original of pictures that were processed frame by frame; any size.
        jobs: Processes that analyse windows side by side; the result is the same.
        progress: Called with the progress; may stop the run by raising `Cancelled`.
        asked: `preset`, `strength`, `keep_slower_than` (seconds) in place of `settings`.

    Returns:
        Frames of the same shape and type; frames without flicker are bit-identical.

    Raises:
        UsageError: Another shape or type, values outside [0, 1] or NaN, a rate of zero or below.
        InputError: The original shows another scene, or has clearly fewer frames.
    """
    settings = asked_for(settings, **asked)
    given = pixels_of(frames)
    pixels = given.pixels
    film = _film_in_memory(pixels, original, fps=fps, settings=settings)
    originals = () if original is None else (frame.original for frame in film.frames())
    with _shared(film, settings, jobs, progress) as (context, pool):
        rendered = render_arrays(pixels, film, settings, context, originals=originals, pool=pool)
        for index, picture in enumerate(rendered):
            pixels[index] = picture
            context.tell("render", done=index + 1, total=len(pixels))
    return given.back(pixels)


def stream(
    frames: Iterable[Any],
    *,
    fps: float | Fraction = 24.0,
    settings: Settings | None = None,
    jobs: int = 1,
    progress: Report = silent,
    **asked: Unpack[Asked],
) -> Iterator[Any]:
    """Pictures without flicker, one after the other, for videos that do not fit into memory.

    Args:
        frames: Pictures `(height, width, channels)` of 1, 3 or 4 channels, or grey `(height,
            width)`, all of one shape and type; arrays or torch tensors of uint8, uint16, or floats
            in [0, 1]. They are read in another thread; about two windows of them are held, and
            another one for each job.
        fps: Frames a second.
        settings: As in `deflicker`.
        jobs: As in `deflicker`.
        progress: As in `deflicker`, called from another thread.
        asked: As in `run`.

    Returns:
        An iterator of pictures of the same shape and type, equal to those of `deflicker`.

    Raises:
        UsageError: As in `deflicker`; for pictures after the first, while iterating.
    """
    settings = asked_for(settings, **asked)
    if settings.redraws:
        raise UsageError("preset paper reads a film twice, a stream is read once; use deflicker")
    need_networks(settings)
    source = StreamSource(frames, fps=checked_rate(fps))
    if source.is_empty:
        return iter(())

    return _streamed(source, settings, jobs, progress)


def _streamed(
    source: StreamSource, settings: Settings, jobs: int, progress: Report
) -> Iterator[Any]:
    """The pictures of a stream without flicker, rendered in another thread."""

    def rendered() -> Iterator[Any]:
        backs: deque[Callable[[np.ndarray], Any]] = deque()

        def arrays() -> Iterator[np.ndarray]:
            for given in source.waiting():
                backs.append(given.back)
                yield given.pixels[0]

        with _shared(source, settings, jobs, progress) as (context, pool):
            pictures = render_arrays(arrays(), source, settings, context, pool=pool)
            for index, picture in enumerate(pictures):
                context.tell("render", done=index + 1, total=None)
                yield backs.popleft()(picture[None])[0]

    with running_ahead(rendered(), most=1) as pictures:
        yield from pictures


@contextmanager
def _shared(
    film: VideoSource, settings: Settings, jobs: int, progress: Report
) -> Iterator[tuple[RunContext, Pool | None]]:
    """The context of pictures in memory, and the processes that share their analysis."""
    running = run_context(device=settings.device, threads=settings.threads, report=progress)
    with running as context, open_pool(film, settings, RunOptions(jobs=jobs), context) as pool:
        yield context, pool


@dataclass(frozen=True, kw_only=True, eq=False)
class _Rendering:
    """The segments of a film, which are made as they are taken, and what joins them."""

    film: VideoSource
    segments: Iterator[Segment]
    writer: Writer
    work: Workspace

    @property
    def notes(self) -> tuple[str, ...]:
        """For the user, once the film is written."""
        return (*self.work.notes, *self.film.notes, *self.writer.notes)


@contextmanager
def _rendered(
    film: VideoSource,
    files: FilmFiles,
    target: Path,
    recorder: Recorder,
    options: RunOptions,
    context: RunContext,
) -> Iterator[_Rendering]:
    """A film's rendering, opened; the result gets its name when it is closed."""
    settings, device, mask = recorder.settings, context.device, options.mask
    with made_here(target, options) as (local, options):
        encoding, overwrite = settings.encoding, options.overwrite
        writer = open_writer(film, local, encoding=encoding, overwrite=overwrite)
        refuse_losses(writer.losses, strict=settings.strict)
        context.announce((*film.notes, *writer.notes))
        form = writer.format
        task = RenderTask(film=files, settings=settings, device=device, mask=mask, form=form)
        # The workspace goes last, when the result has its name.
        with (
            open_work(task, local, options) as work,
            writer,
            open_pool(film, settings, options, context) as pool,
            render_film(
                film, task, options, recorder, context, Resources(work=work, pool=pool)
            ) as segments,
        ):
            yield _Rendering(film=film, segments=segments, writer=writer, work=work)


def _refuse_loss(
    source: str | Path, *results: Written, settings: Settings, options: RunOptions
) -> None:
    """Refuse a run, before any work, that would replace an input or an existing file."""
    beside = companions(settings, mask=options.mask, original=options.original, plan=options.plan)
    saved = options.save_plan
    plans = [] if saved is None else [Written(path=saved, what="the plan", option="--plan")]
    reads = [*named("the film", source), *beside]
    refuse_loss(reads, [*results, *plans], overwrite=options.overwrite)


def _files(source: str | Path, settings: Settings, options: RunOptions) -> FilmFiles:
    """The files of a run's film, once it is clear that the run can do with them."""
    if options.original is None:
        need_networks(settings)
    else:
        refuse_original(settings, options)
    return FilmFiles(
        source=as_path(source),
        original=options.original,
        start_seconds=options.start_seconds,
        duration_seconds=options.duration_seconds,
        strict=settings.strict,
        stills=options.stills,
    )


def _film_in_memory(
    pixels: np.ndarray, original: Any, *, fps: float | Fraction, settings: Settings
) -> VideoSource:
    rate = checked_rate(fps)
    film = _array_film(pixels, fps=rate, name="array")
    if original is None:
        need_networks(settings)
        return film
    refuse_original(settings)
    beside = pixels_of(original, what="the original's frames").pixels
    return WithOriginal(film, _array_film(beside, fps=rate, name="array"))


def _array_film(pixels: np.ndarray, *, fps: float, name: str) -> ArraySource:
    colours = pixels if pixels.ndim == 4 else np.repeat(pixels[..., None], 3, axis=-1)
    return ArraySource(Clip.at_rate(colours, fps=fps), name=name)
