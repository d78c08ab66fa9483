"""Degradations of photographs for training: of light, and of structure as in atlas guides.

The paper's two distortions (Lei et al. 2023, Eq. 4): of appearance, which makes the frame from the
photograph, and of structure, which makes the guide. The photograph is the target.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.frames.colour import LUMA
from unflicker.grade.grade import Grade, curve_inputs
from unflicker.synthesis import graded
from unflicker.synthesis.recipes import RECIPES

_FRAMES_DRAWN = 12
"""A recipe draws a sequence; one of so many frames is used."""
_FAINTEST, _STRONGEST = 0.04, 1.6
"""Range of strengths: from what tone leaves to more than any recipe."""
_ODDLY = 0.35
"""Probability of saturation, contrast or a curve for each channel on top of a recipe."""
_GRAIN, _COMPRESSED = 0.2, 0.15
_UNTOUCHED = 0.12
"""Probability of a frame without flicker, which must not be changed."""


def lit_otherwise(
    random: np.random.Generator, picture: Float32[np.ndarray, "height width 3"]
) -> Float32[np.ndarray, "height width 3"]:
    """The picture under other light, as in a flickering frame, clipped to [0, 1].

    Args:
        random: Random generator.
        picture: RGB in [0, 1].
    """
    if random.uniform() < _UNTOUCHED:
        return picture
    strength = float(np.exp(random.uniform(np.log(_FAINTEST), np.log(_STRONGEST))))
    for _ in range(1 + int(random.uniform() < 0.3)):
        kind = list(RECIPES)[random.integers(len(RECIPES))]
        picture = graded(np.clip(picture, 0.0, 1.0), _one_grade(random, kind, strength))
    if random.uniform() < _ODDLY:
        picture = _oddly_coloured(random, np.clip(picture, 0.0, 1.0), strength)
    if random.uniform() < _GRAIN:
        picture = picture + random.normal(0.0, random.uniform(0.0, 0.02), picture.shape)
    picture = np.clip(picture, 0.0, 1.0).astype(np.float32)
    return _compressed(random, picture) if random.uniform() < _COMPRESSED else picture


def spoilt(
    random: np.random.Generator,
    picture: Float32[np.ndarray, "height width 3"],
    *,
    other: Float32[np.ndarray, "height width 3"],
) -> Float32[np.ndarray, "height width 3"]:
    """The picture with typical errors of an atlas.

    It is bent and blurred, with ghosts, holes and wrong patches.

    Args:
        random: Random generator.
        picture: RGB in [0, 1].
        other: Another picture of the same size, source of wrong patches.
    """
    guide = _bent(random, picture, most_px=_between(random, 0.1, 4.0))
    if random.uniform() < 0.5:
        guide = cv2.GaussianBlur(guide, (0, 0), _between(random, 0.3, 2.5))
    if random.uniform() < 0.3:
        guide = _coarse(random, guide)
    if random.uniform() < 0.5:
        ghost = _shifted(random, guide)
        there = blob(random, guide.shape[:2])[..., None] * np.float32(random.uniform(0.2, 0.7))
        guide = guide * (1.0 - there) + ghost * there
    if random.uniform() < 0.3:
        there = blob(random, guide.shape[:2])[..., None]
        patch = other if random.uniform() < 0.6 else np.full_like(guide, guide.mean((0, 1)))
        guide = guide * (1.0 - there) + patch * there
    if random.uniform() < 0.7:
        guide = guide * uneven_light(random, guide.shape[:2], _between(random, 0.001, 0.04))
    noise = random.normal(0.0, _between(random, 0.001, 0.01), guide.shape)
    return np.clip(guide + noise, 0.0, 1.0).astype(np.float32)


def blob(random: np.random.Generator, size: tuple[int, int]) -> Float32[np.ndarray, "height width"]:
    """A soft-edged random region, 1 inside and 0 outside, of a tenth to half of the picture.

    Args:
        random: Random generator.
        size: Height and width in px.
    """
    points = random.normal(size=(int(random.integers(3, 9)), int(random.integers(4, 12))))
    smooth = cv2.resize(points.astype(np.float32), size[::-1], interpolation=cv2.INTER_CUBIC)
    edge = np.quantile(smooth, random.uniform(0.5, 0.92))
    return np.clip((smooth - edge) * 8.0 + 0.5, 0.0, 1.0).astype(np.float32)


def _one_grade(random: np.random.Generator, kind: str, strength: float) -> Grade:
    """The light of one frame of a recipe, without the recipe's mean.

    Flicker recipes describe deviations from a level, and so does a frame's from its guide.
    """
    change = RECIPES[kind](random, _FRAMES_DRAWN, strength)
    frame = int(random.integers(_FRAMES_DRAWN))
    exponent = 1.0 if change.exponents is None else float(change.exponents[frame])
    curves = np.tile(curve_inputs() ** np.float32(exponent), (3, 1)).astype(np.float32)
    return Grade(curves=curves, log_gain=change.log_gain[frame][:, :, None])


def _oddly_coloured(
    random: np.random.Generator, picture: Float32[np.ndarray, "height width 3"], strength: float
) -> Float32[np.ndarray, "height width 3"]:
    """Random saturation, contrast about the mean and a curve for each channel, as in processed
    video."""
    size = min(strength, 1.0)
    grey = (picture @ LUMA)[..., None]
    picture = grey + (picture - grey) * np.float32(np.exp(random.normal(0.0, 0.25 * size)))
    middle = picture.mean()
    picture = middle + (picture - middle) * np.float32(np.exp(random.normal(0.0, 0.15 * size)))
    exponents = np.exp(random.normal(0.0, 0.15 * size, 3)).astype(np.float32)
    return np.clip(picture, 0.0, 1.0) ** exponents


def _compressed(
    random: np.random.Generator, picture: Float32[np.ndarray, "height width 3"]
) -> Float32[np.ndarray, "height width 3"]:
    """Through JPEG at a random quality."""
    codes = np.ascontiguousarray((picture * 255.0 + 0.5).astype(np.uint8))
    quality = int(random.integers(30, 95))
    _, stream = cv2.imencode(".jpg", codes, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(stream, cv2.IMREAD_COLOR), np.float32) / np.float32(255.0)


def _bent(
    random: np.random.Generator, picture: Float32[np.ndarray, "height width 3"], *, most_px: float
) -> Float32[np.ndarray, "height width 3"]:
    """Warped by a smooth field with a standard deviation of `most_px`."""
    height, width = picture.shape[:2]
    nodes = random.normal(size=(int(random.integers(2, 10)), int(random.integers(3, 14)), 2))
    field = cv2.resize(nodes.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    field *= np.float32(most_px)
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return cv2.remap(
        picture,
        x + field[..., 0],
        y + field[..., 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )


def _shifted(
    random: np.random.Generator, picture: Float32[np.ndarray, "height width 3"]
) -> Float32[np.ndarray, "height width 3"]:
    shift = random.integers(-20, 21, 2)
    return np.roll(picture, (int(shift[0]), int(shift[1])), axis=(0, 1))


def _coarse(
    random: np.random.Generator, picture: Float32[np.ndarray, "height width 3"]
) -> Float32[np.ndarray, "height width 3"]:
    """At a lower resolution, enlarged again."""
    height, width = picture.shape[:2]
    factor = random.uniform(1.5, 4.0)
    small = max(1, round(width / factor)), max(1, round(height / factor))
    shrunk = cv2.resize(picture, small, interpolation=cv2.INTER_AREA)
    return cv2.resize(shrunk, (width, height), interpolation=cv2.INTER_LINEAR)


def uneven_light(
    random: np.random.Generator, size: tuple[int, int], deviation: float
) -> Float32[np.ndarray, "height width 3"]:
    """Gain that varies slightly by place and colour, like errors of networks and atlases.

    Args:
        random: Random generator.
        size: Height and width in px.
        deviation: Standard deviation of the log gain.
    """
    nodes = random.normal(
        0.0, deviation, (int(random.integers(1, 5)), int(random.integers(1, 6)), 1)
    )
    colours = random.normal(0.0, deviation * 0.4, (*nodes.shape[:2], 3))
    field = (nodes + colours).astype(np.float32)
    return np.exp(cv2.resize(field, size[::-1], interpolation=cv2.INTER_LINEAR))


def _between(random: np.random.Generator, least: float, most: float) -> float:
    """A random number between two, log-uniform."""
    return float(np.exp(random.uniform(np.log(least), np.log(most))))
