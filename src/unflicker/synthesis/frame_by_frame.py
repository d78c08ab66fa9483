"""Real frame-by-frame processing: the flicker that common operators add to steady video.

Nothing is drawn at random but JPEG's quality: each operator reads its parameters off each frame, as
programs do, so they change with what moves through the picture. The clip itself is the steady
original.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.frames.clip import Clip, from_float, to_float
from unflicker.synthesis.processing_flicker import compressed

Picture = Float32[np.ndarray, "height width 3"]
_ENDS = (1.0, 99.0)
_CLIP_LIMIT, _TILES = 3.0, (4, 4)
_QUALITY = (15, 45)


def auto_contrast(
    random: np.random.Generator,  # noqa: ARG001 - all kinds have one signature
    clip: Clip,
    *,
    strength: float,
) -> tuple[Clip, Clip]:
    """Each channel stretched so that one per cent of its values is black, and one white.

    Args:
        random: Not used.
        clip: A steady clip.
        strength: Share of the effect, 0 to 1.
    """

    def stretched(light: Picture) -> Picture:
        low, high = np.percentile(light, _ENDS, axis=(0, 1))
        return np.clip((light - low) / np.maximum(high - low, 0.05), 0, 1, dtype=np.float32)

    return _each(clip, stretched, strength), clip


def equalised(
    random: np.random.Generator,  # noqa: ARG001 - all kinds have one signature
    clip: Clip,
    *,
    strength: float,
) -> tuple[Clip, Clip]:
    """Contrast-limited adaptive histogram equalisation of lightness.

    Args:
        random: Not used.
        clip: A steady clip.
        strength: Share of the effect, 0 to 1.

    Source: Zuiderveld, Contrast limited adaptive histogram equalization, Graphics Gems IV, 1994.
    """
    operator = cv2.createCLAHE(_CLIP_LIMIT, _TILES)

    def treated(light: Picture) -> Picture:
        lab = cv2.cvtColor(from_float(light, dtype=np.uint8), cv2.COLOR_RGB2LAB)
        lab[..., 0] = operator.apply(np.ascontiguousarray(lab[..., 0]))
        return to_float(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB))

    return _each(clip, treated, strength), clip


def recompressed(random: np.random.Generator, clip: Clip, *, strength: float) -> tuple[Clip, Clip]:
    """JPEG of low quality, another for each frame.

    Args:
        random: Draws the qualities.
        clip: A steady clip.
        strength: Share of the effect, 0 to 1.
    """
    treated = lambda light: compressed(light, quality=int(random.integers(*_QUALITY)))  # noqa: E731
    return _each(clip, treated, strength), clip


def _each(clip: Clip, operator: Callable[[Picture], Picture], strength: float) -> Clip:
    pixels = np.empty_like(clip.pixels)
    for index, frame in enumerate(clip.pixels):
        light = to_float(frame)
        mixed = light + np.float32(min(strength, 1.0)) * (operator(light) - light)
        pixels[index] = from_float(mixed, dtype=pixels.dtype)
    return Clip(pixels=pixels, seconds=clip.seconds)
