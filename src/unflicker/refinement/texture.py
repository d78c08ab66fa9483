"""Whether a shot's texture flickers, so that one that does not is left alone bit for bit.

Where the picture hardly moves, texture that belongs to things looks the same in three frames, apart
from sensor noise that a proxy averages away. What differs there, relative to light, is flicker.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.frames.flow import visibility, warp

LEAST = 0.0066
"""Texture flicker from which a shot is refined (lab notebook)."""
_LEAST_SLOW = 0.30
"""Share of places that hardly move, below which a shot's texture must flicker more to be sure."""
_STILL_PX = 1.0
_FINE_PX, _COARSE_PX = 1.0, 4.0
"""Texture is what lies between these blurs: finer is noise, coarser is light, tone's business."""
_DARK = 0.1
_MOST_TRIPLES = 12


@dataclass(frozen=True, kw_only=True, eq=False)
class Triple:
    """Three consecutive proxies, and the motion from the middle one to both others."""

    light: Float32[np.ndarray, "3 height width 3"]
    """Working light, free of the flicker that is smooth."""
    back: Float32[np.ndarray, "height width 2"]
    forth: Float32[np.ndarray, "height width 2"]
    back_again: Float32[np.ndarray, "height width 2"]
    """From the frame before to the middle one."""
    forth_again: Float32[np.ndarray, "height width 2"]
    """From the frame after to the middle one."""


def middles(frames: int) -> list[int]:
    """The frames of a window around which texture is looked at: a dozen at most, spread evenly."""
    count = min(_MOST_TRIPLES, frames - 2)
    if count < 1:
        return []
    return [1 + (2 * k + 1) * (frames - 2) // (2 * count) for k in range(count)]


def texture_flicker(triples: Iterable[Triple]) -> float:
    """How much the texture of a shot flickers, relative to light; 0 where that is not enough.

    The mean absolute difference of each frame from the mean of its neighbours in time, between two
    blurs; 0.001 to 0.005 is usual for steady film.
    """
    change = weight = pixels = 0.0
    for triple in triples:
        slow = _slowness(triple)
        before, now, after = triple.light
        off = now - (warp(before, triple.back) + warp(after, triple.forth)) * 0.5
        off *= (slow / (now.mean(axis=2) + _DARK))[..., None]
        texture = _mean_around(off, slow, _FINE_PX) - _mean_around(off, slow, _COARSE_PX)
        change += float((np.abs(texture).mean(axis=2) * slow).sum(dtype=np.float64))
        weight += float(slow.sum(dtype=np.float64))
        pixels += slow.size
    if weight < 1e-4 * max(pixels, 1.0):
        return 0.0
    found, slow_share = change / weight, weight / pixels
    least = LEAST * max(1.0, (_LEAST_SLOW / slow_share) ** 0.5)
    return found if found > least else 0.0


def _mean_around(
    weighted: Float32[np.ndarray, "height width 3"],
    weight: Float32[np.ndarray, "height width"],
    blur_px: float,
) -> Float32[np.ndarray, "height width 3"]:
    amount = np.maximum(cv2.GaussianBlur(weight, (0, 0), blur_px), 0.05)
    return cv2.GaussianBlur(weighted, (0, 0), blur_px) / amount[..., None]


def _slowness(triple: Triple) -> Float32[np.ndarray, "height width"]:
    """1 where a place is seen in all three frames and hardly moves, down to 0."""
    seen = visibility(triple.back, triple.back_again) * visibility(triple.forth, triple.forth_again)
    bend = triple.forth + triple.back
    square = (triple.back**2 + triple.forth**2 + 8.0 * bend**2).sum(axis=2)
    return np.where(seen > 0.5, seen, 0.0) * cv2.exp(-0.5 * square / _STILL_PX**2)
