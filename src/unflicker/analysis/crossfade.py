"""How the windows of a shot go over into each other, so that no level jumps where one ends."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


class Crossfade:
    """Windows of a shot, each fading in from what the one before found in their overlap."""

    def __init__(self) -> None:
        """Begin a film."""
        self._kept: np.ndarray | None = None

    def faded(self, values: np.ndarray, overlap: int) -> np.ndarray:
        """This window's values by frame; the last `overlap` of them are kept for the next."""
        kept, faded = self._kept, values
        if kept is not None:
            share = (np.arange(len(kept)) + 1.0) / (len(kept) + 1.0)
            share = share.reshape(-1, *[1] * (values.ndim - 1)).astype(values.dtype)
            faded = values.copy()
            faded[: len(kept)] = kept * (1.0 - share) + values[: len(kept)] * share
        self._kept = faded[len(faded) - overlap :] if overlap else None
        return faded


class LevelHold:
    """Windows of a shot brought to the level of the one before, for light that is known however
    slow it is: each window knows it but for its mean.

    A level is held for a while and not for ever, since small errors would add up.
    """

    def __init__(self, *, held_frames: float) -> None:
        """Begin a shot; after `held_frames` a third of a level is left."""
        self._held_frames = held_frames
        self._kept: Float[np.ndarray, "overlap 3 size"] | None = None

    def levelled(
        self, values: Float[np.ndarray, "time 3 size"], overlap: int
    ) -> Float[np.ndarray, "time 3 size"]:
        """This window's values by frame, at the level of the one before."""
        level = values
        if self._kept is not None:
            offset = (self._kept - values[: len(self._kept)]).mean(axis=0)
            fades = np.exp(-np.arange(len(values)) / self._held_frames)
            level = values + fades[:, None, None] * offset
        self._kept = level[len(level) - overlap :] if overlap else None
        return level
