"""A smooth mapping from frame to atlas, as values at the nodes of a mesh."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Float32, Float64, Int

from unflicker.atlas.kernels import add_normal_equations, solve_banded
from unflicker.frames.flow import pixel_places

_MEASURED_STEP_PX = 2
"""A mesh is fitted to every other pixel across and down."""
_STEADYING = 1e-9
_RUNNING_OFF = 0.004


@dataclass(frozen=True, kw_only=True)
class Mesh:
    """Nodes over a picture of `height` and `width`, from its first pixel to its last.

    Values between nodes are bilinear. Node arrays are `(rows, columns, 2)`: x and y in px.
    """

    height: int
    width: int
    cell_px: float
    """Distance of neighbouring nodes in px, about."""

    @cached_property
    def rows(self) -> int:
        """Nodes down the picture; at least three, so that there are second differences."""
        return max(3, round((self.height - 1) / self.cell_px) + 1)

    @cached_property
    def columns(self) -> int:
        """Nodes across it."""
        return max(3, round((self.width - 1) / self.cell_px) + 1)

    @cached_property
    def step_px(self) -> tuple[float, float]:
        """Exact distance of nodes, down and across."""
        return max(self.height - 1, 1) / (self.rows - 1), max(self.width - 1, 1) / (
            self.columns - 1
        )

    def node_places(self) -> Float32[np.ndarray, "rows columns 2"]:
        """Places of the nodes in the picture, in px, x first."""
        down, across = self.step_px
        y, x = np.mgrid[0 : self.rows, 0 : self.columns].astype(np.float32)
        return np.stack([x * np.float32(across), y * np.float32(down)], axis=-1)

    def dense(
        self, nodes: Float[np.ndarray, "rows columns 2"], *, size: tuple[int, int] | None = None
    ) -> Float32[np.ndarray, "height width 2"]:
        """The value at each pixel, bilinear between nodes.

        Args:
            nodes: Values of one frame.
            size: Height and width of the same picture at another resolution; the mesh's own if
                None.
        """
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
        """The nodes whose values fit `places` best and bend little.

        The minimum of Σ weight · |value − place|² + stiffness · Σ (second differences)², and very
        little of (first differences of what moved)²: without data the map continues as an affine
        one, and becomes a mere shift far from any data.

        Args:
            places: Of each pixel, in px, x first.
            weight: Of each pixel, 0 or more.
            stiffness: Weight of bending.
        """
        here = pixel_places(self.height, self.width)
        bands = stiffness * (self._bending + _RUNNING_OFF * self._running_off)
        bands[:, 0] += _STEADYING
        right = np.zeros((self.rows * self.columns, 2))
        add_normal_equations(
            (places - here, weight),
            _MEASURED_STEP_PX,
            self.step_px,
            (self.rows, self.columns),
            (bands, right),
        )
        solve_banded(bands, right)
        nodes = right.reshape(self.columns, self.rows, 2).transpose(1, 0, 2)
        return nodes.astype(np.float32) + self.node_places()

    @cached_property
    def _bending(self) -> Float64[np.ndarray, "nodes bands"]:
        """The matrix of squared second differences, in lower bands, nodes going down columns."""
        number = self._numbers()
        mixed = 2.0**0.5
        return self._squared(
            ((number[:-2], number[1:-1], number[2:]), (1.0, -2.0, 1.0)),
            ((number[:, :-2], number[:, 1:-1], number[:, 2:]), (1.0, -2.0, 1.0)),
            (
                (number[:-1, :-1], number[1:, :-1], number[:-1, 1:], number[1:, 1:]),
                (mixed, -mixed, -mixed, mixed),
            ),
        )

    @cached_property
    def _running_off(self) -> Float64[np.ndarray, "nodes bands"]:
        """The matrix of squared first differences."""
        number = self._numbers()
        return self._squared(
            ((number[:-1], number[1:]), (1.0, -1.0)),
            ((number[:, :-1], number[:, 1:]), (1.0, -1.0)),
        )

    def _numbers(self) -> Int[np.ndarray, "rows columns"]:
        return np.arange(self.rows * self.columns).reshape(self.columns, self.rows).T

    def _squared(
        self, *sums: tuple[tuple[np.ndarray, ...], tuple[float, ...]]
    ) -> Float64[np.ndarray, "nodes bands"]:
        """The matrix of the squares of weighted sums of nodes."""
        bands = np.zeros((self.rows * self.columns, 2 * self.rows + 1))
        for places, factors in sums:
            for place, factor in zip(places, factors, strict=True):
                for other, against in zip(places, factors, strict=True):
                    low, high = place.ravel(), other.ravel()
                    lower = low >= high
                    np.add.at(bands, (high[lower], (low - high)[lower]), factor * against)
        return bands


def _centres(count: int, of: int) -> Float32[np.ndarray, " count"]:
    """The places of a resized picture's pixel centres, in px of the picture it is resized from."""
    return ((np.arange(count) + 0.5) * (of / count) - 0.5).astype(np.float32)


def _hats(
    places: Float32[np.ndarray, " count"], nodes: int, step_px: float
) -> Float32[np.ndarray, "count nodes"]:
    """Weight of each node at each place; the last cell extends past the border."""
    at = places / step_px
    first = np.clip(np.floor(at), 0, nodes - 2).astype(int)
    share = at - first
    hats = np.zeros((len(places), nodes), np.float32)
    here = np.arange(len(places))
    hats[here, first] = 1.0 - share
    hats[here, first + 1] = share
    return hats
