"""Scratches: upright lines that stay in the frame while the scene moves behind them.

A lamp post is an upright line, too. It moves as the picture around it does; a scratch keeps its
place, or drifts on its own (Newson et al. 2013 tell them apart in that way). So a line is followed
over frames, and the motion of the scene to both sides of it is added up. Where the scene stands
still there is no telling: such a line stays, except with degree `strong`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from unflicker.motion import estimate_motion
from unflicker.repair.lines import Line, Strips, lines_of, scale_of, strip_count, strips_of
from unflicker.repair.looks import Look, proxy_of


@dataclass(frozen=True, kw_only=True)
class Rules:
    """When a line is a scratch."""

    frames: int
    """Least number of frames of the window in which it is seen."""
    slides_px: float
    """How far the scene moves behind it at least, in px of a picture 640 px wide."""
    share: float
    """Share of its length behind which the scene does."""
    unproven: float
    """Share of the height from which a line counts though the scene stands still; over 1: none."""


RULES = {
    "light": Rules(frames=9, slides_px=8.0, share=0.7, unproven=2.0),
    "normal": Rules(frames=7, slides_px=5.0, share=0.5, unproven=2.0),
    "strong": Rules(frames=7, slides_px=3.0, share=0.4, unproven=0.7),
}
"""Chosen on 40 frames of each of the 16 clean clips with and without drawn scratches, and on six
silent films, whose lines are nearly all of the scene (lab notebook, 2026-11-29)."""
_STRENGTH, _SURE_STRENGTH = 0.7, 0.9
"""Least mean vote of a scratch, and of one that no motion proves."""
_STEP_PX = 1.0
"""Px by which a line may have moved in the next frame."""
_MISSED = 2
"""Frames in succession in which a line may be unseen."""
_JERK_PX = 0.4
"""Most that a scratch usually moves from frame to frame."""
_OF_SCENE, _OWN = 0.6, 0.6
"""Least motion of the scene relative to a line, as a share of its motion in the frame; and most of
the line's own motion, as a share of that. What is of the scene moves with it."""
_FLANKS_PX = (7.0, 10.0, 13.0, 16.0)
"""Distances to both sides at which the scene's motion is looked up: clear of the line itself."""
_EDGE = 0.025
"""Share of the width at either edge in which a line may be the rim of the gate."""

_BLACK, _BLACK_SHARE = 0.1, 0.95
"""Luma, of the stored range, below which this share of what lies between a line and the border of
the frame is a black bar: video black is 0.063."""
_END = 0.25
"""Strips by which a scratch is longer at each end than those in which it is seen."""
_MARGIN_PX = 1.0
"""Width of the margin of a scratch, in px of a picture 640 px wide: its edges are soft."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Sideways:
    """Motion to the right from one picture to the next, in px of them."""

    grid: Float32[np.ndarray, "cells_down cells_across"]
    """On the grid of the proxy."""
    middle: float
    """Its median, the motion of most of the scene."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Lined:
    """The lines of a frame."""

    lines: tuple[Line, ...]
    size: tuple[int, int]
    """Height and width of the frame in px."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Span:
    """Consecutive pictures around one."""

    lined: Sequence[Lined]
    moves: Sequence[Sideways]
    """From each to the next; one less."""
    at: int
    """Which is the one."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Track:
    """A line in several frames."""

    frames: np.ndarray
    """Their numbers, rising."""
    places: np.ndarray
    """How far it has moved there from where it is now, in px."""


def lined(look: Look) -> Lined:
    """The lines of a picture that may be scratches."""
    luma = look.luma.astype(np.float32) * look.unit
    size = luma.shape[0], luma.shape[1]
    edge, strips = _EDGE * size[1], strips_of(luma)
    inside = (
        line
        for line in lines_of(strips, size)
        if edge < line.middle < size[1] - edge and not _is_rim(line, strips, scale_of(size))
    )
    return Lined(lines=tuple(inside), size=size)


def _is_rim(line: Line, strips: Strips, scale: float) -> bool:
    """Whether a line is the rim of a picture between black bars, as of a narrower gate.

    Args:
        line: A line.
        strips: Of its picture.
        scale: Of the picture (`scale_of`).
    """
    beyond = round(max(_FLANKS_PX) * scale)
    left, right = (max(round(line.middle) + way * beyond, 0) for way in (-1, 1))
    sides = strips[line.top : line.bottom, :left], strips[line.top : line.bottom, right:]
    return any(side.size and np.quantile(side, _BLACK_SHARE) < _BLACK for side in sides)


def sideways(first: Look, second: Look) -> Sideways:
    """The motion to the right between two pictures, in px of them.

    Args:
        first: A picture.
        second: The next one.
    """
    motion = estimate_motion(np.stack([proxy_of(first.fine), proxy_of(second.fine)]))
    flow = motion.forward[0, ..., 0]
    grid = flow * np.float32(first.luma.shape[1] / flow.shape[1])
    return Sideways(grid=grid, middle=float(np.median(grid)))


def scratches(span: Span, rules: Rules) -> list[Line]:
    """The lines of a picture that are scratches.

    Args:
        span: The picture and what surrounds it.
        rules: When a line is one.
    """
    return [line for line in span.lined[span.at].lines if _is_scratch(line, span, rules)]


def _is_scratch(line: Line, span: Span, rules: Rules) -> bool:
    size = span.lined[span.at].size
    scale = scale_of(size)
    if line.strength <= _STRENGTH:
        return False
    track = _followed(line, span, scale)
    if len(track.frames) < rules.frames:
        return False
    if np.median(np.abs(np.diff(track.places))) >= _JERK_PX * scale:
        return False
    height = line.strips / strip_count(size)
    if height >= rules.unproven and line.strength > _SURE_STRENGTH:
        return True
    return _slides(line, track, span, rules)


def _followed(line: Line, span: Span, scale: float) -> _Track:
    """Where a line is in the frames before and after."""
    places = {span.at: 0.0}
    for way in (1, -1):
        at, place, missed = span.at + way, 0.0, 0
        while 0 <= at < len(span.lined) and missed <= _MISSED:
            moved = _again(line, span.lined[at].lines, place, _STEP_PX * scale * (1 + missed))
            if moved is None:
                missed += 1
            else:
                places[at] = place = moved
                missed = 0
            at += way
    frames = sorted(places)
    return _Track(frames=np.array(frames), places=np.array([places[at] for at in frames]))


def _again(line: Line, others: Sequence[Line], place: float, reach_px: float) -> float | None:
    """How far a line has moved in another frame; None if it is not there.

    Args:
        line: The line.
        others: Lines of the other frame.
        place: How far it had moved in the frame before.
        reach_px: How far from there it may be.
    """
    best = None
    for other in others:
        top, bottom = max(line.top, other.top), min(line.bottom, other.bottom)
        if other.sign != line.sign or bottom - top < 0.4 * min(line.strips, other.strips):
            continue
        middle = 0.5 * (top + bottom - 1)
        moved = other.at(middle) - line.at(middle)
        if abs(moved - place) <= reach_px and (
            best is None or abs(moved - place) < abs(best - place)
        ):
            best = moved
    return best


def _slides(line: Line, track: _Track, span: Span, rules: Rules) -> bool:
    """Whether the scene moves behind a line, not with it."""
    size = span.lined[span.at].size
    scale = scale_of(size)
    first, last = int(track.frames[0]), int(track.frames[-1])
    steps = [span.moves[at] for at in range(first, last)]
    at = track.frames - first
    own, least = track.places[:, None], rules.slides_px * scale
    scene = _summed([np.array([step.middle]) for step in steps])[at]
    if np.ptp(scene - own) <= max(least, _OF_SCENE * float(np.ptp(scene))):
        return False
    flanks = _summed([_flanks(step.grid, line, size) for step in steps])[at]
    behind, of_scene = np.ptp(flanks - own, axis=0), np.ptp(flanks, axis=0)
    slid = (behind > least) & (behind > _OF_SCENE * of_scene)
    return bool(slid.mean() > rules.share and np.ptp(own) < _OWN * np.median(behind))


def _summed(steps: Sequence[np.ndarray]) -> np.ndarray:
    """Positions from steps: 0 first, then the sum so far, `(time, places)`."""
    moved = np.cumsum(np.stack(steps).astype(np.float64), axis=0)
    return np.concatenate([np.zeros_like(moved[:1]), moved])


def _flanks(
    grid: Float32[np.ndarray, "cells_down cells_across"], line: Line, size: tuple[int, int]
) -> np.ndarray:
    """The scene's motion at both sides of a line, for each of its strips."""
    down, across = grid.shape
    strips = np.arange(line.top, line.bottom)
    rows = np.clip(((strips + 0.5) / strip_count(size) * down).astype(int), 0, down - 1)
    offsets = np.array([sign * px for px in _FLANKS_PX for sign in (-1, 1)]) * scale_of(size)
    columns = np.clip(((line.middle + offsets) / size[1] * across).astype(int), 0, across - 1)
    return np.median(grid[rows[:, None], columns], axis=1)


def mask_of(lines: Sequence[Line], size: tuple[int, int]) -> np.ndarray:
    """Where scratches are, with a margin, for each pixel.

    Args:
        lines: Scratches of a picture.
        size: Height and width of the picture in px.
    """
    mask = np.zeros(size, bool)
    for line in lines:
        rows, columns = places_of(line, size)
        inside = (columns >= 0) & (columns < size[1])
        mask[np.broadcast_to(rows[:, None], columns.shape)[inside], columns[inside]] = True
    return mask


def places_of(line: Line, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The rows of a scratch, and its columns in each, with a margin.

    Columns may be out of the picture.

    Args:
        line: The scratch.
        size: Height and width of the picture in px.
    """
    many = strip_count(size)
    tall = size[0] / many
    ends = round((line.top - _END) * tall), round((line.bottom + _END) * tall)
    rows = np.arange(max(ends[0], 0), min(ends[1], size[0]))
    centre = np.rint(line.at((rows + 0.5) / tall - 0.5)).astype(np.int64)
    margin = margin_px(size)
    first, last = round(line.rims[0]) - margin, round(line.rims[1]) + margin
    return rows, centre[:, None] + np.arange(first, last + 1)


def margin_px(size: tuple[int, int]) -> int:
    """Width of a scratch's margin in px of a picture of some height and width."""
    return max(1, round(_MARGIN_PX * scale_of(size)))
