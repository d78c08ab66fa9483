"""Local stabilisation: quantiles of patches, averaged in time along the motion.

Scale-time equalisation by place: where `baselines.histogram` averages the distribution of the whole
frame, this averages that of each patch over the patches that it moves through, and maps its values
to the mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.frames.clip import Clip, from_float, to_float
from unflicker.frames.flow import warp
from unflicker.motion import estimate_motion

SMOOTHING_FRAMES = 4.0
"""Standard deviation of the Gaussian in time, in frames."""
REACH_FRAMES = 8
CELL_SHARE = 1 / 20
"""Distance of patches in widths of the picture; each spans two."""
_QUANTILES, _LEVELS, _MOST_SAMPLES = 17, 17, 24
_PROXY_PX = 256

Maps = Float32[np.ndarray, "rows columns channels levels"]


def local_stabilization(clip: Clip) -> Clip:
    """The clip with the quantiles of each patch replaced by their mean along the motion.

    Source: Delon and Desolneux, Stabilization of flicker-like effects in image sequences through
    local contrast correction, SIAM Journal on Imaging Sciences 2010. Differences: see
    docs/baselines.md.
    """
    if len(clip) < 2:
        return clip
    cells = _Cells.of(clip.pixels.shape[1:3])
    quantiles = [cells.quantiles(to_float(frame)) for frame in clip.pixels]
    forward, backward = _motion(clip, cells)
    pixels = np.empty_like(clip.pixels)
    for index, frame in enumerate(clip.pixels):
        mean = _mean(quantiles, index, forward=forward, backward=backward)
        mapped = _mapped(to_float(frame), _curves(quantiles[index], mean))
        pixels[index] = from_float(mapped, dtype=pixels.dtype)
    return Clip(pixels=pixels, seconds=clip.seconds)


@dataclass(frozen=True, kw_only=True)
class _Cells:
    """Centres of overlapping patches, evenly over the picture."""

    size: tuple[int, int]
    rows: int
    columns: int

    @classmethod
    def of(cls, size: tuple[int, int]) -> _Cells:
        cell = max(4.0, size[1] * CELL_SHARE)
        return cls(
            size=size, rows=max(2, round(size[0] / cell)), columns=max(2, round(size[1] / cell))
        )

    def quantiles(
        self, frame: Float32[np.ndarray, "height width 3"]
    ) -> Float32[np.ndarray, "rows columns 3 quantiles"]:
        """Quantiles of each patch and channel."""
        found = np.empty((self.rows, self.columns, 3, _QUANTILES), np.float32)
        places = np.linspace(0, 1, _QUANTILES)
        for row in range(self.rows):
            down = self._span(row, self.rows, self.size[0])
            for column in range(self.columns):
                part = frame[down, self._span(column, self.columns, self.size[1])]
                values = np.sort(part.reshape(-1, 3), axis=0)
                at = (places * (len(values) - 1)).round().astype(int)
                found[row, column] = values[at].T
        return found

    @staticmethod
    def _span(cell: int, cells: int, length: int) -> slice:
        """Samples of a patch along an axis, of which there are few."""
        step = length / cells
        first, last = max(0, round((cell - 0.5) * step)), min(length, round((cell + 1.5) * step))
        return slice(first, max(last, first + 1), max(1, (last - first) // _MOST_SAMPLES))


def _motion(clip: Clip, cells: _Cells) -> tuple[np.ndarray, np.ndarray]:
    """Flow of each cell to the next frame and back, in cells."""
    height, width = clip.pixels.shape[1:3]
    scale = min(1.0, _PROXY_PX / max(height, width))
    size = max(8, round(width * scale)), max(8, round(height * scale))
    small = np.stack(
        [cv2.resize(to_float(frame), size, interpolation=cv2.INTER_AREA) for frame in clip.pixels]
    )
    motion = estimate_motion(small)
    per_cell = np.array([cells.columns / size[0], cells.rows / size[1]], np.float32)
    grid = cells.columns, cells.rows
    there, back = (
        np.stack([cv2.resize(flow, grid, interpolation=cv2.INTER_AREA) * per_cell for flow in some])
        for some in (motion.forward, motion.backward)
    )
    return there, back


def _mean(
    quantiles: list[np.ndarray], index: int, *, forward: np.ndarray, backward: np.ndarray
) -> Float32[np.ndarray, "rows columns 3 quantiles"]:
    """Mean quantiles of the patches that each patch of a frame moves through."""
    shape = quantiles[index].shape
    total, weight = quantiles[index].copy(), 1.0
    for flows, step in ((forward, 1), (backward, -1)):
        way = np.zeros((*shape[:2], 2), np.float32)
        for distance in range(1, REACH_FRAMES + 1):
            there = index + step * distance
            if not 0 <= there < len(quantiles):
                break
            # Forward flow k leads from frame k to k + 1, backward flow k from k + 1 to k.
            way = way + warp(flows[there - 1 if step == 1 else there], way)
            share = float(np.exp(-0.5 * (distance / SMOOTHING_FRAMES) ** 2))
            moved = warp(quantiles[there].reshape(*shape[:2], -1), way)
            total += share * moved.reshape(shape)
            weight += share
    return (total / weight).astype(np.float32)


def _curves(own: np.ndarray, mean: np.ndarray) -> Maps:
    """What each patch adds to each level, by matching its quantiles to the mean ones."""
    levels = np.linspace(0, 1, _LEVELS, dtype=np.float32)
    added = np.empty((*own.shape[:3], _LEVELS), np.float32)
    # Equal quantiles have no slope: rising a little, they stay in order.
    rising = own + np.linspace(0, 1e-4, _QUANTILES, dtype=np.float32)
    for place in np.ndindex(own.shape[:3]):
        added[place] = np.interp(levels, rising[place], mean[place] - own[place])
    return added


def _mapped(
    frame: Float32[np.ndarray, "height width 3"], added: Maps
) -> Float32[np.ndarray, "height width 3"]:
    """A frame with the curves of its patches, interpolated between patches and levels."""
    height, width = frame.shape[:2]
    result = np.empty_like(frame)
    for channel in range(3):
        position = np.clip(frame[..., channel], 0, 1) * (_LEVELS - 1)
        low = np.minimum(position.astype(np.int32), _LEVELS - 2)
        part = position - low
        planes = np.stack(
            [cv2.resize(added[:, :, channel, level], (width, height)) for level in range(_LEVELS)]
        )
        below, above = (np.take_along_axis(planes, (low + k)[None], axis=0)[0] for k in (0, 1))
        result[..., channel] = frame[..., channel] + below * (1 - part) + above * part
    return np.clip(result, 0, 1)
