"""Lamps with pulse-width modulation through a rolling shutter, simulated in raw sensor light.

The frames' light is split among ambient light and two lamps, each with its place, colour and
waveform. Each row integrates the waveforms over its own exposure; then come sensor noise, 12 bits
and the camera's tone curve. So gain is by row and place, colour follows the lamps, and neither is a
smooth log gain of encoded values, which is this project's own model.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32, Float64

from unflicker.frames.clip import Clip, from_float, to_float
from unflicker.synthesis.recipes import smooth_fields

_AMBIENT = (0.25, 0.5)
_LAMP_HERTZ = (97.0, 123.0)
_DUTY = (0.3, 0.7)
_EXPOSURE_SECONDS = (1 / 400, 1 / 120)
_READOUT_SHARE = (0.5, 0.9)
"""Share of a frame's time in which its rows are read."""
_COLOURS = ((1.12, 1.0, 0.8), (0.9, 1.0, 1.15))
"""A warm and a cool lamp: gains of red, green and blue."""
_SHOT_NOISE, _READ_NOISE, _LEVELS = 3e-4, 1.5e-3, 4095
_TONE_POWER = 2.2
"""Power of the camera's tone curve, a simple one."""


def pulsed_lamps(random: np.random.Generator, clip: Clip, *, strength: float) -> tuple[Clip, Clip]:
    """A clip under pulsed lamps, and the same under steady ones with the same noise.

    Args:
        random: Random generator.
        clip: A steady clip.
        strength: Share of the lamps' light that pulses, 0 to 1.
    """
    time, height, width = clip.pixels.shape[:3]
    places = smooth_fields(random, time=1, channels=1, memory=0.0)[0, :, :, 0]
    one = 1 / (1 + np.exp(-2.0 * cv2.resize(places, (width, height))))
    masks = one, 1 - one
    ambient = random.uniform(*_AMBIENT)
    waves = [_rows(random, clip, rows=height) for _ in _COLOURS]
    seen, steady = np.empty_like(clip.pixels), np.empty_like(clip.pixels)
    for t in range(time):
        scene = to_float(clip.pixels[t]) ** np.float32(_TONE_POWER)
        lit, even = np.zeros_like(scene), np.zeros_like(scene)
        for mask, colour, wave in zip(masks, _COLOURS, waves, strict=True):
            tint = (mask[..., None] * np.array(colour)).astype(np.float32)
            gain = (1 + strength * (wave[t] - 1)).astype(np.float32)
            lit += tint * gain[:, None, None]
            even += tint
        noise = random.standard_normal((2, *scene.shape)).astype(np.float32)
        for light, out in ((lit, seen), (even, steady)):
            raw = scene * (ambient + (1 - ambient) * light)
            out[t] = _developed(raw, noise, dtype=clip.pixels.dtype)
    return Clip(pixels=seen, seconds=clip.seconds), Clip(pixels=steady, seconds=clip.seconds)


def _rows(random: np.random.Generator, clip: Clip, *, rows: int) -> Float64[np.ndarray, "time _"]:
    """Light of a lamp in each frame and row, 1 on average over a long exposure."""
    hertz, duty = random.uniform(*_LAMP_HERTZ), random.uniform(*_DUTY)
    exposure, phase = random.uniform(*_EXPOSURE_SECONDS), random.uniform()
    frame = float(np.median(np.diff(clip.seconds))) if len(clip) > 1 else 1 / 24
    readout = random.uniform(*_READOUT_SHARE) * frame
    begins = clip.seconds[:, None] + readout * np.arange(rows) / rows
    ends = begins + exposure
    lit = _on(ends * hertz + phase, duty) - _on(begins * hertz + phase, duty)
    return lit / (exposure * hertz * duty)


def _on(periods: np.ndarray, duty: float) -> np.ndarray:
    """Periods for which a pulsed lamp has been on, up to a time in periods."""
    whole = np.floor(periods)
    return whole * duty + np.minimum(periods - whole, duty)


def _developed(
    raw: Float32[np.ndarray, "height width 3"], noise: np.ndarray, *, dtype: np.dtype
) -> np.ndarray:
    """Raw light with noise and 12 bits, through the tone curve."""
    deviation = np.sqrt(_SHOT_NOISE * np.maximum(raw, 0.0) + _READ_NOISE**2)
    noisy = np.rint((raw + deviation * noise[0]) * _LEVELS) / _LEVELS
    return from_float(np.clip(noisy, 0, 1) ** np.float32(1 / _TONE_POWER), dtype=dtype)
