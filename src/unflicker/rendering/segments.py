"""Segments of a film in rendering: each is rendered on its own, encoded and measured.

A segment's result is a function of its frames and plans, of those shortly before and after it, and
of the settings. How many were rendered before, and by whom, has no effect.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain, count, dropwhile, islice
from pathlib import Path

from unflicker.files.workspace import Workspace
from unflicker.frames.picture import Frame, Picture
from unflicker.plan import FramePlan
from unflicker.recording import Followed, Measured, Measuring
from unflicker.rendering.stages import Item, Stage, through
from unflicker.video.segments import SEGMENT_FRAMES, SegmentFormat

Told = Callable[[int], None]
"""Called with the number of frames that are done."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Making:
    """How and where the segments of a film are made."""

    form: SegmentFormat
    work: Workspace
    tell: Told = lambda _: None
    """Progress."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Segment:
    """A finished segment."""

    place: Path
    """Where it is, in the format that it was asked for in."""
    measured: Measured


@dataclass(frozen=True, kw_only=True, eq=False)
class Rendered:
    """A frame's result."""

    frame: Frame
    """As decoded."""
    picture: Picture
    followed: Followed | None = None
    """The plan that it follows; None if it was redrawn without one."""


def segments_of_items(
    items: Iterator[Item],
    stages: Sequence[Stage],
    making: Making,
    *,
    since: int = 0,
) -> Iterator[Segment]:
    """The segments of a film that is rendered by plans; those in the workspace are taken from it.

    Args:
        items: The film's frames in order, from some before the first segment on.
        stages: Of rendering.
        making: How and where segments are made.
        since: First frame of the first segment.
    """
    source = _Replay(items)
    needs = needs_of(stages)
    for start in count(since, SEGMENT_FRAMES):
        if not source.reaches(start):
            return
        stop = start + SEGMENT_FRAMES
        first = first_needed([item.plan for item in source.held], start, needs)
        part = source.part(first, keep_from=stop - needs.burn_in)
        with closing(part):
            kept = known(making.work, start)
            if kept is not None:
                _pass_over(part, start + len(kept.measured.seconds))
                making.tell(start + len(kept.measured.seconds))
                yield kept
                continue
            own = dropwhile(_is_before(start), through(part, stages))
            results = map(rendered, islice(own, SEGMENT_FRAMES))
            place = segment_place(making.work, start)
            measured = made(results, place=place, form=making.form, tell=making.tell)
            yield keep(making.work, start, measured)


def finished(making: Making) -> Iterator[Segment]:
    """The first segments of a film, as far as they are in the workspace.

    Args:
        making: How and where segments are made.
    """
    for start in count(0, SEGMENT_FRAMES):
        kept = known(making.work, start)
        if kept is None:
            return
        making.tell(start + len(kept.measured.seconds))
        yield kept


def segments_of_results(results: Iterator[Rendered], making: Making) -> Iterator[Segment]:
    """The segments of a film whose frames are redrawn one after the other.

    Args:
        results: Of all frames, in order.
        making: How and where segments are made.
    """
    for start in count(0, SEGMENT_FRAMES):
        first = next(results, None)
        if first is None:
            return
        own = chain([first], islice(results, SEGMENT_FRAMES - 1))
        place = segment_place(making.work, start)
        measured = made(own, place=place, form=making.form, tell=making.tell)
        yield keep(making.work, start, measured)


def made(
    results: Iterable[Rendered],
    *,
    place: Path,
    form: SegmentFormat,
    tell: Told = lambda _: None,
) -> Measured:
    """Encode and measure a segment.

    Args:
        results: Of its frames, in order.
        place: The file to write.
        form: How it is encoded.
        tell: Progress.
    """
    measuring = Measuring()
    with form.segment(place) as segment:
        for result in results:
            if result.followed is None:
                measuring.redrawn(result.frame, result.picture)
            else:
                measuring.saw(result.frame, result.picture, result.followed)
            segment.write(replace(result.frame, picture=result.picture))
            tell(result.frame.index + 1)
    return measuring.measured()


def segment_place(work: Workspace, start: int) -> Path:
    """Where the file of a segment is kept.

    Args:
        work: Of the run.
        start: Index of the segment's first frame.
    """
    return work.path(f"segments/{start:09d}.packets")


def known(work: Workspace, start: int) -> Segment | None:
    """A finished segment, if it is in the workspace.

    Args:
        work: Of the run.
        start: Index of the segment's first frame.
    """
    measured, place = work.load(_measured_name(start)), segment_place(work, start)
    if not isinstance(measured, Measured) or not place.exists():
        return None
    return Segment(place=place, measured=measured)


def keep(work: Workspace, start: int, measured: Measured) -> Segment:
    """Take note that a segment's file is written: it is finished then.

    Args:
        work: Of the run.
        start: Index of the segment's first frame.
        measured: Its measurements.
    """
    work.store(_measured_name(start), measured)
    return Segment(place=segment_place(work, start), measured=measured)


def rendered(item: Item) -> Rendered:
    """The result of the last stage."""
    followed = Followed(
        plan=item.plan,
        strength=item.strength,
        share=item.share,
        shot=item.shot,
        repairs=item.repairs,
        unmoved=item.unmoved,
    )
    return Rendered(frame=item.frame, picture=item.picture, followed=followed)


@dataclass(frozen=True, kw_only=True)
class Needs:
    """Frames around a segment on which its result depends."""

    burn_in: int
    """Before it."""
    unrefined_burn_in: int
    """Before it where no texture is refined."""
    look_ahead: int
    """After it, besides those that the last stage reads: a picture and its repeats."""


def needs_of(stages: Sequence[Stage]) -> Needs:
    """What the stages of rendering need; each one needs it of the results of those before."""
    working = [stage for stage in stages if not stage.follows_texture]
    return Needs(
        burn_in=sum(stage.burn_in_frames for stage in stages),
        unrefined_burn_in=sum(stage.burn_in_frames for stage in working),
        look_ahead=sum(stage.look_ahead_frames for stage in working),
    )


def first_needed(plans: Sequence[FramePlan], start: int, needs: Needs) -> int:
    """Where a segment's rendering begins: earlier if texture is refined there.

    Args:
        plans: Of some frames before it, and of its own.
        start: Index of the segment's first frame.
        needs: Of the stages.
    """
    before = [plan for plan in plans if plan.index <= start]
    refined = any(plan.texture.amount > 0.0 for plan in before)
    return before[0].index if refined else max(start - needs.unrefined_burn_in, before[0].index)


def _measured_name(start: int) -> str:
    return f"segments/{start:09d}.measured"


def _is_before(start: int) -> Callable[[Item], bool]:
    return lambda item: item.plan.index < start


def _pass_over(part: Iterator[Item], stop: int) -> None:
    """Take the items before one that is not wanted any more."""
    for item in part:
        if item.plan.index >= stop - 1:
            return


class _Replay:
    """Items of a film; the last of them can be taken again."""

    def __init__(self, items: Iterator[Item]) -> None:
        self._items = items
        self.held: deque[Item] = deque()
        """Items that were taken, and may be needed again."""

    def reaches(self, index: int) -> bool:
        """Whether there is an item of this index, or a later one."""
        while not self.held or self.held[-1].plan.index < index:
            item = next(self._items, None)
            if item is None:
                return False
            self.held.append(item)
        return True

    def part(self, first: int, *, keep_from: int) -> Generator[Item, None, None]:
        """The items from one on, to the end; it is closed when no more of them are needed.

        Args:
            first: Index of the first.
            keep_from: Index of the first that is held to be taken again.
        """
        waiting, self.held = self.held, deque()
        try:
            while True:
                item = waiting.popleft() if waiting else next(self._items, None)
                if item is None:
                    return
                if item.plan.index >= keep_from:
                    self.held.append(item)
                if item.plan.index >= first:
                    yield item
        finally:
            self.held.extend(waiting)
