"""The two fields of an interlaced picture: its even and its odd rows, scanned at two times."""

from __future__ import annotations

import numpy as np
from jaxtyping import Shaped

from unflicker.frames.picture import Picture

UPPER, LOWER = 0, 1
"""The field of rows 0, 2, … and that of rows 1, 3, …; also the first row of each."""


def can_be_split(picture: Picture) -> bool:
    """Whether both fields have as many rows, in chroma planes too."""
    return all(len(plane) % 2 == 0 for plane in picture.planes)


def field_of(picture: Picture, which: int) -> Picture:
    """A field of a picture, half as high.

    Args:
        picture: Interlaced, of an even number of rows in all planes.
        which: `UPPER` or `LOWER`.
    """
    planes = tuple(np.ascontiguousarray(plane[which::2]) for plane in picture.planes)
    return Picture(planes=planes, layout=picture.layout, meaning=picture.meaning)


def levelled_field(picture: Picture, which: int) -> Picture:
    """A field resampled to rows halfway between those of both fields, so that the two of a steady
    picture lie on each other.

    Args:
        picture: As in `field_of`.
        which: Likewise.
    """
    planes = tuple(_halfway(plane[which::2], which) for plane in picture.planes)
    return Picture(planes=planes, layout=picture.layout, meaning=picture.meaning)


def woven(upper: Picture, lower: Picture) -> Picture:
    """The picture of two fields, the inverse of `field_of`.

    Args:
        upper: Rows 0, 2, …
        lower: Rows 1, 3, …
    """
    planes = []
    for even, odd in zip(upper.planes, lower.planes, strict=True):
        plane = np.empty((2 * len(even), even.shape[1]), even.dtype)
        plane[UPPER::2], plane[LOWER::2] = even, odd
        planes.append(plane)
    return Picture(planes=tuple(planes), layout=upper.layout, meaning=upper.meaning)


def _halfway(rows: Shaped[np.ndarray, "rows columns"], which: int) -> np.ndarray:
    """Rows a quarter of their distance further down (upper field) or up (lower field)."""
    wide = rows.astype(np.uint32)
    other = np.concatenate([wide[1:], wide[-1:]] if which == UPPER else [wide[:1], wide[:-1]])
    return ((3 * wide + other + 2) >> 2).astype(rows.dtype)
