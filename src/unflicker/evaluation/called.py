"""Methods that take settings as well as clips, as functions of clips and plain values."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from unflicker.frames.clip import Clip, from_float
from unflicker.pipeline import deflicker
from unflicker.settings import Settings, of_preset, replaced, without


def unchanged(clip: Clip) -> Clip:
    """The clip as it is: what every method is held against."""
    return clip


def by_preset(clip: Clip, *, preset: str, without: str = "") -> Clip:
    """The clip as a preset of ours makes it.

    Args:
        clip: One shot or several.
        preset: Its name.
        without: A stage to leave out.
    """
    return _steadied(clip, _settings(preset, without))


def by_preset_guided(clip: Clip, original: Clip, *, preset: str) -> Clip:
    """A processed clip as a preset of ours makes it, told the steady original."""
    return _steadied(clip, _settings(preset), guide=original.pixels)


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
        without: "refinement", or "atlas", which leaves out the filter, too: the paper's ablation.
    """
    settings = replaced(
        of_preset("paper"),
        {
            "atlas.steps": steps,
            "atlas.points": points,
            "atlas.bootstrapping_steps": steps,
            "atlas.global_rigidity_steps": steps // 2,
            "neural_filter.weights": str(neural_filter),
            "refinement.weights": str(refinement),
        },
    )
    return _in_part(clip, settings, without) if without else _steadied(clip, settings)


def _in_part(clip: Clip, settings: Settings, left_out: str) -> Clip:
    from unflicker.neural_filter.unet import filtered
    from unflicker.reference import guides, load_networks
    from unflicker.refinement.convlstm import Refiner
    from unflicker.video import ArrayFilm

    networks = load_networks(settings)
    seen = clip.as_float()
    if left_out == "atlas":
        refiner = Refiner(networks.refinement)
        drawn = [refiner.refined(frame) for frame in seen]
    else:
        drawn = [
            filtered(networks.neural_filter, frame, _enlarged(guided.picture, frame))
            for frame, guided in zip(seen, guides(ArrayFilm(clip), settings), strict=True)
        ]
    pixels = np.stack(
        [from_float(np.clip(frame, 0, 1), dtype=clip.pixels.dtype) for frame in drawn]
    )
    return Clip(pixels=pixels, seconds=clip.seconds)


def _enlarged(picture: np.ndarray, like: np.ndarray) -> np.ndarray:
    import cv2

    return cv2.resize(picture, like.shape[1::-1], interpolation=cv2.INTER_LINEAR)


def video_prior(clip: Clip, original: Clip, *, effort: str) -> Clip:
    """A processed clip as a network draws it that was fitted to it, at a named effort."""
    # The package's name for it is the function; the efforts lie beside it.
    prior = import_module("unflicker.baselines.video_prior")
    return prior.video_prior(clip, original, effort=prior.EFFORTS[effort])


def _settings(preset: str, left_out: str = "") -> Settings:
    return without(of_preset(preset), (left_out,) if left_out else ())


def _steadied(clip: Clip, settings: Settings, **guide: Any) -> Clip:
    rate = (len(clip) - 1) / float(np.ptp(clip.seconds)) if len(clip) > 1 else 24.0
    pixels = deflicker(clip.pixels, fps=rate, settings=settings, **guide)
    return Clip(pixels=np.asarray(pixels), seconds=clip.seconds)
