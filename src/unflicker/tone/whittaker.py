"""Whittaker's smoother as matrices: the curve that follows a series and bends as little as it can.

Source: Whittaker, On a new method of graduation, Proc. Edinburgh Mathematical Society 41 (1923).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

_STRAIGHT_FRAMES = 4_000.0
"""Half-power period at which the smooth curve of any window is a straight line; stiffer ones, of
cameras with millions of frames a second, cannot be computed."""


def stiffness(periods: Float[np.ndarray, " bends"]) -> Float[np.ndarray, "time time"]:
    """The penalty of the smoother with the half-power period `periods`, in frames, at each place
    but the ends."""
    periods = np.minimum(periods, _STRAIGHT_FRAMES)
    bend = np.diff(np.eye(len(periods) + 2), 2, axis=0)
    return bend.T @ (((periods / (2.0 * np.pi)) ** 4)[:, None] * bend)


def high_pass_of(penalty: Float[np.ndarray, "time time"]) -> Float[np.ndarray, "time time"]:
    """One minus the smoother of a penalty."""
    identity = np.eye(len(penalty))
    return identity - np.linalg.inv(identity + penalty)
