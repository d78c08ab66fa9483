"""Exposure lock in analysis: windows in, the exposure to remove from each frame out."""

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
    """Computes the exposure of each frame of a film, window by window."""

    def __init__(self, settings: Settings) -> None:
        """Start a film."""
        self._used = settings.tone.lock_exposure
        self._shot: ExposureLock | None = None
        self._fading = Crossfade()

    def exposure_of(
        self,
        window: Window | None,
        light: Float[np.ndarray, "time 3 _"],
        field: IlluminationModel,
        *,
        fps: float,
        overlap: int,
    ) -> Float[np.ndarray, "time 3 3"] | None:
        """The drift of exposure in each frame of a window; None if it is not removed.

        Args:
            window: The next window of the film; None, where exposure is not locked, if it was not
                decoded.
            light: Coefficients of the flicker that is removed first.
            field: The illumination model of those coefficients.
            fps: Frames a second.
            overlap: Trailing frames shared with the next window.
        """
        if not self._used:
            return None
        assert window is not None
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
        """A grade that also removes a frame's drift of exposure.

        Args:
            grade: Of the frame.
            exposure: Of the frame, from `exposure_of`.
        """
        return grade.recurved(locking_curves(exposure)) if exposure.any() else grade
