"""The story of one film.

    film ─► proxies ─► shots ─► motion and tone ─► grades        first reading, in `thinking`
    film ─► full-size frames ─► grades ─► refinement ─► encode    second reading, here

The first reading runs a window ahead of the second, in a thread of its own; what lies between
them are grades, so memory is bounded by a window, never by the film.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from jaxtyping import Float32, Shaped

from unflicker.ahead import running_ahead
from unflicker.devices import chosen, limited_threads
from unflicker.errors import InputError, OutputError, UsageError
from unflicker.frames.clip import Clip, from_float, to_float
from unflicker.frames.picture import Frame, Picture, as_array, as_picture
from unflicker.grade import Grade
from unflicker.grade.apply import apply_grade, apply_to_light
from unflicker.grade.apply_cuda import apply_grade_on
from unflicker.grade.mask import read_mask
from unflicker.grade.plan import PlanWriter, read_plan
from unflicker.guiding import need_neural
from unflicker.keeping import Keeper
from unflicker.motion import estimate_motion
from unflicker.progress import Progress, Report, silent
from unflicker.record import Record
from unflicker.refinement.mixing import within_mask
from unflicker.refinement.refine import Graded, refined
from unflicker.settings import Settings, to_dict
from unflicker.thinking import Thought, think
from unflicker.video import ArrayFilm, Film, default_target, open_film, open_writer

Item = TypeVar("Item")


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
    device = chosen(settings.device)
    film = _opened(source, settings, options)
    target = Path(target) if target is not None else default_target(Path(source))
    mask = read_mask(options.mask, size=film.size) if options.mask else None
    keeper = Keeper(film, settings, output=str(target))
    with (
        limited_threads(settings.threads),
        open_writer(
            film, target, encoding=settings.encoding, overwrite=options.overwrite
        ) as writer,
        _orders(film, settings, options, keeper) as orders,
    ):
        graded = _graded(_side_by_side(film, orders), device=device, mask=mask)
        for frame, picture in _calmed(graded, settings, mask=mask):
            keeper.saw(frame, picture)
            writer.write(replace(frame, picture=picture))
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
    film = _opened(source, settings, options)
    keeper = Keeper(film, settings, output="")
    with limited_threads(settings.threads), _orders(film, settings, options, keeper) as orders:
        for done, _ in enumerate(orders, start=1):
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
    with limited_threads(settings.threads):
        thoughts = (item for item in think(film, settings) if isinstance(item, Thought))
        for index in _steadied(out, thoughts, settings):
            progress(Progress(stage="steady", done=index + 1, total=len(frames)))
    return out


def _steadied(
    out: Shaped[np.ndarray, "time height width *channels"],
    thoughts: Iterator[Thought],
    settings: Settings,
) -> Iterator[int]:
    """Grade and refine pictures in place; their indices as they are done."""

    def graded() -> Iterator[Thought]:
        for thought in thoughts:
            if not thought.grade.is_identity:
                out[thought.index] = _graded_array(out[thought.index], thought.grade)
            yield thought

    if not settings.refinement.used:
        yield from (thought.index for thought in graded())
        return
    pictures = ((t.index, as_picture(out[t.index]), _ordered(t)) for t in graded())
    for index, picture in _calmed(pictures, settings, mask=None):
        out[index] = as_array(picture, like=out[index])
        yield index


def _calmed(
    graded: Iterator[tuple[Item, Picture, _Order]],
    settings: Settings,
    *,
    mask: Float32[np.ndarray, "height width"] | None,
) -> Iterator[tuple[Item, Picture]]:
    """Graded pictures with their texture calmed where it flickers, each with what it came with."""
    if not settings.refinement.used:
        yield from ((item, picture) for item, picture, _ in graded)
        return
    waiting: deque[tuple[Item, Picture]] = deque()

    def given() -> Iterator[Graded]:
        for item, picture, order in graded:
            waiting.append((item, picture))
            yield Graded(
                picture=picture,
                texture_flickers=order.texture_flickers,
                starts_shot=order.starts_shot,
            )

    for picture in refined(
        given(),
        follow=estimate_motion,
        proxy_px=settings.proxy.width_px,
        strength=settings.strength,
    ):
        item, before = waiting.popleft()
        yield item, picture if mask is None else within_mask(before, picture, mask)


def _graded(
    ordered: Iterator[tuple[Frame, _Order]],
    *,
    device: str,
    mask: Float32[np.ndarray, "height width"] | None,
) -> Iterator[tuple[Frame, Picture, _Order]]:
    for frame, order in ordered:
        yield frame, _applied(frame.picture, order.grade, device=device, mask=mask), order


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


@dataclass(frozen=True, kw_only=True, eq=False)
class _Order:
    """What is to be done to a frame. A plan holds grades alone, so nothing is refined by one."""

    grade: Grade
    texture_flickers: bool = False
    starts_shot: bool = False


def _ordered(thought: Thought) -> _Order:
    return _Order(
        grade=thought.grade,
        texture_flickers=thought.texture_flickers,
        starts_shot=thought.starts_shot,
    )


@contextmanager
def _orders(
    film: Film, settings: Settings, options: RunOptions, keeper: Keeper
) -> Iterator[Iterator[_Order]]:
    """What to do to each frame: thought, or read from a plan; grades are saved where asked."""
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


def _kept(thoughts: Iterator, keeper: Keeper, plan: PlanWriter | None) -> Iterator[_Order]:
    for thought in thoughts:
        keeper.heard(thought)
        if isinstance(thought, Thought):
            if plan is not None:
                plan.add(thought.grade)
            yield _ordered(thought)


def _planned(planned: Iterator[Grade], settings: Settings, keeper: Keeper) -> Iterator[_Order]:
    """A plan's grades, at this run's strength."""
    for grade in planned:
        scaled = grade.scaled(settings.strength)
        keeper.planned(scaled)
        yield _Order(grade=scaled)


def _side_by_side(film: Film, orders: Iterator[_Order]) -> Iterator[tuple[Frame, _Order]]:
    frames = film.frames()
    count = 0
    for frame in frames:
        order = next(orders, None)
        if order is None:
            raise InputError(
                f"{film.name} has more frames than the {count} grades made for it; "
                "make the plan again from this film and this part of it"
            )
        count += 1
        yield frame, order
    if next(orders, None) is not None:
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
