"""Ramps: changes of light over several frames, and which of them are fades."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from unflicker.tone.weighing import deviation_of

Ramp = tuple[int, int]
"""First and last frame of a fade."""
_SIDE_FRAMES = 4
"""Frames on either side of a ramp that must be steady; else the ramp belongs to an oscillation."""
_STEADY_SHARE = 0.35
"""Largest change within such a side, and flicker within the ramp, over the ramp's own size."""
_LEAST_RAMP = 0.1
"""Least log light of a ramp: a person who walks through the picture causes less, and a slow trend
explains it as well."""
_MOST_AT_ONCE = 0.6
"""The same within two frames: then it is a step that was blended, or a wave of old film. From black
a fade of 14 frames comes to 0.42."""
_FADE = 0.5
"""Least log light of a ramp whose beginning or end is not seen: less is a slow trend."""
_SHARED = 0.4
"""Share of the shorter of two ramps that the other must cover for them to be one."""
_LARGEST_LEAP = 0.4
"""Largest share of a ramp's size between two frames: a ramp is no flight of stairs."""


def believed(
    ramps: list[Ramp],
    tones: Float[np.ndarray, "time tones"],
) -> tuple[Ramp, ...]:
    """Ramps that lead from one level to another; overlapping ones are merged.

    Args:
        ramps: First and last frame of each; they may lie beyond the path.
        tones: Log light of dark to bright tones.
    """
    merged: list[Ramp] = []
    for start, stop in sorted(ramps):
        if merged and merged[-1][1] - start > _SHARED * min(
            stop - start, merged[-1][1] - merged[-1][0]
        ):
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((start, stop))
    deviation = deviation_of(np.diff(tones, axis=0)) / np.sqrt(2.0)
    return tuple(ramp for ramp in merged if _leads_on(ramp, tones, deviation))


def _leads_on(
    ramp: Ramp,
    levels: Float[np.ndarray, "time parts"],
    deviation: Float[np.ndarray, " parts"],
) -> bool:
    """Whether a ramp is regular, and light is steady before and after it where that is visible."""
    start, stop = max(ramp[0], 0), min(ramp[1], len(levels) - 1)
    across = np.abs(levels[stop] - levels[start]) - 2.0 * deviation
    part = int((across / deviation).argmax())
    within = np.diff(levels[start : stop + 1, part])
    leap = np.abs(within).max() - 3.0 * deviation[part]
    rough = float(np.sqrt(np.mean(np.diff(within) ** 2) / 6.0)) if len(within) > 1 else 0.0
    seen = min(start, len(levels) - 1 - stop) >= _SIDE_FRAMES
    if across.max() < (_LEAST_RAMP if seen else _FADE):
        return False
    if leap > _LARGEST_LEAP * across[part] or rough > _STEADY_SHARE * across[part]:
        return False
    sudden = np.abs(within[1:] + within[:-1]).max(initial=0.0) - 3.0 * deviation[part]
    if sudden > _MOST_AT_ONCE * across[part]:
        return False
    before, after = levels[: start + 1, part], levels[stop:, part]
    sides = [
        abs(float(side[: len(side) // 2].mean() - side[len(side) // 2 :].mean()))
        for side in (before[-3 * _SIDE_FRAMES :], after[: 3 * _SIDE_FRAMES])
        if len(side) >= _SIDE_FRAMES
    ]
    return all(side < max(_STEADY_SHARE * across[part], deviation[part]) for side in sides)
