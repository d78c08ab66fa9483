"""Removal of dirt as it is usually done: medians over time and space, which see every pixel."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.baselines.ffmpeg import filtered
from unflicker.frames.clip import Clip, from_float, to_float
from unflicker.frames.flow import look_up, pixel_places
from unflicker.motion import estimate_motion

Frame = Float32[np.ndarray, "height width 3"]


def median_of_three(clip: Clip) -> Clip:
    """The temporal median of each frame and of both neighbours along the motion.

    The first and the last frame stay as they are.

    Source: Arce 1991, Multistage order statistic filters for image sequence processing, IEEE TSP;
    here with dense motion.
    """
    if len(clip) < 3:
        return clip
    values = to_float(clip.pixels)
    motion = estimate_motion(values)
    made = clip.pixels.copy()
    for t in range(1, len(clip) - 1):
        past = _aligned(values[t - 1], motion.backward[t - 1])
        future = _aligned(values[t + 1], motion.forward[t])
        median = np.median(np.stack([past, values[t], future]), axis=0)
        made[t] = from_float(median.astype(np.float32), dtype=clip.pixels.dtype)
    return Clip(pixels=made, seconds=clip.seconds)


def ffmpeg_removegrain(clip: Clip) -> Clip:
    """FFmpeg's `removegrain`, mode 2: pixels limited to the range of their neighbours in a frame,
    without the two extremes."""
    return filtered(clip, "removegrain=m0=2:m1=2:m2=2")


def ffmpeg_median(clip: Clip) -> Clip:
    """FFmpeg's `median` of 3 × 3 pixels of a frame."""
    return filtered(clip, "median=radius=1")


def _aligned(there: Frame, flow: Float32[np.ndarray, "rows columns 2"]) -> Frame:
    """A neighbour along the motion."""
    height, width = there.shape[:2]
    scale = np.array([width / flow.shape[1], height / flow.shape[0]], np.float32)
    places = pixel_places(height, width) + scale * cv2.resize(flow, (width, height))
    return look_up(there, places)


CLEANERS: dict[str, Callable[[Clip], Clip]] = {
    "median of three": median_of_three,
    "removegrain": ffmpeg_removegrain,
    "median": ffmpeg_median,
}
"""All of them, by name."""
