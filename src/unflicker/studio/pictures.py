"""Pictures as a browser shows them: of 8 bits, in 4:2:0 for films, as JPEG for stills."""

from __future__ import annotations

import math

import cv2
import numpy as np
from jaxtyping import Float32, Float64

from unflicker.errors import InputError
from unflicker.frames.colour import (
    from_rgb,
    sample_scale,
    shrunk,
    small_rgb,
    yuv_to_rgb_matrix,
)
from unflicker.frames.picture import Picture
from unflicker.video.viewing import MATRICES, VIEWABLE, viewable_meaning

PROXY_PX = 900
"""Longest side of a film's small copy at most."""
_JPEG = (cv2.IMWRITE_JPEG_QUALITY, 93, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x111111)


def whole_part_size(size: tuple[int, int], *, longest_px: int) -> tuple[int, int]:
    """Height and width of a picture shrunk by a whole number, which is fastest, to even numbers.

    Args:
        size: Height and width in px.
        longest_px: The longest side of the result at most.
    """
    factor = max(1, math.ceil(max(size) / longest_px))
    height, width = (max(2, round(length / factor / 2) * 2) for length in size)
    return height, width


def viewable(picture: Picture, *, size: tuple[int, int]) -> Picture:
    """A picture in the layout of films for browsers.

    Args:
        picture: Of any layout.
        size: Height and width of the result, even numbers.
    """
    meaning = viewable_meaning(picture.meaning)
    if picture.layout.family != "yuv" or picture.meaning.matrix not in MATRICES:
        return from_rgb(small_rgb(picture, size=size), layout=VIEWABLE, meaning=meaning)
    height, width = size
    half = (height // 2, width // 2)
    offset, span, middle, chroma_span = sample_scale(picture.layout, picture.meaning)
    own_offset, own_span, own_middle, own_chroma = sample_scale(VIEWABLE, meaning)
    luma, *chroma = picture.planes[:3]
    planes = [_rescaled(shrunk(luma, size), offset, own_offset, own_span / span)]
    for plane in chroma:
        factor = own_chroma / chroma_span
        planes.append(_rescaled(shrunk(plane, half), middle, own_middle, factor))
    return Picture(planes=tuple(planes), layout=VIEWABLE, meaning=meaning)


def stacked(above: Picture, below: Picture) -> Picture:
    """Two pictures of one size as one, so that a player shows both in step.

    Args:
        above: A picture as `viewable` returns it.
        below: Another one.
    """
    planes = zip(above.planes, below.planes, strict=True)
    return Picture(
        planes=tuple(np.concatenate(pair) for pair in planes),
        layout=above.layout,
        meaning=above.meaning,
    )


def mean_rgb(picture: Picture) -> Float64[np.ndarray, " 3"]:
    """Mean stored red, green and blue of a picture that `viewable` returned."""
    offset, span, middle, chroma_span = sample_scale(picture.layout, picture.meaning)
    luma, *chroma = (cv2.mean(plane)[0] for plane in picture.planes)
    means = [(luma - offset) / span, *((mean - middle) / chroma_span for mean in chroma)]
    return np.clip(yuv_to_rgb_matrix(picture.meaning).astype(np.float64) @ means, 0.0, 1.0)


def as_jpeg(picture: Picture, *, longest_px: int | None = None) -> bytes:
    """A picture as JPEG.

    Args:
        picture: Of any layout.
        longest_px: Longest side of the result at most; None for the picture's own size.
    """
    height, width = picture.size
    shrink = min(1.0, (longest_px or max(height, width)) / max(height, width))
    size = (max(1, round(height * shrink)), max(1, round(width * shrink)))
    return rgb_as_jpeg(small_rgb(picture, size=size))


def rgb_as_jpeg(rgb: Float32[np.ndarray, "height width 3"]) -> bytes:
    """RGB in [0, 1] as JPEG.

    Raises:
        InputError: It is larger than JPEG allows.
    """
    codes = cv2.convertScaleAbs(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), alpha=255.0)
    done, data = cv2.imencode(".jpg", codes, _JPEG)
    if not done:
        raise InputError(f"a picture of {rgb.shape[1]}×{rgb.shape[0]} px cannot be shown as JPEG")
    return data.tobytes()


def _rescaled(plane: np.ndarray, offset: float, new_offset: float, factor: float) -> np.ndarray:
    """Codes of another depth and range, as 8 bits."""
    if plane.dtype == np.uint8 and offset == new_offset and factor == 1.0:
        return plane
    return cv2.addWeighted(plane, factor, plane, 0.0, new_offset - offset * factor, dtype=cv2.CV_8U)
