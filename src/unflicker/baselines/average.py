"""A moving average along the motion: the simplest method without a network."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float32

from unflicker.compute.threads import in_parallel
from unflicker.errors import UsageError
from unflicker.frames.clip import Clip, from_float, to_float
from unflicker.frames.flow import visibility, warp
from unflicker.frames.structure import normalised
from unflicker.motion import estimate_flow

REACH_FRAMES = 2
"""How many frames to each side are averaged."""


def average(clip: Clip, *, reach_frames: int = REACH_FRAMES) -> Clip:
    """Each frame averaged with its neighbours, along the motion.

    All are weighted by their visibility; where none is visible the frame stays. Light that changes
    at random between frames falls to 1 / √(frames averaged); so does a part of the sharpness.

    Args:
        clip: To steady.
        reach_frames: Neighbours to each side, 0 or more.

    Raises:
        UsageError: A negative reach.
    """
    if reach_frames < 0:
        raise UsageError(f"a reach of {reach_frames} frames; pass 0 or more")
    if len(clip) < 2 or reach_frames == 0:
        return clip
    pixels = np.empty_like(clip.pixels)
    for index, mean in enumerate(_means(clip, reach_frames)):
        pixels[index] = from_float(mean, dtype=pixels.dtype)
    return Clip(pixels=pixels, seconds=clip.seconds)


def _means(clip: Clip, reach: int) -> Iterator[Float32[np.ndarray, "height width 3"]]:
    """The averages in order, each as soon as the last frame of its window is warped."""
    near: deque[_Sum] = deque()
    for frame in clip.pixels:
        now = _Sum(to_float(frame))
        laid = in_parallel(partial(_laid_over_each_other, now), list(near))
        for earlier, (over_now, over_earlier) in zip(near, laid, strict=True):
            now.add(over_now)
            earlier.add(over_earlier)
        near.append(now)
        if len(near) > reach:
            yield near.popleft().mean()
    for left in near:
        yield left.mean()


@dataclass(frozen=True, kw_only=True, eq=False)
class _Laid:
    """A frame warped to another."""

    picture: Float32[np.ndarray, "height width 3"]
    seen: Float32[np.ndarray, "height width"]
    """Visibility of each pixel of the other in it, 0 to 1."""


class _Sum:
    """A frame, and the sum of frames warped to it so far."""

    def __init__(self, picture: Float32[np.ndarray, "height width 3"]) -> None:
        self.picture, self.structure = picture, normalised(picture)
        self._sum, self._weight = picture.copy(), np.ones(picture.shape[:2], np.float32)

    def add(self, laid: _Laid) -> None:
        """Add another frame."""
        self._sum += laid.picture * laid.seen[..., None]
        self._weight += laid.seen

    def mean(self) -> Float32[np.ndarray, "height width 3"]:
        """The weighted mean."""
        return self._sum / self._weight[..., None]


def _laid_over_each_other(one: _Sum, other: _Sum) -> tuple[_Laid, _Laid]:
    """Two frames, each warped to the other."""
    there = estimate_flow(one.structure, other.structure)
    back = estimate_flow(other.structure, one.structure)
    return (
        _Laid(picture=warp(other.picture, there), seen=visibility(there, back)),
        _Laid(picture=warp(one.picture, back), seen=visibility(back, there)),
    )
