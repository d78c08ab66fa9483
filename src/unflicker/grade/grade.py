"""The grade of one frame: curves for the whole picture, then gains by place and tone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

KNOTS = 129
"""Knots of a tone curve; they lie at (k / 128)², closer together near black."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Grade:
    """How the light and colour of one frame change, by place and by tone.

    Applied in working light (`frames.colour`): each channel goes through its curve; then the
    luma of the result and the place in the picture choose a gain for each channel.
    """

    curves: Float32[np.ndarray, "3 knots"]
    """Output in [0, 1] of each channel's curve at the inputs `curve_inputs()`."""
    log_gain: Float32[np.ndarray, "rows columns bins 3"]
    """Natural logarithm of the gain. Cell centres lie evenly over the picture, at
    (row + ½) / rows of its height; bin centres evenly over luma, at bin / (bins - 1)."""

    @classmethod
    def identity(cls, *, rows: int = 1, columns: int = 1, bins: int = 1) -> Grade:
        """The grade that changes nothing."""
        curves = np.tile(curve_inputs(), (3, 1)).astype(np.float32)
        return cls(curves=curves, log_gain=np.zeros((rows, columns, bins, 3), np.float32))

    @property
    def is_identity(self) -> bool:
        """Whether it changes nothing at all; such a frame passes through bit for bit."""
        return not self.log_gain.any() and np.array_equal(
            self.curves, np.tile(curve_inputs(), (3, 1))
        )


def curve_inputs() -> Float32[np.ndarray, " knots"]:
    """The input values in [0, 1] at which a grade's curves are given."""
    return (np.linspace(0.0, 1.0, KNOTS) ** 2).astype(np.float32)
