"""Counterparts of spots in both neighbours: what stands apart in three pictures is a thing.

A flapping wing or a tree that rushes by is another shape in each picture, so motion does not
explain it. But something of about its size and luma stands apart near it in both neighbours too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from unflicker.repair.looks import DRAWN_WIDTH_PX
from unflicker.repair.spots import Plane, Spots

_NEAR_PX, _NEAR_SIZES = 20.0, 2.0
"""How far away a counterpart may be: some px of a picture 640 px wide, and twice the spot's size,
the square root of its area."""
_LARGER = 5.0
"""How many times as large, or as small, it may be."""
_LUMA = 0.15
"""How much its luma may differ, of the whole range."""

_AT_ONCE = 256
"""Things that are compared with all others at once: rain has thousands, and a table of them all
would fill the memory."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Things:
    """What stands apart in a picture."""

    places: Float[np.ndarray, "things 2"]
    """Row and column of the middle, in px of a picture 640 px wide."""
    area: Float[np.ndarray, " things"]
    """In px of such a picture."""
    luma: Float[np.ndarray, " things"]
    """Mean, in [0, 1]."""


NO_THINGS = Things(places=np.zeros((0, 2)), area=np.zeros(0), luma=np.zeros(0))


def things_of(spots: Spots, now: Plane) -> Things:
    """The spots of a picture as things, in their order.

    Args:
        spots: Of the picture.
        now: Its luma in [0, 1].
    """
    rows, columns = np.nonzero(spots.labels)
    numbers = spots.labels[rows, columns] - 1
    scale = DRAWN_WIDTH_PX / max(now.shape)
    pixels = np.maximum(np.bincount(numbers, minlength=spots.count), 1)

    def mean(values: np.ndarray) -> np.ndarray:
        return np.bincount(numbers, values, minlength=spots.count) / pixels

    return Things(
        places=scale * np.stack([mean(rows), mean(columns)], axis=-1),
        area=scale**2 * pixels,
        luma=mean(now[rows, columns]),
    )


def has_counterparts(
    things: Things, *, before: Things, after: Things
) -> Bool[np.ndarray, " things"]:
    """Which things of a picture have a counterpart in both neighbours.

    Args:
        things: Of the picture.
        before: Of the previous picture.
        after: Of the next.
    """
    return _has_one(things, before) & _has_one(things, after)


def _has_one(things: Things, others: Things) -> Bool[np.ndarray, " things"]:
    found = np.zeros(len(things.area), bool)
    for first in range(0, len(found), _AT_ONCE):
        part = slice(first, first + _AT_ONCE)
        places, area, luma = things.places[part], things.area[part], things.luma[part]
        away = np.linalg.norm(places[:, None] - others.places[None], axis=-1)
        larger = others.area[None] / area[:, None]
        near = away < (_NEAR_PX + _NEAR_SIZES * np.sqrt(area))[:, None]
        alike = (larger > 1 / _LARGER) & (larger < _LARGER)
        alike &= np.abs(others.luma[None] - luma[:, None]) < _LUMA
        found[part] = (near & alike).any(axis=1)
    return found
