"""Methods with settings, as functions of clips and plain values."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from unflicker.frames.clip import Clip
from unflicker.pipeline import deflicker
from unflicker.settings import Settings, replaced, without


def unchanged(clip: Clip) -> Clip:
    """The clip itself: the input, to which every method is compared."""
    return clip


def settings_of(preset: str, *, left_out: str = "") -> Settings:
    """The settings of a preset of ours.

    Args:
        preset: Name of the preset.
        left_out: A stage to switch off; none if empty.

    Raises:
        UsageError: No preset or no stage has that name.
    """
    return without(Settings.from_preset(preset), (left_out,) if left_out else ())


def by_preset(clip: Clip, *, preset: str, without: str = "") -> Clip:
    """The result of a preset of ours.

    Args:
        clip: One shot or several.
        preset: Name of the preset.
        without: A stage to switch off; none if empty.
    """
    return by_settings(clip, settings_of(preset, left_out=without))


def by_preset_guided(clip: Clip, original: Clip, *, preset: str) -> Clip:
    """The result of a preset of ours for a processed clip with its steady original.

    Args:
        clip: The processed clip.
        original: Its steady original.
        preset: Name of the preset.
    """
    return by_settings(clip, settings_of(preset), original=original.pixels)


def paper(
    clip: Clip,
    *,
    neural_filter: Path,
    refinement: Path,
    steps: int,
    points: int,
    without: str = "",
) -> Clip:
    """The result of the reference system, which redraws the clip.

    Args:
        clip: The flickering clip.
        neural_filter: Weights of its filter.
        refinement: Weights of its refinement.
        steps: Steps of the atlas's fit.
        points: Points sampled in each step.
        without: A stage to switch off; without the atlas the filter is off too: the paper's
            ablation.
    """
    settings = replaced(
        settings_of("paper", left_out=without),
        {
            "atlas.steps": steps,
            "atlas.points": points,
            "atlas.bootstrapping_steps": steps,
            "atlas.global_rigidity_steps": steps // 2,
            "neural_filter.weights": str(neural_filter),
            "refinement.weights": str(refinement),
        },
    )
    return by_settings(clip, settings)


def video_prior(clip: Clip, original: Clip, *, effort: str) -> Clip:
    """The result of a deep video prior, a network fitted to the clip.

    Args:
        clip: The processed clip.
        original: Its steady original.
        effort: Name of an effort: published, reduced or quick.
    """
    # The package exports the function; its module also has the efforts.
    prior = import_module("unflicker.baselines.video_prior")
    return prior.video_prior(clip, original, effort=prior.EFFORTS[effort])


def by_settings(clip: Clip, settings: Settings, **more: Any) -> Clip:
    """The result of settings of ours.

    Args:
        clip: One shot or several.
        settings: Of the run.
        more: Further arguments of `deflicker`.
    """
    rate = (len(clip) - 1) / float(np.ptp(clip.seconds)) if len(clip) > 1 else 24.0
    pixels = deflicker(clip.pixels, fps=rate, settings=settings, **more)
    return Clip(pixels=np.asarray(pixels), seconds=clip.seconds)
