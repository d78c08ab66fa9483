"""Fills hairs from pictures in which their places are not covered, along the motion.

A hair covers the same place in the next picture. What is behind it shows where the scene has moved
by more than its width, so the pictures it is filled from may be some frames away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.frames.alpha import visible_places
from unflicker.frames.picture import Picture
from unflicker.motion import estimate_motion
from unflicker.refinement.alignment import refined_flow
from unflicker.repair.dirt import Scouted, Trio
from unflicker.repair.filling import boxes_around, filled
from unflicker.repair.links import Link, Way, way
from unflicker.repair.looks import Look, Mask, proxy_of, px, widened
from unflicker.repair.places import Box
from unflicker.repair.threads import Grid

Fine = Float32[np.ndarray, "rows columns"]
_ENOUGH = 0.9
"""Share of a mask whose pixels are uncovered from which on a picture is taken."""
_SMOOTH_CELLS = 6.0
"""Deviation of the blur by which the motion on a hair, which is bent, becomes that around it."""
_INPAINT_PX = 3.0
"""From how far around the rough repair takes its values, in px of a picture 640 px wide."""
_NEAR_PX, _FINEST = 3, 0.8
"""The same in px of a plane, and deviation of the blur whose difference from a picture is grain."""
_PIECE_PX = 24.0
"""Side of the pieces in which hairs are filled, likewise."""
_MARGIN_PX = 1.5
"""Width of the margin of a hair in other pictures, likewise."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """A picture that hairs may be filled from."""

    look: Look
    mask: Mask
    """Where hairs cover it, at the size of `Look.fine`."""
    moved: Grid
    """About how far the scene moves from the picture to fill to this one; the choice of pictures
    depends on it, not the filling."""


def share_uncovered(mask: Mask, source: Source) -> float:
    """The share of a mask's pixels whose places another picture shows.

    Args:
        mask: Of the hairs of a picture.
        source: The other picture.
    """
    rows, columns = np.nonzero(mask)
    down, across = (n / m for n, m in zip(source.moved.shape[:2], mask.shape, strict=True))
    smooth = cv2.GaussianBlur(source.moved, (0, 0), _SMOOTH_CELLS)
    cells = ((rows + 0.5) * down).astype(int), ((columns + 0.5) * across).astype(int)
    x, y = np.rint(smooth[cells]).astype(int).T
    x, y = x + columns, y + rows
    inside = (x >= 0) & (y >= 0) & (x < mask.shape[1]) & (y < mask.shape[0])
    wide = widened(source.mask, px(_MARGIN_PX, mask.shape))
    shown = inside.copy()
    shown[inside] = ~wide[y[inside], x[inside]]
    return float(shown.mean())


def best_of(mask: Mask, sources: Sequence[Source]) -> tuple[float, Source] | None:
    """The first of some pictures that shows enough of what a mask covers, else the best one.

    Args:
        mask: Of the hairs of a picture.
        sources: The nearest first.

    Returns:
        The share that it shows, and the picture; None without any.
    """
    best = None
    for source in sources:
        share = share_uncovered(mask, source)
        if best is None or share > best[0]:
            best = share, source
        if share >= _ENOUGH:
            break
    return best


def without_hairs(
    picture: Picture, look: Look, mask: Mask, wide: Mask, sources: Sequence[Source]
) -> tuple[Picture, tuple[Box, ...]]:
    """The picture with its hairs filled, and a box around each; other pixels are unchanged.

    Args:
        picture: The one to fill.
        look: Of it.
        mask: Of its hairs, at the size of `Look.fine`.
        wide: The same with a margin, at the picture's size.
        sources: One or two pictures to fill from.
    """
    boxes = tuple(boxes_around(wide))
    rough = _continued(picture, wide, boxes)
    if not sources:
        return rough, boxes
    now = _scouted(look, mask)
    others = [_scouted(source.look, source.mask) for source in sources]
    ways = [_way(now.clean, other.clean) for other in others]
    links = [Link(forth=one, back=one) for one in ways]
    trio = Trio(before=others[0], now=now, after=others[-1], back=links[0], forth=links[-1])
    return filled(rough, trio, wide, piece_px=_PIECE_PX)


def _scouted(look: Look, mask: Mask) -> Scouted:
    wide = widened(mask, px(_MARGIN_PX, mask.shape))
    clean = cv2.inpaint(
        look.fine, wide.view(np.uint8), px(_INPAINT_PX, mask.shape), cv2.INPAINT_TELEA
    )
    return Scouted(look=look, clean=clean, mask=wide)


def _way(now: Fine, other: Fine) -> Way:
    motion = estimate_motion(np.stack([proxy_of(now), proxy_of(other)]))
    return way(refined_flow(motion.forward[0], now, other), now, other)


def _continued(picture: Picture, wide: Mask, boxes: Sequence[Box]) -> Picture:
    """The picture with the places of a mask continued from around them, with grain from there."""
    seen = visible_places(picture)
    wide = wide if seen is None else wide & seen
    planes = [plane.copy() for plane in picture.planes[: picture.layout.colour_planes]]
    for plane in planes:
        down, across = (-(-n // m) for n, m in zip(picture.size, plane.shape, strict=True))
        size = plane.shape[0] * down, plane.shape[1] * across
        padded = np.zeros(size, bool)
        padded[: wide.shape[0], : wide.shape[1]] = wide
        tiles = padded.reshape(plane.shape[0], down, plane.shape[1], across)
        mask = np.asarray(tiles.any(axis=(1, 3)))
        for rows, columns in boxes:
            part = (
                slice(rows.start // down, -(-rows.stop // down)),
                slice(columns.start // across, -(-columns.stop // across)),
            )
            made = _inpainted(plane[part].astype(np.float32), mask[part])
            made = np.clip(np.rint(made), 0, picture.layout.peak).astype(plane.dtype)
            np.copyto(plane[part], made, where=mask[part])
    return replace(picture, planes=(*planes, *picture.planes[len(planes) :]))


def _inpainted(patch: Fine, mask: Mask) -> Fine:
    """A patch continued into a mask, with the grain of the nearest pixels that a shift takes there.

    Args:
        patch: Of a plane.
        mask: What is filled.
    """
    made = cv2.inpaint(patch, mask.view(np.uint8), _NEAR_PX, cv2.INPAINT_TELEA)
    grain = made - cv2.GaussianBlur(made, (0, 0), _FINEST)
    if mask.all():
        return made
    limit = np.float32(3.0) * grain[~mask].std()
    open_to = mask.copy()
    for by in range(2, max(mask.shape), 2):
        for shift in ((0, by), (0, -by), (by, 0), (-by, 0)):
            from_there = open_to & ~np.roll(mask, shift, (0, 1))
            if from_there.any():
                borrowed = np.clip(np.roll(grain, shift, (0, 1)), -limit, limit)
                made[from_there] += borrowed[from_there]
                open_to &= ~from_there
        if not open_to.any():
            break
    return made
