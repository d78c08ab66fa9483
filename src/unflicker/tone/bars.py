"""Detection of bars: lines of constant level at the borders that do not flicker."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Bool, Float32, Int, Shaped, UInt8

_SAME_CODES = 3
"""Codes of 8 bits by which a bar's pixels differ from its level: noise of coding."""
_LEAST_SAME = 0.5
"""Share of a line that is at the bar's level in each frame; the rest may be timecode or a logo."""
_MOST = 0.45
"""Largest width of a bar, as a share of the picture."""
_STEADY = 0.5
"""A bar's mean changes by less than this share of what its correction would add."""
_TELLING_CODES = 0.3
"""A correction that moves the mean of a line by less is no evidence, and harmless."""
_ABOVE_CODES = 12
"""Difference in brightness from which on a pixel lies on the bar, or is not part of one."""
_OVERLAYS = 0.6

Scores = Callable[
    [UInt8[np.ndarray, "time pixels"], UInt8[np.ndarray, "time pixels"]],
    Float32[np.ndarray, "time pixels"],
]
"""How far pixels keep their stored value; see `overlays`."""
_SIDES = (slice(None), 0), (slice(None, None, -1), 0), (slice(None), 1), (slice(None, None, -1), 1)
"""Top, bottom, left and right: direction in which lines are scanned, and their axis."""
_OUTERMOST = (
    lambda frame: frame[0],
    lambda frame: frame[-1],
    lambda frame: frame[:, 0],
    lambda frame: frame[:, -1],
)


def may_be_framed(stored: Sequence[UInt8[np.ndarray, "height width"]]) -> bool:
    """Whether the outermost line of any side has one level in all frames: a quick test."""
    sides = ([line(frame) for frame in stored] for line in _OUTERMOST)
    return any(_level(np.stack(lines)) is not None for lines in sides)


def take_bars(
    share: UInt8[np.ndarray, "time height width"],
    stored: UInt8[np.ndarray, "time height width"],
    corrected: UInt8[np.ndarray, "time height width"],
    scores: Scores,
) -> None:
    """Set the share of bars, and of what lies on them, to 0, in place.

    Args:
        share: Correction shares, 0 to 255.
        stored: Luma as the film has it.
        corrected: The same luma with tone's correction.
        scores: Of overlays, by pixel.
    """
    for side in _SIDES:
        lines, graded, into = (_side(each, *side) for each in (stored, corrected, share))
        level = _level(lines[:, 0])
        if level is None:
            continue
        depth = _depth(lines, graded, level)
        part, after = lines[:, :depth], graded[:, :depth]
        same = _same(part, level)
        whole = _is_whole(part, after, level, scores)
        into[:, :depth][np.ones_like(same) if whole else same] = 0


def _side(
    frames: Shaped[np.ndarray, "time height width"], way: slice, axis: int
) -> Shaped[np.ndarray, "time lines pixels"]:
    """A view with lines counted from one side of the picture."""
    return np.swapaxes(frames, 1, 1 + axis)[:, way]


def _level(line: UInt8[np.ndarray, "time pixels"]) -> int | None:
    """The common level of a line in all frames; None if there is none."""
    level = int(np.median(line))
    shares = _same(line, level).mean(axis=1)
    return level if shares.min() >= _LEAST_SAME else None


def _same(lines: UInt8[np.ndarray, "time *pixels"], level: int) -> Bool[np.ndarray, "time *pixels"]:
    return (lines >= max(level - _SAME_CODES, 0)) & (lines <= min(level + _SAME_CODES, 255))


def _depth(
    lines: UInt8[np.ndarray, "time lines pixels"],
    graded: UInt8[np.ndarray, "time lines pixels"],
    level: int,
) -> int:
    """Number of lines of a bar."""
    for depth in range(int(lines.shape[1] * _MOST)):
        same = _same(lines[:, depth], level)
        if same.mean(axis=1).min() < _LEAST_SAME:
            return depth
        count = same.sum(axis=1)
        before, after = ((each[:, depth] * same).sum(axis=1) / count for each in (lines, graded))
        most = max(_STEADY * float(after.std()), _TELLING_CODES)
        if float(before.std()) > most:
            return depth
    return int(lines.shape[1] * _MOST)


def _is_whole(
    lines: UInt8[np.ndarray, "time lines pixels"],
    graded: UInt8[np.ndarray, "time lines pixels"],
    level: int,
    scores: Scores,
) -> bool:
    """Whether everything that differs from a bar stands still as overlays do; else it is dark
    scene."""
    apart = np.abs(lines.astype(np.int16) - level) > _ABOVE_CODES
    there: Int[np.ndarray, "pixels 2"] = np.argwhere(apart.any(axis=0))
    if not len(there):
        return True
    rows, columns = there.T
    found = scores(lines[:, rows, columns], graded[:, rows, columns])
    return float((found[apart[:, rows, columns]] > 0.25).mean()) >= _OVERLAYS
