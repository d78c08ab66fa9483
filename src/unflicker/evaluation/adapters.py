"""Methods that take settings as well as clips, as functions of clips and plain values."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from unflicker.frames.clip import Clip
from unflicker.pipeline import deflicker
from unflicker.settings import Settings, replaced, without


def unchanged(clip: Clip) -> Clip:
    """The clip as it is: what every method is held against."""
    return clip


def settings_of(preset: str, *, left_out: str = "") -> Settings:
    """The settings of a preset of ours.

    Args:
        preset: Its name.
        left_out: A stage to leave out; none if empty.

    Raises:
        UsageError: No preset or no stage has that name.
    """
    return without(Settings.from_preset(preset), (left_out,) if left_out else ())


def by_preset(clip: Clip, *, preset: str, without: str = "") -> Clip:
    """The clip as a preset of ours makes it.

    Args:
        clip: One shot or several.
        preset: Its name.
        without: A stage to leave out.
    """
    return _steadied(clip, settings_of(preset, left_out=without))


def by_preset_guided(clip: Clip, original: Clip, *, preset: str) -> Clip:
    """A processed clip as a preset of ours makes it, told the steady original."""
    return _steadied(clip, settings_of(preset), original=original.pixels)


def paper(
    clip: Clip,
    *,
    neural_filter: Path,
    refinement: Path,
    steps: int,
    points: int,
    without: str = "",
) -> Clip:
    """The clip as the reference system draws it anew.

    Args:
        clip: What flickers.
        neural_filter: Weights of its filter.
        refinement: Weights of its refinement.
        steps: How long its atlas is fitted.
        points: How many points each step looks at.
        without: A stage to leave out; with the atlas goes the filter, too: the paper's ablation.
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
    return _steadied(clip, settings)


def video_prior(clip: Clip, original: Clip, *, effort: str) -> Clip:
    """A processed clip as a network draws it that was fitted to it, at a named effort."""
    # The package's name for it is the function; the efforts lie beside it.
    prior = import_module("unflicker.baselines.video_prior")
    return prior.video_prior(clip, original, effort=prior.EFFORTS[effort])


def _steadied(clip: Clip, settings: Settings, **more: Any) -> Clip:
    rate = (len(clip) - 1) / float(np.ptp(clip.seconds)) if len(clip) > 1 else 24.0
    pixels = deflicker(clip.pixels, fps=rate, settings=settings, **more)
    return Clip(pixels=np.asarray(pixels), seconds=clip.seconds)
