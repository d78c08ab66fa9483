"""Illumination that changes slowly over a shot: few knots in time, coarse in place.

An atlas with constant colours would flatten a sunset. The model includes changes slower than
flicker; faster ones cannot be represented by its knots.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32

ROWS, COLUMNS = 3, 4
_LEAST_KNOTS_APART = 8.0
_DARK = 0.02
"""Added to both sides of a ratio of light: below it, noise dominates."""
_EXPECTED, _SMOOTH = 0.02, 0.3
"""Strength of the priors that light is even and that it is smooth in time, in frames."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SlowLight:
    """Log light by time and place, linear between knots in time, bilinear in place."""

    knots: Float32[np.ndarray, "knots rows columns 3"]
    """Natural logarithm of the gain from the atlas to the frames; its mean over time and place is
    zero. That of a place need not be: a lens that darkens corners does so in every frame."""
    hats: Float32[np.ndarray, "time knots"]
    """Weight of each knot in each frame."""

    @classmethod
    def even(cls, *, frames: int, knots_apart: float) -> SlowLight:
        """Light that does not change.

        Args:
            frames: Number of frames.
            knots_apart: Distance of knots in frames, about.
        """
        spans = max(1, round((frames - 1) / max(knots_apart, _LEAST_KNOTS_APART)))
        at = np.arange(frames) / max(frames - 1, 1) * spans
        hats = np.maximum(1.0 - np.abs(at[:, None] - np.arange(spans + 1)), 0.0)
        knots = np.zeros((spans + 1, ROWS, COLUMNS, 3), np.float32)
        return cls(knots=knots, hats=hats.astype(np.float32))

    def gain(self, frame: int, *, size: tuple[int, int]) -> Float32[np.ndarray, "height width 3"]:
        """The gain at each pixel of a frame.

        Args:
            frame: Its index.
            size: Height and width in px.
        """
        log_gain = np.tensordot(self.hats[frame], self.knots, axes=1)
        grown = cv2.resize(log_gain, size[::-1], interpolation=cv2.INTER_LINEAR)
        return np.exp(grown)

    def without(self, slower: SlowLight) -> Float32[np.ndarray, "knots knots"]:
        """The matrix that removes from knots, one for each frame, all that this slower light can
        represent."""
        hats = slower.hats.astype(float)
        inverse = np.linalg.inv(hats.T @ hats + 1e-6 * np.eye(hats.shape[1]))
        return (np.eye(len(hats)) - hats @ inverse @ hats.T).astype(np.float32)

    def seen_in(
        self,
        seen: Float32[np.ndarray, "time rows columns 3"],
        painted: Float32[np.ndarray, "time rows columns 3"],
        weight: Float32[np.ndarray, "time rows columns"],
    ) -> SlowLight:
        """The slow light that best explains the difference between frames and atlas.

        Args:
            seen: Weighted sums of the frames' colours in each region.
            painted: The same of the atlas's colours, without light.
            weight: The sums of the weights.
        """
        log_ratio, share = _log_ratio(seen, painted, weight)
        bend = np.diff(np.eye(len(self.knots)), n=2, axis=0)
        size = len(self.knots)
        calm = _EXPECTED * np.eye(size) + _SMOOTH * (bend.T @ bend)
        knots = np.empty_like(self.knots)
        for row, column in np.ndindex(ROWS, COLUMNS):
            counted = self.hats * share[:, row, column, None]
            matrix = counted.T @ self.hats + calm
            knots[:, row, column] = np.linalg.solve(matrix, counted.T @ log_ratio[:, row, column])
        return SlowLight(knots=_about_nothing(knots, self.hats), hats=self.hats)


def flicker_in(
    seen: Float32[np.ndarray, "time rows columns 3"],
    painted: Float32[np.ndarray, "time rows columns 3"],
    weight: Float32[np.ndarray, "time rows columns"],
) -> SlowLight:
    """Light with a knot for every frame: residual flicker, which the fit then ignores.

    Args:
        seen: Weighted sums of the frames' colours in each region.
        painted: The same of the atlas's colours, with slow light.
        weight: The sums of the weights.
    """
    log_ratio, share = _log_ratio(seen, painted, weight)
    hats = np.eye(len(seen), dtype=np.float32)
    knots = log_ratio * (share / (share + _EXPECTED))[..., None]
    return SlowLight(knots=_about_nothing(knots, hats), hats=hats)


def _log_ratio(
    seen: Float32[np.ndarray, "time rows columns 3"],
    painted: Float32[np.ndarray, "time rows columns 3"],
    weight: Float32[np.ndarray, "time rows columns"],
) -> tuple[Float32[np.ndarray, "time rows columns 3"], Float32[np.ndarray, "time rows columns"]]:
    """Log ratio of frames and atlas, and its weight, 0 to 1."""
    dark = _DARK * weight[..., None] + 1e-9
    share = weight / max(float(weight.max()), 1e-9)
    return np.log((seen + dark) / (painted + dark)), share


def _about_nothing(
    knots: Float32[np.ndarray, "knots rows columns 3"], hats: Float32[np.ndarray, "time knots"]
) -> Float32[np.ndarray, "knots rows columns 3"]:
    """Knots with zero mean over time and place: the mean belongs to the texture."""
    mean = np.tensordot(hats.mean(axis=0), knots, axes=1).mean(axis=(0, 1))
    return (knots - mean).astype(np.float32)
