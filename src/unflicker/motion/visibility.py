"""Which pixels of a frame are seen in its neighbour."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

from unflicker.frames.flow import pixel_places, warp

_ROUND_TRIP_PX = 0.7


def visibility(
    there: Float32[np.ndarray, "height width 2"], back: Float32[np.ndarray, "height width 2"]
) -> Float32[np.ndarray, "height width"]:
    """How far each pixel can be followed there and back again, 0 to 1.

    One where the round trip ends within a fraction of a pixel, falling to zero over about a pixel
    (two where the motion is fast), and zero where the way leads out of the picture.
    """
    height, width = there.shape[:2]
    miss = there + warp(back, there)
    squared = np.einsum("ijk,ijk->ij", miss, miss)
    speed = np.einsum("ijk,ijk->ij", there, there)
    tolerance = _ROUND_TRIP_PX**2 + 0.01 * speed
    landing = pixel_places(height, width) + there
    inside = (
        (landing[..., 0] >= -0.5)
        & (landing[..., 0] <= width - 0.5)
        & (landing[..., 1] >= -0.5)
        & (landing[..., 1] <= height - 0.5)
    )
    return (np.exp(-0.5 * squared / tolerance) * inside).astype(np.float32)
