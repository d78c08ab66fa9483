"""Proxies, the downscaled frames on which analysis runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from unflicker.frames.alpha import small_seen
from unflicker.frames.colour import proxy_size, small_luma, small_rgb, to_working
from unflicker.frames.picture import Frame, Picture
from unflicker.video import VideoSource

_LUMA_PX = 960
"""Longest side of the luma in which overlays are found: it must show strokes of text."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Proxy:
    """A downscaled frame in working light."""

    pixels: Float32[np.ndarray, "height width 3"]
    """RGB in [0, 1]."""
    seconds: float
    """Presentation time."""
    damaged: bool = False
    original: Float32[np.ndarray, "height width 3"] | None = None
    """The same frame of the steady original, if there is one."""
    opaque: Float32[np.ndarray, "height width"] | None = None
    """Opacity of each pixel, 0 to 1; None if all are opaque."""
    luma: Picture | None = None
    """Its luma, larger than the proxy, to find overlays; None for frames with transparency."""


def proxies_of(
    film: VideoSource, longest_px: int, *, frames: Iterator[Frame] | None = None
) -> Iterator[Proxy]:
    """The proxies of a film's frames, in order.

    Args:
        film: Read once.
        longest_px: Longest side of a proxy.
        frames: Those of the film from one on; None for all.
    """
    size = proxy_size(film.size, longest_px)
    for frame in film.frames() if frames is None else frames:
        stored, opaque = small_seen(frame.picture, size=size)
        yield Proxy(
            pixels=to_working(stored, frame.picture.meaning),
            seconds=frame.seconds,
            damaged=frame.damaged,
            original=light_of(frame.original, size=size) if frame.original is not None else None,
            opaque=opaque,
            luma=small_luma(frame.picture, longest_px=_LUMA_PX) if opaque is None else None,
        )


def light_of(picture: Picture, *, size: tuple[int, int]) -> Float32[np.ndarray, "height width 3"]:
    """A picture in working light, resampled.

    Args:
        picture: Of any size.
        size: Height and width of the result, in px.
    """
    return to_working(small_rgb(picture, size=size), picture.meaning)
