"""Whether texture that changes from frame to frame flickers, or moves by itself.

Flicker comes from what made the film: a lamp, a projector, a network that decides anew for each
frame. It changes whole regions at once: their light and the contrast of their texture go up and
down together, in no relation to the frame before. Water, leaves, rain, a crowd or grain change
each place by itself, and what moves goes on moving. So the picture is cut into cells, and two
things are asked of each: how far its changes are shared by cells that do not touch it, and whether
changes of texture are taken back in the next frame (flicker, noise) or go on (motion).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, Float64

Cells = Float32[np.ndarray, "rows columns"]
_APART = ((0, 2), (2, 0), (2, 2), (2, -2))
"""Cells that are compared, rows and columns apart: they do not touch."""
_SMOOTH_CELLS = 1.5
"""Deviation of the neighbourhood over which a cell's evidence is gathered."""
_LEAST_WEIGHT = 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class Change:
    """How each cell of a frame differs from the mean of its neighbours in time."""

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
    """Mean product of both steps: half of `steps` where each frame stands alone, below 0 where
    texture goes on changing as it did."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Coherence:
    """What the changes of a window have in common; each for the window, then by cell."""

    light: float
    """Change of log light that cells share, relative to how much texture differs."""
    contrast: float
    """Change of texture that cells share, likewise."""
    returning: float
    """How far a change of texture is taken back in the next frame: 0.5 for chance, below 0 for
    what moves."""
    shared_by_cell: Cells
    """Light and contrast together."""
    returning_by_cell: Cells
    off_by_cell: Cells
    """How much texture differs, relative to light."""
    weight_by_cell: Cells


def coherence(changes: Sequence[Change]) -> Coherence:
    """What the changes around a window's frames have in common."""
    weight = _stacked(changes, "weight")
    known = np.maximum(weight.sum(axis=0), _LEAST_WEIGHT)

    def mean(name: str) -> Float64[np.ndarray, "rows columns"]:
        return (_stacked(changes, name) * weight).sum(axis=0) / known

    off, total = mean("off"), float(known.sum())
    pooled = max(float((off * known).sum()) / total, _LEAST_WEIGHT)
    around = _around(known)
    nearby_off = np.maximum(_around(off * known) / around, _LEAST_WEIGHT)
    light = _shared(_stacked(changes, "light"), weight)
    contrast = _shared(_stacked(changes, "contrast") * mean("texture"), weight)
    returns, steps = mean("returns") * known, mean("steps") * known
    return Coherence(
        light=_root(light[0].sum() / light[1].sum()) / pooled,
        contrast=_root(contrast[0].sum() / contrast[1].sum()) / pooled,
        returning=float(returns.sum() / max(float(steps.sum()), 1e-12)),
        shared_by_cell=(_by_cell(*light, *contrast) / nearby_off).astype(np.float32),
        returning_by_cell=(_around(returns) / np.maximum(_around(steps), 1e-12)).astype(np.float32),
        off_by_cell=nearby_off.astype(np.float32),
        weight_by_cell=weight.mean(axis=0).astype(np.float32),
    )


def _stacked(changes: Sequence[Change], name: str) -> Float64[np.ndarray, "time rows columns"]:
    return np.stack([getattr(change, name) for change in changes]).astype(np.float64)


def _shared(
    values: Float64[np.ndarray, "time rows columns"],
    weight: Float64[np.ndarray, "time rows columns"],
) -> tuple[Float64[np.ndarray, "rows columns"], Float64[np.ndarray, "rows columns"]]:
    """Summed products of cells that do not touch, and of their weights; what lasts left out."""
    known = np.maximum(weight.sum(axis=0), _LEAST_WEIGHT)
    weighted = (values - (values * weight).sum(axis=0) / known) * weight
    rows, columns = values.shape[1:]
    products, weights = np.zeros((rows, columns)), np.full((rows, columns), _LEAST_WEIGHT)
    for down, across in _APART:
        here = slice(0, rows - down), slice(max(-across, 0), columns - max(across, 0))
        there = slice(down, rows), slice(max(across, 0), columns - max(-across, 0))
        if down >= rows or abs(across) >= columns:
            continue
        both = (weighted[:, *here] * weighted[:, *there]).sum(axis=0)
        known = (weight[:, *here] * weight[:, *there]).sum(axis=0)
        for part in (here, there):
            products[part] += both
            weights[part] += known
    return products, weights


def _by_cell(
    light: Float64[np.ndarray, "rows columns"],
    light_weight: Float64[np.ndarray, "rows columns"],
    contrast: Float64[np.ndarray, "rows columns"],
    contrast_weight: Float64[np.ndarray, "rows columns"],
) -> Float64[np.ndarray, "rows columns"]:
    squares = [
        np.maximum(_around(products) / _around(weights), 0.0)
        for products, weights in ((light, light_weight), (contrast, contrast_weight))
    ]
    return np.sqrt(squares[0] + squares[1])


def _around(values: Float64[np.ndarray, "rows columns"]) -> Float64[np.ndarray, "rows columns"]:
    smooth = cv2.GaussianBlur(values, (0, 0), _SMOOTH_CELLS, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(smooth, np.float64)


def _root(square: float) -> float:
    return float(np.sqrt(max(square, 0.0)))
