"""Templates of steps and fades, as columns of a dictionary."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float

_LENGTHS = (1, 4, 6, 8, 11, 15, 20, 27, 36)
"""Frames that a change may take: a step, and ramps."""
_FACTORS = (0.0, 0.25, 1.0, 4.0, np.inf)
"""By how much light grows in a ramp; 1 for a little."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Shapes:
    """Possible changes: steps, and the logarithm of light that grows or falls linearly by a factor,
    as in fades and dissolves."""

    shapes: Float[np.ndarray, "time shapes"]
    places: tuple[tuple[int, int], ...]
    """The first and the last frame of each; those of a fade may lie beyond the path."""

    @classmethod
    def of(cls, time: int, places: Iterable[tuple[int, int]]) -> Shapes:
        """All shapes that a change of light may have at some places.

        Args:
            time: Number of frames.
            places: First and last frame of each change.
        """
        frames = np.arange(time, dtype=float)
        columns, named = [], []
        for start, stop in places:
            share = np.clip((frames - start) / (stop - start), 0.0, 1.0)
            for factor in _FACTORS if stop - start > 1 else (1.0,):
                columns.append(_evenly(share, factor, stop - start))
                named.append((start, stop))
        return cls(shapes=np.stack(columns, axis=1), places=tuple(named))


@lru_cache(maxsize=8)
def shapes_everywhere(time: int) -> Shapes:
    """Steps at every frame, and fades of every length, not quite at every frame."""
    places = [
        (start, start + length)
        for length in _LENGTHS
        if length < time
        for start in range(
            0 if length == 1 else -length // 2,
            time - length + (0 if length == 1 else length // 2),
            max(1, length // 4),
        )
    ]
    return Shapes.of(time, places)


@lru_cache(maxsize=8)
def steps_everywhere(time: int) -> Shapes:
    """Steps at every frame."""
    return Shapes.of(time, [(t, t + 1) for t in range(time - 1)])


def shapes_around(time: int, ramps: Iterable[tuple[int, int]]) -> Shapes:
    """Steps at every frame, and fades that begin and end near given ones.

    Args:
        time: Number of frames.
        ramps: First and last frame of each given fade.
    """
    near = set()
    for start, stop in ramps:
        reach = max(1, (stop - start) // 4)
        off = range(-reach, reach + 1)
        near |= {(start + a, stop + b) for a in off for b in off if stop + b - start - a >= 4}
    return Shapes.of(time, [(t, t + 1) for t in range(time - 1)] + sorted(near))


def _evenly(
    share: Float[np.ndarray, " time"], factor: float, length: float
) -> Float[np.ndarray, " time"]:
    """The logarithm of light that changes linearly from 1 to `factor` with a share from 0 to 1."""
    if factor == 1.0:
        return share
    if np.isinf(factor):
        return np.log(np.maximum(share, 0.5 / length))
    if factor == 0.0:
        return np.log(np.maximum(1.0 - share, 0.5 / length))
    return np.log(1.0 + (factor - 1.0) * share)
