"""Other ways to steady a clip, to be measured against: each takes a clip and gives one alike."""

from collections.abc import Callable

from unflicker.baselines.ffmpeg import ffmpeg_deflicker, ffmpeg_tmidequalizer
from unflicker.baselines.histogram import histogram
from unflicker.frames.clip import Clip

BASELINES: dict[str, Callable[[Clip], Clip]] = {
    "ffmpeg-deflicker": ffmpeg_deflicker,
    "ffmpeg-tmidequalizer": ffmpeg_tmidequalizer,
    "histogram": histogram,
}

__all__ = ["BASELINES", "ffmpeg_deflicker", "ffmpeg_tmidequalizer", "histogram"]
