"""Restores the fine detail that an average over time weakens, as far as neighbours agree on it.

What differs from frame to frame (flicker, grain) is gone after an average, and detail is a little
softer where motion is not exact. The eye compares the whole with the source, so what all frames
show is amplified until fine detail is nearly as strong as before. Where frames have nothing in
common (noise) there is nothing to amplify.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32, Float64

from unflicker.compute.bands import in_bands
from unflicker.refinement import kernels

_ROWS = 64
"""Rows of a plane on which detail is measured."""
_CELLS = 8, 12
"""Rows and columns of places for which detail is measured."""
_MEMORY = 0.85
"""Decay per frame of what was measured: strength of detail that changes from frame to frame is
flicker, and is not restored."""
_RESPONSE = 0.33
"""Growth of gradients when all of the difference from a blur over five pixels is added: 0.26 to
0.37 on ship, bike and bedroom (lab notebook)."""
_MOST = 0.4
"""Largest such part."""
_PIXEL_LIMIT = 0.08
"""Difference from the blur, of the whole range, at which half of its part is added: no halos."""


def room_for_detail(plane: np.ndarray) -> Float32[np.ndarray, "rows 4 spans"]:
    """Zeros for `kernels.mix`, where it measures detail of a plane."""
    rows = min(_ROWS, plane.shape[0])
    return np.zeros((rows, 4, max(1, -(-plane.shape[1] // kernels.SPAN))), np.float32)


class LostDetail:
    """What averages have taken from fine detail in the last frames of a shot, by place."""

    def __init__(self) -> None:
        """Begin a shot."""
        self.degree = 1.0
        """Share of it that is restored, 0 to 1."""
        self._sums: Float64[np.ndarray, "4 rows columns"] | None = None

    def measured(self, sums: Float32[np.ndarray, "rows 4 spans"]) -> None:
        """Take note of a frame, as `kernels.mix` measured it."""
        size = min(_CELLS[1], sums.shape[2]), min(_CELLS[0], sums.shape[0])
        planes = np.ascontiguousarray(np.moveaxis(sums, 1, 0), np.float64)
        now = np.stack([_around(plane, size) for plane in planes])
        if self._sums is not None and self._sums.shape == now.shape:
            now += _MEMORY * self._sums
        self._sums = now

    def restored(
        self,
        mean: Float32[np.ndarray, "height width"],
        *,
        like: np.ndarray,
        peak: int,
        share: Float32[np.ndarray, "rows columns"],
    ) -> np.ndarray:
        """A plane of an average, its detail amplified, in samples of another plane's type.

        Args:
            mean: The average.
            like: The other plane, of the same size.
            peak: Largest sample.
            share: Of what was lost, by place, 0 to 1.
        """
        dense = cv2.resize(self._part(), share.shape[::-1], interpolation=cv2.INTER_LINEAR)
        plan = (dense * share)[..., None]
        out, limit = np.empty_like(like), np.float32(_PIXEL_LIMIT * peak)

        def work(start: int, stop: int) -> None:
            room = kernels.room_for_sharpening(mean.shape[1])
            kernels.sharpen(mean, out, plan, (np.float32(peak), limit), (start, stop), room)

        in_bands(work, rows=mean.shape[0], pixels=mean.size)
        return out

    def _part(self) -> Float32[np.ndarray, "rows columns"]:
        """Part of the difference from a blur that is added, by place."""
        if self._sums is None:
            return np.zeros((1, 1), np.float32)
        before, after, product, most = (self._sums[place] for place in range(4))
        alike = np.clip(product / np.maximum(most, 1e-9), 0.0, 1.0)
        weaker = alike * np.maximum(before / np.maximum(after, 1e-9) - 1.0, 0.0)
        weaker[before <= 1e-9] = 0.0
        return np.minimum(self.degree * weaker / _RESPONSE, _MOST).astype(np.float32)


def _around(
    plane: Float64[np.ndarray, "some_rows spans"], size: tuple[int, int]
) -> Float64[np.ndarray, "rows columns"]:
    cells = cv2.resize(plane, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(cells, (0, 0), 1.0), np.float64)
