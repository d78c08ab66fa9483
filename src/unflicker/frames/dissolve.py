"""The noun of a dissolve: frames in which one picture gives way to another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True, kw_only=True, eq=False)
class Dissolve:
    """A dissolve between two frames."""

    earlier: slice
    """Frames whose mean stands for the first picture."""
    later: slice
    """Frames whose mean stands for the second."""
    shares: Float[np.ndarray, " frames"]
    """Share of the second picture in each frame from `first` to `last`: from 0 to 1."""

    @property
    def first(self) -> int:
        """Index of the last frame of the first picture."""
        return self.earlier.stop - 1

    @property
    def last(self) -> int:
        """Index of the first frame of the second picture."""
        return self.later.start
