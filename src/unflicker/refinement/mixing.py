"""Blends neighbouring frames into a picture's own planes, with weights from proxies."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.compute.bands import in_bands
from unflicker.frames.picture import Picture
from unflicker.refinement import kernels
from unflicker.refinement.detail import LostDetail, room_for_detail
from unflicker.refinement.neighbour_weights import MOST, Way

_AREA = cv2.INTER_AREA
_PIXEL_LIMIT = 0.15
"""Difference, of the whole range, at which a single sample takes half of its share."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Neighbour:
    """The previous or next picture, and its weight."""

    picture: Picture
    share: Float32[np.ndarray, "rows columns"]
    """Weight of each place, 0 to `MOST`."""
    way: Way
    """Motion to it."""


def mixed(
    picture: Picture,
    *,
    past: Neighbour | None,
    future: Neighbour | None,
    amount: float,
    lost: LostDetail | None = None,
) -> Picture:
    """The picture blended with its motion-compensated neighbours; transparency stays.

    Args:
        picture: Of any layout.
        past: The previous picture; None if there is none in the shot.
        future: The next picture, likewise.
        amount: Factor on the shares, 0 to 1.
        lost: What the averages of the shot took from detail, to be restored; None leaves it.
    """
    plan = _plan(picture.size, past, future, amount)
    if plan is None:
        return picture
    before, after = (side.picture if side else picture for side in (past, future))
    planes, rgb = list(picture.planes), picture.layout.family == "rgb"
    # Of RGB, green comes first: detail is measured in it for all three.
    for index in (1, 0, 2) if rgb else range(picture.layout.colour_planes):
        three = tuple(one.planes[index] for one in (picture, before, after))
        detailed = lost if rgb or index == 0 else None
        planes[index] = _mixed_plane(picture, three, plan, detailed, measure=index == int(rgb))
    return replace(picture, planes=tuple(planes))


def _mixed_plane(
    picture: Picture,
    three: tuple[np.ndarray, ...],
    plan: Float32[np.ndarray, "rows columns 6"],
    lost: LostDetail | None,
    *,
    measure: bool,
) -> np.ndarray:
    """A plane blended with the previous and the next one, its detail restored if it may be."""
    now, before, after = (np.ascontiguousarray(plane) for plane in three)
    peak = picture.layout.peak
    moves = now.shape[1] / picture.size[1], now.shape[0] / picture.size[0]
    scale = tuple(np.float32(number) for number in (*moves, peak, _PIXEL_LIMIT * peak))
    mean = np.empty(now.shape, now.dtype if lost is None else np.float32)
    sums = None if lost is None else room_for_detail(now)

    def work(start: int, stop: int) -> None:
        room = kernels.room_for_mix(now.shape[1])
        kernels.mix(now, before, after, mean, plan, scale, sums, (start, stop), room)

    in_bands(work, rows=now.shape[0], pixels=now.size)
    if lost is None or sums is None:
        return mean
    if measure:
        lost.measured(sums)
    share = np.minimum(plan[..., 4:6].sum(axis=2) / np.float32(MOST), 1.0)
    return lost.restored(mean, like=now, peak=peak, share=share)


def within_mask(
    before: Picture, after: Picture, mask: Float32[np.ndarray, "height width"]
) -> Picture:
    """The picture after a change, within a mask only; transparency is that before.

    Args:
        before: The picture.
        after: The changed one; returned as `before` if it is the same object.
        mask: Share of the change, 0 to 1.
    """
    if after is before:
        return before
    planes = []
    for index, (old, new) in enumerate(zip(before.planes, after.planes, strict=True)):
        if index == before.layout.colour_planes:
            planes.append(old)
            continue
        size = old.shape[1], old.shape[0]
        share = mask if mask.shape == old.shape else cv2.resize(mask, size, interpolation=_AREA)
        part = np.rint((new.astype(np.float32) - old) * share)
        planes.append((old + part).astype(old.dtype))
    return replace(before, planes=tuple(planes))


def _plan(
    size: tuple[int, int], past: Neighbour | None, future: Neighbour | None, amount: float
) -> Float32[np.ndarray, "rows columns 6"] | None:
    """Motion in px of the picture, and shares, for `kernels.mix`; None without any."""
    known = past or future
    if known is None:
        return None
    rows, columns = known.share.shape
    plan = np.zeros((rows, columns, 6), np.float32)
    scale = np.array([size[1] / columns, size[0] / rows], np.float32)
    for place, side in enumerate((past, future)):
        if side is not None:
            plan[..., 2 * place : 2 * place + 2] = side.way.flow * scale
            plan[..., 4 + place] = side.share * np.float32(amount)
    return plan
