"""Input types of metrics: clips or arrays of RGB, read frame by frame."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from jaxtyping import Float32, Shaped

from unflicker.frames.clip import Clip, to_float

Pictures = Clip | Shaped[np.ndarray, "time height width 3"]
"""A clip, or its pixels: uint8, uint16 or float32 in [0, 1], RGB."""


def as_pixels(pictures: Pictures) -> Shaped[np.ndarray, "time height width 3"]:
    """The pixels, in their own type."""
    return pictures.pixels if isinstance(pictures, Clip) else pictures


def pairs_of_frames(
    result: Pictures, reference: Pictures
) -> Iterator[tuple[Float32[np.ndarray, "height width 3"], Float32[np.ndarray, "height width 3"]]]:
    """Pairs of frames in [0, 1], RGB.

    Args:
        result: Frames to assess.
        reference: Frames to compare with.

    Raises:
        ValueError: They differ in size or number of frames, or there are none.
    """
    one, other = as_pixels(result), as_pixels(reference)
    if one.shape != other.shape or not len(one):
        raise ValueError(f"clips of {one.shape} and {other.shape}; pass two alike, not empty")
    return ((to_float(a), to_float(b)) for a, b in zip(one, other, strict=True))


def luma(picture: Float32[np.ndarray, "height width 3"]) -> Float32[np.ndarray, "height width"]:
    """Brightness as stored: BT.601 weights on encoded values, as usual in picture quality."""
    return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
