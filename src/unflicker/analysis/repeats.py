"""Repeated frames: film pictures that a transfer shows twice or three times.

A film of 16 or 18 pictures a second becomes video of 24 or 25 by repeating some. A repeated frame
has no new information on light; in statistics it makes flicker look like sample-and-hold. So it is
excluded from them, and gets the correction of the frame it repeats.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
from jaxtyping import Float32, Int

_CELLS = (16, 9)
"""Columns and rows in which light is compared."""
_SAME_LIGHT = 0.004
"""Difference of log light in a cell up to which two frames have the same light. Flicker of half
of that is neither visible nor corrected, so a wrong repeat does no harm."""
_NEARLY_ALL = 0.95
"""Share of the cells; re-encoded frames differ by more in a few dark ones."""
_SAME_DETAIL = 0.25
"""Difference of two frames, relative to the larger ones of the window, up to which only coding
differs. A guess: tested with synthetic noise, not with real transfers that were re-encoded."""
_TOE = 0.02
_LARGER = 0.75


def find_repeats(
    pictures: Sequence[Float32[np.ndarray, "height width 3"]],
) -> Int[np.ndarray, " time"]:
    """For each picture the index of the first one that it repeats; its own index if it is new.

    Args:
        pictures: Proxies of one shot in working light, in order.
    """
    count = len(pictures)
    first = np.arange(count)
    changes = [float(np.sqrt(np.mean((b - a) ** 2))) for a, b in pairwise(pictures)]
    usual = float(np.quantile(changes, _LARGER)) if changes else 0.0
    light = [_light(picture) for picture in pictures]
    for t in range(1, count):
        anchor = first[t - 1]
        if changes[t - 1] == 0.0:
            first[t] = anchor
            continue
        difference = pictures[t] - pictures[anchor]
        if (
            _same_light(light[t], light[anchor])
            and float(np.sqrt(np.mean(difference**2))) < _SAME_DETAIL * usual
        ):
            first[t] = anchor
    return first


def _same_light(
    one: Float32[np.ndarray, "rows columns 3"], other: Float32[np.ndarray, "rows columns 3"]
) -> bool:
    off = np.abs(one - other)
    return bool(np.quantile(off, _NEARLY_ALL) < _SAME_LIGHT and off.max() < 4.0 * _SAME_LIGHT)


def _light(picture: Float32[np.ndarray, "height width 3"]) -> Float32[np.ndarray, "rows columns 3"]:
    return np.log(cv2.resize(picture, _CELLS, interpolation=cv2.INTER_AREA) + np.float32(_TOE))
