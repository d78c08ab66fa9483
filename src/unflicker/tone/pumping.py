"""Pumping: light that is slower than usual flicker, and faster than the light that is kept.

A smoother alone takes part of a long wave for light that is kept, and follows it where a window
begins and ends: of waves of three quarters of the longest period it removes half. So the wave that
fits best together with a straight line is taken out first, and the smoother separates the rest.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from unflicker.tone.flicker import Pace
from unflicker.tone.whittaker import high_pass_of, stiffness

_WAVES = 80
"""Periods that are tried, each 5 % or less above the last for usual settings."""
_BEYOND_KEPT = 2.5
"""Longest period that is tried, relative to that of kept light: light that such a wave fits best is
kept. Made series: a slow S loses 11 % of itself instead of 27 to 32."""


def pumping(light: Float[np.ndarray, "time 3"], pace: Pace) -> Float[np.ndarray, "time 3"]:
    """Light that is slower than usual flicker, and faster than the light that is kept.

    The trajectory's prior suppresses such slow light; the sum of the light that neighbouring frames
    share contains it (`exposure_drift.course_of`).

    Args:
        light: Log light of each frame's channels.
        pace: How slow light must be to be kept.
    """
    bends = max(len(light) - 2, 0)
    if not pace.asks_for_more or not bends:
        return np.zeros_like(light)
    stays, usual = (
        high_pass_of(stiffness(np.full(bends, frames)))
        for frames in (pace.keep_slower_frames, pace.usual_frames)
    )
    wave = _wave(light, shortest=pace.usual_frames, longest=pace.keep_slower_frames)
    return wave + (stays - usual) @ (light - wave)


def _wave(
    light: Float[np.ndarray, "time 3"], *, shortest: float, longest: float
) -> Float[np.ndarray, "time 3"]:
    """The wave that fits best together with a straight line, of one period for all channels.

    It is zero if light that is kept fits better, or if it is longer than the series.
    """
    time = np.arange(len(light), dtype=np.float64)
    straight = np.stack([np.ones_like(time), time - time.mean()], axis=1)
    least, best = np.inf, np.zeros_like(light)
    for period in np.geomspace(shortest, _BEYOND_KEPT * longest, _WAVES):
        angle = 2.0 * np.pi * time / period
        functions = np.concatenate([straight, np.sin(angle)[:, None], np.cos(angle)[:, None]], 1)
        found = np.linalg.lstsq(functions, light, rcond=None)[0]
        misses = float(((light - functions @ found) ** 2).sum())
        if misses < least:
            least = misses
            taken = period <= min(longest, len(light))
            best = functions[:, 2:] @ found[2:] if taken else np.zeros_like(light)
    return best
