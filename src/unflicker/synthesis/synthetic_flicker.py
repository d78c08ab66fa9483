"""Adds synthetic flicker to steady clips."""

from __future__ import annotations

import difflib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Shaped

from unflicker.errors import UsageError
from unflicker.frames.clip import Clip, from_float, to_float
from unflicker.grade.grade import Grade, curve_inputs
from unflicker.synthesis.additive import HELD, added, offsets
from unflicker.synthesis.dirt import film_dirt, soiled
from unflicker.synthesis.recipes import MIXED_RECIPES, RECIPES, Change

KINDS = tuple(RECIPES)
"""The kinds of flicker that are changes of light: for training and tuning."""
MIXED_KINDS = tuple(MIXED_RECIPES)
"""Kinds that mix channels, besides the published ones."""
ADDED_KINDS = tuple(HELD)
"""The published kinds, an offset held for 1, 3 or 10 frames: for comparison only."""
SUNSET_GAINS = (0.75, 0.55, 0.45)
"""Gains of red, green and blue at the end of a sunset."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SyntheticFlicker:
    """A clip with synthetic flicker, and its parameters."""

    clip: Clip
    """The flickering clip, samples as in the clean one."""
    kind: str
    seed: int
    grades: tuple[Grade, ...]
    """The grade of each frame; for film, its light without grain, dust and scratches. None for
    additive flicker, which is no grade."""
    clipped: Bool[np.ndarray, "time height width"]
    """Pixels with a channel beyond black or white, whose value is lost."""


def synthesise(clip: Clip, *, kind: str, seed: int, strength: float = 1.0) -> SyntheticFlicker:
    """The clip with synthetic flicker; the same arguments always give the same flicker.

    Args:
        clip: A steady clip.
        kind: One of `KINDS`, `MIXED_KINDS` or `ADDED_KINDS`.
        seed: Chooses among flickers of the kind.
        strength: Factor on all changes of light; 0 gives the clip itself.

    Raises:
        UsageError: A kind that does not exist (the message suggests the nearest), or a negative
            strength.
    """
    kinds = (*KINDS, *MIXED_KINDS, *ADDED_KINDS)
    if kind not in kinds:
        near = difflib.get_close_matches(kind, kinds, n=1, cutoff=0.0)
        known = ", ".join(kinds)
        raise UsageError(f"unknown flicker {kind!r}; did you mean {near[0]!r}? There are {known}")
    if not strength >= 0:
        raise UsageError(f"negative strength of flicker: {strength}; pass 0 or more")
    # The kind is part of the seed, so that kinds do not share their random numbers.
    random = np.random.default_rng([seed, zlib.crc32(kind.encode())])
    make = _offset if kind in ADDED_KINDS else _lit
    pixels, clipped = np.empty_like(clip.pixels), np.empty(clip.pixels.shape[:3], bool)
    frames, grades = make(random, clip, kind=kind, strength=strength)
    for index, values in enumerate(frames):
        clipped[index] = ((values < -1e-6) | (values > 1 + 1e-6)).any(axis=2)
        pixels[index] = from_float(np.clip(values, 0, 1), dtype=clip.pixels.dtype)
    made = Clip(pixels=pixels, seconds=clip.seconds)
    return SyntheticFlicker(clip=made, kind=kind, seed=seed, grades=grades, clipped=clipped)


def _lit(
    random: np.random.Generator, clip: Clip, *, kind: str, strength: float
) -> tuple[Iterator[Float32[np.ndarray, "height width 3"]], tuple[Grade, ...]]:
    """The frames under changed light, not clipped, and the grades of that change."""
    time, height, width = clip.pixels.shape[:3]
    change = (RECIPES | MIXED_RECIPES)[kind](random, max(time, 1), strength)
    grades = _as_grades(change, time=time)
    dirt = film_dirt(random, size=(height, width), time=time, strength=strength)
    frames = (graded(pixels, grade) for pixels, grade in zip(clip.pixels, grades, strict=True))
    if kind == "film":
        frames = (soiled(values, *next(dirt)) for values in frames)
    return frames, grades


def _offset(
    random: np.random.Generator, clip: Clip, *, kind: str, strength: float
) -> tuple[Iterator[Float32[np.ndarray, "height width 3"]], tuple[Grade, ...]]:
    """The frames with an offset that is held for some frames, not clipped."""
    drawn = offsets(random, time=max(len(clip), 1), hold_frames=HELD[kind], strength=strength)
    pairs = zip(clip.pixels, drawn[: len(clip)], strict=True)
    return (added(to_float(pixels), offset) for pixels, offset in pairs), ()


def sunset(clip: Clip) -> Clip:
    """The clip under light that dims and reddens linearly, to 0.75, 0.55 and 0.45 at its end."""
    progress = np.linspace(0.0, 1.0, len(clip), dtype=np.float32)[:, None]
    gains = 1 - progress * (1 - np.array(SUNSET_GAINS, np.float32))
    pixels = np.empty_like(clip.pixels)
    for index, gain in enumerate(gains):
        pixels[index] = from_float(to_float(clip.pixels[index]) * gain, dtype=clip.pixels.dtype)
    return Clip(pixels=pixels, seconds=clip.seconds)


def graded(
    pixels: Shaped[np.ndarray, "height width 3"], grade: Grade
) -> Float32[np.ndarray, "height width 3"]:
    """The picture with a synthetic grade, not clipped; for grades without tone bins.

    Args:
        pixels: RGB.
        grade: To apply.
    """
    gain = _gain(grade.log_gain[:, :, 0], size=pixels.shape[:2])
    mixed = _times(to_float(pixels), grade.matrix) if grade.mixes else pixels
    return _through_curves(mixed, grade.curves) * gain


def ungraded(
    pixels: Shaped[np.ndarray, "height width 3"], grade: Grade, *, keep: Grade | None = None
) -> Float32[np.ndarray, "height width 3"]:
    """The picture without a synthetic grade: gains divided out, curves inverted.

    Args:
        pixels: A flickering frame.
        grade: Of its flicker; curves that rise strictly, no tone bins.
        keep: A grade to apply instead, such as the mean of the clip; none for the clean frame.
    """
    gain = _gain(grade.log_gain[:, :, 0], size=pixels.shape[:2])
    values = np.clip(to_float(pixels) / gain, 0, 1)
    inputs = curve_inputs()
    if not all(np.array_equal(curve, inputs) for curve in grade.curves):
        channels = [np.interp(values[..., c], grade.curves[c], inputs) for c in range(3)]
        values = np.stack(channels, axis=2).astype(np.float32)
    if grade.mixes:
        values = _times(values, np.linalg.inv(grade.matrix))
    return values if keep is None else graded(values, keep)


def mean_grade(grades: tuple[Grade, ...]) -> Grade:
    """The mean of grades of one shape: gains and matrices by logarithm, curves knot by knot."""
    return Grade(
        curves=np.asarray(np.mean([grade.curves for grade in grades], axis=0, dtype=np.float32)),
        log_gain=np.asarray(
            np.mean([grade.log_gain for grade in grades], axis=0, dtype=np.float32)
        ),
        log_matrix=np.asarray(
            np.mean([grade.log_matrix for grade in grades], axis=0, dtype=np.float32)
        ),
    )


def _as_grades(change: Change, *, time: int) -> tuple[Grade, ...]:
    """The change of every frame as a grade without tone bins."""
    inputs = curve_inputs()
    exponents = np.ones(time) if change.exponents is None else change.exponents
    unmixed = np.zeros((time, 3, 3), np.float32)
    matrices = unmixed if change.log_matrices is None else change.log_matrices
    return tuple(
        Grade(
            curves=np.tile(inputs ** np.float32(exponents[index]), (3, 1)),
            log_gain=change.log_gain[index][:, :, None],
            log_matrix=matrices[index],
        )
        for index in range(time)
    )


def _times(
    values: Float32[np.ndarray, "height width 3"], matrix: Float32[np.ndarray, "3 3"]
) -> Float32[np.ndarray, "height width 3"]:
    """The matrix times each colour."""
    return cv2.transform(values, matrix)


def _gain(
    log_gain: Float32[np.ndarray, "rows columns 3"], *, size: tuple[int, int]
) -> Float32[np.ndarray, "height width 3"]:
    """The factor at every pixel; a single cell stays a single factor for each channel."""
    if log_gain.shape[:2] == (1, 1):
        return np.exp(log_gain)
    height, width = size
    return cv2.exp(cv2.resize(log_gain, (width, height), interpolation=cv2.INTER_LINEAR))


def _through_curves(
    pixels: Shaped[np.ndarray, "height width 3"], curves: Float32[np.ndarray, "3 knots"]
) -> Float32[np.ndarray, "height width 3"]:
    """Each channel through its curve; integers through a table, which is much quicker."""
    inputs = curve_inputs()
    if all(np.array_equal(curve, inputs) for curve in curves):
        return to_float(pixels)
    result = np.empty(pixels.shape, np.float32)
    for channel, curve in enumerate(curves):
        if pixels.dtype == np.float32:
            result[..., channel] = np.interp(pixels[..., channel], inputs, curve)
        else:
            peak = np.iinfo(pixels.dtype).max
            table = np.interp(np.arange(peak + 1) / peak, inputs, curve).astype(np.float32)
            result[..., channel] = table[pixels[..., channel]]
    return result
