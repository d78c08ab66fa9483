"""Recipes of flicker: how light and colour change from frame to frame, drawn at random.

Every recipe draws its own character once a clip (how strong, how fast, how many bands) and then a
change for every frame. Changes are factors on encoded values: a gain of light is a gain of the
encoded value too, in the power-law encoding of ordinary video (its toe near black apart).

Ranges are chosen so that at strength 1 natural clips fall to about 27 dB, the level of strong but
believable flicker, and so that no kind is a special case of another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Float32

from unflicker.grade.matrix import log_matrix_of

HELD_FRAMES = 10
"""Frames for which the kind `held` holds a level."""
FIELD_CELLS = (18, 32)
"""Rows and columns of the gain grid of kinds that vary over the picture."""
BAND_ROWS = 48
"""Rows of the gain grid of bands: at three bands a picture, 16 for each."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Change:
    """The change of every frame of a clip: a matrix, the exponent, then the gain by place."""

    log_gain: Float32[np.ndarray, "time rows columns 3"]
    """Natural logarithm of the factor, cells evenly over the picture."""
    exponents: Float32[np.ndarray, " time"] | None = None
    """Power to which values in [0, 1] are raised; None for 1."""
    log_matrices: Float32[np.ndarray, "time 3 3"] | None = None
    """Logarithms of matrices that mix the channels; None where none are mixed."""


Recipe = Callable[[np.random.Generator, int, float], Change]
"""The change of every frame, from a random generator, the number of frames, and a strength (1 is
strong but believable)."""


def exposure(random: np.random.Generator, time: int, strength: float) -> Change:
    """One gain a frame for the whole picture: deviation 0.22 to 0.30 stops, nothing remembered."""
    deviation = _stops(random.uniform(0.22, 0.30)) * strength
    return Change(log_gain=_everywhere(random.normal(0, deviation, (time, 1))))


def gamma(random: np.random.Generator, time: int, strength: float) -> Change:
    """One exponent a frame: its logarithm deviates by 0.23 to 0.31, so black and white stay."""
    deviation = random.uniform(0.23, 0.31) * strength
    exponents = np.exp(random.normal(0, deviation, time))
    return Change(log_gain=_everywhere(np.zeros((time, 1))), exponents=exponents.astype(np.float32))


def tint(random: np.random.Generator, time: int, strength: float) -> Change:
    """One gain a frame and channel, as wandering white balance: deviation 0.09 to 0.125 stops."""
    deviation = _stops(random.uniform(0.09, 0.125)) * strength
    return Change(log_gain=_everywhere(random.normal(0, deviation, (time, 3))))


def local(random: np.random.Generator, time: int, strength: float) -> Change:
    """Smooth spots of light, another pattern each frame: deviation 0.125 to 0.165 stops."""
    deviation = _stops(random.uniform(0.125, 0.165)) * strength
    memory = random.uniform(0.0, 0.4)
    return Change(log_gain=smooth_fields(random, time=time, channels=1, memory=memory) * deviation)


def local_tint(random: np.random.Generator, time: int, strength: float) -> Change:
    """Smooth spots of colour, one pattern for each channel: deviation 0.07 to 0.095 stops."""
    deviation = _stops(random.uniform(0.07, 0.095)) * strength
    memory = random.uniform(0.0, 0.4)
    return Change(log_gain=smooth_fields(random, time=time, channels=3, memory=memory) * deviation)


def bands(random: np.random.Generator, time: int, strength: float) -> Change:
    """Horizontal bands that crawl: mains light seen through a rolling shutter.

    Light that beats at twice the mains frequency writes `2 × mains × readout seconds` bands, one
    to three for usual sensors; they move by the remainder of `2 × mains / fps` after whole
    periods. Blue beats more than red, because the yellow part of a phosphor glows on.
    Gain deviates by 0.105 to 0.14 stops, half as much again as its root mean square at a peak.
    """
    periods = random.uniform(1.0, 3.0)
    crawl = random.uniform(0.06, 0.45) * random.choice((-1.0, 1.0))
    amplitude = _stops(random.uniform(0.105, 0.14)) * np.sqrt(2.0) * strength
    colour = 1.0 + random.uniform(0.1, 0.3) * np.array([-1.0, 0.0, 1.0])
    row = (np.arange(BAND_ROWS) + 0.5) / BAND_ROWS
    turns = periods * row + random.uniform() + crawl * np.arange(time)[:, None]
    wave = amplitude * np.sin(2 * np.pi * turns)
    return Change(log_gain=(wave[:, :, None, None] * colour).astype(np.float32))


def film(random: np.random.Generator, time: int, strength: float) -> Change:
    """Old film: density that pumps, slowly and from frame to frame, and fades that wander.

    The unsteady hand crank and uneven development change the whole picture (0.10 to 0.14 stops),
    the decay of the print changes parts of it and lingers for some frames.
    """
    frames = np.arange(time)
    slow = np.sin(2 * np.pi * (frames / random.uniform(8, 24) + random.uniform()))
    fast = random.normal(0, _stops(random.uniform(0.08, 0.12)), time)
    pump = slow * _stops(random.uniform(0.06, 0.12)) + fast
    fades = smooth_fields(random, time=time, channels=1, memory=random.uniform(0.6, 0.9))
    fades *= _stops(random.uniform(0.08, 0.12))
    log_gain = fades + pump.astype(np.float32)[:, None, None, None]
    return Change(log_gain=(log_gain * strength).astype(np.float32))


def held(random: np.random.Generator, time: int, strength: float) -> Change:
    """A level, a tint and mild spots kept for ten frames, then another: no blink, but steps."""
    levels = -(-time // HELD_FRAMES)
    light = random.normal(0, _stops(random.uniform(0.09, 0.12)), (levels, 1))
    colour = random.normal(0, _stops(random.uniform(0.035, 0.055)), (levels, 3))
    spots = smooth_fields(random, time=levels, channels=1, memory=0.0) * _stops(0.055)
    log_gain = (spots + _everywhere(light + colour)) * strength
    return Change(log_gain=np.repeat(log_gain, HELD_FRAMES, axis=0)[:time].astype(np.float32))


def saturation(random: np.random.Generator, time: int, strength: float) -> Change:
    """One factor a frame on saturation: its logarithm deviates by 0.14 to 0.22."""
    deviation = random.uniform(0.14, 0.22) * strength
    return _mixed(random.normal(0, deviation, time), np.zeros(time))


def hue(random: np.random.Generator, time: int, strength: float) -> Change:
    """One turn a frame about the grey axis: deviation 4 to 7 degrees."""
    deviation = np.deg2rad(random.uniform(4.0, 7.0)) * strength
    return _mixed(np.zeros(time), random.normal(0, deviation, time))


def _mixed(log_saturation: Float[np.ndarray, " time"], turn: Float[np.ndarray, " time"]) -> Change:
    """The same saturation and hue for all rows of each frame's matrix."""
    rows = np.ones(3)
    log_matrices = log_matrix_of(log_saturation[:, None] * rows, turn[:, None] * rows)
    still = _everywhere(np.zeros((len(turn), 1)))
    return Change(log_gain=still, log_matrices=log_matrices.astype(np.float32))


def _stops(stops: float) -> float:
    """A number of doublings of light as a natural logarithm."""
    return stops * float(np.log(2.0))


def _everywhere(
    log_gain: Float[np.ndarray, "time channels"],
) -> Float32[np.ndarray, "time 1 1 3"]:
    """Gains of whole frames, one for all channels or one each, as a grid of a single cell."""
    return np.broadcast_to(log_gain, (len(log_gain), 3)).astype(np.float32)[:, None, None]


def smooth_fields(
    random: np.random.Generator, *, time: int, channels: int, memory: float
) -> Float32[np.ndarray, "time rows columns 3"]:
    """Smooth random fields of unit deviation, a pattern of few control points for each frame.

    Args:
        random: Random generator.
        time: Number of frames.
        channels: 1 for the same field in all channels, 3 for one each.
        memory: Correlation of a field with the one before, 0 to below 1.
    """
    shape = (int(random.integers(3, 5)), int(random.integers(4, 6)), channels)
    points = np.empty((time, *shape), np.float32)
    points[0] = random.normal(size=shape)
    for index in range(1, time):
        fresh = random.normal(size=shape) * np.sqrt(1 - memory**2)
        points[index] = memory * points[index - 1] + fresh
    rows, columns = FIELD_CELLS
    fields = np.stack(
        [cv2.resize(point, (columns, rows), interpolation=cv2.INTER_CUBIC) for point in points]
    )
    fields = fields.reshape(time, rows, columns, channels)
    # Interpolation between control points averages them: bring the deviation back to one.
    fields /= np.float32(np.sqrt(np.mean(_interpolation_power(shape))))
    return np.broadcast_to(fields, (time, rows, columns, 3)).copy()


def _interpolation_power(shape: tuple[int, ...]) -> Float[np.ndarray, "rows columns"]:
    """The variance, at each cell, of an interpolation of independent points of unit variance."""
    rows, columns = FIELD_CELLS
    identity = np.eye(shape[0], dtype=np.float32), np.eye(shape[1], dtype=np.float32)
    down = cv2.resize(identity[0], (shape[0], rows), interpolation=cv2.INTER_CUBIC)
    along = cv2.resize(identity[1], (shape[1], columns), interpolation=cv2.INTER_CUBIC)
    return np.outer((down**2).sum(axis=1), (along**2).sum(axis=1))


RECIPES: dict[str, Recipe] = {
    "exposure": exposure,
    "gamma": gamma,
    "tint": tint,
    "local": local,
    "local tint": local_tint,
    "bands": bands,
    "film": film,
    "held": held,
}

MIXED_RECIPES: dict[str, Recipe] = {"saturation": saturation, "hue": hue}
"""Kinds that no curve by channel undoes; in no published table, and not used in training."""
