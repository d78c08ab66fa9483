"""Tone in one window: selects the model that corrects its flicker, by visible flicker.

The simplest model comes first. Light by place is used only if it reduces visible flicker, a matrix
only if points along the motion then agree better.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Float, Float32

from unflicker.frames.colour import proxy_size
from unflicker.frames.dissolve import Dissolve
from unflicker.frames.flow import BackwardMotion, Motion, resized
from unflicker.metrics import visible_flicker
from unflicker.motion import estimate_motion
from unflicker.settings import USUAL_KEEP_SECONDS, Settings
from unflicker.tone import (
    Pace,
    SteadyTone,
    course_of,
    look_again,
    pumping,
    steady_tone,
    steady_whole,
)
from unflicker.tone.changes import Changes
from unflicker.tone.correspondences import Correspondences, correspondences, of_scene
from unflicker.tone.dissolves import find_dissolves
from unflicker.tone.flat_fades import flat_fades
from unflicker.tone.mixing import MISFIT_LEFT, misfit_where_mixed, mixing_of, unmixed
from unflicker.tone.trajectory import frame_quantiles

_LEAST_FPS = 15.0
"""Slower films are treated as having so many frames a second when durations of kept light are
converted to frames: in two seconds of a time-lapse at one picture a second there is no trend, and
in those of a film of twelve pictures a second noise alone has one."""
_PLACE_EARNS = 0.02
"""Share of visible flicker that light by place must remove beyond global light. Errors of the
motion look like light by place and cost 2 dB under gamma, where it removed 0.0 to 1.4 % more (lab
notebook)."""
_MEASURED_FRAMES = 32
_MEASURED_PX = 128
"""Visible flicker is a mean over a 64th of the width, so it is measured on half of a proxy."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Stretch:
    """Frames in which visible flicker is measured, uncorrected, at half the size."""

    shown: Float32[np.ndarray, "some rows columns 3"]
    back: BackwardMotion
    visible: float
    """Their visible flicker in ΔE."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Looked:
    """The frames of a window that are measured: no repeats, no flashes."""

    pictures: list[Float32[np.ndarray, "height width 3"]]
    originals: list[Float32[np.ndarray, "height width 3"]]
    """The same frames of the steady original; fewer if it is shorter, empty without one."""
    scene: Float32[np.ndarray, "time height width"] | None
    """How far each pixel shows the scene, 0 to 1; None if all do."""
    fps: float
    settings: Settings
    _stretches: WeakKeyDictionary[Motion, dict[int, Stretch]] = field(
        default_factory=WeakKeyDictionary, init=False
    )
    """By motion and first frame: several corrections are measured on the same frames."""

    @property
    def pace(self) -> Pace:
        """The durations above which light changes are kept."""
        usual = USUAL_KEEP_SECONDS * max(self.fps, _LEAST_FPS)
        return Pace(keep_slower_frames=keep_frames(self.fps, self.settings), usual_frames=usual)

    def followed(self, light: Float32[np.ndarray, "time height width 3"]) -> Motion:
        """The motion between pictures of these frames, without overlays."""
        return replace(estimate_motion(light), scene=self.scene, dissolves=self.dissolves)

    @cached_property
    def dissolves(self) -> tuple[Dissolve, ...]:
        """Where one picture gives way to another; a steady original shows them itself."""
        if self.originals:
            return ()
        pictures = np.stack(self.pictures)
        found = find_dissolves(pictures)
        # None goes through a flat picture, which would be a mixture of any two.
        flat = flat_fades(frame_quantiles(pictures)) if found else ()
        return tuple(d for d in found if not any(a < d.last and d.first < b for a, b in flat))

    def stretch(self, first: int, last: int, motion: Motion) -> Stretch:
        """The frames from one to another in which visible flicker is measured.

        Args:
            first: Index of the first frame.
            last: Index of the last frame, included.
            motion: Between all frames.
        """
        known = self._stretches.setdefault(motion, {})
        if first not in known:
            size = proxy_size(self.pictures[0].shape[:2], _MEASURED_PX)
            shown = resized(np.stack(self.pictures[first : last + 1]), size)
            back = motion.back(first, last, size=size)
            visible = visible_flicker(shown, motion=back, fps=self.fps)
            known[first] = Stretch(shown=shown, back=back, visible=visible)
        return known[first]


@dataclass(frozen=True, kw_only=True, eq=False)
class Toned:
    """A correction by tone, and visible flicker without and with it."""

    tone: SteadyTone
    motion: Motion
    """Between the pictures, from the last estimate."""
    motion_as_shown: Motion | None
    """The same from the uncorrected pictures; None if it was given up for a better one."""
    seen: list[Correspondences] | None
    """Of neighbouring uncorrected pictures; None with an original."""
    visible_before: float
    """In ΔE, where the correction is largest."""
    visible_after: float

    @property
    def earned(self) -> SteadyTone:
        """The correction if it reduces visible flicker enough, else none."""
        return self.tone.earned(
            visible_before=self.visible_before, visible_after=self.visible_after
        )


def keep_frames(fps: float, settings: Settings) -> float:
    """Duration in frames above which light changes are kept.

    Args:
        fps: Frames a second.
        settings: Of the run.
    """
    return settings.keep_slower_than_seconds * max(fps, _LEAST_FPS)


def toned(
    looked: Looked,
    *,
    motion: Motion | None = None,
    seen: list[Correspondences] | None = None,
    changes: Changes | None = None,
) -> Toned:
    """The correction of pictures by curves and by place, whether or not it reduces flicker.

    Args:
        looked: The measured frames.
        motion: Between the pictures, if known.
        seen: Correspondences of neighbouring pictures, if known.
        changes: Steps and fades of the shot, if known.
    """
    light = np.stack(looked.pictures)
    original = np.stack(looked.originals) if looked.originals else None
    if motion is None:
        motion = looked.followed(_steadiest(light, looked.originals))
    as_shown: Motion | None = motion
    if original is None and seen is None:
        seen = correspondences(light, motion)
    beside = {"pace": looked.pace, "original": original}
    told = {"settings": looked.settings.tone, "seen": seen, "changes": changes}
    tone = steady_tone(light, motion, **told, **beside)
    if tone.is_strong:
        tone.apply(light)
        if tone.deceives_motion and original is None:
            del motion  # so that there are never two in memory
            as_shown = None
            motion = looked.followed(light)
        tone = look_again(tone, light, motion, **beside)
    del light
    tone = tone.with_highlights(looked.pictures, scene=looked.scene)
    judged = _judged(tone, looked, (motion, seen if motion is as_shown else None))
    return replace(judged, motion_as_shown=as_shown, seen=seen)


def within_scene(plain: Toned, looked: Looked) -> Toned:
    """The same correction from the scene alone.

    Args:
        plain: From the whole pictures.
        looked: The measured frames, and how far each pixel shows the scene.
    """
    motion, scene = plain.motion_as_shown, looked.scene
    if motion is None or scene is None:
        return toned(looked)
    known = plain.seen if motion.scene is None else None
    seen = None if known is None else of_scene(known, scene)
    return toned(looked, motion=replace(motion, scene=scene), seen=seen)


def with_matrix(plain: Toned, looked: Looked) -> Toned:
    """The correction if it reduces visible flicker, with pumping if that is to be removed, and with
    a matrix if one explains more.

    Args:
        plain: The correction by curves and by place.
        looked: The measured frames.
    """
    tone = plain.earned.with_pumping(_pumped(plain, looked)).with_mixing(None)
    taken = replace(plain, tone=tone)
    if plain.seen is None:
        return taken
    mixing = mixing_of(plain.seen, pace=looked.pace, changes=plain.tone.flicker.changes)
    if mixing is None:
        return taken
    return _mixed_if_better(taken, mixing, looked)


def _pumped(plain: Toned, looked: Looked) -> Float[np.ndarray, "time 3"]:
    """Slow log light to remove from each frame: zeros unless the settings ask for it."""
    count = len(looked.pictures)
    if looked.originals or not looked.pace.asks_for_more or count < 3:
        return np.zeros((count, 3))
    light = np.stack(looked.pictures)
    plain.earned.apply(light)
    return pumping(course_of(list(light), plain.motion).light, looked.pace)


def _mixed_if_better(
    plain: Toned, mixing: Float[np.ndarray, "time 3 mixing"], looked: Looked
) -> Toned:
    """A matrix and the correction by tone after it, if points then agree better than after `plain`
    and visible flicker is less than before; else `plain`.

    After a matrix the correction is estimated again. It is used wherever points agree better with
    it, whether or not it reduces visible flicker: the shot is known to flicker.
    """

    def misfit(tone: SteadyTone) -> float:
        light = np.stack(looked.pictures)
        tone.apply(light)
        return misfit_where_mixed(light, plain.motion, mixing)

    least, best = MISFIT_LEFT * misfit(plain.tone), None
    pure = replace(looked, pictures=unmixed(looked.pictures, mixing))
    changes = plain.tone.flicker.changes
    again = toned(pure, motion=plain.motion, changes=changes)
    earned = again.earned
    for tone in (earned,) if earned is again.tone else (earned, again.tone):
        mixed = tone.with_mixing(mixing)
        before, after = visible_in(looked, mixed, plain.motion)
        if after < before and (left := misfit(mixed)) < least:
            least = left
            best = replace(plain, tone=mixed, visible_before=before, visible_after=after)
    if best is not None:
        return best
    before, after = visible_in(looked, plain.tone, plain.motion)
    return replace(plain, visible_before=before, visible_after=after)


def _judged(
    tone: SteadyTone, looked: Looked, followed: tuple[Motion, list[Correspondences] | None]
) -> Toned:
    """The correction, or one of the whole picture alone unless that clearly removes less.

    `followed` has the motion, and the correspondences of the uncorrected pictures along it if they
    are known.
    """
    motion, seen = followed
    before, after = visible_in(looked, tone, motion)
    if tone.is_mostly_whole and not looked.originals:
        light = np.stack(looked.pictures)
        whole = steady_whole(light, motion, like=tone, pace=looked.pace, seen=seen)
        whole = whole.with_highlights(looked.pictures, scene=motion.scene)
        _, left = visible_in(looked, whole, motion)
        if left - after <= _PLACE_EARNS * before:
            tone, after = whole, left
    return Toned(
        tone=tone,
        motion=motion,
        motion_as_shown=None,
        seen=None,
        visible_before=before,
        visible_after=after,
    )


def _steadiest(
    light: Float32[np.ndarray, "time height width 3"],
    originals: list[Float32[np.ndarray, "height width 3"]],
) -> Float32[np.ndarray, "time height width 3"]:
    """The best frames for motion: the original's, as far as there is one."""
    return np.stack([*originals, *light[len(originals) :]]) if originals else light


def visible_in(looked: Looked, tone: SteadyTone, motion: Motion) -> tuple[float, float]:
    """Visible flicker in ΔE before and after, of at most 32 frames with the largest correction.

    Args:
        looked: The measured frames.
        tone: Their correction.
        motion: Between them.
    """
    count = len(looked.pictures)
    if count < 3:
        return 0.0, 0.0
    change = (tone.coefficients**2).sum(axis=(1, 2))
    sums = np.convolve(change, np.ones(min(_MEASURED_FRAMES, count)), mode="valid")
    first = int(np.argmax(sums)) if change.any() else (count - 1) // 4
    stretch = looked.stretch(first, min(first + _MEASURED_FRAMES, count) - 1, motion)
    if not tone.coefficients.any():
        return stretch.visible, stretch.visible
    corrected = stretch.shown.copy()
    tone.apply(corrected, first=first)
    return stretch.visible, visible_flicker(corrected, motion=stretch.back, fps=looked.fps)
