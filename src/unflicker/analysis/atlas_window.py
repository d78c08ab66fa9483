"""The atlas's part of thinking: what a guide adds to what tone has found.

Needs torch, so it is loaded only where an atlas is wanted.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32, Int

from unflicker.compute.devices import chosen, torch_sharing
from unflicker.frames.flow import Motion, resized
from unflicker.grade import Grade
from unflicker.grade.apply import apply_to_light
from unflicker.metrics import visible_flicker
from unflicker.motion import estimate_motion, match
from unflicker.settings import Settings
from unflicker.tone import SteadyTone
from unflicker.tone.grading import GRID_BINS, GRID_COLUMNS, GRID_ROWS

if TYPE_CHECKING:
    from unflicker.atlas.guide import Guide

_EARNED = 0.72
"""Visible flicker after over before, above which a guide has not earned its place."""
_LEAST_SEEN = 0.15
"""ΔE by which visible flicker must fall at the least."""
_FILTER_EARNED = 0.95
"""The same for the network, which was trained to leave alone what it cannot mend."""
_FEWEST_FRAMES = 8
_FRAMES_FOR_ALL_STEPS = 40
"""The rest of a shot that is shorter than this is fitted in fewer steps, in proportion."""
_MEASURED_FRAMES = 32


def steadied(
    pictures: Float32[np.ndarray, "some height width 3"],
    tone: SteadyTone,
    *,
    at: Int[np.ndarray, " some"] | None = None,
) -> tuple[Float32[np.ndarray, "some height width 3"], Motion]:
    """Pictures of a window without the flicker that tone found, and their motion.

    Args:
        pictures: Proxies as they came.
        tone: What was found in their window.
        at: Their places in the window; all of them in order if None.
    """
    light = pictures.copy()
    if tone.coefficients.any():
        tone.apply(light, at=at)
    return light, estimate_motion(light)


def guided_by_atlas(
    light: Float32[np.ndarray, "time height width 3"],
    motion: Motion,
    *,
    fps: float,
    settings: Settings,
) -> Guide:
    """How an atlas of a window renders its frames, and how far to trust it.

    Args:
        light: Proxies, their light corrected as well as it is known.
        motion: Between them.
        fps: Frames a second.
        settings: Of the run.
    """
    from unflicker.atlas.guide import guide_of
    from unflicker.atlas.make import Footage, make_atlas

    knots_apart = settings.keep_slower_than_seconds * fps / 2.0
    footage = Footage(frames=light, motion=motion, knots_apart=knots_apart)
    share = min(1.0, len(light) / _FRAMES_FOR_ALL_STEPS)
    fitted = replace(settings.atlas, steps=round(settings.atlas.steps * share))
    atlas = make_atlas(footage, fitted, match=match, device=chosen(settings.device))
    return guide_of(atlas, light)


def guided_gain(
    flickering: Float32[np.ndarray, "time height width 3"],
    light: Float32[np.ndarray, "time height width 3"],
    motion: Motion,
    *,
    fps: float,
    settings: Settings,
) -> tuple[Float32[np.ndarray, "time rows columns bins 3"] | None, float]:
    """What an atlas adds to a window that tone has corrected; None where nothing is won.

    Args:
        flickering: The proxies as they came.
        light: The same, corrected.
        motion: Between them.
        fps: Frames a second.
        settings: Of the run.

    Returns:
        The log gain by region of each frame, and visible flicker in ΔE with it.
    """
    if len(light) < _FEWEST_FRAMES:
        return None, 0.0
    filtered = settings.neural_filter.used
    with torch_sharing():
        guide = guided_by_atlas(light, motion, fps=fps, settings=settings)
        found = _filtered(flickering, light, guide, settings) if filtered else None
    gain = _transferred(light, guide) if found is None else found
    before, after = _visible(light, motion, gain, fps)
    earned = after <= _FILTER_EARNED * before if filtered else _closed_form_earned(before, after)
    return (gain, after) if earned else (None, before)


def _filtered(
    flickering: Float32[np.ndarray, "time height width 3"],
    light: Float32[np.ndarray, "time height width 3"],
    guide: Guide,
    settings: Settings,
) -> Float32[np.ndarray, "time rows columns bins 3"]:
    """What the trained network says."""
    from unflicker.neural_filter.apply import Window as Known
    from unflicker.neural_filter.apply import filtered_gain, on_grid, trained_filter

    network = trained_filter(own=settings.neural_filter.weights, device=chosen(settings.device))
    known = Known(flickering=flickering, corrected=light, guides=guide.pictures, trust=guide.trust)
    found = filtered_gain(known, network)
    cells = GRID_ROWS, GRID_COLUMNS, GRID_BINS
    return np.stack([on_grid(gain, cells=cells) for gain in found])


def _transferred(
    light: Float32[np.ndarray, "time height width 3"], guide: Guide
) -> Float32[np.ndarray, "time rows columns bins 3"]:
    """What the closed form says."""
    from unflicker.atlas.transfer import transferred_gain

    gain = transferred_gain(light, guide, rows=GRID_ROWS, columns=GRID_COLUMNS)
    return np.repeat(gain[:, :, :, None], GRID_BINS, axis=3)


def _closed_form_earned(before: float, after: float) -> bool:
    return after <= _EARNED * before and before - after >= _LEAST_SEEN


def _visible(
    light: Float32[np.ndarray, "time height width 3"],
    motion: Motion,
    gain: Float32[np.ndarray, "time rows columns bins 3"],
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
