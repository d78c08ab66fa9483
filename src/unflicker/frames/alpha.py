"""The visible part of pictures with transparency.

Colours under alpha 0 are undefined: editors leave any values there, which may differ from frame to
frame. They have no influence on a proxy made here.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from unflicker.frames.colour import proxy_size, rgb_of_planes, shrunk, small_rgb
from unflicker.frames.picture import Picture

_LEAST_OPAQUE = 0.02
"""Opacity at which a pixel's own colour and that of its neighbourhood count the same: alpha of 8
bits holds a colour of so few steps there that rounding is as large as flicker."""
_COARSE_PX = 256
"""Longest side of the picture from which colours are continued."""


def small_seen(
    picture: Picture, *, size: tuple[int, int]
) -> tuple[Float32[np.ndarray, "height width 3"], Float32[np.ndarray, "height width"] | None]:
    """The picture's stored colours at another size, and how opaque each pixel is, 0 to 1.

    Colours are averaged by their alpha and extrapolated smoothly to fully transparent areas. The
    opacity is None where the whole picture is opaque; then the colours are `small_rgb`'s.

    Args:
        picture: Of any layout.
        size: Height and width of the result in px.
    """
    alpha = alpha_of(picture)
    if alpha is None or (alpha == picture.layout.peak).all():
        return small_rgb(picture, size=size), None
    opacity = alpha.astype(np.float32) / picture.layout.peak
    planes, opaque = [], shrunk(opacity, size)
    for plane in picture.planes[: picture.layout.colour_planes]:
        fits = plane.shape == opacity.shape
        weight = opacity if fits else shrunk(opacity, plane.shape)
        weighted, amount = shrunk(plane * weight, size), shrunk(weight, size)
        planes.append(_continued(weighted, amount))
    return rgb_of_planes(planes, picture), opaque


def covered(picture: Picture) -> Picture:
    """The picture with visible colours extrapolated to transparent areas; itself if none are."""
    seen = visible_places(picture)
    if seen is None:
        return picture
    planes, opacity = [], seen.astype(np.float32)
    size = proxy_size(picture.size, _COARSE_PX)
    for plane in picture.planes[: picture.layout.colour_planes]:
        fits = plane.shape == opacity.shape
        weight = opacity if fits else shrunk(opacity, plane.shape)
        around = _continued(shrunk(plane * weight, size), shrunk(weight, size))
        wide = cv2.resize(around, plane.shape[::-1], interpolation=cv2.INTER_LINEAR)
        planes.append(np.where(weight > 0, plane, np.rint(wide)).astype(plane.dtype))
    return replace(picture, planes=(*planes, picture.planes[-1]))


def alpha_of(picture: Picture) -> np.ndarray | None:
    """The plane of transparency; None if a picture has none."""
    return picture.planes[-1] if picture.layout.alpha else None


def visible_places(picture: Picture) -> Bool[np.ndarray, "height width"] | None:
    """Where a picture's colours are visible; None if everywhere."""
    alpha = alpha_of(picture)
    seen = None if alpha is None else alpha > 0
    return None if seen is None or seen.all() else seen


def _continued(
    weighted: Float32[np.ndarray, "height width"], weight: Float32[np.ndarray, "height width"]
) -> Float32[np.ndarray, "height width"]:
    """Weighted values as plain ones; where weights are small, those of the neighbourhood.

    Source: pull and push over halved pictures, Gortler et al., The Lumigraph, 1996, §3.4.
    """
    height, width = weight.shape
    if max(height, width) == 1:
        return weighted / np.maximum(weight, 1e-6)
    half = (-(-height // 2), -(-width // 2))
    coarse = _continued(shrunk(weighted, half), shrunk(weight, half))
    around = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    return (weighted + _LEAST_OPAQUE * around) / (weight + _LEAST_OPAQUE)
