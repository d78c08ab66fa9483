"""Sizes that networks can halve: pictures mirrored at their border, and cut back after."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64


def mirrored(length: int, *, multiple: int) -> Int64[np.ndarray, " padded"]:
    """Which places of an axis to take so that it grows at its end to a multiple of a number.

    They run back from the border as in a mirror, to and fro where the axis is short. The first
    `length` of the result are the axis itself.
    """
    there_and_back = max(2 * (length - 1), 1)
    places = np.arange(-(-length // multiple) * multiple) % there_and_back
    return np.minimum(places, there_and_back - places)
