"""A smooth deformation of the picture, as values at the nodes of a mesh."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Float32, Float64

from unflicker.atlas.loops import add_normal_equations, solve_banded

_MEASURED_STEP_PX = 2
"""A mesh is fitted to every other pixel across and down."""
_STEADYING = 1e-9


@dataclass(frozen=True, kw_only=True)
class Mesh:
    """Nodes over a picture of `height` and `width`, from its first pixel to its last.

    Values between nodes are bilinear. Node arrays are `(rows, columns, 2)`: x and y in px.
    """

    height: int
    width: int
    cell_px: float
    """About how far neighbouring nodes lie apart, in px."""

    @cached_property
    def rows(self) -> int:
        """Nodes down the picture; at least three, so that bending can be told."""
        return max(3, round((self.height - 1) / self.cell_px) + 1)

    @cached_property
    def columns(self) -> int:
        """Nodes across it."""
        return max(3, round((self.width - 1) / self.cell_px) + 1)

    @cached_property
    def step_px(self) -> tuple[float, float]:
        """How far nodes lie apart exactly, down and across."""
        return max(self.height - 1, 1) / (self.rows - 1), max(self.width - 1, 1) / (
            self.columns - 1
        )

    def node_places(self) -> Float32[np.ndarray, "rows columns 2"]:
        """Where the nodes lie in the picture, in px, x first."""
        down, across = self.step_px
        y, x = np.mgrid[0 : self.rows, 0 : self.columns].astype(np.float32)
        return np.stack([x * np.float32(across), y * np.float32(down)], axis=-1)

    def dense(
        self, nodes: Float[np.ndarray, "rows columns 2"], *, size: tuple[int, int] | None = None
    ) -> Float32[np.ndarray, "height width 2"]:
        """The value at each pixel, of the picture or of the same picture at another size."""
        height, width = size or (self.height, self.width)
        down = _hats(_centres(height, self.height), self.rows, self.step_px[0])
        across = _hats(_centres(width, self.width), self.columns, self.step_px[1])
        planes = [down @ nodes[..., axis].astype(np.float32) @ across.T for axis in range(2)]
        return np.stack(planes, axis=-1)

    def fit(
        self,
        places: Float32[np.ndarray, "height width 2"],
        weight: Float32[np.ndarray, "height width"],
        *,
        stiffness: float,
    ) -> Float32[np.ndarray, "rows columns 2"]:
        """The nodes whose values come nearest to `places`, weighted, and bend little.

        What minimises Σ weight · |value − place|² + stiffness · Σ (second differences)²: where no
        pixel counts, the map goes on as an affine one.
        """
        bands = stiffness * self._bending + _steady_diagonal(self._bending)
        right = np.zeros((self.rows * self.columns, 2))
        add_normal_equations(
            (places, weight),
            _MEASURED_STEP_PX,
            self.step_px,
            (self.rows, self.columns),
            (bands, right),
        )
        solve_banded(bands, right)
        nodes = right.reshape(self.columns, self.rows, 2).transpose(1, 0, 2)
        return np.ascontiguousarray(nodes, np.float32)

    @cached_property
    def _bending(self) -> Float64[np.ndarray, "nodes bands"]:
        """The matrix of squared second differences, in lower bands, nodes going down columns."""
        size, rows = self.rows * self.columns, self.rows
        bands = np.zeros((size, 2 * rows + 1))
        number = np.arange(size).reshape(self.columns, rows).T
        for places, signs in (
            ((number[:-2], number[1:-1], number[2:]), (1.0, -2.0, 1.0)),
            ((number[:, :-2], number[:, 1:-1], number[:, 2:]), (1.0, -2.0, 1.0)),
            (
                (number[:-1, :-1], number[1:, :-1], number[:-1, 1:], number[1:, 1:]),
                (2.0**0.5, -(2.0**0.5), -(2.0**0.5), 2.0**0.5),
            ),
        ):
            for place, sign in zip(places, signs, strict=True):
                for other, factor in zip(places, signs, strict=True):
                    low, high = place.ravel(), other.ravel()
                    lower = low >= high
                    np.add.at(bands, (high[lower], (low - high)[lower]), sign * factor)
        return bands


def _steady_diagonal(
    bands: Float64[np.ndarray, "nodes bands"],
) -> Float64[np.ndarray, "nodes bands"]:
    """So little on the diagonal that only what nothing determines is held by it."""
    steady = np.zeros_like(bands)
    steady[:, 0] = _STEADYING
    return steady


def _centres(count: int, of: int) -> Float32[np.ndarray, " count"]:
    """The places of a resized picture's pixel centres, in px of the picture it is resized from."""
    return ((np.arange(count) + 0.5) * (of / count) - 0.5).astype(np.float32)


def _hats(
    places: Float32[np.ndarray, " count"], nodes: int, step_px: float
) -> Float32[np.ndarray, "count nodes"]:
    """How much of each node's value each place takes; the last cell goes on beyond the border."""
    at = places / step_px
    first = np.clip(np.floor(at), 0, nodes - 2).astype(int)
    share = at - first
    hats = np.zeros((len(places), nodes), np.float32)
    here = np.arange(len(places))
    hats[here, first] = 1.0 - share
    hats[here, first + 1] = share
    return hats
