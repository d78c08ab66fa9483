"""Whether changing texture flickers or moves independently.

Flicker comes from what made the film: a lamp, a projector, a network that processes each frame
independently. It changes whole regions at once: their light and the contrast of their texture rise
and fall together, without relation to the previous frame. Water, leaves, rain, a crowd or grain
change each place independently, and motion continues. The picture is therefore divided into cells,
and two things are measured for each: how far its changes are shared by cells that do not touch it,
and whether changes of texture are reverted in the next frame (flicker, noise) or continue (motion).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64

Cells = Float32[np.ndarray, "rows columns"]
_APART = ((0, 2), (2, 0), (2, 2), (2, -2), (0, 3), (3, 0), (3, 3), (3, -3))
"""Cells that are compared, rows and columns apart: they do not touch."""
_SMOOTH_CELLS = 1.5
"""Standard deviation of the neighbourhood over which a cell's evidence is averaged."""
_LEAST_WEIGHT = 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class Change:
    """Difference of each cell of a frame from the mean of its neighbours in time."""

    weight: Cells
    """Share of a cell that can be compared, 0 to 1."""
    light: Cells
    """Difference of the logarithm of light."""
    contrast: Cells
    """Difference of the logarithm of the texture's strength."""
    texture: Cells
    """Strength of the texture, relative to light."""
    off: Cells
    """How much the texture differs, relative to light: mean absolute difference."""
    steps: Cells
    """Mean square of the texture's steps to both neighbours."""
    returns: Cells
    """Mean product of both steps: half of `steps` for independent frames, below 0 where texture
    continues to change."""

    def without(self, cells: Bool[np.ndarray, "rows columns"]) -> Change:
        """The same, without some cells."""
        return replace(self, weight=np.where(cells, np.float32(0.0), self.weight))


@dataclass(frozen=True, kw_only=True)
class Shared:
    """Change that cells which do not touch share, relative to the difference of texture."""

    square: float
    """Of its size; independent changes make it as often negative as positive."""
    deviation: float
    """Of the square, if cells changed independently."""

    def is_clear(self, *, size: float, deviations: float) -> bool:
        """Whether the shared change is large and significant enough.

        Args:
            size: Least size of the change, relative.
            deviations: Least square, in standard deviations of independent change.
        """
        return self.square >= size**2 and self.square >= deviations * self.deviation

    def may_be(self, size: float) -> bool:
        """Whether this size is within two standard deviations."""
        return self.square + 2.0 * self.deviation >= size**2


@dataclass(frozen=True, kw_only=True, eq=False)
class Coherence:
    """Common change of a window; first for the window, then by cell."""

    light: Shared
    """Change of log light."""
    contrast: Shared
    """Change of texture's strength."""
    off: float
    """How much texture differs, relative to light."""
    slow_share: float
    """Share of the picture that could be compared."""
    returning: float
    """How far a change of texture is reverted in the next frame: 0.5 for independent frames, below
    0 for motion."""
    shared_by_cell: Cells
    """Size of the shared change, light and contrast together, relative to `off_by_cell`."""
    returning_by_cell: Cells
    off_by_cell: Cells
    weight_by_cell: Cells


def coherence(changes: Sequence[Change]) -> Coherence:
    """The common change around a window's frames; at least one place must be comparable."""
    weight = _stacked(changes, "weight")
    known = np.maximum(weight.sum(axis=0), _LEAST_WEIGHT)

    def mean(name: str) -> Float64[np.ndarray, "rows columns"]:
        return (_stacked(changes, name) * weight).sum(axis=0) / known

    off = mean("off")
    pooled = max(float((off * known).sum() / known.sum()), _LEAST_WEIGHT)
    nearby_off = np.maximum(_around(off * known) / _around(known), _LEAST_WEIGHT)
    light = _products(_stacked(changes, "light"), weight)
    contrast = _products(_stacked(changes, "contrast") * mean("texture"), weight)
    returns, steps = mean("returns") * known, mean("steps") * known
    shared = np.sqrt(light.around() + contrast.around()) / nearby_off
    return Coherence(
        light=light.shared(relative_to=pooled),
        contrast=contrast.shared(relative_to=pooled),
        off=pooled,
        slow_share=float(weight.mean()),
        returning=float(returns.sum() / max(float(steps.sum()), 1e-12)),
        shared_by_cell=shared.astype(np.float32),
        returning_by_cell=(_around(returns) / np.maximum(_around(steps), 1e-12)).astype(np.float32),
        off_by_cell=nearby_off.astype(np.float32),
        weight_by_cell=weight.mean(axis=0).astype(np.float32),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Products:
    """Products of the changes of cells that do not touch, summed over a window."""

    sums: Float64[np.ndarray, "rows columns"]
    """For each cell, with all cells that it is compared with."""
    weights: Float64[np.ndarray, "rows columns"]
    squares: float
    """Sum of the squares of all products, which counts each twice, as `sums` does."""

    def shared(self, *, relative_to: float) -> Shared:
        scale = max(float(self.weights.sum()), _LEAST_WEIGHT) * relative_to**2
        # Each product is in `sums` twice, so its deviation is twice that of a sum of each once.
        deviation = float(np.sqrt(2.0 * self.squares))
        return Shared(square=float(self.sums.sum()) / scale, deviation=deviation / scale)

    def around(self) -> Float64[np.ndarray, "rows columns"]:
        """Mean product in the neighbourhood of each cell, not below 0."""
        known = np.maximum(_around(self.weights), _LEAST_WEIGHT)
        return np.maximum(_around(self.sums) / known, 0.0)


def _stacked(changes: Sequence[Change], name: str) -> Float64[np.ndarray, "time rows columns"]:
    return np.stack([getattr(change, name) for change in changes]).astype(np.float64)


def _products(
    values: Float64[np.ndarray, "time rows columns"],
    weight: Float64[np.ndarray, "time rows columns"],
) -> _Products:
    """Products of changes without their mean over the window: only what varies can be flicker."""
    known = np.maximum(weight.sum(axis=0), _LEAST_WEIGHT)
    weighted = (values - (values * weight).sum(axis=0) / known) * weight
    rows, columns = values.shape[1:]
    sums, weights, squares = np.zeros((rows, columns)), np.zeros((rows, columns)), 0.0
    for down, across in _APART:
        if down >= rows or abs(across) >= columns:
            continue
        here = slice(0, rows - down), slice(max(-across, 0), columns - max(across, 0))
        there = slice(down, rows), slice(max(across, 0), columns - max(-across, 0))
        products = weighted[:, *here] * weighted[:, *there]
        both = (weight[:, *here] * weight[:, *there]).sum(axis=0)
        squares += 2.0 * float((products**2).sum())
        for part in (here, there):
            sums[part] += products.sum(axis=0)
            weights[part] += both
    return _Products(sums=sums, weights=weights, squares=squares)


def _around(values: Float64[np.ndarray, "rows columns"]) -> Float64[np.ndarray, "rows columns"]:
    smooth = cv2.GaussianBlur(values, (0, 0), _SMOOTH_CELLS, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(smooth, np.float64)
