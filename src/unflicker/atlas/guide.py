"""What an atlas says of each frame: a guide to its colours, and how far to trust it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.ahead import in_parallel
from unflicker.atlas.make import ShotAtlas
from unflicker.frames.flow import resized
from unflicker.frames.structure import CODES_A_DEVIATION, normalised

_STRUCTURE_BLUR_PX = 3.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Guide:
    """How an atlas renders the frames of a shot: consistent, flawed, and it knows where."""

    pictures: Float32[np.ndarray, "time height width 3"]
    trust: Float32[np.ndarray, "time height width"]
    """How likely the slightly blurred colour is within 2 ΔE of the true one, 0 to 1."""


def signs(
    frame: Float32[np.ndarray, "height width 3"],
    rendered: Float32[np.ndarray, "height width 3"],
    stretch: Float32[np.ndarray, "height width"],
) -> Float32[np.ndarray, "height width signs"]:
    """What is known of a guide's worth without the truth, at each pixel."""
    here, there = (normalised(picture).astype(np.float32) for picture in (frame, rendered))
    miss = cv2.blur(np.abs(here - there) / np.float32(CODES_A_DEVIATION), (1, 1))
    miss = cv2.GaussianBlur(miss, (0, 0), _STRUCTURE_BLUR_PX)
    steep = cv2.GaussianBlur(rendered, (0, 0), 2.0)
    gradient = np.abs(np.diff(steep, axis=0, append=steep[-1:])).mean(-1) + np.abs(
        np.diff(steep, axis=1, append=steep[:, -1:])
    ).mean(-1)
    return np.stack([miss, miss * miss, np.log(gradient + 0.002), stretch], axis=-1)
