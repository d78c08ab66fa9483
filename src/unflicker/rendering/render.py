"""The second reading: full-size frames, each graded, refined or drawn anew.

frame + grade ─► graded frame ─► texture calmed where it flickers          every preset but
frame + guide ─► drawn anew by networks                                    `paper`
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from jaxtyping import Float32, Shaped

from unflicker.analysis.analyse_film import analyse_film
from unflicker.compute.devices import chosen, torch_sharing
from unflicker.compute.prefetch import running_ahead
from unflicker.errors import InputError, UsageError
from unflicker.frames.alpha import covered
from unflicker.frames.clip import from_float, to_float
from unflicker.frames.picture import Frame, Picture, as_array, as_picture, same_samples
from unflicker.grade import Grade
from unflicker.grade.apply import apply_grade, apply_to_light
from unflicker.grade.apply_cuda import apply_grade_on
from unflicker.grade.mask import FullShares, Share, read_mask
from unflicker.motion import estimate_motion
from unflicker.plan import FramePlan, Plan, PlanWriter
from unflicker.plan.fingerprint import is_of
from unflicker.progress import Report
from unflicker.recording.recorder import Recorder
from unflicker.refinement.mixing import within_mask
from unflicker.refinement.refine import Graded, refined
from unflicker.settings import Settings, replaced, to_dict
from unflicker.video import VideoSource

Shown = TypeVar("Shown")


_DECIDED = ("refinement.used", "proxy.width_px")
"""Settings that a plan decides where it is followed."""


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
    guide: Path | None = None
    """The steady original of a film that was processed frame by frame."""


@contextmanager
def render_film(
    film: VideoSource, settings: Settings, options: RunOptions, recorder: Recorder, progress: Report
) -> Iterator[Iterator[Frame]]:
    """The frames of a film in order, without their flicker.

    Args:
        film: As it is.
        settings: How.
        options: What of it, and what else to read and write.
        recorder: Told of each frame.
        progress: Told how far a preset is that thinks long before its first frame.
    """
    mask = read_mask(options.mask, size=film.size) if options.mask else None
    if settings.redraws:
        need_grades(settings, options)
        yield _redrawn(film, settings, mask, recorder, progress)
        return
    device = chosen(settings.device)
    with plans(film, settings, options, recorder) as (planned, settings):
        yield _steady(film, planned, settings, mask=mask, device=device, recorder=recorder)


def _steady(
    film: VideoSource,
    planned: Iterator[FramePlan],
    settings: Settings,
    *,
    mask: Share | None,
    device: str,
    recorder: Recorder,
) -> Iterator[Frame]:
    shares = FullShares(mask)

    def graded() -> Iterator[Item[Frame]]:
        for frame, plan in _side_by_side(film, planned, settings):
            share = shares.of(frame.picture, plan.kept)
            grade = plan.grade.scaled(settings.strength)
            picture = _applied(frame.picture, grade, device=device, mask=share)
            yield Item(
                shown=frame, picture=picture, plan=plan, original=frame.original, share=share
            )

    for frame, picture in _calmed(graded(), settings):
        recorder.saw(frame, picture)
        yield replace(frame, picture=picture)


def _redrawn(
    film: VideoSource, settings: Settings, mask: Share | None, recorder: Recorder, progress: Report
) -> Iterator[Frame]:
    """Each frame drawn anew by the reference system."""
    from unflicker.paper import pipeline as reference

    networks = reference.load_networks(settings)
    redrawn = reference.redrawn(film, networks, settings, mask=mask, progress=progress)
    with torch_sharing():
        for frame, rgb in redrawn:
            picture = reference.as_picture(rgb, frame.picture)
            recorder.redrawn(frame, picture)
            yield replace(frame, picture=picture)


def need_grades(settings: Settings, options: RunOptions | None = None) -> None:
    """Refuse a preset that has no grades where grades are asked for.

    Raises:
        UsageError: It draws frames anew.
    """
    asked = options is None or options.plan or options.save_plan
    if settings.redraws and asked:
        raise UsageError(
            "preset paper draws frames anew and has no grades to look at, keep or apply; "
            "use --preset fast or standard"
        )


def render_in_place(
    pixels: Shaped[np.ndarray, "time height width *channels"],
    film: VideoSource,
    settings: Settings,
    progress: Report,
) -> Iterator[int]:
    """Steady pictures in memory, in their place; the index of each as it is done.

    Args:
        pixels: The pictures, RGB or grey.
        film: The same as a film.
        settings: How.
        progress: As in `render_film`.
    """
    if settings.redraws:
        from unflicker.paper.pipeline import load_networks, redrawn

        networks = load_networks(settings)
        with torch_sharing():
            for frame, rgb in redrawn(film, networks, settings, progress=progress):
                drawn = rgb.mean(axis=-1, dtype=np.float32) if pixels.ndim == 3 else rgb
                pixels[frame.index] = from_float(drawn, dtype=pixels.dtype)
                yield frame.index
        return
    # Frames that thinking still needs are later ones, or small copies of its own.
    with running_ahead(analyse_film(film, settings), most=settings.window.frames) as ahead:
        planned = (item for item in ahead if isinstance(item, FramePlan))
        yield from _steadied(pixels, film, planned, settings)


def _steadied(
    out: Shaped[np.ndarray, "time height width *channels"],
    film: VideoSource,
    planned: Iterator[FramePlan],
    settings: Settings,
) -> Iterator[int]:
    """Grade and refine pictures in place; their indices as they are done."""

    shares = FullShares(None)

    def graded() -> Iterator[tuple[FramePlan, Share | None]]:
        for plan in planned:
            t, share = plan.index, shares.of_size(out.shape[1:3], plan.kept)
            grade = plan.grade.scaled(settings.strength)
            if not grade.is_identity:
                out[t] = _graded_array(out[t], grade, share=share)
            yield plan, share

    if not settings.refinement.used:
        yield from (plan.index for plan, _ in graded())
        return
    beside = (frame.original for frame in film.frames())
    pictures = (
        Item(
            shown=plan.index,
            picture=as_picture(out[plan.index]),
            plan=plan,
            original=next(beside),
            share=share,
        )
        for plan, share in graded()
    )
    for index, picture in _calmed(pictures, settings):
        out[index] = as_array(picture, like=out[index])
        yield index


@dataclass(frozen=True, kw_only=True, eq=False)
class Item(Generic[Shown]):
    """A frame on its way through the stages of rendering, and what is planned for it."""

    shown: Shown
    """What it came as."""
    picture: Picture
    plan: FramePlan
    original: Picture | None = None
    """The same frame of the steady original."""
    share: Share | None = None
    """How much of the correction each pixel takes; all of it where None."""


def _calmed(items: Iterator[Item[Shown]], settings: Settings) -> Iterator[tuple[Shown, Picture]]:
    """Graded pictures with their texture calmed where it flickers, each with what it came as."""
    if not settings.refinement.used:
        yield from ((item.shown, item.picture) for item in items)
        return
    waiting: deque[list[Item[Shown]]] = deque()

    def given() -> Iterator[Graded]:
        """Each picture that is new; the same once more gets the same answer."""
        for item in items:
            plan = item.plan
            if waiting and plan.repeats and same_samples(item.picture, waiting[-1][0].picture):
                waiting[-1].append(item)
                continue
            waiting.append([item])
            yield Graded(
                picture=covered(item.picture),
                texture_flickers=plan.texture.amount > 0.0,
                where=plan.texture.where,
                starts_shot=plan.starts_shot,
                stands_alone=plan.keeps_light,
                light_scale=plan.light_scale,
                original=item.original,
            )

    for picture in refined(
        given(),
        follow=estimate_motion,
        proxy_px=settings.proxy.width_px,
        strength=settings.strength,
    ):
        for item in waiting.popleft():
            before, share = item.picture, item.share
            yield item.shown, picture if share is None else within_mask(before, picture, share)


def _applied(
    picture: Picture,
    grade: Grade,
    *,
    device: str,
    mask: Share | None,
) -> Picture:
    if device == "cpu":
        return apply_grade(picture, grade, mask=mask)
    return apply_grade_on(picture, grade, device=device, mask=mask)


@contextmanager
def plans(
    film: VideoSource, settings: Settings, options: RunOptions, recorder: Recorder
) -> Iterator[tuple[Iterator[FramePlan], Settings]]:
    """What to do to each frame: thought, or read from a plan; it is saved where asked. And the
    settings by which it is rendered."""
    if options.plan is not None:
        plan = Plan(options.plan)
        recorder.heard_of_shots(plan.shots)
        yield _followed(plan, recorder), _as_planned(settings, plan.about, options)
        return
    thought = analyse_film(film, settings)
    if options.save_plan is None:
        with running_ahead(thought, most=settings.window.frames) as ahead:
            yield _kept(ahead, recorder, None), settings
        return
    height, width = film.size
    about = {
        "source": film.name,
        "film": {"width": width, "height": height},
        "guided": options.guide is not None,
        "settings": to_dict(settings),
    }
    with (
        PlanWriter(options.save_plan, about=about) as saved,
        running_ahead(thought, most=settings.window.frames) as ahead,
    ):
        yield _kept(ahead, recorder, saved), settings
        saved.tell_shots(recorder.shots)


def _as_planned(settings: Settings, about: dict[str, Any], options: RunOptions) -> Settings:
    """The settings with what a plan that is followed decides: how it was thought is how it is
    rendered.

    Raises:
        InputError: It was made beside an original that is not passed.
    """
    decided = {name: about.get("settings", {}).get(name) for name in _DECIDED}
    settings = replaced(settings, {name: v for name, v in decided.items() if v is not None})
    if about.get("guided") and settings.refinement.used and options.guide is None:
        raise InputError(
            f"the plan {options.plan} was made beside a steady original, which its refinement "
            "needs; pass the same original with --guide"
        )
    return settings


def _kept(thought: Iterator, recorder: Recorder, saved: PlanWriter | None) -> Iterator[FramePlan]:
    for item in thought:
        recorder.heard(item)
        if isinstance(item, FramePlan):
            if saved is not None:
                saved.add(item)
            yield item


def _followed(plan: Plan, recorder: Recorder) -> Iterator[FramePlan]:
    for frame in plan:
        recorder.heard(frame)
        yield frame


def _side_by_side(
    film: VideoSource, planned: Iterator[FramePlan], settings: Settings
) -> Iterator[tuple[Frame, FramePlan]]:
    count = 0
    for frame in film.frames():
        plan = next(planned, None)
        if plan is None:
            raise InputError(
                f"{film.name} has more frames than the {count} grades made for it; "
                "make the plan again from this film and this part of it"
            )
        if not is_of(frame.picture, plan, proxy_px=settings.proxy.width_px):
            raise InputError(
                f"frame {count} of {film.name} is not the frame that the plan was made of; "
                "make the plan again from this film and this part of it"
            )
        count += 1
        yield frame, plan
    if next(planned, None) is not None:
        raise InputError(
            f"{film.name} has {count} frames, fewer than the grades made for it; "
            "make the plan again from this film and this part of it"
        )


def _graded_array(
    picture: Shaped[np.ndarray, "height width *channels"], grade: Grade, *, share: Share | None
) -> Shaped[np.ndarray, "height width *channels"]:
    """One picture of an array with its grade, as its own type; unlike a film's, not dithered."""
    if picture.ndim == 3:
        graded = apply_to_light(picture, grade)
    else:
        colour = np.repeat(to_float(picture)[..., None], 3, axis=-1)
        grey: Float32[np.ndarray, "height width"] = apply_to_light(colour, grade).mean(axis=-1)
        graded = from_float(grey, dtype=picture.dtype)
    if share is None:
        return graded
    part = share.reshape(share.shape + (1,) * (picture.ndim - 2))
    mixed = picture + (graded.astype(np.float32) - picture) * part
    return (np.rint(mixed) if picture.dtype != np.float32 else mixed).astype(picture.dtype)
