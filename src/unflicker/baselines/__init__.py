"""Baselines: other methods, each from a clip to a clip of the same kind.

Blind ones take the flickering clip alone; guided ones also take its steady original.
"""

from collections.abc import Callable

from unflicker.baselines.average import average
from unflicker.baselines.bonneel import bonneel
from unflicker.baselines.ffmpeg import (
    ffmpeg_deflicker,
    ffmpeg_minterpolate,
    ffmpeg_tmidequalizer,
    ffmpeg_tmix,
)
from unflicker.baselines.histogram import histogram
from unflicker.baselines.local_stabilization import local_stabilization
from unflicker.baselines.singular_frames import singular_frames
from unflicker.baselines.video_prior import EFFORTS, Effort, video_prior
from unflicker.frames.clip import Clip

Method = Callable[[Clip], Clip]
GuidedMethod = Callable[[Clip, Clip], Clip]
"""The processed clip, then its steady original."""

BASELINES: dict[str, Method] = {
    "ffmpeg-deflicker": ffmpeg_deflicker,
    "ffmpeg-tmidequalizer": ffmpeg_tmidequalizer,
    "ffmpeg-tmix": ffmpeg_tmix,
    "ffmpeg-minterpolate": ffmpeg_minterpolate,
    "histogram": histogram,
    "local-stabilization": local_stabilization,
    "singular-frames": singular_frames,
    "average": average,
}
"""Blind."""
GUIDED: dict[str, GuidedMethod] = {"bonneel": bonneel, "video_prior": video_prior}

__all__ = [
    "BASELINES",
    "EFFORTS",
    "GUIDED",
    "Effort",
    "GuidedMethod",
    "Method",
    "average",
    "bonneel",
    "ffmpeg_deflicker",
    "ffmpeg_minterpolate",
    "ffmpeg_tmidequalizer",
    "ffmpeg_tmix",
    "histogram",
    "local_stabilization",
    "singular_frames",
    "video_prior",
]
