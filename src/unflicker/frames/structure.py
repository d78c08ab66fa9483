"""Structure of a picture, with its light divided out."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from unflicker.frames.colour import LUMA

_NEIGHBOURHOOD_PX = 5.0
_LEAST_CONTRAST = 0.015
CODES_A_DEVIATION = 42.0
"""How many codes of `normalised` a local standard deviation spans."""


def normalised(
    picture: Float32[np.ndarray, "height width 3"],
) -> UInt8[np.ndarray, "height width"]:
    """The structure of a picture without its light: luma's detail over its local contrast."""
    luma = picture @ LUMA
    mean = cv2.GaussianBlur(luma, (0, 0), _NEIGHBOURHOOD_PX)
    detail = luma - mean
    contrast = np.sqrt(cv2.GaussianBlur(detail * detail, (0, 0), _NEIGHBOURHOOD_PX))
    detail /= contrast + _LEAST_CONTRAST * np.maximum(mean, 0.15)
    return np.clip(detail * CODES_A_DEVIATION + 128.0, 0, 255).astype(np.uint8)
