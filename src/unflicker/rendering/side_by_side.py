"""Segments rendered side by side by several workers; the result is the same, byte for byte.

A worker gets the plans of a segment's frames and of those around it, reads the film itself, from
near the segment on, and writes the segment's file, or sends it to the caller.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from unflicker.compute.context import RunContext
from unflicker.errors import InputError
from unflicker.files.sent import Sent
from unflicker.files.unfinished import temporary_folder
from unflicker.frames.picture import Frame
from unflicker.grade.mask import FullShares, read_mask
from unflicker.jobs.pool import Pool
from unflicker.recording import Measured
from unflicker.rendering.planned import Ordered, Pairs, Planned, frames_near
from unflicker.rendering.segments import (
    Making,
    Needs,
    Segment,
    first_needed,
    keep,
    known,
    made,
    needs_of,
    rendered,
    segment_place,
)
from unflicker.rendering.stages import Item, stages_of, through
from unflicker.settings import Settings
from unflicker.video import FilmFiles, VideoSource
from unflicker.video.segment_file import named
from unflicker.video.segments import SEGMENT_FRAMES, SegmentFormat


@dataclass(frozen=True, kw_only=True, eq=False)
class RenderTask:
    """What all segments of a film have in common."""

    film: FilmFiles
    settings: Settings
    device: str
    mask: Path | None
    """A picture of correction shares."""
    form: SegmentFormat


@dataclass(frozen=True, kw_only=True, eq=False)
class SegmentTask:
    """A segment to be rendered."""

    task: RenderTask
    start: int
    """Index of its first frame."""
    frames: int
    is_last: bool
    """Whether no frame comes after it."""
    orders: tuple[Ordered, ...]
    """Of its frames, and of those before and after it that its rendering needs."""
    place: Path
    """The file to write."""


def segment_of_task(part: SegmentTask) -> Measured:
    """Render, encode and measure a segment.

    Args:
        part: The segment.

    Raises:
        InputError: The film is not the one that the plans are of.
    """
    film, first = part.task.film.open(), part.orders[0].plan
    try:
        return _rendered(part, film, frames_near(film, first))
    except InputError:
        # Some files cannot be entered in the middle: from their beginning they must agree.
        return _rendered(part, film, (f for f in film.frames() if f.index >= first.index))


def sent_segment(part: SegmentTask) -> tuple[Measured, Sent]:
    """As `segment_of_task`, with the segment's content in place of a file.

    Args:
        part: The segment.
    """
    with temporary_folder() as folder:
        place = folder / part.place.name
        measured = segment_of_task(replace(part, place=place))
        return measured, Sent.of(place)


def segments_side_by_side(
    planned: Planned, task: RenderTask, making: Making, *, pool: Pool
) -> Iterator[Segment]:
    """The segments of a film in order; those in the workspace are taken from it.

    Args:
        planned: Plans, settings and strengths.
        task: What all segments have in common.
        making: How and where segments are made.
        pool: The workers that make them.
    """
    work = making.work
    needs = needs_of(stages_of(task.settings, RunContext(device=task.device)))
    parts = (
        SegmentTask(
            task=task,
            start=start,
            frames=sum(start <= order.plan.index < start + SEGMENT_FRAMES for order in orders),
            is_last=is_last,
            orders=orders,
            place=segment_place(work, start),
        )
        for start, is_last, orders in _parts(planned.ordered(), needs)
    )
    make: Callable[[SegmentTask], Measured | tuple[Measured, Sent]]
    make = segment_of_task if pool.shares_files else sent_segment
    for part, result in pool.in_order(make, parts, known=lambda part: known(work, part.start)):
        making.tell(part.start + part.frames)
        if isinstance(result, Segment):
            yield result
        else:
            yield keep(work, part.start, _received(result, part.place))


def _received(result: Measured | tuple[Measured, Sent], place: Path) -> Measured:
    """The measurements of a segment, whose file is in its place then."""
    if isinstance(result, Measured):
        return result
    measured, content = result
    named(content.put(place), place)
    return measured


def _parts(
    orders: Iterator[Ordered], needs: Needs
) -> Iterator[tuple[int, bool, tuple[Ordered, ...]]]:
    """The first frame of each segment, whether it is the last, and the orders that it needs."""
    held: deque[Ordered] = deque()
    over = False
    for start in count(0, SEGMENT_FRAMES):
        stop = start + SEGMENT_FRAMES
        while not over and not _reaches(held, stop, needs):
            order = next(orders, None)
            over = order is None
            if order is not None:
                held.append(order)
        if not held or held[-1].plan.index < start:
            return
        yield start, held[-1].plan.index < stop, tuple(held)
        while held and held[0].plan.index < stop - needs.burn_in:
            held.popleft()


def _reaches(held: deque[Ordered], stop: int, needs: Needs) -> bool:
    """Whether all orders are there that a segment needs after its last frame.

    The last stage looks ahead to the next picture, past all repeats of this one.
    """
    if not held or held[-1].plan.index < stop + needs.look_ahead:
        return False
    last = held[-1].plan.index - needs.look_ahead
    after = (order.plan for order in held if stop <= order.plan.index <= last)
    return any(not plan.repeats for plan in after)


def _rendered(part: SegmentTask, film: VideoSource, frames: Iterator[Frame]) -> Measured:
    task, stop = part.task, part.start + part.frames
    pairs = Pairs(name=film.name, proxy_px=task.settings.proxy.width_px)
    mask = read_mask(task.mask, size=film.size) if task.mask is not None else None
    shares = FullShares(mask)
    stages = stages_of(task.settings, RunContext(device=task.device))
    first = first_needed([order.plan for order in part.orders], part.start, needs_of(stages))

    def items() -> Iterator[Item]:
        for order in part.orders:
            frame = next(frames, None)
            if frame is None:
                raise pairs.fewer(order.plan.index)
            if order.plan.index < first:
                continue
            pairs.check(frame, order.plan)
            yield order.item(frame, shares)
        if part.is_last and next(frames, None) is not None:
            raise pairs.more(stop)

    results = (
        rendered(item) for item in through(items(), stages) if part.start <= item.plan.index < stop
    )
    measured = made(results, place=part.place, form=task.form)
    lacks = getattr(film, "incomplete", False)
    return replace(measured, notes=tuple(film.notes), incomplete=lacks)
