"""FFmpeg's `deflicker` and `tmidequalizer`, at their default settings."""

from __future__ import annotations

import numpy as np

from unflicker.frames.clip import Clip, from_float, to_float
from unflicker.video.filters import run_filter


def ffmpeg_deflicker(clip: Clip) -> Clip:
    """The mean luma of whole frames, matched to the mean over five frames.

    Known faults, as published: short clips turn dark, levels leak over cuts, flashes spread to the
    frames before, and flicker of colour stays.
    """
    return _filtered(clip, "deflicker=size=5:mode=am")


def ffmpeg_tmidequalizer(clip: Clip) -> Clip:
    """Midway histogram equalisation over eleven frames, channel by channel.

    Source: Delon, Movie and video scale-time equalization: application to flicker reduction,
    IEEE TIP 2006, as FFmpeg has it.
    """
    return _filtered(clip, "tmidequalizer=radius=5:sigma=0.5")


def _filtered(clip: Clip, graph: str) -> Clip:
    """The clip after a filter, in its own sample type; an empty clip stays empty."""
    if not len(clip):
        return clip
    pixels = run_filter(clip, graph).pixels
    if pixels.dtype != clip.pixels.dtype:
        pixels = from_float(to_float(pixels), dtype=clip.pixels.dtype)
    return Clip(pixels=np.ascontiguousarray(pixels), seconds=clip.seconds)
