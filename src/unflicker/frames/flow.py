"""Optical flow as an array: `(height, width, 2)` in pixels, x first.

A flow from A to B gives the place in B of each pixel of A: its own place plus the flow.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.frames.dissolve import Dissolve

_ROUND_TRIP_PX = 0.7


@dataclass(frozen=True, kw_only=True, eq=False)
class Motion:
    """Motion between each frame and the next, both ways; lengths are one less than the frames'.

    Visibility is computed when it is first used, because few stages need it, and only for a part.
    """

    forward: Float32[np.ndarray, "pairs height width 2"]
    """From frame t to frame t+1, in px, x first."""
    backward: Float32[np.ndarray, "pairs height width 2"]
    """From frame t+1 back to frame t."""
    scene: Float32[np.ndarray, "frames height width"] | None = None
    """Share of each pixel that is scene, 0 to 1; None if all are. Other pixels are never trusted.
    """
    dissolves: tuple[Dissolve, ...] = ()
    """Frames whose light changes because one picture replaces another."""

    @cached_property
    def visible_forward(self) -> Float32[np.ndarray, "pairs height width"]:
        """Visibility of each pixel of frame t in frame t+1, 0 to 1."""
        seen = _visible(self.forward, self.backward)
        return seen if self.scene is None else seen * self.scene[:-1]

    @cached_property
    def visible_backward(self) -> Float32[np.ndarray, "pairs height width"]:
        """Visibility of each pixel of frame t+1 in frame t."""
        seen = _visible(self.backward, self.forward)
        return seen if self.scene is None else seen * self.scene[1:]

    def back(self, first: int, last: int, *, size: tuple[int, int]) -> BackwardMotion:
        """Backward motion between two frames, at another size.

        Args:
            first: Index of the first frame.
            last: Index of the last frame, included.
            size: Height and width of the result in px; flow is scaled along.
        """
        height, width = self.forward.shape[1:3]
        scale = np.array([size[1] / width, size[0] / height], np.float32)
        scene = None if self.scene is None else self.scene[first : last + 1]
        part = Motion(
            forward=self.forward[first:last], backward=self.backward[first:last], scene=scene
        )
        known = "visible_backward" in self.__dict__
        visible = self.visible_backward[first:last] if known else part.visible_backward
        return BackwardMotion(
            backward=resized(part.backward, size) * scale, visible_backward=resized(visible, size)
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class BackwardMotion:
    """Motion from each frame but the first back to the one before it."""

    backward: Float32[np.ndarray, "pairs height width 2"]
    """Flow in px, x first."""
    visible_backward: Float32[np.ndarray, "pairs height width"]
    """Visibility of each pixel in the frame before, 0 to 1."""


def visibility(
    there: Float32[np.ndarray, "height width 2"], back: Float32[np.ndarray, "height width 2"]
) -> Float32[np.ndarray, "height width"]:
    """Visibility of each pixel by a forward-backward check, 0 to 1 (`visibility_at`).

    Args:
        there: Flow to the other frame in px, x first.
        back: Flow from the other frame.
    """
    return visibility_at(pixel_places(*there.shape[:2]), there, back)


def visibility_at(
    places: Float32[np.ndarray, "rows columns 2"],
    there: Float32[np.ndarray, "rows columns 2"],
    back: Float32[np.ndarray, "height width 2"],
) -> Float32[np.ndarray, "rows columns"]:
    """Visibility of places by a forward-backward check, 0 to 1.

    One where the round trip ends within a fraction of a pixel, falling to zero over about a pixel
    (two where the motion is fast), and zero where the way leads out of the picture.

    Args:
        places: In px, x first.
        there: Flow at these places to the other frame, in px.
        back: Flow from the other frame, dense, in px.
    """
    height, width = back.shape[:2]
    landing = places + there
    miss = there + look_up(back, landing)
    tolerance = _ROUND_TRIP_PX**2 + 0.01 * _squared(there)
    seen = cv2.exp(-0.5 * _squared(miss) / tolerance)
    x, y = landing[..., 0], landing[..., 1]
    seen[(x < -0.5) | (x > width - 0.5) | (y < -0.5) | (y > height - 0.5)] = 0.0
    return seen


def _visible(
    there: Float32[np.ndarray, "pairs height width 2"],
    back: Float32[np.ndarray, "pairs height width 2"],
) -> Float32[np.ndarray, "pairs height width"]:
    seen = np.empty(there.shape[:3], np.float32)
    for pair, ways in enumerate(zip(there, back, strict=True)):
        seen[pair] = visibility(*ways)
    return seen


def _squared(
    vectors: Float32[np.ndarray, "height width 2"],
) -> Float32[np.ndarray, "height width"]:
    x, y = vectors[..., 0], vectors[..., 1]
    return x * x + y * y


def resized(
    pictures: Float32[np.ndarray, "time height width *channels"], size: tuple[int, int]
) -> Float32[np.ndarray, "time rows columns *channels"]:
    """Pictures at another size, each pixel the mean of what it covers.

    Args:
        pictures: Any values.
        size: Height and width of the result in px.
    """
    small = np.empty((len(pictures), *size, *pictures.shape[3:]), np.float32)
    for picture, into in zip(pictures, small, strict=True):
        cv2.resize(picture, size[::-1], dst=into, interpolation=cv2.INTER_AREA)
    return small


def warp(
    picture: Float32[np.ndarray, "height width *channels"],
    flow: Float32[np.ndarray, "height width 2"],
) -> Float32[np.ndarray, "height width *channels"]:
    """The picture at each pixel's place plus flow, bilinear; the border is continued.

    With the flow from A to B, `warp(B, flow)` is B aligned to A.

    Args:
        picture: Any values.
        flow: In px, x first.
    """
    return look_up(picture, flow + pixel_places(flow.shape[0], flow.shape[1]))


def look_up(
    picture: Float32[np.ndarray, "height width *channels"],
    places: Float32[np.ndarray, "rows columns 2"],
) -> Float32[np.ndarray, "rows columns *channels"]:
    """The picture's values at places, bilinear; the border is continued.

    Args:
        picture: Any values.
        places: In px, x first; pixel centres are integers.
    """
    # A map of two channels takes no second one, which the stubs do not know.
    remap: Any = cv2.remap
    return remap(picture, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


@lru_cache(maxsize=8)
def pixel_places(height: int, width: int) -> Float32[np.ndarray, "height width 2"]:
    """The place of each pixel in px, x first; pixel centres are integers. Read-only.

    Args:
        height: In px.
        width: In px.
    """
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    places = np.stack([x, y], axis=-1)
    places.setflags(write=False)
    return places
