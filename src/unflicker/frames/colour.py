"""From planes to colour and back, and from stored values to working light.

Working light is where a gain of light is a gain of values: a power of linear light. Most video is
stored so (BT.1886, sRGB: a power law apart from its toe), and is used directly, untagged video
included. PQ, HLG and linear pictures are converted by a curve first; camera log is treated as
ordinary video, because its curve is unknown and close enough.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float32, Shaped

from unflicker.frames.picture import ColourMeaning, Picture, PixelLayout

_LUMA_WEIGHTS = {
    "bt601": (0.299, 0.114),
    "fcc": (0.30, 0.11),
    "bt709": (0.2126, 0.0722),
    "bt2020": (0.2627, 0.0593),
    "smpte240m": (0.212, 0.087),
}
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Weights of red, green and blue in the luma that analysis and grades use, whatever the film's
matrix."""
SHOWN_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
"""BT.709 weights of the mean luma in reports and exports."""
WORKING_POWER = 1.0 / 2.4
"""Working light is linear light to this power: the inverse of BT.1886's display."""


def linear_stops(log_gain: Any) -> Any:
    """A gain of working light in stops of linear light: doublings of what the display emits.

    Args:
        log_gain: Its natural logarithm, a number or an array.
    """
    return log_gain / (np.log(2.0) * WORKING_POWER)


def yuv_to_rgb_matrix(meaning: ColourMeaning) -> Float32[np.ndarray, "3 3"]:
    """The matrix from (Y, Cb, Cr) with Y in [0, 1] and chroma in [-½, ½] to RGB (ITU-T H.273)."""
    if meaning.matrix == "identity":
        return np.eye(3, dtype=np.float32)[[2, 0, 1]]
    if meaning.matrix == "ycgco":
        return np.array([[1, -1, 1], [1, 1, 0], [1, -1, -1]], np.float32)
    red, blue = _LUMA_WEIGHTS[meaning.matrix]
    green = 1.0 - red - blue
    to_red, to_blue = 2.0 * (1.0 - red), 2.0 * (1.0 - blue)
    rows = [
        [1.0, 0.0, to_red],
        [1.0, -to_blue * blue / green, -to_red * red / green],
        [1.0, to_blue, 0.0],
    ]
    return np.array(rows, np.float32)


def sample_scale(layout: PixelLayout, meaning: ColourMeaning) -> tuple[float, float, float, float]:
    """Scale of samples: luma offset and span, chroma middle and span, in sample units.

    Args:
        layout: Gives depth and family.
        meaning: Gives the range.
    """
    peak, step = float(layout.peak), float(1 << (layout.depth - 8))
    if meaning.full_range or layout.family == "rgb":
        return 0.0, peak, 128.0 * step, peak
    return 16.0 * step, 219.0 * step, 128.0 * step, 224.0 * step


def to_rgb(picture: Picture) -> Float32[np.ndarray, "height width 3"]:
    """The picture's stored colours as RGB in [0, 1]; grey gives three equal channels."""
    return small_rgb(picture, size=picture.size)


def proxy_size(size: tuple[int, int], longest_px: int) -> tuple[int, int]:
    """Height and width of a picture's proxy in px, at least 1; never larger than the picture.

    Args:
        size: Height and width of the picture in px.
        longest_px: The proxy's longest side at most.
    """
    scale = min(1.0, longest_px / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def small_rgb(picture: Picture, *, size: tuple[int, int]) -> Float32[np.ndarray, "height width 3"]:
    """The picture's stored colours at another size, averaged when shrunk; nominally in [0, 1].

    Args:
        picture: Of any layout.
        size: Height and width of the result in px.
    """
    colour = picture.planes[: picture.layout.colour_planes]
    return rgb_of_planes([shrunk(plane, size) for plane in colour], picture)


def shrunk(
    plane: Shaped[np.ndarray, "_ _"], size: tuple[int, int]
) -> Shaped[np.ndarray, "height width"]:
    """A plane at another size, averaged when shrunk; the plane itself if it fits.

    Args:
        plane: Samples of any type.
        size: Height and width of the result in px.
    """
    height, width = size
    shrinks = plane.shape[0] > height or plane.shape[1] > width
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    fits = plane.shape == (height, width)
    return plane if fits else cv2.resize(plane, (width, height), interpolation=how)


def rgb_of_planes(
    planes: list[Shaped[np.ndarray, "height width"]], picture: Picture
) -> Float32[np.ndarray, "height width 3"]:
    """Stored colours of planes of one size.

    Args:
        planes: Samples in the scale of the picture's, all of one size.
        picture: Gives layout and meaning.
    """
    layout = picture.layout
    offset, span, middle, chroma_span = sample_scale(layout, picture.meaning)
    first = (planes[0].astype(np.float32) - offset) / span
    if layout.family == "grey":
        values = np.repeat(first[..., None], 3, axis=2)
    elif layout.family == "rgb":
        values = np.stack([plane.astype(np.float32) / span for plane in planes], axis=-1)
    else:
        chroma = [(plane.astype(np.float32) - middle) / chroma_span for plane in planes[1:]]
        values = np.stack([first, *chroma], axis=-1) @ yuv_to_rgb_matrix(picture.meaning).T
    return np.clip(values, 0.0, 1.0, dtype=np.float32)


def small_luma(picture: Picture, *, longest_px: int) -> Picture:
    """The picture's luma alone, downscaled, in 8 bits of full range.

    Args:
        picture: Of any layout.
        longest_px: The longest side of the result at most.
    """
    layout, size = picture.layout, proxy_size(picture.size, longest_px)
    if layout.family == "rgb":
        parts = [shrunk(plane, size).astype(np.float32) for plane in picture.planes[:3]]
        luma = sum(part * np.float32(weight) for part, weight in zip(parts, LUMA, strict=True))
    else:
        luma = shrunk(picture.planes[0], size)
    offset, span, _, _ = sample_scale(layout, picture.meaning)
    factor, values = 255.0 / span, np.asarray(luma)
    codes = cv2.addWeighted(values, factor, values, 0.0, -offset * factor, dtype=cv2.CV_8U)
    meaning = replace(picture.meaning, full_range=True)
    return Picture(planes=(codes,), layout=PixelLayout(family="grey", depth=8), meaning=meaning)


def from_rgb(
    rgb: Float32[np.ndarray, "height width 3"], *, layout: PixelLayout, meaning: ColourMeaning
) -> Picture:
    """A picture in a layout from stored RGB; chroma is averaged, values rounded.

    For synthetic video and tests; the pipeline never takes a film's picture through RGB and back.

    Args:
        rgb: Stored values in [0, 1].
        layout: Of the result.
        meaning: Of the result's samples.
    """
    offset, span, middle, chroma_span = sample_scale(layout, meaning)
    if layout.family == "rgb":
        planes = [_sampled(rgb[..., channel] * span, layout) for channel in range(3)]
    else:
        back = np.linalg.inv(yuv_to_rgb_matrix(meaning)).astype(np.float32)
        values = rgb @ back.T
        planes = [_sampled(values[..., 0] * span + offset, layout)]
        if layout.family == "yuv":
            shift_x, shift_y = layout.chroma_shift
            height, width = rgb.shape[:2]
            size = (-((-width) >> shift_x), -((-height) >> shift_y))
            for channel in (1, 2):
                chroma = np.ascontiguousarray(values[..., channel])
                if (shift_x, shift_y) != (0, 0):
                    chroma = cv2.resize(chroma, size, interpolation=cv2.INTER_AREA)
                planes.append(_sampled(chroma * chroma_span + middle, layout))
    if layout.alpha:
        planes.append(np.full_like(planes[0], layout.peak))
    return Picture(planes=tuple(planes), layout=layout, meaning=meaning)


def _sampled(values: Float32[np.ndarray, "_ _"], layout: PixelLayout) -> Shaped[np.ndarray, "_ _"]:
    sample = np.uint8 if layout.depth == 8 else np.uint16
    return np.clip(np.rint(values), 0, layout.peak).astype(sample)


def to_working(
    stored: Float32[np.ndarray, ...], meaning: ColourMeaning
) -> Float32[np.ndarray, ...]:
    """Stored values as working light in [0, 1].

    Args:
        stored: Any shape, in [0, 1].
        meaning: Gives the transfer function.

    Source: SMPTE ST 2084 (PQ) and ITU-R BT.2100 (HLG) inverse transfer functions.
    """
    if meaning.transfer == "pq":
        return (_pq_to_linear(stored) ** WORKING_POWER).astype(np.float32)
    if meaning.transfer == "hlg":
        return (_hlg_to_linear(stored) ** WORKING_POWER).astype(np.float32)
    if meaning.transfer == "linear":
        return (np.clip(stored, 0.0, 1.0) ** WORKING_POWER).astype(np.float32)
    return stored


def _pq_to_linear(stored: np.ndarray) -> np.ndarray:
    m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
    power = np.clip(stored, 0.0, 1.0).astype(np.float64) ** (1.0 / m2)
    return (np.maximum(power - c1, 0.0) / (c2 - c3 * power)) ** (1.0 / m1)


def _hlg_to_linear(stored: np.ndarray) -> np.ndarray:
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    value = np.clip(stored, 0.0, 1.0).astype(np.float64)
    return np.where(value <= 0.5, value**2 / 3.0, (np.exp((value - c) / a) + b) / 12.0)
