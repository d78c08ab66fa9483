"""The tone stage: from the proxies of a window and their motion to the light that flicker added."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float, Float32, Int

from unflicker.compute.threads import check_stopped
from unflicker.frames.flow import Motion
from unflicker.grade import Grade
from unflicker.grade.apply import apply_to_light
from unflicker.settings import ToneSettings
from unflicker.tone.changes import Changes
from unflicker.tone.correspondences import (
    Correspondences,
    correspondences,
    relative,
    without_fades,
)
from unflicker.tone.flicker import Flicker, Pace, beyond_original, separate
from unflicker.tone.grading import grade_of
from unflicker.tone.highlights import with_highlights
from unflicker.tone.illumination import IlluminationModel
from unflicker.tone.mixing import MIXING
from unflicker.tone.trajectory import (
    IlluminationTrajectory,
    frame_quantiles,
    illumination_trajectory,
)

Originals = Float32[np.ndarray, "known height width 3"] | None
_FEWEST_FRAMES = 4
_PUMPING = 0.01
"""Standard deviation of slow log light below which there is nothing to remove."""
_POSSIBLE = (0.007, 0.62)
"""Flicker (log light a frame) and its share of all change, below which there is none to remove."""
_SURE = ((0.007, 0.80), (0.016, 0.68))
"""The same, above which it is flicker without further evidence (lab notebook)."""
_EARNED, _EARNED_IF_UNSURE = 0.84, 0.56
"""Visible flicker after over before, above which a correction is dropped: steady clips in fast
motion come to 0.88, flickering film to 0.5 and less (lab notebook)."""
_LEAST_SEEN = 0.15
"""Least fall of visible flicker, in ΔE; steady clips stay below it."""
_STRONG_LIGHT, _DECEIVING_LIGHT = 0.01, 0.2
_BEYOND_ORIGINAL = 0.004
"""Log light, relative to a steady original, below which there is nothing to remove: a steady film
that was only encoded again comes to 0.0025, one made sharper and brighter to 0.0027."""
_NO_PLACE = 0.0012
"""Local differences of light that are smaller than this need no grid."""
_PLACE_SHARE, _BENT_SHARE = 0.15, 0.3
"""Nor do those that are less than this share of global light, unless tone bends more than that:
errors of the motion look like them, and grow with the flicker (lab notebook)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SteadyTone:
    """The flicker of a window."""

    field: IlluminationModel
    coefficients: Float[np.ndarray, "time 3 size"]
    """Light that flicker added to each frame; zeros if there is none worth removing. One more than
    the model has functions once highlights are measured (`highlights`), and two more once the
    colour matrix is (`mixing`)."""
    flicker: Flicker
    """The first result, worth removing or not."""
    has_original: bool = False
    """Whether it was estimated with a steady original: then slow light is flicker, too."""

    @property
    def is_strong(self) -> bool:
        """Whether flicker is strong enough for a second analysis of the corrected pictures; each
        analysis finds a part of a step that occurs only once."""
        return _change(self.coefficients, self.field) > _STRONG_LIGHT or self.flicker.is_levelled

    @property
    def is_mostly_whole(self) -> bool:
        """Whether local flicker, if any, is weaker than global flicker."""
        by_place = self.coefficients[..., : self.field.size].copy()
        by_place[..., self.field.whole] = 0.0
        whole = self.coefficients[..., : self.field.size] - by_place
        return _change(by_place, self.field) < _change(whole, self.field)

    @property
    def deceives_motion(self) -> bool:
        """Whether flicker is strong enough to disturb the motion, too."""
        return strength_of(self.coefficients, self.field) > _DECEIVING_LIGHT

    @property
    def is_sure(self) -> bool:
        """Whether the numbers alone identify flicker."""
        return any(_exceeds(self.flicker, limits) for limits in _SURE)

    @property
    def mixes(self) -> bool:
        """Whether flicker mixed the channels: a matrix then explains much more."""
        return bool(self.coefficients[..., self.field.size + 1 :].any())

    def earned(self, *, visible_before: float, visible_after: float) -> SteadyTone:
        """The same if it reduces visible flicker enough; else without any correction.

        Slow change is not visible as flicker, so with an original it only must not rise.

        Args:
            visible_before: Visible flicker of the proxies, in ΔE.
            visible_after: The same of the corrected proxies.
        """
        if self.has_original:
            no_more = visible_after <= visible_before + _LEAST_SEEN / 2
            return self if no_more else self.unapplied()
        most = _EARNED if self.is_sure else _EARNED_IF_UNSURE
        fallen = visible_before - visible_after
        if visible_after <= most * visible_before and fallen >= _LEAST_SEEN:
            return self
        return self.unapplied()

    def with_pumping(self, light: Float[np.ndarray, "time 3"]) -> SteadyTone:
        """The same, with slow log light of each channel added (`pumping`)."""
        if np.sqrt((light**2).mean()) < _PUMPING:
            return self
        coefficients = self.coefficients.copy()
        coefficients[..., 0] += light
        return replace(self, coefficients=coefficients)

    def with_highlights(
        self,
        pictures: Sequence[Float32[np.ndarray, "height width 3"]],
        *,
        scene: Float32[np.ndarray, "time height width"] | None = None,
    ) -> SteadyTone:
        """The same, with highlights kept at their usual level.

        Args:
            pictures: The uncorrected proxies, in working light.
            scene: Share of each pixel that is scene, 0 to 1; only there highlights are measured.
        """
        if self.has_original or not self.coefficients.any():
            nothing = np.zeros_like(self.coefficients[..., :1])
            return replace(self, coefficients=np.concatenate([self.coefficients, nothing], axis=-1))
        found = with_highlights(self.coefficients, pictures, self.field, scene=scene)
        return replace(self, coefficients=found)

    def with_mixing(self, mixing: Float[np.ndarray, "time 3 mixing"] | None) -> SteadyTone:
        """The same, with the mixing of channels that was divided out before (`mixing`), if any."""
        if mixing is None:
            mixing = np.zeros((*self.coefficients.shape[:2], MIXING))
        return replace(self, coefficients=np.concatenate([self.coefficients, mixing], axis=-1))

    def unapplied(self) -> SteadyTone:
        """The same without any correction."""
        return replace(self, coefficients=np.zeros_like(self.coefficients))

    @cached_property
    def _grades(self) -> list[Grade | None]:
        """The grades found so far: one is applied to several sizes of its frame."""
        return [None] * len(self.coefficients)

    def grade(self, frame: int) -> Grade:
        """The grade that removes a frame's flicker."""
        grade = self._grades[frame]
        if grade is None:
            grade = self._grades[frame] = grade_of(self.coefficients[frame], self.field)
        return grade

    def apply(
        self,
        light: Float32[np.ndarray, "some height width 3"],
        *,
        first: int = 0,
        at: Int[np.ndarray, " some"] | None = None,
    ) -> None:
        """Remove flicker from proxies, in place.

        Args:
            light: Proxies in working light, RGB.
            first: Index in the window of the first of them.
            at: Index of each instead, where they are not consecutive.
        """
        for t, picture in enumerate(light):
            check_stopped()
            picture[:] = apply_to_light(
                picture, self.grade(first + t if at is None else int(at[t]))
            )


def steady_tone(  # noqa: PLR0913 # long: what is already known of the stretch may be told
    light: Float32[np.ndarray, "time height width 3"],
    motion: Motion,
    *,
    pace: Pace,
    settings: ToneSettings,
    original: Originals = None,
    seen: list[Correspondences] | None = None,
    changes: Changes | None = None,
) -> SteadyTone:
    """The flicker of a window, estimated on working light in [0, 1].

    Args:
        light: The proxies.
        motion: Between them.
        pace: How slow light must be to be kept.
        settings: Of this stage.
        original: The same frames of the steady original, if there is one; it may end before. Then
            all light relative to it is flicker, however slow.
        seen: The proxies' correspondences, if they are known.
        changes: Steps and fades, if they are known.
    """
    field = IlluminationModel(
        height=light.shape[1],
        width=light.shape[2],
        waves_across=settings.waves_across,
        waves_down=settings.waves_down,
        powers=settings.tone_powers,
        contrast_waves=settings.contrast_waves,
    )
    told = {"pace": pace, "original": original, "seen": seen, "changes": changes}
    found = _look(light, motion, field, **told)
    coefficients = _simplest(found.coefficients, field)
    if original is not None:
        coefficients[len(original) :] = coefficients[len(original) - 1]
        possible = max(found.flickering, strength_of(coefficients, field)) > _BEYOND_ORIGINAL
    else:
        possible = _is_possible(found)
    if not possible:
        coefficients = np.zeros_like(coefficients)
    known = original is not None
    return SteadyTone(field=field, coefficients=coefficients, flicker=found, has_original=known)


def look_again(
    tone: SteadyTone,
    corrected: Float32[np.ndarray, "time height width 3"],
    motion: Motion,
    *,
    pace: Pace,
    original: Originals = None,
) -> SteadyTone:
    """The flicker with what a second analysis of corrected proxies adds, when the flow is better.

    Args:
        tone: The first result.
        corrected: The proxies with it applied.
        motion: Between those.
        pace: As before.
        original: As before.
    """
    found = _look(
        corrected,
        motion,
        tone.field,
        pace=pace,
        original=original,
        again=True,
        changes=tone.flicker.changes,
    )
    coefficients = _simplest(tone.coefficients + found.coefficients, tone.field)
    if original is not None:
        coefficients[len(original) :] = coefficients[len(original) - 1]
    return replace(tone, coefficients=coefficients)


def steady_whole(
    light: Float32[np.ndarray, "time height width 3"],
    motion: Motion,
    *,
    like: SteadyTone,
    pace: Pace,
    seen: list[Correspondences] | None = None,
) -> SteadyTone:
    """The flicker of a window under a model of global light.

    Errors of the motion look like local light. Where there is none, the global model is more
    accurate.

    Args:
        light: The uncorrected proxies; corrected in place.
        motion: Between them, as well as it is known.
        like: The result with local light; it shares its functions.
        pace: As for `steady_tone`.
        seen: The proxies' correspondences, if they are known.
    """
    field = replace(like.field, waves_across=1, waves_down=1, contrast_waves=0)
    known = like.flicker.changes
    found = _look(light, motion, field, pace=pace, changes=known, seen=seen)
    tone = SteadyTone(field=field, coefficients=found.coefficients, flicker=like.flicker)
    if tone.is_strong:
        tone.apply(light)
        again = _look(light, motion, field, pace=pace, again=True, changes=known)
        tone = replace(tone, coefficients=tone.coefficients + again.coefficients)
    coefficients = np.zeros((*tone.coefficients.shape[:2], like.field.size))
    coefficients[..., like.field.whole] = tone.coefficients[..., field.whole]
    return replace(like, coefficients=coefficients)


def strength_of(coefficients: Float[np.ndarray, "time 3 size"], field: IlluminationModel) -> float:
    """Root mean square of log light over frames, picture and channels, at a middle tone.

    Args:
        coefficients: Of the illumination model, for each frame and channel.
        field: The model.
    """
    return float(np.sqrt(np.mean(coefficients[..., : len(field.waves)] ** 2 @ field.wave_power)))


def _look(  # noqa: PLR0913 # long: one look of several kinds
    light: Float32[np.ndarray, "time height width 3"],
    motion: Motion,
    field: IlluminationModel,
    *,
    pace: Pace,
    original: Originals = None,
    again: bool = False,
    changes: Changes | None = None,
    seen: list[Correspondences] | None = None,
) -> Flicker:
    if len(light) < _FEWEST_FRAMES:
        still = np.zeros((len(light), 3, field.size))
        return separate(
            IlluminationTrajectory(light=still, free=still),
            field,
            pace=Pace(keep_slower_frames=1.0),
        )
    seen = correspondences(light, motion) if seen is None else seen
    if original is None:
        quantiles = frame_quantiles(light, scene=motion.scene)
        told = {"pace": pace, "quantiles": quantiles, "changes": changes, "again": again}
        path = illumination_trajectory(seen, field, quantiles=quantiles, again=again)
        found = separate(path, field, **told)
        if found.changes is None or not found.changes.kept:
            return found
        # The prior would pull the light next to these fades towards that within them.
        seen = without_fades(seen, found.changes.kept)
        path = illumination_trajectory(seen, field, quantiles=quantiles, again=again)
        return separate(path, field, **told)
    known = len(original)
    part = Motion(forward=motion.forward[: known - 1], backward=motion.backward[: known - 1])
    seen = relative(seen, correspondences(original, part))
    return beyond_original(illumination_trajectory(seen, field, quantiles=None, again=again), field)


def _is_possible(found: Flicker) -> bool:
    return _exceeds(found, _POSSIBLE) or found.is_levelled


def _exceeds(found: Flicker, limits: tuple[float, float]) -> bool:
    light, share = limits
    return found.flickering > light and found.share > share


def _change(coefficients: Float[np.ndarray, "time 3 size"], field: IlluminationModel) -> float:
    """As `strength_of`, with what changes tone or contrast too."""
    others = coefficients[..., len(field.waves) : field.size]
    return strength_of(coefficients, field) + float(np.sqrt((others**2).sum() / coefficients.size))


def _simplest(
    coefficients: Float[np.ndarray, "time 3 size"], field: IlluminationModel
) -> Float[np.ndarray, "time 3 size"]:
    """Without local terms if they are negligible, or within errors of the motion."""
    by_place = coefficients.copy()
    by_place[..., 0] = 0.0
    by_place[..., field.shared :] = 0.0
    whole = coefficients - by_place
    light, tone = strength_of(whole, field), coefficients[..., field.shared :]
    bent = float(np.sqrt((tone**2).sum() / max(tone.size, 1)))
    least = _NO_PLACE if bent >= _BENT_SHARE * light else max(_NO_PLACE, _PLACE_SHARE * light)
    return whole if _change(by_place, field) < least else coefficients
