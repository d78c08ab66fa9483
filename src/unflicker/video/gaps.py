"""Gaps in the times of a film of constant rate: frames that were lost on the way."""

from __future__ import annotations

from collections import Counter
from itertools import accumulate

_LEAST_STEPS = 8
_LONG = 1.45
"""Times the longest usual step: one frame is missing at least, also of a rhythm of two steps."""
_USUAL_SHARE = 0.8
"""A gap is longer than the steps that this share of all have: pulldown alternates between two."""
_MOST_GAPS = 0.1
"""Share of gaps in all steps; a film with more is one of variable rate."""
_MOST_STEPS = 10_000
"""Different steps that are remembered: a film with more is one of variable rate."""


class Gaps:
    """The steps between the frames of a film while it is read, in units of its time."""

    def __init__(self) -> None:
        self._steps: Counter[int] = Counter()
        self._last: int | None = None

    def see(self, pts: int) -> None:
        """Take note of the next frame's time."""
        if self._last is not None and len(self._steps) < _MOST_STEPS:
            self._steps[pts - self._last] += 1
        self._last = pts

    def missing(self, *, joins: int) -> tuple[int, int]:
        """How many gaps there are, and about how many frames are missing in them.

        Args:
            joins: Gaps that are none: places where recordings were joined.
        """
        count = self._steps.total()
        if count < _LEAST_STEPS or len(self._steps) >= _MOST_STEPS:
            return 0, 0
        usual = self._longest_of(0.5)
        limit = _LONG * self._longest_of(_USUAL_SHARE)
        long = sorted((step for step in self._steps.elements() if step > limit), reverse=True)
        if len(long) > _MOST_GAPS * count:
            return 0, 0
        long = long[joins:]
        return len(long), sum(round(step / max(usual, 1)) - 1 for step in long)

    def _longest_of(self, share: float) -> int:
        """The longest of the shortest steps that make up a share of all."""
        steps = sorted(self._steps)
        sums = accumulate(self._steps[step] for step in steps)
        least = share * self._steps.total()
        return next(step for step, total in zip(steps, sums, strict=True) if total >= least)
