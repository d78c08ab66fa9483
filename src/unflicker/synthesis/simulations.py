"""Flicker whose cause is simulated, not drawn from our own model; reported apart.

Most kinds of `synthesis.recipes` are smooth log gains, which is also what this project's methods
fit. These are not, so they tell how far results depend on that.
"""

from __future__ import annotations

import difflib
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from unflicker.errors import UsageError
from unflicker.frames.clip import Clip, from_float, to_float
from unflicker.synthesis.degradation import degraded
from unflicker.synthesis.frame_by_frame import auto_contrast, equalised, recompressed
from unflicker.synthesis.lamps import pulsed_lamps
from unflicker.synthesis.novel_view import rendered_views

_DRIFT_SECONDS = (0.8, 2.0)
"""Time between new targets of automatic exposure."""
_RESPONSE_SECONDS = 0.35
_DRIFT_STOPS, _DRIFT_TINT = 0.3, 0.03


@dataclass(frozen=True, kw_only=True, eq=False)
class Simulation:
    """A clip with simulated flicker, and what it is compared with."""

    clip: Clip
    steady: Clip
    """The ground truth; of processed clips the steady original."""
    kind: str
    seed: int


@dataclass(frozen=True, kw_only=True)
class _Maker:
    category: Literal["simulated", "processed"]
    make: Callable[..., tuple[Clip, Clip]]


def exposure_drift(
    random: np.random.Generator, clip: Clip, *, strength: float
) -> tuple[Clip, Clip]:
    """A clip under automatic exposure and white balance that follow moving targets slowly.

    Args:
        random: Random generator.
        clip: A steady clip.
        strength: Factor on the changes.
    """
    step = float(np.median(np.diff(clip.seconds))) if len(clip) > 1 else 1 / 24
    level, target, until = np.zeros(3), np.zeros(3), -1.0
    pixels = np.empty_like(clip.pixels)
    for index, frame in enumerate(clip.pixels):
        if clip.seconds[index] >= until:
            target = random.normal(0, _DRIFT_STOPS * np.log(2)) + random.normal(0, _DRIFT_TINT, 3)
            until = clip.seconds[index] + random.uniform(*_DRIFT_SECONDS)
        level = level + (target - level) * (1 - np.exp(-step / _RESPONSE_SECONDS))
        gain = np.exp(strength * level).astype(np.float32)
        pixels[index] = from_float(np.clip(to_float(frame) * gain, 0, 1), dtype=pixels.dtype)
    return Clip(pixels=pixels, seconds=clip.seconds), clip


_MAKERS = {
    "lamps": _Maker(category="simulated", make=pulsed_lamps),
    "complex": _Maker(category="simulated", make=degraded),
    "drift": _Maker(category="simulated", make=exposure_drift),
    "novel view": _Maker(category="simulated", make=rendered_views),
    "auto-contrast": _Maker(category="processed", make=auto_contrast),
    "clahe": _Maker(category="processed", make=equalised),
    "jpeg": _Maker(category="processed", make=recompressed),
}
SIMULATED_KINDS = tuple(_MAKERS)
"""Every kind, in the order of tables."""


def simulated(clip: Clip, *, kind: str, seed: int, strength: float = 1.0) -> Simulation:
    """A clip with simulated flicker; the same arguments always give the same.

    Args:
        clip: A steady clip.
        kind: One of `SIMULATED_KINDS`.
        seed: Chooses among flickers of the kind.
        strength: Factor on the flicker; 0 gives the ground truth, but for compression.

    Raises:
        UsageError: A kind that does not exist, or a negative strength.
    """
    if kind not in _MAKERS:
        near = difflib.get_close_matches(kind, _MAKERS, n=1, cutoff=0.0)
        raise UsageError(
            f"no simulation is named {kind!r}; did you mean {near[0]!r}? "
            f"There are {', '.join(_MAKERS)}"
        )
    if not strength >= 0:
        raise UsageError(f"negative strength of flicker: {strength}; pass 0 or more")
    random = np.random.default_rng([seed, zlib.crc32(kind.encode())])
    given, steady = _MAKERS[kind].make(random, clip, strength=strength)
    return Simulation(clip=given, steady=steady, kind=kind, seed=seed)


def category_of(kind: str) -> Literal["simulated", "processed"]:
    """Whether a kind has ground truth, or a steady original that was processed."""
    return _MAKERS[kind].category
