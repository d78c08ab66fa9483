"""Multigrid solver for the screened Poisson equation with weights that vary by place.

Minimises over x the sum of (difference of neighbours)² plus w (x − target)², whose solution has (L
+ w) x = w target, L the Laplacian of the grid without flow over its border. Conjugate gradients
preconditioned by a multigrid V-cycle, so that the number of steps depends neither on the size of
the picture nor on where the weights are zero.

Source: Tatebe, The multigrid preconditioned conjugate gradient method, 1993; Briggs, Henson and
McCormick, A multigrid tutorial, SIAM 2000.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, Float64

LEAST_WEIGHT = 1e-6
"""Weights below count as zero: with them alone the level is undetermined."""
_COARSEST_PX = 6
_DAMPING = 0.8
_SWEEPS = 2
# From a coarse grid to one twice as fine, bilinear, transposed; before every second is taken.
_GATHER = np.array([0.25, 0.75, 0.75, 0.25], np.float32)


def solved(
    target: Float32[np.ndarray, "height width 3"],
    weight: Float32[np.ndarray, "height width"],
    *,
    tolerance: float,
    most_steps: int,
) -> tuple[Float32[np.ndarray, "height width 3"], int]:
    """The solution of the screened Poisson equation, for all channels at once.

    Args:
        target: Target values; any number where the weight is zero.
        weight: 0 or more; relative to the weight 1 of a difference between neighbours.
        tolerance: Norm of the residual over that of w target at which to stop, in each channel.
        most_steps: Limit of steps of conjugate gradients.

    Returns:
        The solution, and the number of steps.
    """
    weight = np.where(weight < LEAST_WEIGHT, np.float32(0), weight)
    if not weight.any():
        return np.zeros_like(target), 0
    grid = _Grid.of(weight)
    right = grid.weight * target
    return _descended(grid, right, tolerance=tolerance, most_steps=most_steps)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Grid:
    """The equation at one size, with what its solver needs."""

    weight: Float32[np.ndarray, "rows columns 3"]
    """By channel, which is much faster than broadcasting."""
    jacobi: Float32[np.ndarray, "rows columns 3"]
    """The damped inverse of the diagonal."""
    below: _Grid | Float64[np.ndarray, "cells cells"]
    """The equation at half the size; of the smallest, its inverse as a matrix."""

    @classmethod
    def of(cls, weight: Float32[np.ndarray, "height width"]) -> _Grid:
        """The equation with these weights."""
        diagonal = _neighbours(weight.shape) + weight
        # A single pixel without weight has no equation.
        jacobi = np.divide(_DAMPING, diagonal, out=np.zeros_like(diagonal), where=diagonal > 0)
        coarsest = max(weight.shape) <= _COARSEST_PX
        return cls(
            weight=cv2.merge([weight] * 3),
            jacobi=cv2.merge([jacobi] * 3),
            below=np.linalg.inv(_dense(weight)) if coarsest else cls.of(_by_fours(weight)),
        )

    def applied(
        self, x: Float32[np.ndarray, "rows columns 3"]
    ) -> Float32[np.ndarray, "rows columns 3"]:
        """The left side of the equation, (L + w) x."""
        # Where the border is continued, a neighbour beyond it makes no difference.
        left = cv2.Laplacian(x, cv2.CV_32F, borderType=cv2.BORDER_REPLICATE)
        return self.weight * x - left

    def cycle(
        self, right: Float32[np.ndarray, "rows columns 3"]
    ) -> Float32[np.ndarray, "rows columns 3"]:
        """About the solution of (L + w) x = right, by one V-cycle; symmetric in `right`."""
        if not isinstance(self.below, _Grid):
            flat = right.reshape(-1, 3).astype(np.float64)
            return (self.below @ flat).astype(np.float32).reshape(right.shape)
        x = self.jacobi * right
        for _ in range(_SWEEPS - 1):
            x += self.jacobi * (right - self.applied(x))
        x += _finer(self.below.cycle(_coarser(right - self.applied(x))), x.shape)
        for _ in range(_SWEEPS):
            x += self.jacobi * (right - self.applied(x))
        return x


def _by_fours(weight: Float32[np.ndarray, "height width"]) -> Float32[np.ndarray, "rows columns"]:
    """Weights at half the size: slopes cost the same at any size, values by area."""
    even = _even(weight)
    return even.reshape(even.shape[0] // 2, 2, -1, 2).sum(axis=(1, 3))


def _even(values: Float32[np.ndarray, "height width *channels"]) -> np.ndarray:
    """With a row or column of zeros more where their number is odd."""
    rows, columns = (length % 2 for length in values.shape[:2])
    return cv2.copyMakeBorder(values, 0, rows, 0, columns, cv2.BORDER_CONSTANT, value=0)


def _coarser(residual: Float32[np.ndarray, "height width 3"]) -> np.ndarray:
    """At half the size: `_finer` transposed."""
    border = cv2.BORDER_REPLICATE
    gathered = cv2.sepFilter2D(
        _even(residual), cv2.CV_32F, _GATHER, _GATHER, anchor=(1, 1), borderType=border
    )
    return np.ascontiguousarray(gathered[::2, ::2])


def _finer(correction: np.ndarray, size: tuple[int, ...]) -> Float32[np.ndarray, "height width 3"]:
    """At twice the size, bilinear, without what `_even` added."""
    rows, columns = correction.shape[:2]
    twice = cv2.resize(correction, (2 * columns, 2 * rows), interpolation=cv2.INTER_LINEAR)
    return twice[: size[0], : size[1]]


def _neighbours(size: tuple[int, int]) -> Float32[np.ndarray, "rows columns"]:
    """How many of its four neighbours each pixel has."""
    inside = np.zeros((size[0] + 2, size[1] + 2), np.float32)
    inside[1:-1, 1:-1] = 1.0
    return inside[2:, 1:-1] + inside[:-2, 1:-1] + inside[1:-1, 2:] + inside[1:-1, :-2]


def _dense(weight: Float32[np.ndarray, "rows columns"]) -> Float64[np.ndarray, "cells cells"]:
    """The equation of a small grid as a matrix."""
    cells = np.eye(weight.size, dtype=np.float32).reshape(-1, *weight.shape)
    columns = [
        weight * cell - cv2.Laplacian(cell, cv2.CV_32F, borderType=cv2.BORDER_REPLICATE)
        for cell in cells
    ]
    return np.stack(columns).reshape(weight.size, weight.size).astype(np.float64)


def _descended(
    grid: _Grid, right: np.ndarray, *, tolerance: float, most_steps: int
) -> tuple[np.ndarray, int]:
    """Conjugate gradients, each channel with steps of its own."""
    x, residual = np.zeros_like(right), right.copy()
    aim = tolerance**2 * _products(right, right)
    direction, before = np.zeros_like(right), np.ones(3)
    for step in range(most_steps):
        if np.all(_products(residual, residual) <= aim):
            return x, step
        better = grid.cycle(residual)
        now = _products(residual, better)
        direction = better + _ratio(now, before) * direction if step else better
        ahead = grid.applied(direction)
        length = _ratio(now, _products(direction, ahead))
        x += length * direction
        residual -= length * ahead
        before = now
    return x, most_steps


def _products(one: np.ndarray, other: np.ndarray) -> Float64[np.ndarray, " 3"]:
    """Inner products by channel."""
    return np.array(cv2.sumElems(one * other)[:3])


def _ratio(one: np.ndarray, other: np.ndarray) -> Float32[np.ndarray, " 3"]:
    """Zero where a channel is solved already."""
    done = np.zeros_like(one)
    return np.divide(one, other, out=done, where=np.abs(other) > 1e-30).astype(np.float32)
