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
_LEAST_SEEN = 1e-4
"""Share of places that hardly move, below which nothing can be said."""
_BEYOND_LEAST, _BEYOND_SHARE = 0.0008, 0.08
"""Texture flicker beyond an original's, and its share of the film's, that is clear: steady
looks come to 0.0006 (lab notebook)."""
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
    seen = _seen(triples)
    least = LEAST * max(1.0, (_LEAST_SLOW / max(seen.slow_share, 1e-4)) ** 0.5)
    return seen.change if seen.change > least and seen.slow_share > _LEAST_SEEN else 0.0


def texture_beyond(processed: Iterable[Triple], original: Iterable[Triple]) -> float:
    """How much a film's texture flickers beyond that of its steady original, relative to light.

    Noise of the original that is made stronger together with its texture is no flicker; 0 where
    there is not clearly more.
    """
    film, steady = _seen(processed), _seen(original)
    stronger = max(1.0, film.texture / max(steady.texture, 1e-6))
    beyond = film.change - stronger * steady.change
    clear = beyond > max(_BEYOND_LEAST, _BEYOND_SHARE * film.change)
    return beyond if clear and film.slow_share > _LEAST_SEEN else 0.0


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """What triples show where things hardly move, relative to light."""

    change: float
    """Texture that differs from that of the neighbours in time."""
    texture: float
    """Texture altogether."""
    slow_share: float
    """Share of the picture that hardly moves."""


def _seen(triples: Iterable[Triple]) -> _Seen:
    sums, pixels = np.zeros(3), 0
    for triple in triples:
        slow = _slowness(triple)
        before, now, after = triple.light
        off = now - (warp(before, triple.back) + warp(after, triple.forth)) * 0.5
        by_light = (slow / (now.mean(axis=2) + _DARK))[..., None]
        found = [np.abs(_texture(part * by_light, slow)).mean(axis=2) * slow for part in (off, now)]
        sums += [float(values.sum(dtype=np.float64)) for values in (*found, slow)]
        pixels += slow.size
    change, texture, weight = (float(total) for total in sums)
    known = max(weight, 1e-9)
    return _Seen(change=change / known, texture=texture / known, slow_share=weight / max(pixels, 1))


def _texture(
    weighted: Float32[np.ndarray, "height width 3"], weight: Float32[np.ndarray, "height width"]
) -> Float32[np.ndarray, "height width 3"]:
    return _mean_around(weighted, weight, _FINE_PX) - _mean_around(weighted, weight, _COARSE_PX)


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
