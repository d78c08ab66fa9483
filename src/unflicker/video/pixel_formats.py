"""FFmpeg's pixel formats as `PixelLayout`, and back.

Every format is read as the planar one with the same samples, so reading and writing are lossless.
Planar formats, which nearly all video has, are read without a copy.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Interpolation
from jaxtyping import Shaped

from unflicker.frames.picture import Family, PixelLayout

EXACT = Interpolation.POINT | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
"""Scaler flags under which repacking, and widening of samples, touches no value."""

_SUBSAMPLING = {
    (0, 0): "444",
    (1, 0): "422",
    (1, 1): "420",
    (0, 1): "440",
    (2, 0): "411",
    (2, 2): "410",
}
_DEPTHS = {
    "yuv": (8, 9, 10, 12, 14, 16),
    "rgb": (8, 9, 10, 12, 14, 16),
    "grey": (8, 9, 10, 12, 14, 16),
}


@dataclass(frozen=True, kw_only=True)
class StoredFormat:
    """How a film stores its pictures, and how they are read."""

    name: str
    """FFmpeg's name of what is stored."""
    planar: str
    """FFmpeg's name of the format in which it is read."""
    layout: PixelLayout
    """The layout of `planar`."""
    exact: bool
    """Whether reading keeps every sample; false for floats, Bayer patterns, XYZ."""


@lru_cache
def stored_format(name: str) -> StoredFormat:
    """How pictures of one of FFmpeg's pixel formats are read.

    Args:
        name: FFmpeg's name, as `yuv420p10le`.
    """
    pixel_format = VideoFormat(name, 64, 64)
    components = pixel_format.components
    alpha = any(component.is_alpha for component in components) or pixel_format.has_palette
    floats = bool(re.search(r"f(16|32)(le|be)$", name))
    odd = floats or name.startswith(("bayer", "xyz"))
    bits = 16 if odd else max(8, *(component.bits for component in components))
    shift = (0, 0)
    if pixel_format.is_rgb or pixel_format.has_palette or odd:
        family: Family = "grey" if name.startswith(("gray", "yaf")) else "rgb"
    elif sum(not component.is_alpha for component in components) == 1:
        family = "grey"
    else:
        family = "yuv"
        shift = (
            _halvings(pixel_format.chroma_width(64)),
            _halvings(pixel_format.chroma_height(64)),
        )
    depth = next(depth for depth in _DEPTHS[family] if depth >= bits)
    layout = PixelLayout(family=family, depth=depth, chroma_shift=shift, alpha=alpha)
    return StoredFormat(
        name=name, planar=planar_name(layout), layout=widened(layout), exact=not odd
    )


def planar_name(layout: PixelLayout) -> str:
    """FFmpeg's name of the planar format (packed for grey with alpha) that holds a layout.

    Alpha exists only at some depths and samplings; the next that holds it is named.
    """
    layout = widened(layout)
    ending = "" if layout.depth == 8 else f"{layout.depth}le"
    if layout.family == "rgb":
        return f"gbr{'a' * layout.alpha}p{ending}"
    if layout.family == "grey":
        return f"{'ya8' if layout.depth == 8 else 'ya16le'}" if layout.alpha else f"gray{ending}"
    return f"yuv{'a' * layout.alpha}{_SUBSAMPLING[layout.chroma_shift]}p{ending}"


def widened(layout: PixelLayout) -> PixelLayout:
    """The narrowest layout FFmpeg has a name for that holds all samples of this one."""
    depth, shift = layout.depth, layout.chroma_shift
    if layout.family == "grey" and layout.alpha and depth > 8:
        depth = 16
    if layout.family == "rgb" and layout.alpha and depth == 9:
        depth = 10
    if layout.family == "yuv" and layout.alpha:
        depth = 16 if depth == 14 else depth
        shift = shift if shift in ((0, 0), (1, 0), (1, 1)) else (0, 0)
        shift = (1, 0) if (depth, shift) == (12, (1, 1)) else shift
    if layout.family == "yuv" and shift == (0, 1) and depth not in (8, 10, 12):
        shift = (0, 0)
    if layout.family == "yuv" and shift in ((2, 0), (2, 2)) and depth > 8:
        shift = (1, 0) if shift == (2, 0) else (1, 1)
    return PixelLayout(family=layout.family, depth=depth, chroma_shift=shift, alpha=layout.alpha)


def planes_of(frame: VideoFrame) -> tuple[Shaped[np.ndarray, "_ _"], ...]:
    """The samples of a decoded frame, read-only, in the order of `frames.picture.Picture`.

    Planar formats give views into the decoder's own memory, which live as long as they are used.
    """
    stored = stored_format(frame.format.name)
    if _without_j(frame.format.name) != stored.planar:
        frame = reformatted(frame, stored.planar)
    if stored.layout.family == "grey" and stored.layout.alpha:
        packed = _plane(frame, 0, channels=2)
        planes = [np.ascontiguousarray(packed[..., 0]), np.ascontiguousarray(packed[..., 1])]
    else:
        planes = [_plane(frame, index) for index in range(len(frame.planes))]
    if stored.layout.family == "rgb":
        planes = [planes[2], planes[0], planes[1], *planes[3:]]
    for plane in planes:
        # A decoder predicts later frames from these bytes: they must not be changed.
        plane.flags.writeable = False
    return tuple(planes)


def frame_of(planes: tuple[Shaped[np.ndarray, "_ _"], ...], *, layout: PixelLayout) -> VideoFrame:
    """A new frame in the layout's planar format, with a copy of the planes.

    Args:
        planes: Samples, of the sizes that the layout has.
        layout: Of the planes.
    """
    height, width = planes[0].shape
    frame = VideoFrame(width, height, planar_name(layout))
    if layout.family == "grey" and layout.alpha:
        packed = _plane(frame, 0, channels=2)
        packed[..., 0], packed[..., 1] = planes
        return frame
    order = (1, 2, 0, 3) if layout.family == "rgb" else (0, 1, 2, 3)
    for index in range(len(planes)):
        np.copyto(_plane(frame, index), planes[order[index]])
    return frame


def reformatted(frame: VideoFrame, name: str) -> VideoFrame:
    """The frame in another format of the same colour family, its values not rescaled.

    Args:
        frame: Decoded, or to be encoded.
        name: FFmpeg's name of the format.
    """
    if frame.format.name == name:
        return frame
    return frame.reformat(
        format=name,
        interpolation=EXACT,
        src_color_range=ColorRange.MPEG,
        dst_color_range=ColorRange.MPEG,
    )


def _without_j(name: str) -> str:
    """yuvj420p holds its samples as yuv420p does; the j says full range, which the tags say too."""
    return name.replace("yuvj", "yuv")


def _halvings(size: int) -> int:
    return (64 // size).bit_length() - 1


def _plane(frame: VideoFrame, index: int, *, channels: int = 1) -> np.ndarray:
    plane: Any = frame.planes[index]
    stored = stored_format(frame.format.name)
    sample = np.dtype(np.uint8 if stored.layout.depth == 8 else np.uint16)
    width, height = _plane_size(frame, index, stored=stored)
    rows = np.frombuffer(plane, sample)[: height * (abs(plane.line_size) // sample.itemsize)]
    rows = rows.reshape(height, -1)[:, : width * channels]
    rows = rows[::-1] if plane.line_size < 0 else rows
    return rows.reshape(height, width, channels) if channels > 1 else rows


def _plane_size(frame: VideoFrame, index: int, *, stored: StoredFormat) -> tuple[int, int]:
    """Width and height of a plane; chroma of odd sizes is rounded up."""
    if stored.layout.family != "yuv" or index in (0, 3):
        return frame.width, frame.height
    shift_x, shift_y = stored.layout.chroma_shift
    return -((-frame.width) >> shift_x), -((-frame.height) >> shift_y)
