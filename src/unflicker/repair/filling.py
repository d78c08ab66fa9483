"""Fills the places of a mask from the neighbours, along the motion, in a picture's own planes.

Each place is filled from both neighbours, weighted by how well they continue its surroundings. Two
averaged pictures have less grain than one: what is missing is taken from their difference, which
is the film's own grain.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int, Shaped

from unflicker.frames.alpha import visible_places
from unflicker.frames.picture import Picture
from unflicker.repair.dirt import Trio
from unflicker.repair.links import scale_of
from unflicker.repair.looks import Mask, px, widened
from unflicker.repair.places import Box

Patch = Float32[np.ndarray, "rows columns"]
_RING_PX = 4.0
"""Width of the ring around a place by which neighbours are judged, in px of a picture 640 px wide.
"""
_MARGIN_PX = 1.5
"""Width of the margin of a mask, likewise."""
_EDGE = 0.5
"""Share of a pixel's surroundings in a smaller mask from which on it is in the mask."""
_LIFT_LIMIT = 0.08
"""Largest difference of light to a neighbour, of the whole range, that is corrected."""
_SURE = 0.01
"""Error in the ring, of the whole range, below which neighbours count the same."""
_BEYOND = 1e-3
"""Trust in what continues a neighbour beyond its border: it counts where no neighbour shows more.
"""
_FINEST = 0.8
"""Deviation in px of the blur whose difference from a picture is grain."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Side:
    """A neighbour's patch aligned to the picture's."""

    values: Patch
    trust: Patch
    """0 to 1."""


def with_margin(mask: Mask, size: tuple[int, int]) -> Mask:
    """A mask of damage as it is filled: a little wider, for edges are soft.

    Args:
        mask: Of any size.
        size: Height and width of the result.
    """
    wide = widened(mask, px(_MARGIN_PX, mask.shape))
    if wide.shape == size:
        return wide
    return cv2.resize(wide.astype(np.float32), size[::-1], interpolation=cv2.INTER_LINEAR) > _EDGE


def filled(
    picture: Picture, trio: Trio, wide: Mask, *, piece_px: float = np.inf
) -> tuple[Picture, tuple[Box, ...]]:
    """The picture with the places of a mask filled, and a box around each.

    All other pixels are unchanged bit for bit.

    Args:
        picture: The one to fill.
        trio: The same between its neighbours, with their motion.
        wide: The mask, at the picture's size.
        piece_px: Side of the pieces in which larger places are filled, each by what continues its
            own surroundings, in px of a picture 640 px wide.
    """
    seen = visible_places(picture)
    wide = wide if seen is None else wide & seen
    planes = [plane.copy() for plane in picture.planes[: picture.layout.colour_planes]]
    flows = [way.flow for way in (trio.back.back, trio.forth.forth)]
    soiled = [_at_full_size(scouted.mask, picture) for scouted in (trio.before, trio.after)]
    others = trio.before.look.picture, trio.after.look.picture
    boxes = boxes_around(wide)
    for box in _pieces(boxes, wide, piece_px):
        for index, plane in enumerate(planes):
            part = _Part(box=box, wide=wide, plane=plane, full=picture.size)
            sides = [
                part.side(other.planes[index], flow, dirt)
                for other, flow, dirt in zip(others, flows, soiled, strict=True)
            ]
            part.fill(sides, peak=picture.layout.peak)
    return replace(picture, planes=(*planes, *picture.planes[len(planes) :])), tuple(boxes)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Part:
    """A box of one plane."""

    box: Box
    """In the full picture."""
    wide: Bool[np.ndarray, "full_height full_width"]
    plane: Shaped[np.ndarray, "height width"]
    full: tuple[int, int]

    @property
    def ratio(self) -> tuple[float, float]:
        """Px of the plane for one of the picture, down and across."""
        return self.plane.shape[0] / self.full[0], self.plane.shape[1] / self.full[1]

    @property
    def rows_columns(self) -> Box:
        """The box in the plane."""
        down, across = self.ratio
        rows, columns = self.box
        return (
            slice(int(rows.start * down), max(int(np.ceil(rows.stop * down)), 1)),
            slice(int(columns.start * across), max(int(np.ceil(columns.stop * across)), 1)),
        )

    @property
    def mask(self) -> Bool[np.ndarray, "rows columns"]:
        """The mask in the plane: each sample that covers a pixel of it."""
        rows, columns = self.rows_columns
        down, across = (round(1 / ratio) for ratio in self.ratio)
        if (down, across) == (1, 1):
            return self.wide[rows, columns]
        part = self.wide[
            rows.start * down : rows.stop * down, columns.start * across : columns.stop * across
        ]
        size = (rows.stop - rows.start) * down, (columns.stop - columns.start) * across
        padded = np.zeros(size, bool)
        padded[: part.shape[0], : part.shape[1]] = part
        tiles = padded.reshape(size[0] // down, down, size[1] // across, across)
        return np.asarray(tiles.any(axis=(1, 3)))

    def side(
        self,
        other: Shaped[np.ndarray, "height width"],
        flow: Float32[np.ndarray, "cells_down cells_across 2"],
        dirt: Bool[np.ndarray, "full_height full_width"],
    ) -> _Side:
        """A neighbour's plane along the motion, and its trust: 0 in dirt, little beyond its end."""
        rows, columns = self.rows_columns
        down, across = self.ratio
        y, x = np.mgrid[rows, columns].astype(np.float32)
        at_y = np.minimum(((y + 0.5) / down).astype(int), self.full[0] - 1)
        at_x = np.minimum(((x + 0.5) / across).astype(int), self.full[1] - 1)
        move = _between(flow, at_y, at_x, self.full)
        to_x, to_y = x + move[..., 0] * np.float32(across), y + move[..., 1] * np.float32(down)
        values = _sampled(other, to_x, to_y)
        height, width = other.shape
        inside = (to_x > -0.5) & (to_x < width - 0.5) & (to_y > -0.5) & (to_y < height - 0.5)
        full_y = np.clip(at_y + np.rint(move[..., 1]).astype(int), 0, self.full[0] - 1)
        full_x = np.clip(at_x + np.rint(move[..., 0]).astype(int), 0, self.full[1] - 1)
        clean = ~dirt[full_y, full_x]
        trust = np.where(inside, 1.0, _BEYOND) * clean
        return _Side(values=values, trust=trust.astype(np.float32))

    def fill(self, sides: list[_Side], *, peak: int) -> None:
        """Fill the mask in the plane."""
        rows, columns = self.rows_columns
        now, mask = self.plane[rows, columns].astype(np.float32), self.mask
        lifted = [_lifted(side, now, mask, peak=peak) for side in sides]
        weight = lifted[0].trust + lifted[1].trust
        share = lifted[0].trust / np.maximum(weight, 1e-6)
        middle = share * lifted[0].values + (1 - share) * lifted[1].values
        half = np.float32(0.5) * (lifted[0].values - lifted[1].values)
        both = 4 * share * (1 - share)
        value = middle + both * _missing_grain(now, middle, half, mask)
        good = mask & (weight > 0)
        result = np.clip(np.rint(value), 0, peak).astype(self.plane.dtype)
        np.copyto(self.plane[rows, columns], result, where=good)


def _lifted(side: _Side, now: Patch, mask: Bool[np.ndarray, "_ _"], *, peak: int) -> _Side:
    """A side at the light of the picture, its trust judged by the ring around the mask."""
    ring = ~mask & (side.trust > _BEYOND)
    ring = ring if ring.any() else ~mask & (side.trust > 0)
    if not ring.any():
        return side
    difference = now[ring] - side.values[ring]
    lift = float(np.clip(np.median(difference), -_LIFT_LIMIT * peak, _LIFT_LIMIT * peak))
    error = float(np.abs(difference - lift).mean()) / peak
    trust = side.trust / (error**2 + _SURE**2)
    return _Side(values=side.values + np.float32(lift), trust=trust.astype(np.float32))


def _missing_grain(now: Patch, middle: Patch, half: Patch, mask: Bool[np.ndarray, "_ _"]) -> Patch:
    """What is to be added to an average for the grain of its surroundings.

    Args:
        now: The picture.
        middle: The average of its neighbours.
        half: Half of their difference.
        mask: What is filled.
    """
    ring = ~mask
    if ring.sum() < 16:
        return np.zeros_like(middle)
    wanted, there, source = (_grain(patch) for patch in (now, middle, half))
    lacks = max(float(np.mean(wanted[ring] ** 2) - np.mean(there[ring] ** 2)), 0.0)
    has = float(np.mean(source[ring] ** 2))
    factor = np.sqrt(min(lacks / max(has, 1e-6), 1.0))
    limit = 3.0 * np.sqrt(has)
    return (factor * np.clip(source, -limit, limit)).astype(np.float32)


def _grain(patch: Patch) -> Patch:
    return patch - cv2.GaussianBlur(patch, (0, 0), _FINEST)


def _sampled(plane: Shaped[np.ndarray, "_ _"], x: Patch, y: Patch) -> Patch:
    """A plane at places, bicubic; the border continues."""
    height, width = plane.shape
    left, top = int(np.clip(x.min() - 2, 0, width - 1)), int(np.clip(y.min() - 2, 0, height - 1))
    right, bottom = int(np.clip(x.max() + 4, 1, width)), int(np.clip(y.max() + 4, 1, height))
    part = plane[top:bottom, left:right].astype(np.float32)
    return cv2.remap(part, x - left, y - top, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def _between(
    flow: Float32[np.ndarray, "cells_down cells_across 2"],
    y: Int[np.ndarray, "rows columns"],
    x: Int[np.ndarray, "rows columns"],
    full: tuple[int, int],
) -> Float32[np.ndarray, "rows columns 2"]:
    """A flow at places of the full picture, in its px."""
    scale = scale_of(flow, full)
    down = ((y + 0.5) / scale[1] - 0.5).astype(np.float32)
    across = ((x + 0.5) / scale[0] - 0.5).astype(np.float32)
    border = cv2.BORDER_REPLICATE
    return cv2.remap(flow, across, down, cv2.INTER_LINEAR, borderMode=border) * scale


def boxes_around(mask: Mask) -> list[Box]:
    """A box around each connected part of a mask, with a ring; rows and columns are even."""
    ring_px = px(_RING_PX, mask.shape)
    # Outlines of a few spots are found ten times as fast as all components are numbered.
    outlines, _ = cv2.findContours(
        mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    height, width = mask.shape
    boxes = []
    for top, left, down, across in sorted(_bounds(outline) for outline in outlines):
        rows = max(top - ring_px, 0) // 2 * 2, min(top + down + ring_px, height)
        columns = max(left - ring_px, 0) // 2 * 2, min(left + across + ring_px, width)
        boxes.append((slice(*map(int, rows)), slice(*map(int, columns))))
    return boxes


def _pieces(boxes: list[Box], wide: Mask, piece_px: float) -> list[Box]:
    """Boxes in pieces of a side, with a ring around each; those without a pixel to fill left out.

    Args:
        boxes: With a ring.
        wide: The mask.
        piece_px: Side of a piece, in px of a picture 640 px wide.
    """
    if np.isinf(piece_px):
        return boxes
    side, ring = px(piece_px, wide.shape) // 2 * 2 + 2, px(_RING_PX, wide.shape)
    found = []
    for rows, columns in boxes:
        for top in range(rows.start, rows.stop, side):
            for left in range(columns.start, columns.stop, side):
                bottom, right = min(top + side, rows.stop), min(left + side, columns.stop)
                if wide[top:bottom, left:right].any():
                    down = max(top - ring, 0) // 2 * 2, min(bottom + ring, wide.shape[0])
                    across = max(left - ring, 0) // 2 * 2, min(right + ring, wide.shape[1])
                    found.append((slice(*down), slice(*across)))
    return found


def _bounds(outline: np.ndarray) -> tuple[int, int, int, int]:
    """Top, left, height and width of what an outline surrounds."""
    left, top, across, down = map(int, cv2.boundingRect(outline))
    return top, left, down, across


def _at_full_size(mask: Mask, picture: Picture) -> Mask:
    if mask.shape == picture.size:
        return mask
    size = picture.size[::-1]
    return cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
