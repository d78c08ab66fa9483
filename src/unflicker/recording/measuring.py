"""Measurements of one segment of a film, on the decoded and on the written frames.

They depend on nothing but the segment's frames, so that they are the same whether a film is
rendered in one go, by several processes, or after an interruption.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.frames.colour import linear_stops, rgb_of_planes, shrunk, small_rgb, to_rgb
from unflicker.frames.picture import Frame, Picture
from unflicker.grade.mask import Share
from unflicker.metrics.flashes import GRID, NO_FLASHES, FlashCounter, Flashes, luminance_of
from unflicker.plan import FramePlan
from unflicker.recording.record import Still
from unflicker.recording.repaired import Repaired, RepairsSeen
from unflicker.recording.visible import Visible, VisibleFlicker
from unflicker.repair.places import NONE, Repairs

MAP = {"rows": 6, "columns": 8}
_DARK = 0.01
"""Added to both sides of a ratio of light, which is unreliable near black."""
STILLS = 4
_STILL_WIDTH_PX = 640
_APART_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True, eq=False)
class Followed:
    """The plan of a frame, and the strength at which it was applied."""

    plan: FramePlan
    strength: float
    share: Share | None
    """Correction share of each pixel, 0 to 1; 1 everywhere if None."""
    shot: int | None
    """Number of its shot, from 0; None if shots are not known."""
    repairs: Repairs = NONE
    """Where damage was repaired."""
    unmoved: Picture | None = None
    """The result before gate weave was removed; None if it was not."""

    @property
    def by_place(self) -> Float32[np.ndarray, "rows columns"] | np.float32:
        """Share of the correction in each part of the picture."""
        if self.share is None:
            return np.float32(self.strength)
        size = MAP["columns"], MAP["rows"]
        return cv2.resize(self.share, size, interpolation=cv2.INTER_AREA) * np.float32(
            self.strength
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class RankedStill:
    """A still, and the largest change of light in it, in stops."""

    change: float
    still: Still

    @property
    def seconds(self) -> float:
        """Its time."""
        return self.still.seconds


@dataclass(frozen=True, kw_only=True, eq=False)
class _SmallStill:
    """The same in the picture's own planes: most are replaced before their colours are needed."""

    change: float
    index: int
    seconds: float
    before: Picture
    after: Picture

    def in_colours(self) -> RankedStill:
        """The still for a record."""
        before, after = (
            np.rint(to_rgb(each) * 255.0).astype(np.uint8) for each in (self.before, self.after)
        )
        still = Still(index=self.index, seconds=self.seconds, before=before, after=after)
        return RankedStill(change=self.change, still=still)


Ranked = TypeVar("Ranked", RankedStill, _SmallStill)


@dataclass(frozen=True, kw_only=True, eq=False)
class Measured:
    """The measurements of a segment, one for each frame; see `record.Record`."""

    seconds: tuple[float, ...]
    before: Float32[np.ndarray, "time 3"]
    after: Float32[np.ndarray, "time 3"]
    stops: Float32[np.ndarray, "time rows columns"]
    damaged: tuple[int, ...]
    visible: tuple[Visible, ...]
    stills: tuple[RankedStill, ...]
    """The most changed frames, the most changed first."""
    repaired: Repaired
    flashes: tuple[Flashes, Flashes] = (NO_FLASHES, NO_FLASHES)
    """General flashes before and after."""
    notes: tuple[str, ...] = ()
    """What a worker that read the film by itself has to say of it."""
    incomplete: bool = False
    """Whether that worker found something of the film missing."""


class Measuring:
    """Measures a segment, frame by frame."""

    def __init__(self) -> None:
        """Start a segment."""
        self._seconds: list[float] = []
        self._before: list[np.ndarray] = []
        self._after: list[np.ndarray] = []
        self._stops: list[np.ndarray] = []
        self._damaged: list[int] = []
        self._repairs = RepairsSeen()
        self._stills: tuple[_SmallStill, ...] = ()
        self._visible = VisibleFlicker()
        self._flashes = FlashCounter(), FlashCounter()

    def saw(self, frame: Frame, result: Picture, followed: Followed) -> None:
        """Measure a frame that was corrected by its plan.

        Args:
            frame: As decoded.
            result: As written.
            followed: Its plan, and the strength at which it was applied.
        """
        plan = followed.plan
        # Compared with the frame as decoded, place by place.
        in_place = result if followed.unmoved is None else followed.unmoved
        self._repairs.saw(frame, in_place, followed.repairs)
        stops = plan.grade.stops_by_place(**MAP) * followed.by_place
        self._note(frame, result, stops=stops, damaged=plan.damaged)
        if followed.shot is not None:
            self._visible.saw(frame, in_place, plan, shot=followed.shot)

    def redrawn(self, frame: Frame, picture: Picture) -> None:
        """Measure a frame that was redrawn without a plan.

        Args:
            frame: As decoded.
            picture: As written.
        """
        size = MAP["rows"], MAP["columns"]
        before, after = (
            small_rgb(each, size=size).mean(axis=-1) + _DARK for each in (frame.picture, picture)
        )
        stops = linear_stops(np.log(after / before)).astype(np.float32)
        self._note(frame, picture, stops=stops, damaged=frame.damaged)

    def measured(self) -> Measured:
        """The measurements, at the end of the segment."""
        self._visible.ends_shot()
        return Measured(
            seconds=tuple(self._seconds),
            before=stacked(self._before, (3,)),
            after=stacked(self._after, (3,)),
            stops=stacked(self._stops, tuple(MAP.values())),
            damaged=tuple(self._damaged),
            visible=tuple(self._visible.measured),
            stills=tuple(still.in_colours() for still in self._stills),
            repaired=self._repairs.seen(),
            flashes=(self._flashes[0].found(), self._flashes[1].found()),
        )

    def _note(self, frame: Frame, result: Picture, *, stops: np.ndarray, damaged: bool) -> None:
        before = _mean(frame.picture)
        light = _luminance(frame.picture)
        lights = light, light if result is frame.picture else _luminance(result)
        for counter, each in zip(self._flashes, lights, strict=True):
            counter.saw(each, seconds=frame.seconds)
        self._seconds.append(frame.seconds)
        self._before.append(before)
        self._after.append(before if result is frame.picture else _mean(result))
        self._stops.append(stops)
        if damaged:
            self._damaged.append(frame.index)
        change = float(np.abs(stops).max())
        if change >= 0.01 and _is_among(self._stills, frame.seconds, change):
            still = _SmallStill(
                change=change,
                index=frame.index,
                seconds=frame.seconds,
                before=_small(frame.picture),
                after=_small(result),
            )
            self._stills = ranked(self._stills, still)


def ranked(stills: tuple[Ranked, ...], new: Ranked) -> tuple[Ranked, ...]:
    """The most changed of some stills and a new one, which are not too near in time.

    Args:
        stills: The most changed first.
        new: Takes part if no more changed one is near it.
    """
    if not _is_among(stills, new.seconds, new.change):
        return stills
    rest = [kept for kept in stills if not _near(kept, new.seconds)]
    return tuple(sorted([*rest, new], key=lambda kept: -kept.change)[:STILLS])


def stacked(values: list[np.ndarray], shape: tuple[int, ...]) -> Float32[np.ndarray, "time *shape"]:
    """Arrays of one shape as one; empty without any.

    Args:
        values: The arrays.
        shape: Of each of them.
    """
    return np.stack(values).astype(np.float32) if values else np.zeros((0, *shape), np.float32)


def _is_among(stills: Sequence[RankedStill | _SmallStill], seconds: float, change: float) -> bool:
    near = [kept.change for kept in stills if _near(kept, seconds)]
    if near:
        return change > max(near)
    return len(stills) < STILLS or change > stills[-1].change


def _near(kept: RankedStill | _SmallStill, seconds: float) -> bool:
    return abs(kept.seconds - seconds) < _APART_SECONDS


def _mean(picture: Picture) -> Float32[np.ndarray, " 3"]:
    """Mean stored red, green and blue, of a sixteenth of the pixels."""
    colour = picture.planes[: picture.layout.colour_planes]
    means = [np.full((1, 1), cv2.mean(plane[::4, ::4])[0], np.float32) for plane in colour]
    return rgb_of_planes(means, picture)[0, 0]


def _luminance(picture: Picture) -> Float32[np.ndarray, "rows columns"]:
    """Relative luminance by place, of a sixteenth of the pixels of large pictures."""
    step = max(1, min(picture.size[1] // (8 * GRID[1]), 4))
    colour = picture.planes[: picture.layout.colour_planes]
    planes = [shrunk(plane[::step, ::step], GRID) for plane in colour]
    return luminance_of(rgb_of_planes(planes, picture))


def _small(picture: Picture) -> Picture:
    """A picture at most 640 px wide, all planes of that size."""
    height, width = picture.size
    scale = min(1.0, _STILL_WIDTH_PX / width)
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    colour = picture.planes[: picture.layout.colour_planes]
    layout = replace(picture.layout, chroma_shift=(0, 0), alpha=False)
    planes = tuple(shrunk(plane, size) for plane in colour)
    return Picture(planes=planes, layout=layout, meaning=picture.meaning)
