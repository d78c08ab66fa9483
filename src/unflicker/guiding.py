"""The atlas's part of thinking: what a guide adds to what tone has found.

Needs torch, so it is loaded only where an atlas is wanted.
"""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
from jaxtyping import Float32

from unflicker.devices import chosen
from unflicker.errors import MissingError
from unflicker.frames.flow import Motion, resized
from unflicker.grade import Grade
from unflicker.grade.apply import apply_to_light
from unflicker.metrics import visible_flicker
from unflicker.motion import estimate_motion, match
from unflicker.settings import Settings
from unflicker.shots import Window, usable_pictures
from unflicker.tone import SteadyTone
from unflicker.tone.grading import GRID_COLUMNS, GRID_ROWS

_EARNED = 0.72
"""Visible flicker after over before, above which a guide has not earned its place."""
_LEAST_SEEN = 0.15
"""ΔE by which visible flicker must fall at the least."""
_FEWEST_FRAMES = 8
_MEASURED_FRAMES = 32


def need_neural() -> None:
    """Stop before any work where what atlases need is not installed.

    Raises:
        MissingError: torch is not there.
    """
    if find_spec("torch") is None:
        raise MissingError(
            "atlases need torch, which is not installed; "
            "install it with: pip install 'unflicker[neural]'"
        )


def steadied(
    window: Window, tone: SteadyTone
) -> tuple[Float32[np.ndarray, "time height width 3"], Motion]:
    """A window's pictures without the flicker that tone found, and their motion."""
    light = np.stack(usable_pictures(window)[0])
    if tone.coefficients.any():
        tone.apply(light)
    return light, estimate_motion(light)


def guided_gain(
    light: Float32[np.ndarray, "time height width 3"],
    motion: Motion,
    *,
    fps: float,
    settings: Settings,
) -> tuple[Float32[np.ndarray, "time rows columns 3"] | None, float]:
    """What an atlas adds to a window that tone has corrected; None where nothing is won.

    Args:
        light: The corrected proxies.
        motion: Between them.
        fps: Frames a second.
        settings: Of the run.

    Returns:
        The log gain by region of each frame, and visible flicker in ΔE with it.
    """
    from unflicker.atlas.guide import guide_of
    from unflicker.atlas.make import Footage, make_atlas
    from unflicker.atlas.transfer import transferred_gain

    if len(light) < _FEWEST_FRAMES:
        return None, 0.0
    knots_apart = settings.keep_slower_than_seconds * fps / 2.0
    footage = Footage(frames=light, motion=motion, knots_apart=knots_apart)
    atlas = make_atlas(footage, settings.atlas, match=match, device=chosen(settings.device))
    gain = transferred_gain(light, guide_of(atlas, light), rows=GRID_ROWS, columns=GRID_COLUMNS)
    before, after = _visible(light, motion, gain, fps)
    if after > _EARNED * before or before - after < _LEAST_SEEN:
        return None, before
    return gain, after


def _visible(
    light: Float32[np.ndarray, "time height width 3"],
    motion: Motion,
    gain: Float32[np.ndarray, "time rows columns 3"],
    fps: float,
) -> tuple[float, float]:
    """Visible flicker in the middle of a window, without and with a gain."""
    first = max(0, (len(light) - _MEASURED_FRAMES) // 2)
    last = min(first + _MEASURED_FRAMES, len(light)) - 1
    size = max(1, light.shape[1] // 2), max(1, light.shape[2] // 2)
    shown = resized(light[first : last + 1], size)
    back = motion.back(first, last, size=size)
    before = visible_flicker(shown, motion=back, fps=fps)
    for t, picture in enumerate(shown):
        picture[:] = apply_to_light(picture, Grade.identity().followed_by(gain[first + t]))
    return before, visible_flicker(shown, motion=back, fps=fps)
