"""Visible flicker of a video, measured on the decoded and on the written frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32

from unflicker.frames.colour import proxy_size, small_luma, small_rgb, to_rgb
from unflicker.frames.picture import Frame, Picture
from unflicker.metrics import visible_flicker
from unflicker.motion import estimate_motion
from unflicker.plan import FramePlan

_EVERY_FRAMES, _MEASURED_FRAMES = 120, 25
"""Of every 120 frames of a shot the first 25 are measured, a fifth of a film. With 16 frames the
error against a whole film is half as large again."""
_FOLLOWED_PX, _REFINEMENTS = 192, 1
"""Longest side at which motion is estimated, and refinements of its flow. Against 256 px and 5
refinements results differ by 3.6 % (rms), at about half the cost; at 128 px motion counts as
flicker (lab notebook, 2026-11-29)."""
_MEASURED_PX = 128
"""Longest side at which flicker is measured, as in analysis."""


@dataclass(frozen=True, kw_only=True)
class Visible:
    """Visible flicker in ΔE of some frames."""

    before: float
    after: float
    frames: int
    """Number of frames it represents."""
    shot: int = 0
    """Number of the shot, from 0."""


@dataclass(kw_only=True, eq=False)
class VisibleFlicker:
    """Measures visible flicker before and after, on samples of each shot of a segment."""

    measured: list[Visible] = field(default_factory=list)
    _seconds: list[float] = field(default_factory=list)
    _before: list[Float32[np.ndarray, "rows columns 3"]] = field(default_factory=list)
    _after: list[Float32[np.ndarray, "rows columns 3"]] = field(default_factory=list)
    _followed: list[Float32[np.ndarray, "height width 3"]] = field(default_factory=list)
    """Written frames, as large as motion is estimated."""
    _shot: int = -1
    _place: int = 0
    """Place of the next frame among those of its shot in the segment."""
    _held: int = 0
    """Frames since the last sample started."""

    def saw(self, frame: Frame, result: Picture, plan: FramePlan, *, shot: int) -> None:
        """Take note of a frame.

        Args:
            frame: As decoded.
            result: As written.
            plan: Of the frame; repeats, flashes and damaged frames are not measured.
            shot: Its number, from 0.
        """
        if shot != self._shot:
            self.ends_shot()
            self._shot, self._place = shot, 0
        elif self._place % _EVERY_FRAMES == 0:
            self._measure()
        looked_at = self._place % _EVERY_FRAMES < _MEASURED_FRAMES
        self._place += 1
        self._held += 1
        if not looked_at or plan.repeats or plan.keeps_light or plan.damaged:
            return
        size = frame.picture.size
        small = proxy_size(size, _MEASURED_PX)
        after = small_rgb(result, size=small)
        same = result is frame.picture
        self._seconds.append(frame.seconds)
        self._before.append(after if same else small_rgb(frame.picture, size=small))
        self._after.append(after)
        # Motion needs luma alone, which is a quarter of the cost of colours.
        self._followed.append(to_rgb(small_luma(result, longest_px=_FOLLOWED_PX)))

    def ends_shot(self) -> None:
        """Measure the frames in memory, at the end of a shot or of the segment."""
        self._measure()

    def _measure(self) -> None:
        if len(self._after) >= 3:
            after = np.stack(self._after)
            motion = estimate_motion(np.stack(self._followed), refinements=_REFINEMENTS)
            back = motion.back(0, len(after) - 1, size=after.shape[1:3])
            fps = (len(after) - 1) / max(self._seconds[-1] - self._seconds[0], 1e-6)
            left = seen = visible_flicker(after, motion=back, fps=fps)
            if any(a is not b for a, b in zip(self._after, self._before, strict=True)):
                seen = visible_flicker(np.stack(self._before), motion=back, fps=fps)
            self.measured.append(
                Visible(before=seen, after=left, frames=self._held, shot=self._shot)
            )
        self._seconds, self._before, self._after, self._followed = [], [], [], []
        self._held = 0


def mean_visible(measured: Sequence[Visible]) -> tuple[float, float]:
    """Visible flicker before and after, weighted by frames; NaN without measurements."""
    if not measured:
        return float("nan"), float("nan")
    weights = [each.frames for each in measured]
    before, after = np.average(
        [(each.before, each.after) for each in measured], axis=0, weights=weights
    )
    return float(before), float(after)
