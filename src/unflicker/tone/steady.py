"""The tone stage: from a stretch of small pictures to the light that must go."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Float32

from unflicker.grade import Grade
from unflicker.grade.apply import apply_to_light
from unflicker.motion import Motion, estimate_motion
from unflicker.settings import ToneSettings
from unflicker.tone.flicker import Flicker, separate
from unflicker.tone.grading import grade_of
from unflicker.tone.light_field import LightField
from unflicker.tone.observations import sightings
from unflicker.tone.path import frame_quantiles, tone_path

_FEWEST_FRAMES = 4
_SURE_SHARE = 0.62
"""Steady clips, hand-held ones too, stay below 0.6 of change that looks like flicker."""
_SURE_LIGHT = 0.002
_STRONG_LIGHT = 0.01
"""Flicker above this (log light) also deceived the flow: look again after correcting."""
_NO_PLACE = 0.0012
"""Differences of light over the picture that are smaller than this are not worth a grid."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SteadyTone:
    """The flicker of a stretch of one shot."""

    field: LightField
    coefficients: Float[np.ndarray, "time 3 size"]
    """Light that flicker added to each frame; zeros where there is none worth removing."""
    flicker: Flicker
    """What the first look found, worth removing or not."""
    motion: Motion
    """The last estimate."""

    def without_motion(self) -> SteadyTone:
        """The same without its largest part, to be kept for long."""
        return replace(self, motion=self.motion.part(0, 0))

    def grade(self, frame: int, *, strength: float = 1.0) -> Grade:
        """What takes a frame's flicker away, or a share of it."""
        return grade_of(self.coefficients[frame] * strength, self.field)

    def graded(
        self, light: Float32[np.ndarray, "height width 3"], frame: int
    ) -> Float32[np.ndarray, "height width 3"]:
        """A proxy without its flicker."""
        return apply_to_light(light, self.grade(frame))


def steady_tone(
    light: Float32[np.ndarray, "time height width 3"],
    *,
    keep_slower_frames: float,
    settings: ToneSettings,
) -> SteadyTone:
    """Find the flicker of a stretch of one shot, on working light in [0, 1].

    The first look tells whether there is any beyond the noise; if there is much, the corrected
    pictures are looked at again, where the flow is better and what was missed stands out.

    Args:
        light: The proxies.
        keep_slower_frames: Light that takes longer than this to change is wanted.
        settings: Of this stage.
    """
    field = LightField(
        height=light.shape[1],
        width=light.shape[2],
        waves_across=settings.waves_across,
        waves_down=settings.waves_down,
        powers=settings.tone_powers,
        contrast_waves=settings.contrast_waves,
    )
    motion, first = _look(light, field, keep_slower_frames)
    nothing = np.zeros((len(light), 3, field.size))
    if not _is_worth_removing(first, field):
        return SteadyTone(field=field, coefficients=nothing, flicker=first, motion=motion)
    coefficients = first.coefficients
    if strength_of(coefficients, field) > _STRONG_LIGHT:
        grades = [grade_of(found, field) for found in coefficients]
        corrected = np.stack([apply_to_light(*each) for each in zip(light, grades, strict=True)])
        motion, second = _look(corrected, field, keep_slower_frames)
        coefficients = coefficients + second.coefficients
    coefficients = _simplest(coefficients, field)
    return SteadyTone(field=field, coefficients=coefficients, flicker=first, motion=motion)


def strength_of(coefficients: Float[np.ndarray, "time 3 size"], field: LightField) -> float:
    """Root mean square of log light over frames, picture and channels, at a middle tone."""
    return float(np.sqrt(np.mean(coefficients[..., : len(field.waves)] ** 2 @ field.wave_power)))


def _look(
    light: Float32[np.ndarray, "time height width 3"], field: LightField, keep_slower_frames: float
) -> tuple[Motion, Flicker]:
    motion = estimate_motion(light)
    if len(light) < _FEWEST_FRAMES:
        path = np.zeros((len(light), 3, field.size))
    else:
        path = tone_path(sightings(light, motion), field, quantiles=frame_quantiles(light))
    return motion, separate(path, field, keep_slower_frames=keep_slower_frames)


def _is_worth_removing(found: Flicker, field: LightField) -> bool:
    sure = found.share > _SURE_SHARE or len(found.steps) > 0
    return sure and _change(found.coefficients, field) > _SURE_LIGHT


def _change(coefficients: Float[np.ndarray, "time 3 size"], field: LightField) -> float:
    """As `strength_of`, with what changes tone or contrast too."""
    others = float(np.sqrt(np.mean(coefficients[..., len(field.waves) :] ** 2)))
    return strength_of(coefficients, field) + others


def _simplest(
    coefficients: Float[np.ndarray, "time 3 size"], field: LightField
) -> Float[np.ndarray, "time 3 size"]:
    """Without differences by place where they are within nothing."""
    by_place = coefficients.copy()
    by_place[..., 0] = 0.0
    by_place[..., field.shared :] = 0.0
    return coefficients - by_place if _change(by_place, field) < _NO_PLACE else coefficients
