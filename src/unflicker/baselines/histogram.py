"""Temporal smoothing of each channel's histogram.

Independent of unflicker's tone stage, so that it can serve as its reference.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float64, Shaped

from unflicker.frames.clip import Clip, from_float, to_float

SMOOTHING_FRAMES = 8.0
"""Standard deviation of the Gaussian in time, in frames."""
PROBABILITIES = 512
"""Number of quantiles of a distribution."""
_FINE_LEVELS = 4096


def histogram(clip: Clip) -> Clip:
    """The clip with each channel's quantiles replaced by their mean over the frames around.

    Source: Delon, Movie and video scale-time equalization: application to flicker reduction,
    IEEE TIP 2006: the midway distribution is the mean of quantile functions, weighted in time.
    """
    if len(clip) < 2:
        return clip
    quantiles = np.stack([_quantiles(frame) for frame in clip.pixels])
    wanted = _smooth_in_time(quantiles)
    pixels = np.empty_like(clip.pixels)
    for index, frame in enumerate(clip.pixels):
        pixels[index] = _with_quantiles(frame, wanted[index])
    return Clip(pixels=pixels, seconds=clip.seconds)


def _levels(dtype: np.dtype) -> int:
    """Number of levels of a histogram."""
    return 256 if dtype == np.uint8 else _FINE_LEVELS


def _rank(channel: Shaped[np.ndarray, "height width"]) -> Float64[np.ndarray, " levels"]:
    """The share of pixels below each level, plus half of those at the level."""
    levels = _levels(channel.dtype)
    places = _to_levels(channel, levels)
    counts = np.bincount(places.ravel(), minlength=levels)
    return (np.cumsum(counts) - counts / 2) / channel.size


def _to_levels(
    channel: Shaped[np.ndarray, "height width"], levels: int
) -> Shaped[np.ndarray, "height width"]:
    """The level, from 0, nearest to each value."""
    if channel.dtype == np.uint8:
        return channel
    return np.clip(np.rint(to_float(channel) * (levels - 1)), 0, levels - 1).astype(np.int64)


def _quantiles(
    frame: Shaped[np.ndarray, "height width 3"],
) -> Float64[np.ndarray, "3 probabilities"]:
    """The value below which each share of a channel's pixels lies."""
    chances = (np.arange(PROBABILITIES) + 0.5) / PROBABILITIES
    values = np.linspace(0, 1, _levels(frame.dtype))
    result = np.empty((3, PROBABILITIES))
    for channel in range(3):
        rank = _rank(frame[..., channel])
        there = np.flatnonzero(np.diff(rank, prepend=-1.0) > 0)
        result[channel] = np.interp(chances, rank[there], values[there])
    return result


def _smooth_in_time(
    quantiles: Float64[np.ndarray, "time 3 probabilities"],
) -> Float64[np.ndarray, "time 3 probabilities"]:
    """The Gaussian mean over neighbouring frames, weights normalised at the clip's ends."""
    frames = np.arange(len(quantiles))
    distance = frames[:, None] - frames
    weights = np.exp(-0.5 * (distance / SMOOTHING_FRAMES) ** 2)
    weights /= weights.sum(axis=1, keepdims=True)
    return np.tensordot(weights, quantiles, axes=1)


def _with_quantiles(
    frame: Shaped[np.ndarray, "height width 3"], wanted: Float64[np.ndarray, "3 probabilities"]
) -> Shaped[np.ndarray, "height width 3"]:
    """The frame with its values moved, channel by channel, to the given quantiles."""
    chances = (np.arange(PROBABILITIES) + 0.5) / PROBABILITIES
    levels = _levels(frame.dtype)
    result = np.empty_like(frame)
    for channel in range(3):
        curve = np.interp(_rank(frame[..., channel]), chances, wanted[channel])
        values = frame[..., channel]
        if frame.dtype == np.uint8:
            result[..., channel] = cv2.LUT(
                values, from_float(curve.astype(np.float32), dtype=np.uint8)
            )
        else:
            moved = np.interp(to_float(values), np.linspace(0, 1, levels), curve)
            result[..., channel] = from_float(moved.astype(np.float32), dtype=frame.dtype)
    return result
