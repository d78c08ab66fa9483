"""The noun of a dissolve: frames in which one picture gives way to another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True, kw_only=True, eq=False)
class Dissolve:
    """A dissolve between two frames."""

    first: int
    """Index of the last frame of the first picture."""
    last: int
    """Index of the first frame of the second picture."""
    earlier: slice
    """Frames, `first` the last of them, whose mean stands for the first picture."""
    later: slice
    """Frames from `last` on whose mean stands for the second."""
    shares: Float[np.ndarray, " frames"]
    """Share of the second picture in each frame from `first` to `last`: from 0 to 1."""
