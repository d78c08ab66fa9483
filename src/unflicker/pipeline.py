"""The story of one film.

    film ─► proxies ─► shots ─► motion and tone ─► grades        first reading, in `thinking`
    film ─► full-size frames ─► apply the grades ─► encode        second reading, here

The first reading runs a window ahead of the second, in a thread of its own; what lies between
them are grades, so memory is bounded by a window, never by the film.
Preset `paper` alone makes no grades: `reference` draws every frame anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Shaped

from unflicker.ahead import running_ahead
from unflicker.devices import chosen, limited_threads
from unflicker.errors import InputError, OutputError, UsageError
from unflicker.frames.clip import Clip, from_float, to_float
from unflicker.frames.picture import Frame, Picture
from unflicker.grade import Grade
from unflicker.grade.apply import apply_grade, apply_to_light
from unflicker.grade.apply_cuda import apply_grade_on
from unflicker.grade.mask import read_mask
from unflicker.grade.plan import PlanWriter, read_plan
from unflicker.keeping import Keeper
from unflicker.progress import Progress, Report, silent
from unflicker.record import Record
from unflicker.settings import Settings, to_dict
from unflicker.thinking import Thought, think
from unflicker.video import ArrayFilm, Film, default_target, open_film, open_writer
from unflicker.weights import need_neural


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What concerns one run and not the method."""

    overwrite: bool = False
    """Whether an existing output may be replaced."""
    start_seconds: float = 0.0
    """Where in the film to begin."""
    duration_seconds: float | None = None
    """How much of it to take; None is to the end."""
    plan: Path | None = None
    """Grades to apply, from `save_plan`; then nothing is thought."""
    save_plan: Path | None = None
    """Where to keep the grades."""
    mask: Path | None = None
    """A picture: correct only where it is white."""


DEFAULTS = Settings()
PLAIN = RunOptions()


def run(
    source: str | Path,
    target: str | Path | None = None,
    *,
    settings: Settings = DEFAULTS,
    options: RunOptions = PLAIN,
    progress: Report = silent,
) -> Record:
    """Take the flicker out of a film, write it as its source was, and say what was done.

    Args:
        source: A video file or a folder of pictures.
        target: The file (or folder) to write; `film_unflickered.mp4` beside the source if None.
        settings: How.
        options: What of it, and what else to read and write.
        progress: Told now and then how far the work is; may stop it by raising `Cancelled`.

    Raises:
        UnflickerError: See `errors`; then nothing is left under the target's name.
    """
    film = _opened(source, settings, options)
    target = Path(target) if target is not None else default_target(Path(source))
    keeper = Keeper(film, settings, output=str(target))
    steadied = _redrawn if settings.preset == "paper" else _graded
    with (
        limited_threads(settings.threads),
        open_writer(
            film, target, encoding=settings.encoding, overwrite=options.overwrite
        ) as writer,
        steadied(film, settings, options, keeper, progress) as frames,
    ):
        for frame in frames:
            writer.write(frame)
            progress(Progress(stage="steady", done=frame.index + 1, total=film.estimated_frames))
    return keeper.record(notes=(*film.notes, *writer.notes))


def analyze(
    source: str | Path,
    *,
    settings: Settings = DEFAULTS,
    options: RunOptions = PLAIN,
    progress: Report = silent,
) -> Record:
    """Say which flicker a film has, and how much; no film is written.

    Args:
        source: A video file or a folder of pictures.
        settings: How.
        options: What of it, and whether to save the grades.
        progress: Told now and then how far the work is.

    Raises:
        UnflickerError: See `errors`.
    """
    _need_grades(settings)
    film = _opened(source, settings, options)
    keeper = Keeper(film, settings, output="")
    with limited_threads(settings.threads), _grades(film, settings, options, keeper) as grades:
        for done, _ in enumerate(grades, start=1):
            progress(Progress(stage="look", done=done, total=film.estimated_frames))
    return keeper.record(notes=film.notes)


def deflicker(
    frames: Shaped[np.ndarray, "time height width *channels"],
    *,
    fps: float = 24.0,
    settings: Settings = DEFAULTS,
    progress: Report = silent,
) -> Shaped[np.ndarray, "time height width *channels"]:
    """Take the flicker out of pictures in memory.

    Args:
        frames: RGB `(time, height, width, 3)` or grey `(time, height, width)`; uint8, uint16, or
            float32 in [0, 1].
        fps: Frames a second.
        settings: How.
        progress: Told now and then how far the work is.

    Returns:
        An array of the same shape and type; frames without flicker are unchanged.

    Raises:
        UsageError: An array of another shape or type, or a rate that is not above zero.
    """
    _check_array(frames, fps)
    if settings.atlas.used:
        need_neural()
    out = np.nan_to_num(frames, nan=0.0, posinf=1.0, neginf=0.0)
    colours = out if out.ndim == 4 else np.repeat(out[..., None], 3, axis=-1)
    film = ArrayFilm(Clip.at_rate(colours, fps=fps))
    if settings.preset == "paper":
        return _redrawn_array(film, out, settings, progress)
    with limited_threads(settings.threads):
        for thought in think(film, settings):
            if isinstance(thought, Thought):
                if not thought.grade.is_identity:
                    out[thought.index] = _graded_array(out[thought.index], thought.grade)
                progress(Progress(stage="steady", done=thought.index + 1, total=len(frames)))
    return out


@contextmanager
def _graded(
    film: Film, settings: Settings, options: RunOptions, keeper: Keeper, _: Report
) -> Iterator[Iterator[Frame]]:
    """The frames of a film in order, each with its grade."""
    device = chosen(settings.device)
    mask = read_mask(options.mask, size=film.size) if options.mask else None

    def steady(grades: Iterator[Grade]) -> Iterator[Frame]:
        for frame, grade in _side_by_side(film, grades):
            graded = _applied(frame.picture, grade, device=device, mask=mask)
            keeper.saw(frame, graded)
            yield replace(frame, picture=graded)

    with _grades(film, settings, options, keeper) as grades:
        yield steady(grades)


@contextmanager
def _redrawn(
    film: Film, settings: Settings, options: RunOptions, keeper: Keeper, progress: Report
) -> Iterator[Iterator[Frame]]:
    """The frames of a film in order, each drawn anew by the reference system."""
    if options.plan or options.save_plan:
        _need_grades(settings)
    from unflicker.reference import as_picture, load_networks, redrawn

    networks = load_networks(settings)
    mask = read_mask(options.mask, size=film.size) if options.mask else None

    def steady() -> Iterator[Frame]:
        for frame, rgb in redrawn(film, networks, settings, mask=mask, progress=progress):
            picture = as_picture(rgb, frame.picture)
            keeper.redrawn(frame, picture)
            yield replace(frame, picture=picture)

    yield steady()


def _redrawn_array(
    film: Film,
    into: Shaped[np.ndarray, "time height width *channels"],
    settings: Settings,
    progress: Report,
) -> Shaped[np.ndarray, "time height width *channels"]:
    """Pictures in memory, drawn anew by the reference system."""
    from unflicker.reference import load_networks, redrawn

    networks = load_networks(settings)
    with limited_threads(settings.threads):
        for frame, rgb in redrawn(film, networks, settings, progress=progress):
            drawn = rgb.mean(axis=-1, dtype=np.float32) if into.ndim == 3 else rgb
            into[frame.index] = from_float(drawn, dtype=into.dtype)
            progress(Progress(stage="steady", done=frame.index + 1, total=len(into)))
    return into


def _need_grades(settings: Settings) -> None:
    if settings.preset == "paper":
        raise UsageError(
            "preset paper draws frames anew and has no grades to look at, keep or apply; "
            "use --preset fast or standard"
        )


def _applied(
    picture: Picture,
    grade: Grade,
    *,
    device: str,
    mask: Float32[np.ndarray, "height width"] | None,
) -> Picture:
    if device == "cpu":
        return apply_grade(picture, grade, mask=mask)
    return apply_grade_on(picture, grade, device=device, mask=mask)


def _opened(source: str | Path, settings: Settings, options: RunOptions) -> Film:
    if settings.atlas.used:
        need_neural()
    return open_film(
        source,
        start_seconds=options.start_seconds,
        duration_seconds=options.duration_seconds,
        strict=settings.strict,
    )


@contextmanager
def _grades(
    film: Film, settings: Settings, options: RunOptions, keeper: Keeper
) -> Iterator[Iterator[Grade]]:
    """The grades of a film in order: thought, or read from a plan; saved where asked."""
    if options.plan is not None:
        _, planned = read_plan(options.plan)
        yield _planned(planned, settings, keeper)
        return
    if options.save_plan is not None and options.save_plan.exists() and not options.overwrite:
        raise OutputError(f"the plan {options.save_plan} exists; pass --overwrite to replace it")
    thoughts = think(film, settings)
    about = {"source": film.name, "settings": to_dict(settings)}
    if options.save_plan is None:
        with running_ahead(thoughts, most=settings.window.frames) as ahead:
            yield _kept(ahead, keeper, None)
        return
    with (
        PlanWriter(options.save_plan, about=about) as plan,
        running_ahead(thoughts, most=settings.window.frames) as ahead,
    ):
        yield _kept(ahead, keeper, plan)


def _kept(thoughts: Iterator, keeper: Keeper, plan: PlanWriter | None) -> Iterator[Grade]:
    for thought in thoughts:
        keeper.heard(thought)
        if isinstance(thought, Thought):
            if plan is not None:
                plan.add(thought.grade)
            yield thought.grade


def _planned(planned: Iterator[Grade], settings: Settings, keeper: Keeper) -> Iterator[Grade]:
    """A plan's grades, at this run's strength."""
    for grade in planned:
        scaled = grade.scaled(settings.strength)
        keeper.planned(scaled)
        yield scaled


def _side_by_side(film: Film, grades: Iterator[Grade]) -> Iterator[tuple[Frame, Grade]]:
    frames = film.frames()
    count = 0
    for frame in frames:
        grade = next(grades, None)
        if grade is None:
            raise InputError(
                f"{film.name} has more frames than the {count} grades made for it; "
                "make the plan again from this film and this part of it"
            )
        count += 1
        yield frame, grade
    if next(grades, None) is not None:
        raise InputError(
            f"{film.name} has {count} frames, fewer than the grades made for it; "
            "make the plan again from this film and this part of it"
        )


def _check_array(frames: np.ndarray, fps: float) -> None:
    if frames.ndim not in (3, 4) or (frames.ndim == 4 and frames.shape[-1] != 3):
        raise UsageError(
            f"frames of shape {frames.shape}; "
            "pass (time, height, width, 3) or (time, height, width)"
        )
    if frames.dtype not in (np.uint8, np.uint16, np.float32):
        raise UsageError(f"frames of {frames.dtype}; pass uint8, uint16 or float32 in [0, 1]")
    if not fps > 0:
        raise UsageError(f"a rate of {fps} frames a second; pass a number above zero")


def _graded_array(
    picture: Shaped[np.ndarray, "height width *channels"], grade: Grade
) -> Shaped[np.ndarray, "height width *channels"]:
    """One picture of an array with its grade, as its own type; unlike a film's, not dithered."""
    grey = picture.ndim == 2
    colour = np.repeat(picture[..., None], 3, axis=-1) if grey else picture
    graded: Float32[np.ndarray, "height width 3"] = apply_to_light(to_float(colour), grade)
    graded = graded.mean(axis=-1, dtype=np.float32) if grey else graded
    return from_float(graded, dtype=picture.dtype)
