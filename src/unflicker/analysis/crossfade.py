"""Crossfades the windows of a shot, so that no level jumps where one ends."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float


class Crossfade:
    """Crossfades each window of a shot with the previous one, over their overlap."""

    def __init__(self) -> None:
        """Start a film."""
        self._kept: np.ndarray | None = None

    def faded(self, values: np.ndarray, overlap: int) -> np.ndarray:
        """This window's values, crossfaded with the previous window's, in the finer cells of both.

        Args:
            values: One for each frame of the window; frames come first, then rows and columns.
            overlap: Trailing frames shared with the next window; 0 at the end of a shot.
        """
        kept, faded = self._kept, values
        if kept is not None and kept.shape[1:] != values.shape[1:]:
            kept, values = _at_finer_cells(kept, values)
            faded = values
        if kept is not None:
            share = (np.arange(len(kept)) + 1.0) / (len(kept) + 1.0)
            share = share.reshape(-1, *[1] * (values.ndim - 1)).astype(values.dtype)
            faded = values.copy()
            faded[: len(kept)] = kept * (1.0 - share) + values[: len(kept)] * share
        self._kept = faded[len(faded) - overlap :] if overlap else None
        return faded


def _at_finer_cells(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gains of two windows by cells, both in the finer ones."""
    rows, columns = (max(pair) for pair in zip(one.shape[1:3], other.shape[1:3], strict=True))
    finer = (
        np.stack(
            [cv2.resize(gain, (columns, rows), interpolation=cv2.INTER_LINEAR) for gain in part]
        )
        for part in (one, other)
    )
    first, second = finer
    return first, second


class LevelHold:
    """Brings each window of a shot to the level of the previous one: its mean is arbitrary.

    The offset decays over time, since small errors would add up.
    """

    def __init__(self, *, held_frames: float) -> None:
        """Start a shot; an offset decays to 1/e in `held_frames`."""
        self._held_frames = held_frames
        self._kept: Float[np.ndarray, "overlap 3 size"] | None = None

    def levelled(
        self, values: Float[np.ndarray, "time 3 size"], overlap: int
    ) -> Float[np.ndarray, "time 3 size"]:
        """This window's values at the level of the previous window.

        Args:
            values: Coefficients of light, for each frame of the window.
            overlap: Trailing frames shared with the next window; 0 at the end of a shot.
        """
        level = values
        if self._kept is not None:
            offset = (self._kept - values[: len(self._kept)]).mean(axis=0)
            fades = np.exp(-np.arange(len(values)) / self._held_frames)
            level = values + fades[:, None, None] * offset
        self._kept = level[len(level) - overlap :] if overlap else None
        return level
