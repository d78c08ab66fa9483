"""Recognises by its mean light whether a frame is the one for which a plan was made."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.frames.alpha import small_seen
from unflicker.frames.colour import proxy_size, to_working
from unflicker.frames.fields import LOWER, UPPER, levelled_field
from unflicker.frames.picture import Picture
from unflicker.plan.plan import FramePlan

SPARSE = (slice(None, None, 2), slice(None, None, 2))
"""Every other pixel across and down, which is enough for the mean of a picture."""
_FIRST_FRAMES, _EVERY_FRAMES = 4, 48
"""The frames that are compared: so many at the beginning, then one in so many."""
_SAME = 0.002
"""Difference of mean light for the same frame: rounding differs by half a code of 8 bits at most. A
film that was encoded again may pass, and the plan fits it."""


def mean_light(light: Float32[np.ndarray, "height width 3"]) -> Float32[np.ndarray, " 3"]:
    """Mean red, green and blue of a proxy, or of its `SPARSE` pixels."""
    return np.array(cv2.mean(light)[:3], np.float32)  # NumPy takes 20 times as long


def is_of(picture: Picture, frame: FramePlan, *, proxy_px: int) -> bool:
    """Whether a picture has the mean light that its plan stores; True for frames not compared.

    Args:
        picture: The decoded frame, uncorrected.
        frame: Plan of the frame.
        proxy_px: Longest side of the proxies from which the plan was made, in px.
    """
    looked_at = frame.index < _FIRST_FRAMES or frame.index % _EVERY_FRAMES == 0
    if not looked_at or frame.damaged or not np.isfinite(frame.mean_before).all():
        return True
    size = proxy_size(picture.size, proxy_px)
    by_fields = frame.lower_grade is not None
    shown = [levelled_field(picture, one) for one in (UPPER, LOWER)] if by_fields else [picture]
    seen = np.mean([_seen(one, size) for one in shown], axis=0)
    return bool(np.abs(seen - frame.mean_before).max() < _SAME)


def _seen(picture: Picture, size: tuple[int, int]) -> Float32[np.ndarray, " 3"]:
    small, _ = small_seen(picture, size=size)
    return mean_light(to_working(small, picture.meaning)[SPARSE])
