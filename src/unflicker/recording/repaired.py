"""Repairs of a film for its report: how many in each frame, where, and the largest of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from unflicker.frames.colour import rgb_of_planes
from unflicker.frames.picture import Frame, Picture
from unflicker.repair.places import Box, Repairs

KEPT = 20
"""Repairs that are shown, at most."""
ROWS, COLUMNS = 9, 16
"""Of the map of places."""
_LEAST_PX, _MOST_PX = 64, 192
"""Side of what is shown of a picture around a repair."""
_NEAR_SECONDS, _NEAR_SHARE = 2.0, 0.04
"""A scratch lasts: of repairs that are so near in time and, as a share of the width, from side to
side, only the largest is shown."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RepairStill:
    """A part of a frame before and after its repair."""

    index: int
    seconds: float
    left: float
    """Middle of the repair from the left, as a share of the width."""
    area: int
    """Of its box, in px."""
    before: UInt8[np.ndarray, "height width 3"]
    """With light and colour corrected."""
    after: UInt8[np.ndarray, "height width 3"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Repaired:
    """The repairs of a segment, or of a film."""

    counts: tuple[int, ...]
    """Of each frame."""
    places: Float32[np.ndarray, "rows columns"]
    """Number of repairs in each part of the picture."""
    stills: tuple[RepairStill, ...]
    """The largest, the largest first."""

    @classmethod
    def nothing(cls) -> Repaired:
        """Of no frames."""
        return cls(counts=(), places=np.zeros((ROWS, COLUMNS), np.float32), stills=())

    def followed_by(self, other: Repaired) -> Repaired:
        """Both, one after the other."""
        return Repaired(
            counts=self.counts + other.counts,
            places=self.places + other.places,
            stills=largest([*self.stills, *other.stills]),
        )


class RepairsSeen:
    """Takes note of the repairs of a segment, frame by frame."""

    def __init__(self) -> None:
        self._counts: list[int] = []
        self._places = np.zeros((ROWS, COLUMNS), np.float32)
        self._stills: tuple[RepairStill, ...] = ()

    def saw(self, frame: Frame, result: Picture, repairs: Repairs) -> None:
        """Take note of a frame.

        Args:
            frame: As decoded.
            result: As written.
            repairs: What was repaired in it.
        """
        self._counts.append(len(repairs.boxes))
        before = repairs.before
        if before is None:
            return
        for box in repairs.boxes:
            down, across = _middle(box, result.size)
            self._places[int(down * ROWS), int(across * COLUMNS)] += 1.0
        least = self._stills[-1].area if len(self._stills) == KEPT else 0
        larger = sorted((box for box in repairs.boxes if _area(box) > least), key=_area)[-KEPT:]
        found = [_still(frame, box, before, result) for box in larger]
        self._stills = largest([*self._stills, *found])

    def seen(self) -> Repaired:
        """The repairs so far."""
        return Repaired(counts=tuple(self._counts), places=self._places.copy(), stills=self._stills)


def largest(stills: Sequence[RepairStill]) -> tuple[RepairStill, ...]:
    """The largest of some repairs that are apart from each other, the largest first."""
    kept: list[RepairStill] = []
    for still in sorted(stills, key=lambda one: (-one.area, one.index, one.left)):
        if len(kept) < KEPT and not any(_is_near(still, other) for other in kept):
            kept.append(still)
    return tuple(kept)


def _is_near(one: RepairStill, other: RepairStill) -> bool:
    in_time = abs(one.seconds - other.seconds) <= _NEAR_SECONDS
    return in_time and abs(one.left - other.left) <= _NEAR_SHARE


def _area(box: Box) -> int:
    rows, columns = box
    return (rows.stop - rows.start) * (columns.stop - columns.start)


def _middle(box: Box, size: tuple[int, int]) -> tuple[float, float]:
    """Middle of a box from the top and from the left, as shares, below 1."""
    down, across = (
        min((part.start + part.stop) / 2 / whole, 1.0 - 1e-6)
        for part, whole in zip(box, size, strict=True)
    )
    return down, across


def _still(frame: Frame, box: Box, before: Picture, after: Picture) -> RepairStill:
    rows, columns = (_around(part, whole) for part, whole in zip(box, after.size, strict=True))
    shown = [_part(picture, (rows, columns)) for picture in (before, after)]
    return RepairStill(
        index=frame.index,
        seconds=frame.seconds,
        left=_middle(box, after.size)[1],
        area=_area(box),
        before=shown[0],
        after=shown[1],
    )


def _around(part: slice, whole: int) -> slice:
    """Rows or columns that are shown of a box: its middle, if it is long."""
    length = min(max(part.stop - part.start, _LEAST_PX), _MOST_PX, whole)
    start = min(max((part.start + part.stop - length) // 2, 0), whole - length)
    return slice(start, start + length)


def _part(picture: Picture, box: Box) -> UInt8[np.ndarray, "height width 3"]:
    """A part of a picture in colours."""
    size = tuple(part.stop - part.start for part in box)
    planes = []
    for plane in picture.planes[: picture.layout.colour_planes]:
        rows, columns = (
            slice(part.start * have // whole, -(-part.stop * have // whole))
            for part, have, whole in zip(box, plane.shape, picture.size, strict=True)
        )
        planes.append(cv2.resize(plane[rows, columns], size[::-1]))
    return np.rint(np.clip(rgb_of_planes(planes, picture), 0.0, 1.0) * 255.0).astype(np.uint8)
