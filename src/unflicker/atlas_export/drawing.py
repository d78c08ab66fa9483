"""Drawings made on an atlas, as layers of colour and opacity."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.errors import InputError
from unflicker.frames.clip import to_float

_CHANGED = 3.0 / 255.0
"""A texel that differs by more than this from the atlas's picture is part of the drawing."""
_SOFT_TEXELS = 1.0


def read_drawing(
    path: Path, *, over: Float32[np.ndarray, "rows columns 3"]
) -> Float32[np.ndarray, "rows columns 4"]:
    """A drawing over an atlas's picture: RGB and opacity in [0, 1].

    A picture with transparency covers the atlas, at any size of the same shape. One without is
    treated as the painted atlas picture: its differences from the atlas are the drawing.

    Args:
        path: A PNG or TIFF, 8 or 16 bits.
        over: The atlas's picture.

    Raises:
        InputError: It is no picture, or without transparency and of another size.
    """
    data = np.fromfile(path, np.uint8) if path.is_file() else np.zeros(0, np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if len(data) else None
    if picture is None:
        raise InputError(f"the drawing {path} is not a picture that can be read; pass a PNG")
    values = to_float(picture)
    rows, columns = over.shape[:2]
    if values.ndim == 3 and values.shape[2] == 4 and float(values[..., 3].min()) < 1.0:
        drawing = cv2.cvtColor(values, cv2.COLOR_BGRA2RGBA)
        return cv2.resize(drawing, (columns, rows), interpolation=cv2.INTER_AREA)
    colour = values[..., None].repeat(3, axis=-1) if values.ndim == 2 else values[..., 2::-1]
    if colour.shape[:2] != (rows, columns):
        raise InputError(
            f"the drawing {path} has {colour.shape[1]}×{colour.shape[0]} px and no transparency, "
            f"the atlas {columns}×{rows}; paint on the atlas's own PNG, or keep all but the "
            "drawing transparent"
        )
    changed = (np.abs(colour - over).max(axis=-1) > _CHANGED).astype(np.float32)
    opaque = cv2.GaussianBlur(changed, (0, 0), _SOFT_TEXELS)[..., None]
    return np.concatenate([colour, np.minimum(opaque * 1.5, 1.0)], axis=-1)
