"""Complex degradation: flicker with blur, grain, dirt, telecine, interlacing and compression.

The ground truth has the same blur, grain, dirt and fields, without flicker and compression: it is
what a perfect removal of flicker would return.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.frames.clip import Clip, from_float, to_float
from unflicker.synthesis.dirt import film_dirt, soiled
from unflicker.synthesis.processing_flicker import compressed
from unflicker.synthesis.synthetic_flicker import synthesise

_KINDS = ("exposure", "local", "bands", "held")
_BLUR_SHARE = (0.6 / 448, 1.2 / 448)
"""Deviation of the lens blur, in widths of the picture."""
_QUALITY = (40, 70)
"""Lowest and highest JPEG quality, one for the whole clip."""
_FIELDS = ((0, 0), (1, 1), (1, 2), (2, 3), (3, 3))
"""Source frames of the upper and lower field, in each five frames: 2:3 pulldown of film."""


def degraded(random: np.random.Generator, clip: Clip, *, strength: float) -> tuple[Clip, Clip]:
    """A clip with everything at once, and its ground truth.

    Args:
        random: Random generator.
        clip: A steady clip.
        strength: Factor on the flicker; the rest stays.
    """
    kind, seed = _KINDS[random.integers(len(_KINDS))], int(random.integers(2**31))
    blur = random.uniform(*_BLUR_SHARE) * clip.pixels.shape[2]
    quality = int(random.integers(*_QUALITY))
    dirt_seed = int(random.integers(2**31))
    flickering = synthesise(_blurred(clip, blur), kind=kind, seed=seed, strength=strength).clip
    finished = [
        _telecined(_dirty(each, np.random.default_rng(dirt_seed)))
        for each in (flickering, _blurred(clip, blur))
    ]
    given = np.stack([compressed(frame, quality=quality) for frame in finished[0]])
    one, other = (
        Clip(pixels=from_float(pixels, dtype=clip.pixels.dtype), seconds=clip.seconds)
        for pixels in (given, finished[1])
    )
    return one, other


def _blurred(clip: Clip, deviation: float) -> Clip:
    pixels = np.stack([cv2.GaussianBlur(frame, (0, 0), deviation) for frame in clip.pixels])
    return Clip(pixels=pixels, seconds=clip.seconds)


def _dirty(clip: Clip, random: np.random.Generator) -> Float32[np.ndarray, "time height width 3"]:
    """The clip under grain, dust and scratches."""
    size = clip.pixels.shape[1:3]
    dirt = film_dirt(random, size=size, time=len(clip), strength=1.0)
    frames = [soiled(to_float(frame), *next(dirt)) for frame in clip.pixels]
    return np.clip(np.stack(frames), 0, 1)


def _telecined(
    frames: Float32[np.ndarray, "time height width 3"],
) -> Float32[np.ndarray, "time height width 3"]:
    """Film at 4/5 of the rate as interlaced video, as many frames as before."""
    shown = np.empty_like(frames)
    for t in range(len(frames)):
        upper, lower = _FIELDS[t % 5]
        first = t // 5 * 4
        shown[t, 0::2] = frames[min(first + upper, len(frames) - 1), 0::2]
        shown[t, 1::2] = frames[min(first + lower, len(frames) - 1), 1::2]
    return shown
