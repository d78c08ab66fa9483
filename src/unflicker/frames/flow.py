"""Optical flow as an array: `(height, width, 2)` in pixels, x first.

A flow from A to B says for each pixel of A where it lies in B: at its place plus the flow.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from jaxtyping import Float32


@dataclass(frozen=True, kw_only=True, eq=False)
class Motion:
    """Motion between each frame and the next, both ways; lengths are one less than the frames'."""

    forward: Float32[np.ndarray, "pairs height width 2"]
    """From frame t to frame t+1, in px, x first."""
    backward: Float32[np.ndarray, "pairs height width 2"]
    """From frame t+1 back to frame t."""
    visible_forward: Float32[np.ndarray, "pairs height width"]
    """How far each pixel of frame t is trusted to be seen in frame t+1, 0 to 1."""
    visible_backward: Float32[np.ndarray, "pairs height width"]
    """How far each pixel of frame t+1 is trusted to be seen in frame t."""

    def part(self, first: int, last: int) -> Motion:
        """The motion between frames `first` and `last`, both included."""
        pairs = slice(first, last)
        return Motion(
            forward=self.forward[pairs],
            backward=self.backward[pairs],
            visible_forward=self.visible_forward[pairs],
            visible_backward=self.visible_backward[pairs],
        )

    def resized(self, size: tuple[int, int]) -> Motion:
        """The same motion for frames of another height and width."""
        height, width = self.forward.shape[1:3]
        scale = np.array([size[1] / width, size[0] / height], np.float32)
        return Motion(
            forward=resized(self.forward, size) * scale,
            backward=resized(self.backward, size) * scale,
            visible_forward=resized(self.visible_forward, size),
            visible_backward=resized(self.visible_backward, size),
        )


def resized(
    pictures: Float32[np.ndarray, "time height width *channels"], size: tuple[int, int]
) -> Float32[np.ndarray, "time rows columns *channels"]:
    """Pictures at another height and width, each pixel the mean of what it covers."""
    small = np.empty((len(pictures), *size, *pictures.shape[3:]), np.float32)
    for picture, into in zip(pictures, small, strict=True):
        cv2.resize(picture, size[::-1], dst=into, interpolation=cv2.INTER_AREA)
    return small


def warp(
    picture: Float32[np.ndarray, "height width *channels"],
    flow: Float32[np.ndarray, "height width 2"],
) -> Float32[np.ndarray, "height width *channels"]:
    """The picture seen at each pixel's place plus flow, bilinear; the border is continued.

    With the flow from A to B, `warp(B, flow)` is B laid over A.
    """
    return look_up(picture, flow + pixel_places(flow.shape[0], flow.shape[1]))


def look_up(
    picture: Float32[np.ndarray, "height width *channels"],
    places: Float32[np.ndarray, "rows columns 2"],
) -> Float32[np.ndarray, "rows columns *channels"]:
    """The picture's values at places in px, x first; bilinear, the border continued."""
    x, y = cv2.split(places)
    return cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


@lru_cache(maxsize=8)
def pixel_places(height: int, width: int) -> Float32[np.ndarray, "height width 2"]:
    """The place of each pixel, x first, in pixels; its centre is at whole numbers."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    places = np.stack([x, y], axis=-1)
    places.setflags(write=False)
    return places
