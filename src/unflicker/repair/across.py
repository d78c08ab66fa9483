"""Fills scratches across, from the pixels on both sides of them, in a picture's own planes.

Slow changes along a scratch come from both sides, row by row. Fast ones, the detail and the grain,
are taken from under the scratch where it lets them through, at the contrast that the sides have
(Bruni and Vitulano 2004: a scratch adds light and takes contrast away); else from the sides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Float32, Int

from unflicker.frames.alpha import visible_places
from unflicker.frames.picture import Picture
from unflicker.grade.mask import Share
from unflicker.repair.lines import Line, scale_of
from unflicker.repair.places import Box
from unflicker.repair.scratches import margin_px, places_of

Patch = Float32[np.ndarray, "rows _"]
_SLOW_PX = 3.0
"""Deviation along a scratch of the blur that tells slow changes from fast ones, in px of a picture
640 px wide."""
_SIDE_PX = 2.0
"""Width of each side that a scratch is filled from, likewise."""
_LEAST_CONTRAST = 0.25
"""Contrast under a scratch, relative to the sides', below which it hides what is there."""
_MOST_CONTRAST = 1.15
"""The same, above which its own roughness is seen."""
_MOST_FAST = 4.0
"""Largest fast change that is put back, in deviations of the sides."""
_ALIKE = 0.5
"""Least correlation with a side, relative to that of the sides with each other."""
_SHARE = 0.5
"""Correction share of a pixel from which it is repaired."""


def filled_across(
    picture: Picture, lines: Sequence[Line], share: Share | None
) -> tuple[Picture, tuple[Box, ...]]:
    """The picture with scratches filled, and a box around each; all other pixels are unchanged.

    Args:
        picture: The one to fill.
        lines: Its scratches.
        share: Correction share of each pixel; None for 1.
    """
    seen = visible_places(picture)
    free = np.ones(picture.size, bool) if seen is None else seen.copy()
    if share is not None:
        free &= share >= _SHARE
    planes = [plane.copy() for plane in picture.planes[: picture.layout.colour_planes]]
    for line in lines:
        rows, columns = places_of(line, picture.size)
        gaps = _gaps(line, lines, picture.size)
        for plane in planes:
            down, across = (round(n / m) for n, m in zip(picture.size, plane.shape, strict=True))
            part = _Part(
                plane=plane,
                rows=np.unique(rows[::down] // down),
                columns=_fewer(columns[::down], across),
                gaps=(gaps[0] // -across * -1, gaps[1] // -across * -1),
                scale=scale_of(picture.size),
                peak=picture.layout.peak,
            )
            part.fill(free[::down, ::across])
    boxes = tuple(_box(line, picture.size) for line in lines)
    return replace(picture, planes=(*planes, *picture.planes[len(planes) :])), boxes


def _box(line: Line, size: tuple[int, int]) -> Box:
    rows, columns = places_of(line, size)
    left, right = max(int(columns.min()), 0), min(int(columns.max()) + 1, size[1])
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(left, right)


def _gaps(line: Line, lines: Sequence[Line], size: tuple[int, int]) -> tuple[int, int]:
    """Px left and right of a scratch that others take."""
    side = max(1, round(_SIDE_PX * scale_of(size))) + 1
    others = [
        other
        for other in lines
        if other is not line and min(line.bottom, other.bottom) > max(line.top, other.top)
    ]
    ends = _ends(line, line, size)
    taken = [_ends(other, line, size) for other in others]
    gaps = [0, 0]
    for _ in taken:
        for first, last in taken:
            left, right = ends[0] - gaps[0], ends[1] + gaps[1]
            if first < left and last >= left - side:
                gaps[0] = ends[0] - first
            if last > right and first <= right + side:
                gaps[1] = last - ends[1]
    return gaps[0], gaps[1]


def _ends(line: Line, along: Line, size: tuple[int, int]) -> tuple[int, int]:
    """First and last column of a scratch with its margin, where it is next to another."""
    strip = 0.5 * (max(line.top, along.top) + min(line.bottom, along.bottom) - 1)
    centre, margin = line.at(strip), margin_px(size)
    return int(centre + line.rims[0] - margin), int(np.ceil(centre + line.rims[1] + margin))


def _fewer(columns: Int[np.ndarray, "rows columns"], by: int) -> Int[np.ndarray, "rows fewer"]:
    """Columns of a plane with fewer of them: all that cover the given ones."""
    if by == 1:
        return columns
    first = columns[:, 0] // by
    many = int(np.max(columns[:, -1] // by - first)) + 1
    return first[:, None] + np.arange(many)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Part:
    """A scratch in one plane."""

    plane: np.ndarray
    rows: Int[np.ndarray, " rows"]
    columns: Int[np.ndarray, "rows columns"]
    gaps: tuple[int, int]
    """Px between it and the sides that it is filled from: other scratches."""
    scale: float
    peak: int

    def fill(self, free: np.ndarray) -> None:
        """Fill it where the plane may be changed.

        Args:
            free: For each pixel of the plane, whether it may.
        """
        rows = self.rows[: len(self.columns)]
        columns = self.columns[: len(rows)]
        side, width = max(1, round(_SIDE_PX * self.scale)), columns.shape[1]
        end = self.plane.shape[1]
        # Out of the picture there is no side: both are the other one.
        starts = columns[:, 0] - self.gaps[0] - side, columns[:, -1] + 1 + self.gaps[1]
        lacks = int(starts[0].min()) < 0, int(starts[1].max()) + side > end
        if all(lacks):
            return
        sides = [
            self._patch(rows, starts[1 - at] if lacks[at] else starts[at], side) for at in (0, 1)
        ]
        under = self._patch(rows, columns[:, 0], width)
        value = self._between(under, sides[0], sides[1])
        result = np.clip(np.rint(value), 0, self.peak).astype(self.plane.dtype)
        may = (columns >= 0) & (columns < self.plane.shape[1])
        may &= free[rows[:, None], np.clip(columns, 0, self.plane.shape[1] - 1)]
        at = np.broadcast_to(rows[:, None], columns.shape)
        self.plane[at[may], columns[may]] = result[may]

    def _patch(self, rows: np.ndarray, starts: np.ndarray, width: int) -> Patch:
        """Some columns of each row."""
        columns = starts[:, None] + np.arange(width)
        inside = np.clip(columns, 0, self.plane.shape[1] - 1)
        return self.plane[rows[:, None], inside].astype(np.float32)

    def _between(self, under: Patch, left: Patch, right: Patch) -> Patch:
        """What is between two sides, given what is there under the scratch."""
        side, width = left.shape[1], under.shape[1]
        near = left.mean(axis=1)[:, None], right.mean(axis=1)[:, None]
        whole = width + sum(self.gaps) + side
        part = ((np.arange(width) + self.gaps[0] + 0.5 * (1 + side)) / whole).astype(np.float32)
        slow = self._slow((1 - part) * near[0] + part * near[1])
        fast_left, fast_right, own = (self._fast(patch) for patch in (left, right, under))
        usual = float(np.concatenate([fast_left, fast_right], axis=1).std())
        factor = own.std(axis=0) / max(usual, 1e-6)
        common = _alike(fast_left[:, -1:], fast_right[:, :1])
        seen = np.maximum(_alike(fast_left[:, -1:], own), _alike(fast_right[:, :1], own))
        through = (factor > _LEAST_CONTRAST) & (factor < _MOST_CONTRAST) & (seen > _ALIKE * common)
        limit = np.float32(_MOST_FAST * usual)
        shown = np.clip(own / np.maximum(factor, _LEAST_CONTRAST), -limit, limit)
        is_left = np.arange(width) < width // 2
        borrowed = np.where(is_left, fast_left[:, -1:], fast_right[:, :1])
        return (slow + np.where(through, shown, borrowed)).astype(np.float32)

    def _slow(self, patch: Patch) -> Patch:
        """A patch without fast changes along it."""
        deviation = max(_SLOW_PX * self.scale, 1.0)
        kernel = cv2.getGaussianKernel(2 * round(3 * deviation) + 1, deviation)
        border = cv2.BORDER_REPLICATE
        return cv2.filter2D(patch, -1, kernel, borderType=border).reshape(patch.shape)

    def _fast(self, patch: Patch) -> Patch:
        return patch - self._slow(patch)


def _alike(one: Patch, other: Patch) -> np.ndarray:
    """Correlation of a column with each column of a patch."""
    product = (one * other).mean(axis=0)
    return product / np.maximum(one.std(axis=0) * other.std(axis=0), 1e-6)
