"""FFmpeg's `deflicker` and `tmidequalizer` at their default settings, and chains of filters."""

from __future__ import annotations

import numpy as np

from unflicker.frames.clip import Clip, from_float, to_float
from unflicker.video.filters import filtered_frames, run_filter

_RATE, _MARGIN, _BLOCK_PX = 24, 4, 64
_DEFLICKER = "deflicker=size=5:mode=pm"
_INTERPOLATE = (
    "minterpolate=fps={fps}:mi_mode=mci:mc_mode=aobmc:vsbmc=1,tblend=all_mode=average,framestep=2"
)


def ffmpeg_deflicker(clip: Clip) -> Clip:
    """The mean luma of whole frames, matched to the mean over five frames.

    Known faults, as published: short clips turn dark, levels leak over cuts, flashes spread to the
    frames before, and flicker of colour stays.
    """
    return filtered(clip, "deflicker=size=5:mode=am")


def ffmpeg_tmidequalizer(clip: Clip) -> Clip:
    """Midway histogram equalisation over eleven frames, channel by channel.

    Source: Delon, Movie and video scale-time equalization: application to flicker reduction,
    IEEE TIP 2006, as FFmpeg has it.
    """
    return filtered(clip, "tmidequalizer=radius=5:sigma=0.5")


def ffmpeg_tmix(clip: Clip) -> Clip:
    """The chain `deflicker`, then a weighted mean of three frames, which is centred here.

    Faults: those of `ffmpeg_deflicker`, and ghosts where anything moves.
    """
    if not len(clip):
        return clip
    # tmix mixes each frame with the two before: a frame more at the end, one fewer at the start.
    longer = Clip.at_rate(_extended(clip.pixels, before=1, after=1), fps=_RATE)
    mixed = filtered_frames(longer, f"{_DEFLICKER},tmix=frames=3:weights='1 2 1'")
    return _as_before(mixed[2:], clip)


def ffmpeg_minterpolate(clip: Clip) -> Clip:
    """The chain that doubles the rate by motion interpolation, and averages each pair of frames.

    Half of each frame is drawn between its neighbours, so light that alternates is averaged.
    """
    if len(clip) < 2:
        return clip
    height, width = clip.pixels.shape[1:3]
    # minterpolate reads beyond pictures whose sides are no multiples of its blocks.
    rims = (0, 0), (0, -height % _BLOCK_PX), (0, -width % _BLOCK_PX), (0, 0)
    longer = _extended(np.pad(clip.pixels, rims, mode="edge"), before=_MARGIN, after=_MARGIN)
    graph = _INTERPOLATE.format(fps=2 * _RATE)
    frames = filtered_frames(Clip.at_rate(longer, fps=_RATE), graph)
    return _as_before(frames[_MARGIN : _MARGIN + len(clip), :height, :width], clip)


def _extended(pixels: np.ndarray, *, before: int, after: int) -> np.ndarray:
    """Frames with the first and the last repeated."""
    return np.concatenate([pixels[:1]] * before + [pixels] + [pixels[-1:]] * after)


def _as_before(pixels: np.ndarray, clip: Clip) -> Clip:
    """Frames of 8 bits in a clip's own sample type and times."""
    if pixels.dtype != clip.pixels.dtype:
        pixels = from_float(to_float(pixels), dtype=clip.pixels.dtype)
    return Clip(pixels=np.ascontiguousarray(pixels), seconds=clip.seconds)


def filtered(clip: Clip, graph: str) -> Clip:
    """The clip after a filter, in its own sample type; an empty clip stays empty.

    Args:
        clip: Any sample type; the filter sees 8 bits.
        graph: The filter in FFmpeg's syntax.
    """
    if not len(clip):
        return clip
    return _as_before(run_filter(clip, graph).pixels, clip)
