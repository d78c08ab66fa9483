"""Spots: groups of pixels that differ from both motion-compensated neighbours, and tests of them.

What moves in a way that the motion does not describe looks like dirt to every detector. It gives
itself away: around it the pictures do not agree either, or it is seen in both neighbours, on one
line. Differences are judged relative to the spot's own contrast.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, Int, Int32

from unflicker.grade.apply import kernels_turn
from unflicker.repair import kernels
from unflicker.repair.looks import disc, px

Plane = Float32[np.ndarray, "height width"]
Labels = Int32[np.ndarray, "height width"]
EachSpot = Float[np.ndarray, " spots"]
_OF_UNREST = 2.0
"""Factor on the unrest around a pixel, which it must exceed as well."""
_FAINTEST = 0.5
"""Share of that threshold from which pixels belong to a spot that has one above it."""
_UNREST_LIMIT = 0.1
"""Difference of the neighbours at which it counts in full."""
_NEAR_CELLS, _WIDE_CELLS = 2.0, 8.0
"""Deviations of the blur in cells: 5 and 20 px of a picture 640 px wide."""
_RING_PX = (2.0, 6.0)
"""Where the ring around a spot begins and ends, in px of a picture 640 px wide."""
_GROWS_PX = 3.0
_OF_CONTRAST = 0.25
"""Pixels next to a spot belong to it from this share of its contrast on."""
_LEAST_CHANGE = 0.012
"""Three steps of 8 bits."""
_REACH_PX, _BEND_PX = 40.0, 3.0
"""How far a thing may move between frames, and how far its way may bend at least, in px of a picture 640 px
wide."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Compared:
    """A picture compared with its neighbours along the motion (`kernels.compare`)."""

    outside: Plane
    """How far a pixel is outside the range of both neighbourhoods, signed."""
    least: Plane
    """The smaller difference to a neighbour, signed; 0 where signs differ."""
    apart: Plane
    """The difference of the neighbours."""

    def unrest(self, cells: tuple[int, int], *, deviation: float) -> Plane:
        """The mean difference of the neighbours around each pixel.

        Args:
            cells: Rows and columns of the grid on which it is averaged.
            deviation: Of the blur, in cells.
        """
        limited = np.minimum(self.apart, _UNREST_LIMIT)
        small = cv2.resize(limited, cells[::-1], interpolation=cv2.INTER_AREA)
        small = cv2.GaussianBlur(small, (0, 0), deviation)
        return cv2.resize(small, self.apart.shape[::-1])


@dataclass(frozen=True, kw_only=True, eq=False)
class Spots:
    """Groups of pixels, numbered from 1."""

    labels: Labels
    count: int
    contrast: EachSpot
    """Mean difference to the nearer neighbour, signed; 0 for number 0, which is no spot."""
    unrest: EachSpot
    """Difference of the neighbours around it."""
    wide_unrest: EachSpot
    """The same in a wider neighbourhood."""

    def relative(self, values: EachSpot) -> EachSpot:
        """Values of spots relative to their contrast."""
        return values / np.maximum(np.abs(self.contrast), 1e-6)


def candidates(compared: Compared, *, cells: tuple[int, int], contrast: float) -> Spots:
    """Groups of pixels that differ from both neighbours by more than the neighbours do.

    Args:
        compared: The picture and its neighbours.
        cells: Rows and columns of the motion's grid.
        contrast: Least difference of one of its pixels, of the whole range.
    """
    near = compared.unrest(cells, deviation=_NEAR_CELLS)
    wide = compared.unrest(cells, deviation=_WIDE_CELLS)
    limit = contrast + _OF_UNREST * near
    labels, count = np.zeros(near.shape, np.int32), 0
    for sign in (-1.0, 1.0):
        faint = np.float32(sign) * compared.least > np.float32(_FAINTEST) * limit
        clear = np.float32(sign) * compared.outside > limit
        groups, numbers = cv2.connectedComponents(faint.astype(np.uint8), connectivity=8)
        kept = np.unique(numbers[clear & faint])
        renumbered = np.zeros(groups, np.int32)
        renumbered[kept[kept > 0]] = np.arange(count + 1, count + 1 + np.count_nonzero(kept))
        count += int(np.count_nonzero(kept))
        np.maximum(labels, renumbered[numbers], out=labels)
    inside = labels > 0
    numbers = labels[inside]
    return Spots(
        labels=labels,
        count=count,
        contrast=_mean(compared.least[inside], numbers, count),
        unrest=_mean(near[inside], numbers, count),
        wide_unrest=_mean(wide[inside], numbers, count),
    )


def around(spots: Spots, difference: Plane) -> EachSpot:
    """The mean absolute difference in the ring around each spot.

    Args:
        spots: Of a picture.
        difference: Of the picture from its neighbours, of any size.
    """
    labels, size = spots.labels, difference.shape
    if labels.shape != size:
        labels = cv2.resize(labels, size[::-1], interpolation=cv2.INTER_NEAREST)
    near, far = (_spread(labels, px(distance, size)) for distance in _RING_PX)
    ring = (far > 0) & (near == 0)
    return _mean(np.abs(difference[ring]), far[ring], spots.count)


def flying(
    spots: Spots,
    *,
    now: Plane,
    others: Float32[np.ndarray, "2 rows columns"],
    changes: Float32[np.ndarray, "2 2 rows columns"],
) -> EachSpot:
    """How badly each spot is explained by something that flies through three frames, from 0.

    Args:
        spots: Of a picture.
        now: Its luma, of any size.
        others: That of the previous and of the next picture.
        changes: For either neighbour what changed in this picture, and in the neighbour.
    """
    scores = np.full(spots.count + 1, 9.0, np.float32)
    pixels, starts = _pixels(spots, now.shape)
    reach = px(_REACH_PX, now.shape), px(_BEND_PX, now.shape)
    if spots.count:
        with kernels_turn((now.shape[0], now.shape[1])):
            kernels.pass_through(now, others, changes, pixels, starts, reach, scores[1:])
    return scores.astype(np.float64)


def grown(
    spots: Spots, compared: Compared, which: Bool[np.ndarray, " spots"]
) -> Bool[np.ndarray, "height width"]:
    """The mask of some spots with their faint rims.

    Args:
        spots: Of a picture.
        compared: From which they were found.
        which: The spots that are wanted, by number.
    """
    kept = np.where(which, np.arange(spots.count + 1), 0).astype(np.int32)[spots.labels]
    near = _spread(kept, px(_GROWS_PX, kept.shape))
    limit = np.maximum(_OF_CONTRAST * np.abs(spots.contrast), _LEAST_CHANGE).astype(np.float32)
    signed = compared.least * np.sign(spots.contrast).astype(np.float32)[near]
    mask = (kept > 0) | ((near > 0) & (signed > limit[near]))
    return cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, disc(1)) > 0


def _spread(labels: Labels, by_px: int) -> Labels:
    """Labels spread over a margin; the larger number wins."""
    return cv2.dilate(labels.astype(np.float32), disc(by_px)).astype(np.int32)


def _mean(values: Float32[np.ndarray, " n"], labels: Int[np.ndarray, " n"], count: int) -> EachSpot:
    sums = np.bincount(labels, values, minlength=count + 1)
    return sums / np.maximum(np.bincount(labels, minlength=count + 1), 1)


def _pixels(
    spots: Spots, size: tuple[int, ...]
) -> tuple[Int[np.ndarray, "2 pixels"], Int[np.ndarray, " starts"]]:
    """Rows and columns of all spots' pixels in a picture of a size, and where each spot begins."""
    places = np.nonzero(spots.labels)
    numbers = spots.labels[places]
    order = np.argsort(numbers, kind="stable")
    scale = np.array(size) / np.array(spots.labels.shape)
    pixels = np.stack(places)[:, order]
    moved = ((pixels + 0.5) * scale[:, None]).astype(np.int64)
    return moved, np.searchsorted(numbers[order], np.arange(1, spots.count + 2)).astype(np.int64)
