"""Roles of a window's frames: measured, repeat, or kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int, Shaped

from unflicker.analysis.flashes import find_flashes
from unflicker.analysis.repeats import find_repeats
from unflicker.tone.flat_fades import flat_fades
from unflicker.tone.trajectory import frame_quantiles


@dataclass(frozen=True, kw_only=True, eq=False)
class Roles:
    """The frames of a window that are measured, and where the others get their correction."""

    votes: Int[np.ndarray, " votes"]
    """The measured frames, by their place in the window; no repeats, no flashes."""
    told_by: Int[np.ndarray, " time"]
    """For each frame the index in `votes` of its correction; -1 if it keeps its light."""
    repeats: Int[np.ndarray, " time"]
    """For each frame the first one that shows the same picture; itself if it is new."""

    @classmethod
    def beside_original(cls, blank: Bool[np.ndarray, " time"]) -> Roles:
        """The roles with a steady original, which shows all events: every frame is measured."""
        every = np.arange(len(blank))
        return cls(votes=every, told_by=np.where(blank, -1, every), repeats=every)

    @classmethod
    def of(
        cls,
        pictures: Sequence[Float32[np.ndarray, "height width 3"]],
        blank: Bool[np.ndarray, " time"],
        *,
        fps: float,
        keep_flashes: bool,
    ) -> Roles:
        """The roles of a window's frames.

        Args:
            pictures: Proxies in working light, in order; blank and damaged ones replaced by their
                neighbours (`windows.usable_pictures`).
            blank: Frames that were all white or black, which keep their light.
            fps: Frames a second.
            keep_flashes: Whether frames in a flash keep their light; if not, they are measured.
        """
        group = find_repeats(pictures)
        new = np.unique(group)
        flash = np.zeros(len(new), bool)
        if keep_flashes:
            pace = fps * len(new) / len(pictures)
            shown = [pictures[place] for place in new]
            flash = find_flashes(shown, fps=pace)
            if flash.any():  # a dark scene that fades through white has none
                for start, stop in flat_fades(frame_quantiles(np.stack(shown))):
                    flash[start : stop + 1] = False
        vote = np.where(flash, -1, np.cumsum(~flash) - 1)
        told_by = vote[np.searchsorted(new, group)]
        told_by[blank] = -1
        return cls(votes=new[~flash], told_by=told_by, repeats=_without(blank, group))

    @property
    def keep_light(self) -> Bool[np.ndarray, " time"]:
        """The frames that are not corrected."""
        return self.told_by < 0

    def spread(self, values: Shaped[np.ndarray, "votes *any"]) -> Shaped[np.ndarray, "time *any"]:
        """Values of the measured frames as values of all frames; zeros for frames that are kept."""
        spread = values[np.maximum(self.told_by, 0)]
        spread[self.told_by < 0] = 0
        return spread


def _without(
    blank: Bool[np.ndarray, " time"], group: Int[np.ndarray, " time"]
) -> Int[np.ndarray, " time"]:
    """Groups of repeats without their blank members, which only look like repeats."""
    first = {}
    for place in np.nonzero(~blank)[0]:
        first.setdefault(int(group[place]), int(place))
    return np.array([p if blank[p] else first[int(g)] for p, g in enumerate(group)], int)
