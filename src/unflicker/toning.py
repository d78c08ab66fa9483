"""Tone in one window: which description of its flicker is taken, and what the eye sees of it.

The plainest comes first. Light by place stays only where the eye sees less flicker with it, a
matrix only where points along the motion then agree better.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32

from unflicker.frames.colour import proxy_size
from unflicker.frames.flow import Motion, resized
from unflicker.metrics import visible_flicker
from unflicker.motion import estimate_motion
from unflicker.settings import ToneSettings
from unflicker.tone import SteadyTone, look_again, steady_tone, steady_whole
from unflicker.tone.mixing import MISFIT_LEFT, misfit_where_mixed, unmixed
from unflicker.tone.observations import Sightings

_MEASURED_FRAMES = 32
_MEASURED_PX = 128
"""Visible flicker is a mean over a 64th of the width, so it is measured on half of a proxy."""


@dataclass(frozen=True, kw_only=True, eq=False)
class About:
    """What tone is told of a window beside its pictures."""

    original: Float32[np.ndarray, "known height width 3"] | None
    fps: float
    keep_slower_frames: float
    settings: ToneSettings


@dataclass(frozen=True, kw_only=True, eq=False)
class Toned:
    """What tone found in pictures, and what the eye sees of it."""

    tone: SteadyTone
    motion: Motion
    """Between the pictures, as well as it is known then."""
    visible_before: float
    """In ΔE, where the correction is largest."""
    visible_after: float

    @property
    def earned(self) -> SteadyTone:
        """The tone if it earned its place, else none."""
        return self.tone.earned(
            visible_before=self.visible_before, visible_after=self.visible_after
        )


def toned_window(
    pictures: list[Float32[np.ndarray, "height width 3"]],
    motion: Motion,
    about: About,
    *,
    seen: list[Sightings] | None = None,
) -> Toned:
    """What tone finds in pictures; `seen` are their sightings, where they are known already."""
    light = np.stack(pictures)
    beside = {"keep_slower_frames": about.keep_slower_frames, "original": about.original}
    tone = steady_tone(light, motion, settings=about.settings, seen=seen, **beside)
    if tone.is_strong:
        tone.apply(light)
        if tone.deceives_motion and about.original is None:
            del motion  # so that there is never room for two
            motion = estimate_motion(light)
        tone = look_again(tone, light, motion, **beside)
    del light
    tone = tone.with_whites(pictures)
    before, after = visible_in(pictures, tone, motion, about.fps)
    if tone.is_mostly_whole and about.original is None:
        tone, after = _whole_if_no_worse(tone, after, pictures, motion, about)
    return Toned(tone=tone, motion=motion, visible_before=before, visible_after=after)


def _whole_if_no_worse(
    tone: SteadyTone,
    visible: float,
    pictures: list[Float32[np.ndarray, "height width 3"]],
    motion: Motion,
    about: About,
) -> tuple[SteadyTone, float]:
    """Flicker of the whole picture alone, unless the eye then sees more of it than `visible` ΔE."""
    keep = about.keep_slower_frames
    whole = steady_whole(np.stack(pictures), motion, like=tone, keep_slower_frames=keep)
    whole = whole.with_whites(pictures)
    _, left = visible_in(pictures, whole, motion, about.fps)
    return (whole, left) if left <= visible else (tone, visible)


def mixed_if_better(
    plain: SteadyTone,
    mixing: Float[np.ndarray, "time 3 mixing"],
    pictures: list[Float32[np.ndarray, "height width 3"]],
    motion: Motion,
    about: About,
) -> SteadyTone:
    """A matrix and the tone that is left after it, if points then agree better than after `plain`
    and the eye sees less flicker than before; else `plain`.

    After a matrix tone must earn its place anew. Where points do not agree better then, it keeps
    it all the same: that the shot flickers is known.
    """

    def misfit(tone: SteadyTone) -> float:
        light = np.stack(pictures)
        tone.apply(light)
        return misfit_where_mixed(light, motion, mixing)

    without = misfit(plain)
    toned = toned_window(unmixed(pictures, mixing), motion, about)
    for tone in (toned.earned, toned.tone):
        mixed = tone.with_mixing(mixing)
        before, after = visible_in(pictures, mixed, motion, about.fps)
        if after < before and misfit(mixed) < MISFIT_LEFT * without:
            return mixed
    return plain


def visible_in(
    pictures: list[Float32[np.ndarray, "height width 3"]],
    tone: SteadyTone,
    motion: Motion,
    fps: float,
) -> tuple[float, float]:
    """Visible flicker before and after, where a window is corrected most, as ordinary video."""
    if len(pictures) < 3:
        return 0.0, 0.0
    change = (tone.coefficients**2).sum(axis=(1, 2))
    sums = np.convolve(change, np.ones(min(_MEASURED_FRAMES, len(pictures))), mode="valid")
    first = int(np.argmax(sums)) if change.any() else (len(pictures) - 1) // 4
    last = min(first + _MEASURED_FRAMES, len(pictures)) - 1
    size = proxy_size(pictures[0].shape[:2], _MEASURED_PX)
    shown = resized(np.stack(pictures[first : last + 1]), size)
    back = motion.back(first, last, size=size)
    before = visible_flicker(shown, motion=back, fps=fps)
    if not tone.coefficients.any():
        return before, before
    tone.apply(shown, first=first)
    return before, visible_flicker(shown, motion=back, fps=fps)
