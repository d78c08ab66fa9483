"""The variogram of trajectories, the variances that it gives, and the Wiener filter.

The mean squared difference over 1, 2, 3 … frames is flat for flicker and grows in proportion for a
random walk.

Source: local-level models, Durbin and Koopman, Time Series Analysis by State Space Methods, ch. 2.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

_LAGS = np.array([1, 2, 3, 4, 6, 8, 12, 16, 20])
MEMORIES = (0.0, 0.25, 0.4, 0.5, 0.6, 0.7)


def variances(
    quick: Float[np.ndarray, "time all"], drift_allowed: Float[np.ndarray, " all"]
) -> tuple[float, Float[np.ndarray, " all"], Float[np.ndarray, " all"], Float[np.ndarray, " all"]]:
    """Variances of flicker, drift and wandering flicker, fitted to the variogram.

    Args:
        quick: Paths without their slow part.
        drift_allowed: Largest variance of drift of each path.

    Returns:
        Memory of the flicker from frame to frame, common to all paths; variances of flicker, drift
        and wandering flicker of each path.
    """
    lags = _LAGS[len(quick) * 0.6 > _LAGS].astype(float)
    lags = lags if len(lags) > 1 else _LAGS[:2].astype(float)
    measured = np.stack([_half_mean_square(quick, int(lag)) for lag in lags])
    # The floor keeps a lag that is a whole period, where the variogram vanishes, from deciding all.
    floor = 0.3 * measured.mean(axis=0) + 1e-12
    weight = 1.0 / (np.sqrt(lags)[:, None] * (measured + floor))
    best = None
    for memory in MEMORIES:
        flat, growing = 1.0 - memory**lags, lags / 2.0
        flicker, walk = _two_positive(flat, growing, measured, weight)
        misfit = (
            ((np.outer(flat, flicker) + np.outer(growing, walk) - measured) * weight) ** 2
        ).sum(0)
        score = float((misfit * measured[0]).sum() / (measured[0].sum() + 1e-30))
        if best is None or score < best[0]:
            best = (score, memory, flicker, walk)
    assert best is not None
    _, memory, flicker, walk = best
    drift = np.minimum(walk, drift_allowed)
    return memory, flicker, drift, walk - drift


def _half_mean_square(values: Float[np.ndarray, "time all"], lag: int) -> Float[np.ndarray, " all"]:
    return 0.5 * ((values[lag:] - values[:-lag]) ** 2).mean(axis=0)


def _two_positive(
    first: Float[np.ndarray, " lags"],
    second: Float[np.ndarray, " lags"],
    measured: Float[np.ndarray, "lags all"],
    weight: Float[np.ndarray, "lags all"],
) -> tuple[Float[np.ndarray, " all"], Float[np.ndarray, " all"]]:
    """Non-negative factors of two known curves that add up to the measured ones."""
    squared = weight**2
    a, b, c = first**2 @ squared, (first * second) @ squared, second**2 @ squared
    p, q = first @ (measured * squared), second @ (measured * squared)
    determinant = np.maximum(a * c - b * b, 1e-30)
    one, two = (c * p - b * q) / determinant, (a * q - b * p) / determinant
    without_two: Bool[np.ndarray, " all"] = two < 0
    without_one = (one < 0) & ~without_two
    one = np.where(without_two, p / a, np.where(without_one, 0.0, one))
    two = np.where(without_one, q / c, np.where(without_two, 0.0, two))
    return np.maximum(one, 0.0), np.maximum(two, 0.0)


def wiener(
    high: Float[np.ndarray, "time all"],
    high_pass: Float[np.ndarray, "time time"],
    memory: float,
    variances: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> Float[np.ndarray, "time all"]:
    """The flicker in high-passed paths.

    Coefficients whose variances have similar ratios share one filter.

    Args:
        high: High-passed paths.
        high_pass: The linear high-pass that made them.
        memory: Of the flicker from frame to frame, 0 to 1.
        variances: Of flicker, drift and wandering flicker, for each path.
    """
    flicker, drift, wander = variances
    time = len(high)
    frames = np.arange(time)
    remembered = memory ** np.abs(frames[:, None] - frames)
    walk = high_pass @ np.minimum(frames[:, None], frames).astype(float) @ high_pass.T
    remembered = high_pass @ remembered @ high_pass.T
    small = 1e-9 * np.eye(time)
    found = np.zeros_like(high)
    scale = np.maximum(flicker + wander, 1e-14)
    noise = np.round(2 * np.log2(np.clip(drift / scale, 1e-5, 1e3)))
    wandering = np.round(8 * wander / scale)
    alive = flicker + wander > 0
    for kind in np.unique(np.stack([noise[alive], wandering[alive]], axis=1), axis=0):
        members = alive & (noise == kind[0]) & (wandering == kind[1])
        share = kind[1] / 8.0
        signal = (1.0 - share) * remembered + share * walk
        total = signal + 2.0 ** (kind[0] / 2.0) * walk + small
        found[:, members] = signal @ np.linalg.solve(total, high[:, members])
    return found
