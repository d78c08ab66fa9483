"""Grain, dust and scratches of old film.

They are not light, no grade undoes them, and the true grades exclude them.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from jaxtyping import Float32

GRAIN_DEVIATION = (0.014, 0.020)
"""Range of the grain's deviation in mid-grey, in encoded values."""
SPECKS_A_FRAME = 4.0
"""Mean number of dust specks in a frame."""
SCRATCH_CHANCE = 0.06
"""Probability, frame by frame, that a scratch begins."""
SCRATCH_FRAMES = (3, 16)
"""Fewest and most frames that a scratch stays."""


def film_dirt(
    random: np.random.Generator, *, size: tuple[int, int], time: int, strength: float
) -> Iterator[tuple[Float32[np.ndarray, "height width"], Float32[np.ndarray, "height width"]]]:
    """Grain of each frame, and the density of its dust and scratches.

    Args:
        random: Random generator.
        size: Height and width in pixels.
        time: Number of frames.
        strength: Factor on the amount of both.

    Yields:
        Grain to be added in mid-grey (fading towards black and white), and dirt in [-1, 1]:
        negative covers with black, positive with white.
    """
    deviation = random.uniform(*GRAIN_DEVIATION) * strength
    scratches: list[tuple[float, float, int]] = []
    for _ in range(time):
        scratches = [(x, shade, left - 1) for x, shade, left in scratches if left > 1]
        if random.uniform() < SCRATCH_CHANCE:
            shade = random.uniform(0.15, 0.4) * random.choice((-1.0, 1.0))
            stays = int(random.integers(*SCRATCH_FRAMES))
            scratches.append((random.uniform(), shade, stays))
        dirt = _dust(random, size=size)
        for x, shade, _left in scratches:
            place = x + random.normal(0, 0.001)
            column = int(np.clip(place, 0, 1) * (size[1] - 1))
            dirt[:, column : column + max(1, size[1] // 640)] = shade
        yield _grain(random, size=size) * np.float32(deviation), dirt * np.float32(min(strength, 1))


def _grain(
    random: np.random.Generator, *, size: tuple[int, int]
) -> Float32[np.ndarray, "height width"]:
    """Clumped noise of unit deviation: grains are a little larger than a pixel."""
    noise = random.standard_normal(size, np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 0.6)
    # The blur of a unit impulse tells how much deviation is left.
    kernel = cv2.getGaussianKernel(7, 0.6)
    return soft / np.float32((kernel**2).sum())


def soiled(
    values: Float32[np.ndarray, "height width 3"],
    grain: Float32[np.ndarray, "height width"],
    dirt: Float32[np.ndarray, "height width"],
) -> Float32[np.ndarray, "height width 3"]:
    """The picture with grain, strongest in mid-grey, and under dust and scratches.

    Args:
        values: RGB in [0, 1].
        grain: From `film_dirt`.
        dirt: From `film_dirt`.
    """
    luma = np.clip(values.mean(axis=2), 0, 1)
    # A print has no grain where it is clear or wholly black; a tenth is left for the scanner.
    visibility = 0.1 + 0.9 * 4 * luma * (1 - luma)
    values = values + (grain * visibility)[..., None]
    cover = np.abs(dirt)[..., None]
    return values * (1 - cover) + np.maximum(dirt, 0)[..., None]


def _dust(
    random: np.random.Generator, *, size: tuple[int, int]
) -> Float32[np.ndarray, "height width"]:
    """Specks of one frame: small soft ellipses, mostly dark."""
    dirt = np.zeros(size, np.float32)
    height, width = size
    scale = width / 640
    for _ in range(random.poisson(SPECKS_A_FRAME)):
        centre = (int(random.integers(width)), int(random.integers(height)))
        axes = [max(1, round(scale * random.uniform(0.8, 4.0))) for _axis in range(2)]
        shade = random.uniform(0.4, 0.9) * (-1.0 if random.uniform() < 0.7 else 1.0)
        angle = random.uniform(0, 180)
        cv2.ellipse(dirt, centre, axes, angle, 0, 360, float(shade), -1, cv2.LINE_AA)
    return dirt
