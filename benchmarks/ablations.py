"""Presets in parts, as methods of `unflicker evaluate --suite quality`, run in this folder.

unflicker evaluate CLEAN_FOLDER --suite quality -o out --method curves=ablations:curves
"""

import dataclasses

import unflicker
from unflicker.frames.clip import Clip
from unflicker.settings import Settings, ToneSettings, without

CURVES = ToneSettings(waves_across=1, waves_down=1, contrast_waves=0)
PATH = ToneSettings(tone_powers=0, contrast_waves=0)


def curves(clip: Clip) -> Clip:
    """Whole-picture curves alone."""
    return _with(clip, CURVES)


def path(clip: Clip) -> Clip:
    """Light by place alone, the same for all tones."""
    return _with(clip, PATH)


def closed_form(clip: Clip) -> Clip:
    """Light and atlas; the guide is taken up in closed form."""
    return _by(clip, without(Settings.from_preset("best"), ("neural-filter", "refinement")))


def filtered(clip: Clip) -> Clip:
    """Light, atlas and neural filter."""
    return _by(clip, without(Settings.from_preset("best"), ("refinement",)))


def untoned(clip: Clip) -> Clip:
    """Atlas and neural filter, as in the paper: no tone before them."""
    return _by(clip, without(Settings.from_preset("best"), ("tone", "refinement")))


def _with(clip: Clip, tone: ToneSettings) -> Clip:
    alone = without(Settings.from_preset("fast"), ("fine-light",))
    return _by(clip, dataclasses.replace(alone, tone=tone))


def _by(clip: Clip, settings: Settings) -> Clip:
    fps = 1.0 / float(clip.seconds[1] - clip.seconds[0])
    return dataclasses.replace(
        clip, pixels=unflicker.deflicker(clip.pixels, fps=fps, settings=settings)
    )
