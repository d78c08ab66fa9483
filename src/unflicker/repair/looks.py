"""A picture as the repair sees it: its luma at full size, and smaller for motion."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Shaped

from unflicker.frames.colour import LUMA, proxy_size
from unflicker.frames.picture import Picture
from unflicker.refinement.alignment import FINE_PX

PROXY_PX = 256
"""Longest side of the pictures on which motion is estimated before it is refined: the usual proxy
(`settings.ProxySettings`)."""
DRAWN_WIDTH_PX = 640.0
"""Width for which lengths of the repair are stated; they grow with the picture's longest side."""
Mask = Bool[np.ndarray, "height width"]


@dataclass(kw_only=True, eq=False)
class Look:
    """A picture and what is derived from it, computed on first use."""

    picture: Picture
    """Its visible colours continue under transparency (`frames.alpha.covered`)."""

    @cached_property
    def luma(self) -> Shaped[np.ndarray, "height width"]:
        """Luma in the samples of the picture."""
        planes = self.picture.planes
        if self.picture.layout.family != "rgb":
            return np.ascontiguousarray(planes[0])
        parts = (plane.astype(np.float32) * w for plane, w in zip(planes, LUMA, strict=False))
        return np.rint(sum(parts)).astype(planes[0].dtype)

    @cached_property
    def fine(self) -> Float32[np.ndarray, "rows columns"]:
        """Luma in [0, 1], its longest side at most `FINE_PX`."""
        rows, columns = proxy_size(self.picture.size, FINE_PX)
        fits = self.luma.shape == (rows, columns)
        small = self.luma if fits else cv2.resize(self.luma, (columns, rows), interpolation=3)
        return small.astype(np.float32) * self.unit

    @property
    def unit(self) -> np.float32:
        """What one step of a sample is worth in [0, 1]."""
        return np.float32(1.0 / self.picture.layout.peak)


def proxy_of(fine: Float32[np.ndarray, "rows columns"]) -> Float32[np.ndarray, "_ _ 3"]:
    """The grey picture on which motion is estimated."""
    rows, columns = proxy_size((fine.shape[0], fine.shape[1]), PROXY_PX)
    small = cv2.resize(fine, (columns, rows), interpolation=cv2.INTER_AREA)
    return np.repeat(small[..., None], 3, axis=2)


def px(length: float, size: tuple[int, ...]) -> int:
    """A length in px of a picture, at least 1.

    Args:
        length: In px of a picture `DRAWN_WIDTH_PX` wide.
        size: Height and width of the picture in px.
    """
    return max(1, round(length * max(size) / DRAWN_WIDTH_PX))


def widened(mask: Mask, by_px: int) -> Mask:
    """A mask with a margin.

    Args:
        mask: Of any size.
        by_px: Width of the margin.
    """
    return cv2.dilate(mask.astype(np.uint8), disc(by_px)) > 0


def disc(radius_px: int) -> np.ndarray:
    """A disc as a structuring element."""
    side = 2 * radius_px + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
