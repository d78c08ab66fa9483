"""A picture that says where to correct."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.errors import InputError
from unflicker.frames.clip import to_float


def read_mask(path: Path, *, size: tuple[int, int]) -> Float32[np.ndarray, "height width"]:
    """How much of the correction each pixel of a film takes: white all, black nothing.

    Args:
        path: A grey or colour picture of any depth; its transparency is ignored.
        size: Height and width of the film, which the mask must have.

    Raises:
        InputError: It is no picture, or of another size.
    """
    data = np.fromfile(path, np.uint8) if path.is_file() else np.zeros(0, np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_ANYDEPTH | cv2.IMREAD_GRAYSCALE) if len(data) else None
    if picture is None:
        raise InputError(f"the mask {path} is not a picture that can be read; pass a PNG or TIFF")
    if picture.shape != size:
        raise InputError(
            f"the mask {path} has {picture.shape[1]}×{picture.shape[0]} px, the film "
            f"{size[1]}×{size[0]}; draw the mask on a frame of the film"
        )
    return to_float(picture)
