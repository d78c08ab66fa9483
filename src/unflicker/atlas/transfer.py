"""Closed-form transfer: smooth gains that match each region to the guide's light.

It takes the guide's light but not its structure. The neural filter performs better; this stage
measures the benefit of the atlas alone.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.atlas.guide import Guide

_DARK = 0.02
"""Added to both sides of a ratio of light: near black, noise dominates."""
_SMOOTH_CELLS = 2.0
_HELD_BACK = 0.15
"""Weight of leaving a region unchanged, in units of trust."""


def transferred_gain(
    frames: Float32[np.ndarray, "time height width 3"],
    guide: Guide,
    *,
    rows: int,
    columns: int,
) -> Float32[np.ndarray, "time rows columns 3"]:
    """The natural logarithm of the gain, by region, that matches each frame to its guide.

    Args:
        frames: RGB in working light, in [0, 1].
        guide: Pictures and trust of the same frames.
        rows: Regions down.
        columns: Regions across.
    """
    size = columns, rows
    gains = np.zeros((len(frames), rows, columns, 3), np.float32)
    for t, (frame, picture, trust) in enumerate(
        zip(frames, guide.pictures, guide.trust, strict=True)
    ):
        weight = trust[..., None]
        sums = [
            cv2.GaussianBlur(
                cv2.resize(part, size, interpolation=cv2.INTER_AREA), (0, 0), _SMOOTH_CELLS
            )
            for part in (picture * weight, frame * weight, trust)
        ]
        wanted, there, trusted = sums[0], sums[1], sums[2][..., None]
        ratio = np.log((wanted + _DARK * trusted + 1e-6) / (there + _DARK * trusted + 1e-6))
        gains[t] = ratio * trusted / (trusted + np.float32(_HELD_BACK))
    return gains
