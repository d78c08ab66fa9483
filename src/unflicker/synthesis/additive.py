"""Additive flicker, the published model: I = G + F, where F is added and held for W frames.

Source: Lei, Ren, Zhang and Chen, Blind video deflickering by neural filtering with a flawed atlas,
CVPR 2023: W is 1, 3 or 10. From what F is drawn is not published, so this is a choice of ours: an
offset of the whole picture, one of each channel and a smooth pattern of light, all normal.

How strong it is follows from the paper's own numbers. With an offset that deviates by s, its
warping error of the raw clips is the steady clips' own plus about 2.26 s, 1.49 s and 1.10 s for
W of 1, 3 and 10; it reports 0.199, 0.158 and 0.132, which fits s of 0.057 within 0.003. What ours
comes to on real clips is in docs/data-set.md.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.synthesis.recipes import FIELD_CELLS, smooth_fields

HELD = {"w1": 1, "w3": 3, "w10": 10}
"""Frames for which each kind holds its offset."""
DEVIATION = (0.048, 0.062)
"""Range of the offset's deviation, in encoded values from 0 to 1."""
_SHARES = {"light": 0.55, "colour": 0.15, "place": 0.30}
"""Share of the variance of each part."""


def offsets(
    random: np.random.Generator, *, time: int, hold_frames: int, strength: float
) -> Float32[np.ndarray, "time rows columns 3"]:
    """The offset of each frame, on a grid over the picture, in encoded values.

    Args:
        random: Random generator.
        time: Number of frames.
        hold_frames: Frames for which an offset is held.
        strength: Factor on all of it.
    """
    levels = -(-time // hold_frames)
    deviation = random.uniform(*DEVIATION) * strength
    light = random.normal(size=(levels, 1, 1, 1)) * np.sqrt(_SHARES["light"])
    colour = random.normal(size=(levels, 1, 1, 3)) * np.sqrt(_SHARES["colour"])
    place = smooth_fields(random, time=levels, channels=1, memory=0.0) * np.sqrt(_SHARES["place"])
    drawn = deviation * (light + colour + place)
    return np.repeat(drawn, hold_frames, axis=0)[:time].astype(np.float32)


def added(
    pixels: Float32[np.ndarray, "height width 3"], offset: Float32[np.ndarray, "rows columns 3"]
) -> Float32[np.ndarray, "height width 3"]:
    """The picture with an offset, not clipped.

    Args:
        pixels: RGB in [0, 1].
        offset: On a grid of `FIELD_CELLS`, in full scale; interpolated.
    """
    assert offset.shape[:2] == FIELD_CELLS
    height, width = pixels.shape[:2]
    return pixels + cv2.resize(offset, (width, height), interpolation=cv2.INTER_LINEAR)
