"""Photographs to learn from."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from unflicker.errors import InputError

PHOTO_ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp"}
_LEAST_SIDE_PX = 64


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
