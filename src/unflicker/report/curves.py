"""A film's light, reduced for plotting without hiding flicker."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Int

from unflicker.frames.colour import SHOWN_LUMA
from unflicker.recording.record import Record

_FLOOR = 1.0 / 512.0
"""Added before a logarithm, so that black has a colour balance of 0."""


def luma(mean: Float32[np.ndarray, "time 3"]) -> Float32[np.ndarray, " time"]:
    """Mean luma of each frame in [0, 1], from mean RGB."""
    return mean @ SHOWN_LUMA


def warmth(mean: Float32[np.ndarray, "time 3"]) -> Float32[np.ndarray, " time"]:
    """Red against blue in stops; positive is warm."""
    return np.log2((mean[:, 0] + _FLOOR) / (mean[:, 2] + _FLOOR))


def tint(mean: Float32[np.ndarray, "time 3"]) -> Float32[np.ndarray, " time"]:
    """Green against red and blue in stops; positive is green, negative magenta."""
    mean = mean + np.float32(_FLOOR)
    return np.log2(mean[:, 1]) - 0.5 * np.log2(mean[:, 0] * mean[:, 2])


def envelope(
    values: Float32[np.ndarray, " time"], *, places: int
) -> tuple[Int[np.ndarray, " kept"], Float32[np.ndarray, " kept"]]:
    """The lowest and highest value of each interval, with their indices, in order of time.

    A line through them looks like the line through all values, at any length of film.

    Args:
        values: To plot.
        places: Number of intervals.
    """
    if len(values) <= 2 * places:
        return np.arange(len(values)), values
    kept = []
    for stretch in np.array_split(np.arange(len(values)), places):
        part = values[stretch]
        kept += sorted({int(stretch[part.argmin()]), int(stretch[part.argmax()])})
    chosen = np.array(kept)
    return chosen, values[chosen]


def strongest(
    values: Float32[np.ndarray, "time rows"], *, places: int
) -> Float32[np.ndarray, "columns rows"]:
    """Values reduced to a number of columns of time, each with its strongest value, sign kept.

    A mean over time would hide flicker.

    Args:
        values: By frame and row.
        places: Columns at most.
    """
    if len(values) <= places:
        return values
    columns, borders = [], np.arange(places + 1) * len(values) // places
    for part in np.split(values, borders[1:-1]):  # of equal length, as they are drawn
        at = np.abs(part).argmax(axis=0)
        columns.append(np.take_along_axis(part, at[None], axis=0)[0])
    return np.stack(columns)


def worst_moments(record: Record, *, count: int) -> list[int]:
    """Frames with the strongest corrections, no two close together, in order of time.

    Args:
        record: Of a run.
        count: Frames at most.
    """
    strength = np.abs(record.correction_stops).mean(axis=(1, 2))
    apart = max(1, len(strength) // (4 * count))
    chosen: list[int] = []
    for index in np.argsort(-strength, kind="stable"):
        if all(abs(int(index) - other) >= apart for other in chosen):
            chosen.append(int(index))
        if len(chosen) == count:
            break
    return sorted(chosen)
