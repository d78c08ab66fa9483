"""Synthetic flicker of video that was processed frame by frame, with its steady original.

Enhancement, white balance, style and compression treat each frame separately. So global tone,
tone by region, sharpness and small structure differ from one frame to the next, all at once.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from unflicker.errors import UsageError
from unflicker.frames.clip import Clip, from_float, to_float

SHARPENING = (0.3, 1.2)
"""Range of the strength of unsharp masking, drawn for each frame."""
JPEG_QUALITY = (35, 90)
"""Lowest and highest quality of JPEG, drawn for each frame."""
_SHARPENING_BLUR_PX = 1.5
_CONTRAST_ENDS = (0.5, 99.5)
_CONTRAST_SLACK = 1.5
_REGIONS = (3, 4)
_FILTERS, _FILTER_PX = 4, 3


def processed(clip: Clip, *, seed: int, strength: float = 1.0) -> Clip:
    """A steady clip with synthetic frame-by-frame processing; the same seed gives the same clip.

    The clip gets one look (contrast, sharpness, tones, a set of small filters), from which each
    frame deviates at random.

    Args:
        clip: A steady clip.
        seed: Of the look and of the deviations.
        strength: Factor on the deviations; 0 gives the clip itself.

    Raises:
        UsageError: A negative strength.
    """
    if not strength >= 0:
        raise UsageError(f"negative strength of flicker: {strength}; pass 0 or more")
    if strength == 0:
        return clip
    random = np.random.default_rng([seed, 0x7E47])
    look = random.normal(0, 0.1, (_FILTERS, 3, _FILTER_PX, _FILTER_PX))
    pixels = np.empty_like(clip.pixels)
    for index, frame in enumerate(clip.pixels):
        light = to_float(frame)
        light = _contrasted(random, light, strength)
        light = _balanced(random, light, strength)
        light = _styled(random, light, look, strength)
        light = _toned(random, light, strength)
        light = _sharpened(random, light, strength)
        pixels[index] = from_float(_compressed(random, light, strength), dtype=pixels.dtype)
    return replace(clip, pixels=pixels)


def _contrasted(
    random: np.random.Generator, light: Float32[np.ndarray, "height width 3"], strength: float
) -> Float32[np.ndarray, "height width 3"]:
    """Auto-contrast: ends of the histogram, read with an error, become black and white."""
    ends = np.percentile(light[::4, ::4], _CONTRAST_ENDS)
    slack = np.abs(random.normal(0, 0.01 * _CONTRAST_SLACK, 2)) * strength
    low, high = 0.5 * ends[0] + slack[0], 1.0 - 0.5 * (1.0 - ends[1]) - slack[1]
    return np.clip((light - low) / max(high - low, 0.1), 0.0, 1.0, dtype=np.float32)


def _balanced(
    random: np.random.Generator, light: Float32[np.ndarray, "height width 3"], strength: float
) -> Float32[np.ndarray, "height width 3"]:
    """White balance: one gain a channel."""
    return light * np.exp(random.normal(0, 0.03 * strength, 3)).astype(np.float32)


def _styled(
    random: np.random.Generator,
    light: Float32[np.ndarray, "height width 3"],
    look: np.ndarray,
    strength: float,
) -> Float32[np.ndarray, "height width 3"]:
    """Small filters and a nonlinearity, as in a network of two layers, with varying weights."""
    filters = look + random.normal(0, 0.04 * strength, look.shape)
    filters -= filters.mean(axis=(2, 3), keepdims=True)
    added = np.zeros_like(light)
    tints = random.normal(0, 0.5 * strength, (_FILTERS, 3)) + 1.0
    for planes, tint in zip(filters.astype(np.float32), tints.astype(np.float32), strict=True):
        seen = np.sum(
            [cv2.filter2D(light[..., c], cv2.CV_32F, planes[c]) for c in range(3)], axis=0
        )
        added += np.maximum(seen, 0.0, dtype=np.float32)[..., None] * tint
    return light + (added - added.mean()) * np.float32(min(strength, 1.0))


def _toned(
    random: np.random.Generator, light: Float32[np.ndarray, "height width 3"], strength: float
) -> Float32[np.ndarray, "height width 3"]:
    """Tone curves by region: an exponent for each, smooth between them."""
    height, width = light.shape[:2]
    points = random.normal(0, 0.08 * strength, _REGIONS).astype(np.float32)
    exponent = cv2.exp(cv2.resize(points, (width, height), interpolation=cv2.INTER_CUBIC))
    return np.clip(light, 1e-4, 1.0) ** exponent[..., None]


def _sharpened(
    random: np.random.Generator, light: Float32[np.ndarray, "height width 3"], strength: float
) -> Float32[np.ndarray, "height width 3"]:
    """Unsharp masking of another strength in each frame."""
    amount = np.float32(random.uniform(*SHARPENING) * min(strength, 1.0))
    return light + amount * (light - cv2.GaussianBlur(light, (0, 0), _SHARPENING_BLUR_PX))


def _compressed(
    random: np.random.Generator, light: Float32[np.ndarray, "height width 3"], strength: float
) -> Float32[np.ndarray, "height width 3"]:
    """JPEG of random quality: 8 bits, blocks that differ from frame to frame."""
    lowest = JPEG_QUALITY[1] - (JPEG_QUALITY[1] - JPEG_QUALITY[0]) * min(strength, 1.0)
    quality = int(random.uniform(lowest, JPEG_QUALITY[1]))
    return compressed(light, quality=quality)


def compressed(
    light: Float32[np.ndarray, "height width 3"], *, quality: int
) -> Float32[np.ndarray, "height width 3"]:
    """A picture after JPEG.

    Args:
        light: RGB in [0, 1].
        quality: Of JPEG, 1 to 100.
    """
    codes: UInt8[np.ndarray, "height width 3"] = from_float(light, dtype=np.uint8)
    _, file = cv2.imencode(".jpg", codes, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return to_float(np.asarray(cv2.imdecode(file, cv2.IMREAD_COLOR), np.uint8))
