"""The atlas's part of analysis: the gain that its guide adds to the correction by tone.

It needs torch, which is loaded when an atlas is fitted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32, Int

from unflicker.analysis.fine_window import middle_shown
from unflicker.compute.context import ON_THE_CPU, RunContext
from unflicker.compute.devices import torch_sharing
from unflicker.frames.flow import Motion
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
"""Visible flicker after over before, above which the closed form is not used."""
_LEAST_SEEN = 0.15
"""ΔE by which visible flicker must fall at least."""
_FILTER_EARNED = 0.95
"""The ratio for the network, which was trained not to change what it cannot correct."""
_FEWEST_FRAMES = 8
_FRAMES_FOR_ALL_STEPS = 40
"""A window of fewer frames is fitted in proportionally fewer steps."""


@dataclass(frozen=True, kw_only=True, eq=False)
class CorrectedWindow:
    """Proxies of a window, corrected by tone."""

    pictures: Float32[np.ndarray, "time height width 3"]
    """The input."""
    light: Float32[np.ndarray, "time height width 3"]
    """The same, corrected."""
    motion: Motion
    """Between them."""
    fps: float
    """Frames a second."""

    @classmethod
    def of(
        cls,
        pictures: Float32[np.ndarray, "some height width 3"],
        tone: SteadyTone,
        *,
        fps: float,
        at: Int[np.ndarray, " some"] | None = None,
    ) -> CorrectedWindow:
        """Proxies corrected by tone, and their motion.

        Args:
            pictures: Proxies of a window, in working light.
            tone: The correction of that window.
            fps: Frames a second.
            at: Their places in the window; all of them in order if None.
        """
        light = pictures.copy()
        if tone.coefficients.any():
            tone.apply(light, at=at)
        return cls(pictures=pictures, light=light, motion=estimate_motion(light), fps=fps)


def guided_by_atlas(
    window: CorrectedWindow, settings: Settings, context: RunContext = ON_THE_CPU
) -> Guide:
    """An atlas's rendering of each frame of a window, and its trust.

    Args:
        window: The frames to which the atlas is fitted.
        settings: Of the run.
        context: Device and progress.

    Raises:
        Cancelled: The run is to stop; checked at every step of the fit.
    """
    from unflicker.atlas.guide import guide_of
    from unflicker.atlas.make import Footage, make_atlas

    knots_apart = settings.keep_slower_than_seconds * window.fps / 2.0
    footage = Footage(frames=window.light, motion=window.motion, knots_apart=knots_apart)
    share = min(1.0, len(window.light) / _FRAMES_FOR_ALL_STEPS)
    fitted = replace(settings.atlas, steps=round(settings.atlas.steps * share))
    tell = context.steps_of("fit atlas")
    atlas = make_atlas(footage, fitted, match=match, device=context.device, tell=tell)
    return guide_of(atlas, window.light)


def guided_gain(
    window: CorrectedWindow, settings: Settings, context: RunContext
) -> tuple[Float32[np.ndarray, "time rows columns bins 3"] | None, float]:
    """The gain that an atlas adds to a window; None if it does not reduce visible flicker enough.

    Args:
        window: Proxies of at least eight frames; fewer have no atlas.
        settings: Of the run.
        context: Device and progress.

    Returns:
        The log gain by region of each frame, and visible flicker in ΔE with it.
    """
    if len(window.light) < _FEWEST_FRAMES:
        return None, 0.0
    filtered = settings.neural_filter.used
    with torch_sharing():
        guide = guided_by_atlas(window, settings, context)
        own = settings.neural_filter.weights
        found = _filtered(window, guide, own=own, device=context.device) if filtered else None
    gain = _transferred(window.light, guide) if found is None else found
    before, after = _visible(window, gain)
    earned = after <= _FILTER_EARNED * before if filtered else _closed_form_earned(before, after)
    return (gain, after) if earned else (None, before)


def _filtered(
    window: CorrectedWindow, guide: Guide, *, own: str, device: str
) -> Float32[np.ndarray, "time rows columns bins 3"]:
    """The gain that the trained network predicts."""
    from unflicker.neural_filter.apply import Window, filtered_gain, on_grid, trained_filter

    network = trained_filter(own=own, device=device)
    known = Window(
        flickering=window.pictures,
        corrected=window.light,
        guides=guide.pictures,
        trust=guide.trust,
    )
    cells = GRID_ROWS, GRID_COLUMNS, GRID_BINS
    return np.stack([on_grid(gain, cells=cells) for gain in filtered_gain(known, network)])


def _transferred(
    light: Float32[np.ndarray, "time height width 3"], guide: Guide
) -> Float32[np.ndarray, "time rows columns bins 3"]:
    """The gain of the closed-form transfer."""
    from unflicker.atlas.transfer import transferred_gain

    gain = transferred_gain(light, guide, rows=GRID_ROWS, columns=GRID_COLUMNS)
    return np.repeat(gain[:, :, :, None], GRID_BINS, axis=3)


def _closed_form_earned(before: float, after: float) -> bool:
    return after <= _EARNED * before and before - after >= _LEAST_SEEN


def _visible(
    window: CorrectedWindow, gain: Float32[np.ndarray, "time rows columns bins 3"]
) -> tuple[float, float]:
    """Visible flicker in the middle of a window, without and with a gain."""
    frames, shown, back = middle_shown(window.light, window.motion)
    before = visible_flicker(shown, motion=back, fps=window.fps)
    for picture, added in zip(shown, gain[frames], strict=True):
        picture[:] = apply_to_light(picture, Grade.identity().followed_by(added))
    return before, visible_flicker(shown, motion=back, fps=window.fps)
