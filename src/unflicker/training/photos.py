"""Loads photographs for training."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from unflicker.errors import InputError

PHOTO_ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp"}
_LEAST_SIDE_PX = 64
_MOST_SHRUNK = 2.0


@lru_cache(maxsize=2048)
def stored_photo(path: Path) -> UInt8[np.ndarray, "height width 3"]:
    """A photograph as 8-bit RGB.

    Raises:
        InputError: The file is no picture, or a tiny one.
    """
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None or min(picture.shape[:2]) < _LEAST_SIDE_PX:
        raise InputError(
            f"{path} is no photograph of {_LEAST_SIDE_PX} px or more; take it out of the folder"
        )
    return np.ascontiguousarray(picture[..., ::-1])


def by_chance(
    random: np.random.Generator, photos: tuple[Path, ...]
) -> UInt8[np.ndarray, "height width 3"]:
    """A random photograph, as stored.

    Args:
        random: Random generator.
        photos: Paths to choose from.
    """
    return stored_photo(photos[random.integers(len(photos))])


def part_of(
    random: np.random.Generator, photo: UInt8[np.ndarray, "_h _w 3"], size: tuple[int, int]
) -> Float32[np.ndarray, "height width 3"]:
    """A random crop of a photograph in [0, 1], randomly mirrored.

    It is taken at half the photograph's resolution or more; a photograph that is smaller than the
    crop is enlarged.

    Args:
        random: Random generator.
        photo: RGB.
        size: Height and width of the crop in px.
    """
    whole = min(photo.shape[0] / size[0], photo.shape[1] / size[1])
    scale = min(float(np.exp(random.uniform(0.0, np.log(_MOST_SHRUNK)))), whole)
    tall, wide = (
        min(side, round(wanted * scale)) for side, wanted in zip(photo.shape[:2], size, strict=True)
    )
    top = int(random.integers(photo.shape[0] - tall + 1))
    left = int(random.integers(photo.shape[1] - wide + 1))
    part = photo[top : top + tall, left : left + wide]
    part = part[:, ::-1] if random.uniform() < 0.5 else part
    kind = cv2.INTER_AREA if scale > 1.0 else cv2.INTER_LINEAR
    part = cv2.resize(np.ascontiguousarray(part), size[::-1], interpolation=kind)
    return part.astype(np.float32) / np.float32(255.0)
