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
from typing import TypeVar

import numpy as np
from jaxtyping import Float32, Shaped

from unflicker.ahead import running_ahead
from unflicker.devices import chosen, torch_sharing
from unflicker.errors import InputError, UsageError
from unflicker.frames.alpha import covered
from unflicker.frames.clip import from_float, to_float
from unflicker.frames.picture import Frame, Picture, as_array, as_picture, same_samples
from unflicker.grade import Grade
from unflicker.grade.apply import apply_grade, apply_to_light
from unflicker.grade.apply_cuda import apply_grade_on
from unflicker.grade.mask import FullShares, Kept, Share, read_mask
from unflicker.grade.plan import PlanWriter, read_kept, read_plan
from unflicker.keeping import Keeper
from unflicker.motion import estimate_motion
from unflicker.progress import Report
from unflicker.refinement.mixing import within_mask
from unflicker.refinement.refine import Graded, refined
from unflicker.refinement.texture import NO_FLICKER, TextureFlicker
from unflicker.settings import Settings, to_dict
from unflicker.thinking import Thought, think
from unflicker.video import Film

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
    guide: Path | None = None
    """The steady original of a film that was processed frame by frame."""


@contextmanager
def steady_frames(
    film: Film, settings: Settings, options: RunOptions, keeper: Keeper, progress: Report
) -> Iterator[Iterator[Frame]]:
    """The frames of a film in order, without their flicker.

    Args:
        film: As it is.
        settings: How.
        options: What of it, and what else to read and write.
        keeper: Told of each frame.
        progress: Told how far a preset is that thinks long before its first frame.
    """
    mask = read_mask(options.mask, size=film.size) if options.mask else None
    if settings.preset == "paper":
        need_grades(settings, options)
        yield _redrawn(film, settings, mask, keeper, progress)
        return
    device = chosen(settings.device)
    with orders(film, settings, options, keeper) as ordered:
        yield _steady(film, ordered, settings, mask=mask, device=device, keeper=keeper)


def _steady(
    film: Film,
    ordered: Iterator[Order],
    settings: Settings,
    *,
    mask: Share | None,
    device: str,
    keeper: Keeper,
) -> Iterator[Frame]:
    shares = FullShares(mask)

    def graded() -> Iterator[tuple[Frame, Picture, Order]]:
        for frame, order in _side_by_side(film, ordered):
            share = shares.of(frame.picture, order.kept)
            picture = _applied(frame.picture, order.grade, device=device, mask=share)
            yield frame, picture, replace(order, original=frame.original, share=share)

    for frame, picture in _calmed(graded(), settings):
        keeper.saw(frame, picture)
        yield replace(frame, picture=picture)


def _redrawn(
    film: Film, settings: Settings, mask: Share | None, keeper: Keeper, progress: Report
) -> Iterator[Frame]:
    """Each frame drawn anew by the reference system."""
    from unflicker import reference

    networks = reference.load_networks(settings)
    redrawn = reference.redrawn(film, networks, settings, mask=mask, progress=progress)
    with torch_sharing():
        for frame, rgb in redrawn:
            picture = reference.as_picture(rgb, frame.picture)
            keeper.redrawn(frame, picture)
            yield replace(frame, picture=picture)


def need_grades(settings: Settings, options: RunOptions | None = None) -> None:
    """Refuse a preset that has no grades where grades are asked for.

    Raises:
        UsageError: It draws frames anew.
    """
    asked = options is None or options.plan or options.save_plan
    if settings.preset == "paper" and asked:
        raise UsageError(
            "preset paper draws frames anew and has no grades to look at, keep or apply; "
            "use --preset fast or standard"
        )


def steady_in_place(
    pixels: Shaped[np.ndarray, "time height width *channels"],
    film: Film,
    settings: Settings,
    progress: Report,
) -> Iterator[int]:
    """Steady pictures in memory, in their place; the index of each as it is done.

    Args:
        pixels: The pictures, RGB or grey.
        film: The same as a film.
        settings: How.
        progress: As in `steady_frames`.
    """
    if settings.preset == "paper":
        from unflicker.reference import load_networks, redrawn

        networks = load_networks(settings)
        with torch_sharing():
            for frame, rgb in redrawn(film, networks, settings, progress=progress):
                drawn = rgb.mean(axis=-1, dtype=np.float32) if pixels.ndim == 3 else rgb
                pixels[frame.index] = from_float(drawn, dtype=pixels.dtype)
                yield frame.index
        return
    # Frames that thinking still needs are later ones, or small copies of its own.
    with running_ahead(think(film, settings), most=settings.window.frames) as ahead:
        thoughts = (item for item in ahead if isinstance(item, Thought))
        yield from _steadied(pixels, film, thoughts, settings)


def _steadied(
    out: Shaped[np.ndarray, "time height width *channels"],
    film: Film,
    thoughts: Iterator[Thought],
    settings: Settings,
) -> Iterator[int]:
    """Grade and refine pictures in place; their indices as they are done."""

    shares = FullShares(None)

    def graded() -> Iterator[tuple[int, Share | None, Thought]]:
        for thought in thoughts:
            t, share = thought.index, shares.of_size(out.shape[1:3], thought.kept)
            if not thought.grade.is_identity:
                out[t] = _graded_array(out[t], thought.grade, share=share)
            yield t, share, thought

    if not settings.refinement.used:
        yield from (index for index, _, _ in graded())
        return
    beside = (frame.original for frame in film.frames())
    pictures = (
        (t, as_picture(out[t]), replace(_ordered(thought), original=next(beside), share=share))
        for t, share, thought in graded()
    )
    for index, picture in _calmed(pictures, settings):
        out[index] = as_array(picture, like=out[index])
        yield index


def _calmed(
    graded: Iterator[tuple[Item, Picture, Order]], settings: Settings
) -> Iterator[tuple[Item, Picture]]:
    """Graded pictures with their texture calmed where it flickers, each with what it came with."""
    if not settings.refinement.used:
        yield from ((item, picture) for item, picture, _ in graded)
        return
    waiting: deque[list[tuple[Item, Picture, Share | None]]] = deque()

    def given() -> Iterator[Graded]:
        """Each picture that is new; the same once more gets the same answer."""
        for item, picture, order in graded:
            if waiting and order.repeats and same_samples(picture, waiting[-1][0][1]):
                waiting[-1].append((item, picture, order.share))
                continue
            waiting.append([(item, picture, order.share)])
            yield Graded(
                picture=covered(picture),
                texture_flickers=order.texture.amount > 0.0,
                where=order.texture.where,
                starts_shot=order.starts_shot,
                stands_alone=order.keeps_light,
                light_scale=order.light_scale,
                original=order.original,
            )

    for picture in refined(
        given(),
        follow=estimate_motion,
        proxy_px=settings.proxy.width_px,
        strength=settings.strength,
    ):
        for item, before, share in waiting.popleft():
            yield item, picture if share is None else within_mask(before, picture, share)


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


@dataclass(frozen=True, kw_only=True, eq=False)
class Order:
    """What is to be done to a frame. By a plan nothing is refined: it says nothing of texture."""

    grade: Grade
    kept: Kept | None = None
    """What of it is not the scene."""
    texture: TextureFlicker = NO_FLICKER
    starts_shot: bool = False
    repeats: bool = False
    """Whether the frame shows the same picture as the one before."""
    keeps_light: bool = False
    """Whether its light is an event of the film, which nothing evens out."""
    light_scale: float = 1.0
    """By how much light is multiplied to be looked at."""
    original: Picture | None = None
    """The same frame of the steady original, once the frame is there."""
    share: Share | None = None
    """How much of the correction each pixel takes, likewise; all of it where None."""


def _ordered(thought: Thought) -> Order:
    return Order(
        grade=thought.grade,
        kept=thought.kept,
        texture=thought.texture,
        starts_shot=thought.starts_shot,
        repeats=thought.repeats,
        keeps_light=thought.keeps_light,
        light_scale=thought.light_scale,
    )


@contextmanager
def orders(
    film: Film, settings: Settings, options: RunOptions, keeper: Keeper
) -> Iterator[Iterator[Order]]:
    """What to do to each frame: thought, or read from a plan; grades are saved where asked."""
    if options.plan is not None:
        _, planned = read_plan(options.plan)
        yield _planned(zip(planned, read_kept(options.plan), strict=False), settings, keeper)
        return
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


def _kept(thoughts: Iterator, keeper: Keeper, plan: PlanWriter | None) -> Iterator[Order]:
    for thought in thoughts:
        keeper.heard(thought)
        if isinstance(thought, Thought):
            if plan is not None:
                plan.add(thought.grade, kept=thought.kept)
            yield _ordered(thought)


def _planned(
    planned: Iterator[tuple[Grade, Kept | None]], settings: Settings, keeper: Keeper
) -> Iterator[Order]:
    """A plan's grades, at this run's strength."""
    for grade, kept in planned:
        scaled = grade.scaled(settings.strength)
        keeper.planned(scaled)
        yield Order(grade=scaled, kept=kept)


def _side_by_side(film: Film, orders: Iterator[Order]) -> Iterator[tuple[Frame, Order]]:
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
