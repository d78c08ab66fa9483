"""Reflection padding to sizes that networks can halve."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64


def mirrored(length: int, *, multiple: int) -> Int64[np.ndarray, " padded"]:
    """Indices that extend an axis at its end, by reflection, to a multiple of a number.

    Reflection repeats where the axis is short. The first `length` indices are the axis itself.

    Args:
        length: Of the axis, 1 or more.
        multiple: 1 or more.
    """
    there_and_back = max(2 * (length - 1), 1)
    places = np.arange(-(-length // multiple) * multiple) % there_and_back
    return np.minimum(places, there_and_back - places)
