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

from unflicker.compute.bands import in_bands
from unflicker.repair import explaining
from unflicker.repair.looks import disc, px

Plane = Float32[np.ndarray, "height width"]
Labels = Int32[np.ndarray, "height width"]
EachSpot = Float[np.ndarray, " spots"]
Places = Int[np.ndarray, "2 _"]
Starts = Int[np.ndarray, " _"]
_Rims = tuple[Places, Starts, Starts]
"""Rows and columns of pixels, and where those of each piece begin and end."""
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
_REACH_PX, _BEND_PX, _VICINITY_PX = 40.0, 3.0, 12.0
"""How far a thing may move between frames, how far its way may bend at least, and from how far away
motion is taken, once and twice, in px of a picture 640 px wide."""
_RIM_PX = (2.0, 5.0)
"""Where the surroundings of a piece begin and end that must stay unchanged, likewise."""
_PIECE_PX = 32.0
"""Side of the tiles in which larger spots are explained, piece by piece, likewise."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Compared:
    """A picture compared with its neighbours along the motion."""

    outside: Plane
    """How far a pixel is outside the range of both neighbourhoods, signed."""
    least: Plane
    """The smaller difference to a neighbour, signed; 0 where signs differ."""
    apart: Plane
    """The difference of the neighbours."""

    def without(self, mask: Bool[np.ndarray, "height width"]) -> Compared:
        """The same where a mask is not set; in it nothing differs."""
        outside, least = (np.where(mask, 0, values) for values in (self.outside, self.least))
        return Compared(outside=outside, least=least, apart=self.apart)

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

    def share_in(self, mask: Bool[np.ndarray, "height width"]) -> EachSpot:
        """The share of each spot that is in a mask."""
        inside = self.labels > 0
        return _mean(mask[inside].astype(np.float32), self.labels[inside], self.count)

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
    for compare, bound in ((np.less, -limit), (np.greater, limit)):
        faint = compare(compared.least, np.float32(_FAINTEST) * bound)
        clear = compare(compared.outside, bound)
        clear &= faint
        if not clear.any():
            continue
        groups, found = cv2.connectedComponents(faint.view(np.uint8), connectivity=8)
        numbers = np.asarray(found, np.int32)
        kept = np.zeros(groups, bool)
        kept[numbers[clear]] = True
        renumbered = np.where(kept, count + np.cumsum(kept), 0).astype(np.int32)
        count += int(np.count_nonzero(kept))
        labels[faint] = renumbered[numbers[faint]]
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


@dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """A picture and its neighbours, of one size, by which spots are explained."""

    now: Plane
    """Luma with the spots."""
    others: Float32[np.ndarray, "2 rows columns"]
    """That of the previous and of the next picture."""
    changes: Float32[np.ndarray, "2 2 rows columns"]
    """For either neighbour what changed in this picture, and in the neighbour."""
    flows: Float32[np.ndarray, "2 cells_down cells_across 2"]
    """Motion to either neighbour in px, x first."""


def unexplained(spots: Spots, scene: Scene) -> EachSpot:
    """How badly each spot is explained by motion, 0 to 1.

    Args:
        spots: Of a picture.
        scene: The picture and its neighbours, of any size.
    """
    if not spots.count:
        return np.ones(1)
    pixels, starts, owner, rims = _pieces(spots, scene.now.shape)
    scores = np.empty(len(owner), np.float32)
    reach = tuple(px(length, scene.now.shape) for length in (_REACH_PX, _BEND_PX, _VICINITY_PX))
    pictures = scene.now, scene.others, scene.changes, scene.flows
    in_bands(
        lambda start, stop: explaining.unexplained(
            *pictures, (pixels, starts, *rims), reach, scores, (start, stop)
        ),
        rows=len(scores),
        pixels=scene.now.size,
    )
    area = np.diff(starts)
    whole = np.bincount(owner, area, minlength=spots.count + 1)
    sums = np.bincount(owner, area * np.minimum(scores, 1.0), minlength=spots.count + 1)
    return sums / np.maximum(whole, 1)


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
    # A square: a disc is not separable, and takes ten times as long at full size.
    square = np.ones((2 * by_px + 1, 2 * by_px + 1), np.uint8)
    fits = labels.max(initial=0) <= np.iinfo(np.uint16).max
    return cv2.dilate(labels.astype(np.uint16 if fits else np.float32), square).astype(np.int32)


def _mean(values: Float32[np.ndarray, " n"], labels: Int[np.ndarray, " n"], count: int) -> EachSpot:
    sums = np.bincount(labels, values, minlength=count + 1)
    return sums / np.maximum(np.bincount(labels, minlength=count + 1), 1)


def _pieces(spots: Spots, size: tuple[int, ...]) -> tuple[Places, Starts, Starts, _Rims]:
    """The spots' pixels in a picture of a size, in pieces.

    Args:
        spots: Of a picture.
        size: Height and width of the picture in which they are wanted.

    Returns:
        Rows and columns of the pixels, where each piece begins, the number of its spot, and pixels
        around each piece that are in no spot.
    """
    near, far = (_spread(spots.labels, px(distance, size)) for distance in _RIM_PX)
    ring = np.where(near == 0, far, 0)
    scale = np.array(size) / np.array(spots.labels.shape)
    tile_px = px(_PIECE_PX, size)
    tiles = np.array(size) // tile_px + 2

    def by_key(labels: Labels) -> tuple[np.ndarray, np.ndarray]:
        places = np.stack(np.nonzero(labels))
        numbers = labels[places[0], places[1]].astype(np.int64)
        moved = ((places + 0.5) * scale[:, None]).astype(np.int64)
        rows, columns = moved // tile_px
        keys = (numbers * tiles[0] + rows) * tiles[1] + columns
        order = np.argsort(keys, kind="stable")
        return moved[:, order], keys[order]

    moved, keys = by_key(spots.labels)
    own, starts = np.unique(keys, return_index=True)
    around_it, keys_of_it = by_key(ring)
    rims = around_it, np.searchsorted(keys_of_it, own), np.searchsorted(keys_of_it, own, "right")
    return moved, np.append(starts, len(keys)), own // (tiles[0] * tiles[1]), rims
