"""The classical part of BlazeBVD: illumination by scale-time equalisation, for singular frames.

BlazeBVD smooths the histograms of illumination in time, finds the frames that differ from the
smooth course, and gives both to networks as priors. Without its networks, the filtered illumination
itself is the result for those frames, and the others stay.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32, Float64

from unflicker.frames.clip import Clip, from_float, to_float

SMOOTHING_FRAMES = 8.0
"""Standard deviation of the Gaussian in time, in frames."""
SINGULAR = 1.0 / 255.0
"""Mean distance of a frame's quantiles from the smooth ones above which it is singular."""
_QUANTILES, _LEVELS = 256, 1024


def singular_frames(clip: Clip) -> Clip:
    """The clip with the illumination of singular frames equalised in time; colours keep ratios.

    Source: Qiu, Han, Zhang, Li, Guo, Wang and Nie, BlazeBVD: Make scale-time equalization great
    again for blind video deflickering, ECCV 2024; scale-time equalisation by Delon, IEEE TIP 2006.
    Differences: see docs/baselines.md.
    """
    if len(clip) < 2:
        return clip
    own = np.stack([_quantiles(_luma(to_float(frame))) for frame in clip.pixels])
    smooth = _smoothed(own)
    pixels = clip.pixels.copy()
    for index in np.flatnonzero(np.abs(own - smooth).mean(axis=1) > SINGULAR):
        frame = to_float(clip.pixels[index])
        luma = _luma(frame)
        wanted = np.interp(luma, *_curve(own[index], smooth[index])).astype(np.float32)
        gain = wanted / np.maximum(luma, 1 / 255)
        pixels[index] = from_float(np.clip(frame * gain[..., None], 0, 1), dtype=pixels.dtype)
    return Clip(pixels=pixels, seconds=clip.seconds)


def _luma(frame: Float32[np.ndarray, "height width 3"]) -> Float32[np.ndarray, "height width"]:
    return cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)


def _quantiles(luma: Float32[np.ndarray, "height width"]) -> Float64[np.ndarray, " quantiles"]:
    counts, edges = np.histogram(luma, bins=_LEVELS, range=(0, 1))
    ranks = (np.cumsum(counts) - counts / 2) / luma.size
    there = counts > 0
    chances = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    return np.interp(chances, ranks[there], (edges[:-1] + 0.5 / _LEVELS)[there])


def _smoothed(
    quantiles: Float64[np.ndarray, "time quantiles"],
) -> Float64[np.ndarray, "time quantiles"]:
    frames = np.arange(len(quantiles))
    weights = np.exp(-0.5 * ((frames[:, None] - frames) / SMOOTHING_FRAMES) ** 2)
    return weights @ quantiles / weights.sum(axis=1, keepdims=True)


def _curve(own: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A frame's illumination, and what it becomes; black and white are continued."""
    ends = [own[0] - 1, *own, own[-1] + 1]
    return np.array(ends), np.array([wanted[0] - 1, *wanted, wanted[-1] + 1])
