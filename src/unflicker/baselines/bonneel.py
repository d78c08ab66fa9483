"""Bonneel et al. 2015: gradients of each frame, levels of the previous output along the motion.

Source: Bonneel, Tompkin, Sunkavalli, Sun, Paris and Pfister, Blind video temporal consistency, ACM
Transactions on Graphics (SIGGRAPH Asia) 2015.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.baselines.pairs import need_alike
from unflicker.baselines.screened_poisson import solved
from unflicker.errors import UsageError
from unflicker.frames.clip import Clip, from_float, to_float
from unflicker.frames.flow import pixel_places, warp
from unflicker.frames.structure import normalised
from unflicker.motion import estimate_flow

CONSISTENCY = 0.05
"""λ: weight of similarity to the previous output against gradients; from their example in
Consistent video filtering for camera arrays (2017). Variation of light over less than about 1 / √λ
px is not corrected."""
MISMATCH = 200.0
"""α: 1 / (2 · 0.05²), on squared differences of RGB in [0, 1], as in their released program."""
BORDER_PX = 2.0
"""No samples from closer to the border of the previous frame, as there."""
TOLERANCE = 1e-4
"""Of the residual, relative; pictures are then within about a tenth of an 8-bit code."""
MOST_STEPS = 50


def bonneel(clip: Clip, original: Clip, *, consistency: float = CONSISTENCY) -> Clip:
    """The processed clip, steadied to follow its steady original frame by frame.

    Each frame O minimises ∫ |∇O − ∇P|² + w |O − warp(O before)|², P the processed frame, with w = λ
    exp(−α |V − warp(V before)|²) of the original V. The first frame is unchanged.

    Args:
        clip: Processed.
        original: Its steady original, of the same size and length.
        consistency: λ, 0 or more; 0 leaves the clip unchanged.

    Raises:
        UsageError: The clips do not match, or a negative λ.
    """
    need_alike(clip, original)
    if not consistency >= 0:
        raise UsageError(f"negative consistency: {consistency}; pass 0 or more")
    if len(clip) < 2 or consistency == 0:
        return clip
    pixels = np.empty_like(clip.pixels)
    pixels[0] = clip.pixels[0]
    steady = to_float(clip.pixels[0])
    for index in range(1, len(clip)):
        now, before = (to_float(original.pixels[at]) for at in (index, index - 1))
        flow = estimate_flow(normalised(now), normalised(before))
        weight = np.float32(consistency) * trust(now, before, flow=flow)
        steady = held(to_float(clip.pixels[index]), warp(steady, flow), weight=weight)
        pixels[index] = from_float(np.clip(steady, 0.0, 1.0), dtype=pixels.dtype)
    return Clip(pixels=pixels, seconds=clip.seconds)


def trust(
    now: Float32[np.ndarray, "height width 3"],
    before: Float32[np.ndarray, "height width 3"],
    *,
    flow: Float32[np.ndarray, "height width 2"],
) -> Float32[np.ndarray, "height width"]:
    """Agreement of the original with its previous frame, 0 to 1: exp(−α |difference|²).

    Args:
        now: The original's frame, RGB in [0, 1].
        before: Its previous frame.
        flow: From the frame to the previous one, in px, x first.
    """
    difference = now - warp(before, flow)
    alike = cv2.exp(-MISMATCH * np.einsum("ijc,ijc->ij", difference, difference))
    height, width = alike.shape
    x, y = cv2.split(flow + pixel_places(height, width))
    border = min(BORDER_PX, (min(height, width) - 1) / 2)
    inside = (x >= border) & (x <= width - 1 - border) & (y >= border) & (y <= height - 1 - border)
    return alike * inside


def held(
    processed: Float32[np.ndarray, "height width 3"],
    carried: Float32[np.ndarray, "height width 3"],
    *,
    weight: Float32[np.ndarray, "height width"],
) -> Float32[np.ndarray, "height width 3"]:
    """The processed frame's gradients at the level of the previous output.

    Args:
        processed: RGB in [0, 1].
        carried: The previous output, warped to this frame.
        weight: Of the level, by pixel, 0 or more.
    """
    change, _ = solved(carried - processed, weight, tolerance=TOLERANCE, most_steps=MOST_STEPS)
    return processed + change
