"""Weights of the previous and the next frame at each pixel, from proxies.

A place that looks alike in three frames is averaged with its neighbours. A difference that flicker
does not explain is motion or new content, and is not averaged.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.frames.colour import LUMA
from unflicker.frames.flow import warp

MOST = 0.2
"""Largest weight of either neighbour. It leaves 0.45 of random change between frames; a third of
each, the plain mean, would leave 0.33 and be softer (lab notebook)."""
_NEIGHBOURHOOD_PX = 1.5
_ALLOWED = 0.03
"""Difference, in working light, at which the weight is half where a picture has no contrast."""
_OF_CONTRAST = 0.5
"""Share of the local contrast that is added to it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Way:
    """Motion from a frame to a neighbour, in px of its proxy."""

    flow: Float32[np.ndarray, "rows columns 2"]
    seen: Float32[np.ndarray, "rows columns"]
    """Visibility of a place there, 0 to 1."""


def neighbour_weight(
    neighbour: Float32[np.ndarray, "rows columns 3"],
    now: Float32[np.ndarray, "rows columns 3"],
    way: Way,
) -> Float32[np.ndarray, "rows columns"]:
    """The weight of a neighbouring proxy at each place, 0 to `MOST`, by local similarity.

    Args:
        neighbour: The neighbouring proxy, RGB.
        now: The frame's own proxy.
        way: Motion to the neighbour and visibility there.
    """
    difference = warp(neighbour, way.flow) - now
    unlike = _smoothed((difference * difference).mean(axis=2))
    allowed = (_ALLOWED + _OF_CONTRAST * _contrast(now @ LUMA)) ** 2
    return way.seen * (MOST / (1.0 + unlike / allowed))


def _contrast(luma: Float32[np.ndarray, "rows columns"]) -> Float32[np.ndarray, "rows columns"]:
    """The local standard deviation."""
    mean = _smoothed(luma, scale=2.0)
    return np.sqrt(np.maximum(_smoothed(luma * luma, scale=2.0) - mean * mean, 0.0))


def _smoothed(
    values: Float32[np.ndarray, "rows columns"], *, scale: float = 1.0
) -> Float32[np.ndarray, "rows columns"]:
    return cv2.GaussianBlur(values, (0, 0), scale * _NEIGHBOURHOOD_PX)
