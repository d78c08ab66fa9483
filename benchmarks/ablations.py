"""Parts of `fast` alone, as methods for quality.py: `--methods curves=ablations:curves,…`."""

import dataclasses

import unflicker
from unflicker.frames.clip import Clip
from unflicker.settings import Settings, ToneSettings

CURVES = ToneSettings(waves_across=1, waves_down=1, contrast_waves=0)
PATH = ToneSettings(tone_powers=0, contrast_waves=0)


def curves(clip: Clip) -> Clip:
    """Whole-picture curves alone."""
    return _with(clip, CURVES)


def path(clip: Clip) -> Clip:
    """Light by place alone, the same for all tones."""
    return _with(clip, PATH)


def _with(clip: Clip, tone: ToneSettings) -> Clip:
    fps = 1.0 / float(clip.seconds[1] - clip.seconds[0])
    settings = Settings(tone=tone)
    return dataclasses.replace(
        clip, pixels=unflicker.deflicker(clip.pixels, fps=fps, settings=settings)
    )
