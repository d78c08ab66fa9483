"""The atlas's texture: its extent, and resampling from and to frames."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.atlas.kernels import splat
from unflicker.errors import UsageError
from unflicker.frames.flow import look_up

_MARGIN_PX = 2.0
_BEYOND = 1.0 / 3.0
_LOOKED_AT = 200_000
_ENOUGH = 0.25
"""A texel with less than this much of a pixel is filled in from its neighbourhood."""


@dataclass(frozen=True, kw_only=True)
class Canvas:
    """A rectangle of atlas space, divided into texels.

    Places in an atlas are in px: one px of it is one px of the proxy, where nothing deforms.
    """

    left_px: float
    top_px: float
    rows: int
    columns: int
    texels_per_px: float

    @classmethod
    def around(
        cls,
        places: Float32[np.ndarray, "*any 2"],
        *,
        texels_per_px: float,
        most_texels: int,
    ) -> Canvas:
        """The canvas that contains these places, without outliers.

        It is coarser if it would be too large. An outlier lies further from the middle 98 % than a
        third of their extent: a map extends where motion is unknown too, and single pixels must not
        make a canvas of millions.

        Args:
            places: In px, x first.
            texels_per_px: Resolution of the canvas.
            most_texels: Largest number of texels.

        Raises:
            UsageError: There is no place at all.
        """
        if not places.size:
            raise UsageError("an atlas of no places; pass at least one pixel that counts")
        flat = places.reshape(-1, 2)
        usual = np.percentile(flat[:: max(1, len(flat) // _LOOKED_AT)], (1.0, 99.0), axis=0)
        beyond = _BEYOND * (usual[1] - usual[0])
        low = np.maximum(flat.min(axis=0), usual[0] - beyond) - _MARGIN_PX
        high = np.minimum(flat.max(axis=0), usual[1] + beyond) + _MARGIN_PX
        width, height = (float(side) for side in high - low)
        finest = (most_texels / (width * height)) ** 0.5
        density = min(texels_per_px, finest)
        return cls(
            left_px=float(low[0]),
            top_px=float(low[1]),
            rows=max(2, int(np.ceil(height * density)) + 1),
            columns=max(2, int(np.ceil(width * density)) + 1),
            texels_per_px=density,
        )

    def texels(self, places: Float32[np.ndarray, "*any 2"]) -> Float32[np.ndarray, "*any 2"]:
        """Places in px as places in texels, x first."""
        corner = np.array([self.left_px, self.top_px], np.float32)
        return (places - corner) * np.float32(self.texels_per_px)

    def look_up(
        self,
        texture: Float32[np.ndarray, "rows columns *channels"],
        places: Float32[np.ndarray, "height width 2"],
    ) -> Float32[np.ndarray, "height width *channels"]:
        """A texture's values at places, bilinear.

        Args:
            texture: Of this canvas.
            places: In px, x first.
        """
        return look_up(texture, self.texels(places))


class Painting:
    """A canvas during painting: a texel is the weighted mean of the pixels on it."""

    def __init__(self, canvas: Canvas) -> None:
        """Begin with an empty canvas."""
        self._canvas = canvas
        self._sums = np.zeros((canvas.rows, canvas.columns, 4), np.float32)

    def add(
        self,
        picture: Float32[np.ndarray, "height width 3"],
        places: Float32[np.ndarray, "height width 2"],
        weight: Float32[np.ndarray, "height width"],
    ) -> None:
        """Paint a frame.

        Args:
            picture: RGB.
            places: Of each pixel, in px, x first.
            weight: Of each pixel, 0 or more.
        """
        splat(picture, self._canvas.texels(places), weight, self._sums)

    @property
    def seen(self) -> Float32[np.ndarray, "rows columns"]:
        """Total weight of each texel, in pixels."""
        return self._sums[..., 3]

    def texture(self) -> Float32[np.ndarray, "rows columns 3"]:
        """The picture; texels that no frame shows are filled in smoothly from around them."""
        return _filled(self._sums)


def _filled(sums: Float32[np.ndarray, "rows columns 4"]) -> Float32[np.ndarray, "rows columns 3"]:
    """Means where enough was seen, else those of ever larger neighbourhoods (push and pull)."""
    rows, columns = sums.shape[:2]
    means = sums[..., :3] / np.maximum(sums[..., 3:], 1e-9)
    if min(rows, columns) <= 2:
        return means
    half = cv2.resize(sums, ((columns + 1) // 2, (rows + 1) // 2), interpolation=cv2.INTER_AREA)
    around = cv2.resize(_filled(half), (columns, rows), interpolation=cv2.INTER_LINEAR)
    known = np.clip(sums[..., 3:] / np.float32(_ENOUGH), 0.0, 1.0)
    return known * means + (1.0 - known) * around
