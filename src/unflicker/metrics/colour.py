"""Colour error in ΔE of CIEDE2000.

Source: Sharma, Wu and Dalal, The CIEDE2000 color-difference formula: implementation notes,
supplementary test data, and mathematical observations, Color Research and Application 2005.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float32

from unflicker.metrics.pictures import Pictures, pairs_of_frames

SAMPLES_ACROSS = 160
"""Approximate number of pixels compared in each row; wider pictures are subsampled."""
_KNEE = 25.0**7
_TO_XYZ = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]], np.float32
)


def delta_e(result: Pictures, reference: Pictures) -> float:
    """Mean colour error in ΔE of CIEDE2000; 0 is exact, 1 just visible, 100 black for white.

    Stored values are treated as sRGB. Wide pictures are sampled on a grid of some 160 pixels a row,
    without averaging.

    Args:
        result: Frames to assess.
        reference: Ground truth, of the same size and length.

    Source: Sharma, Wu and Dalal 2005.
    """
    errors = []
    for frames in pairs_of_frames(result, reference):
        step = max(1, round(frames[0].shape[1] / SAMPLES_ACROSS))
        one, other = (lab(frame[::step, ::step]) for frame in frames)
        errors.append(np.mean(ciede2000(one, other), dtype=np.float64))
    return float(np.mean(errors))


def lab(picture: Float32[np.ndarray, "height width 3"]) -> Float32[np.ndarray, "height width 3"]:
    """CIELAB of stored values as sRGB (IEC 61966-2-1; white is what 1, 1, 1 gives, D65).

    Not OpenCV's conversion, which looks values up in a coarse table and is up to 0.2 off in
    lightness, 0.5 in a and b.
    """
    toe = picture <= 0.04045
    linear = np.where(toe, picture / 12.92, ((picture + 0.055) / 1.055) ** 2.4)
    relative = linear.astype(np.float32) @ (_TO_XYZ / _TO_XYZ.sum(axis=1, keepdims=True)).T
    dark = relative <= (6 / 29) ** 3
    x, y, z = np.moveaxis(
        np.where(dark, relative * ((29 / 6) ** 2 / 3) + 4 / 29, np.cbrt(relative)), -1, 0
    )
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1).astype(np.float32)


def ciede2000(
    one: Float[np.ndarray, "*places 3"], other: Float[np.ndarray, "*places 3"]
) -> Float[np.ndarray, " *places"]:
    """The colour difference of pairs in CIELAB, with all weights 1.

    Args:
        one: L*, a*, b*.
        other: Likewise.

    Source: Sharma, Wu and Dalal 2005, equations 2 to 22.
    """
    (lightness, chroma, hue), (lightness_2, chroma_2, hue_2) = _cylinders(one, other)
    steps = lightness_2 - lightness, chroma_2 - chroma
    turn = (hue_2 - hue + np.pi) % (2 * np.pi) - np.pi
    hue_step = 2 * np.sqrt(chroma * chroma_2) * np.sin(turn / 2)
    middle = (lightness + lightness_2) / 2, (chroma + chroma_2) / 2
    # Halfway along the shorter arc; where a colour is grey the other's hue counts.
    grey = chroma * chroma_2 == 0
    mean_hue = np.where(grey, hue + hue_2, hue + turn / 2)
    off_middle = (middle[0] - 50) ** 2
    scales = (
        1 + 0.015 * off_middle / np.sqrt(20 + off_middle),
        1 + 0.045 * middle[1],
        1 + 0.015 * middle[1] * _hue_weight(mean_hue),
    )
    parts = steps[0] / scales[0], steps[1] / scales[1], hue_step / scales[2]
    squares = parts[0] ** 2 + parts[1] ** 2 + parts[2] ** 2
    return np.sqrt(np.maximum(squares + _rotation(middle[1], mean_hue) * parts[1] * parts[2], 0))


def _cylinders(one: np.ndarray, other: np.ndarray) -> list[tuple[np.ndarray, ...]]:
    """Lightness, chroma and hue (radians, 0 for grey) of both, with a stretched near grey."""
    chroma = (np.hypot(one[..., 1], one[..., 2]) + np.hypot(other[..., 1], other[..., 2])) / 2
    stretch = 1 + 0.5 * (1 - np.sqrt(chroma**7 / (chroma**7 + _KNEE)))
    found = []
    for colour in (one, other):
        a, b = stretch * colour[..., 1], colour[..., 2]
        found.append((colour[..., 0], np.hypot(a, b), np.arctan2(b, a)))
    return found


def _hue_weight(hue: np.ndarray) -> np.ndarray:
    """T of the formula: the weight of a step of hue, hue by hue (equation 15)."""
    return (
        1
        - 0.17 * np.cos(hue - np.radians(30))
        + 0.24 * np.cos(2 * hue)
        + 0.32 * np.cos(3 * hue + np.radians(6))
        - 0.20 * np.cos(4 * hue - np.radians(63))
    )


def _rotation(chroma: np.ndarray, hue: np.ndarray) -> np.ndarray:
    """R_T of the formula: interaction of chroma and hue in the blue (equations 16, 17 and 21)."""
    from_blue = ((np.degrees(hue) % 360 - 275) / 25) ** 2
    angle = np.radians(60) * np.exp(-from_blue)
    return -2 * np.sqrt(chroma**7 / (chroma**7 + _KNEE)) * np.sin(angle)
