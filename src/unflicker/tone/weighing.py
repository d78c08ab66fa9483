"""Generalised least squares for trajectories: a smooth curve, autocorrelated flicker, and shapes.

Source: generalised least squares under first-order autoregression, e.g. Hamilton, Time Series
Analysis (1994), ch. 8.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from unflicker.tone.variogram import MEMORIES

_LEAST_DEVIATION = 1e-3
"""Least error of a path's estimate from frame to frame, in log light."""


def heights_of(
    path: Float[np.ndarray, "time any"],
    shapes: Float[np.ndarray, "time some"],
    weigh: Float[np.ndarray, "time time"],
) -> Float[np.ndarray, "some any"]:
    """Least-squares height of each shape in a path, besides its smooth curve and its flicker.

    Args:
        path: Values by frame.
        shapes: Columns to fit.
        weigh: From `projector`.
    """
    weighed = weigh @ shapes
    return np.linalg.solve(shapes.T @ weighed + 1e-6 * np.eye(shapes.shape[1]), weighed.T @ path)


def residual(
    path: Float[np.ndarray, "time any"],
    shapes: Float[np.ndarray, "time some"],
    weigh: Float[np.ndarray, "time time"],
) -> Float[np.ndarray, "time any"]:
    """The part of a path that some shapes do not explain.

    Args:
        path: Values by frame.
        shapes: Columns to fit.
        weigh: From `projector`.
    """
    return path - shapes @ heights_of(path, shapes, weigh)


def deviation_of(changes: Float[np.ndarray, "pairs parts"]) -> Float[np.ndarray, " parts"]:
    """The standard deviation of changes from frame to frame, robust to a few large ones. It has a
    lower bound, because parts that hardly vary would only add noise."""
    off = np.abs(changes - np.median(changes, axis=0))
    return np.maximum(1.4826 * np.median(off, axis=0), _LEAST_DEVIATION)


def memory_of(difference: Float[np.ndarray, "pairs parts"]) -> float:
    """Correlation of flicker between neighbouring frames, robust to a few large changes."""
    calm = np.clip(difference, -4.0, 4.0)
    calm -= calm.mean(axis=0)
    power = (calm**2).sum()
    if len(calm) < 3 or power == 0.0:
        return 0.0
    correlation = float((calm[1:] * calm[:-1]).sum() / power)
    return float(MEMORIES[int(np.abs(np.array(MEMORIES) - (1.0 + 2.0 * correlation)).argmin())])


def projector(
    time: int, memory: float, smoothness: Float[np.ndarray, "time time"]
) -> Float[np.ndarray, "time time"]:
    """Weights of deviations from the best smooth curve, for flicker of unit variance.

    Args:
        time: Number of frames.
        memory: Correlation of flicker between neighbouring frames, 0 to 1.
        smoothness: Stiffness of the smooth curve, a quadratic form over frames.
    """
    frames = np.arange(time)
    covariance = memory ** np.abs(frames[:, None] - frames)
    precision = np.linalg.inv(covariance)
    return precision - precision @ np.linalg.solve(precision + smoothness, precision)
