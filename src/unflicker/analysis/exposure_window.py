"""Exposure lock's part of thinking: shots and windows in, what each frame's exposure adds out."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from unflicker.analysis.crossfade import Crossfade
from unflicker.analysis.windows import Window, usable_pictures
from unflicker.grade import Grade
from unflicker.grade.apply import apply_to_light
from unflicker.motion import match
from unflicker.settings import Settings
from unflicker.tone import ExposureLock, IlluminationModel, grade_of, locking_curves


class ExposureWindows:
    """The windows of a film in order, and the exposure of each of their frames."""

    def __init__(self, settings: Settings) -> None:
        """Begin a film."""
        self._used = settings.tone.lock_exposure
        self._shot: ExposureLock | None = None
        self._fading = Crossfade()

    def exposure_of(
        self,
        window: Window,
        light: Float[np.ndarray, "time 3 _"],
        field: IlluminationModel,
        *,
        fps: float,
        overlap: int,
    ) -> Float[np.ndarray, "time 3 3"] | None:
        """What the camera's exposure adds to each frame of a window; None where it is not locked.

        Args:
            window: The next of the film.
            light: Coefficients of the flicker that is taken out of it before.
            field: The functions they belong to.
            fps: Frames a second.
            overlap: How many of the last frames the next window has as well.
        """
        if not self._used:
            return None
        if self._shot is None:
            self._shot = ExposureLock(match=match)
        pictures, _ = usable_pictures(window)
        if light.any():
            pairs = zip(pictures, light, strict=True)
            pictures = [apply_to_light(picture, grade_of(one, field)) for picture, one in pairs]
        found = self._shot.exposure_of(pictures, fps=fps, overlap=overlap)
        if window.ends_shot:
            self._shot = None
        return self._fading.faded(found, overlap)

    def locked(self, grade: Grade, exposure: Float[np.ndarray, "3 3"]) -> Grade:
        """A grade that takes a frame's exposure away as well."""
        return grade.recurved(locking_curves(exposure)) if exposure.any() else grade
