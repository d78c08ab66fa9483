"""The small pictures on which a film is analysed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from unflicker.frames.alpha import small_seen
from unflicker.frames.colour import proxy_size, small_luma, small_rgb, to_working
from unflicker.frames.picture import Picture
from unflicker.video import VideoSource

_LUMA_PX = 960
"""Longest side of the luma in which overlays are looked for: strokes of text must be seen."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Proxy:
    """A frame made small, in working light."""

    pixels: Float32[np.ndarray, "height width 3"]
    """RGB in [0, 1]."""
    seconds: float
    """When it is shown."""
    damaged: bool = False
    original: Float32[np.ndarray, "height width 3"] | None = None
    """The same frame of the steady original, as large, where there is one."""
    opaque: Float32[np.ndarray, "height width"] | None = None
    """How opaque each pixel is, 0 to 1; None where all are."""
    luma: Picture | None = None
    """Its luma, larger than the proxy, to find what was laid over the scene; None with
    transparency, under which anything may lie."""


def proxies_of(film: VideoSource, longest_px: int) -> Iterator[Proxy]:
    """The frames of a film made small, in order; their longest side is `longest_px`."""
    size = proxy_size(film.size, longest_px)
    for frame in film.frames():
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
    """A picture in working light at another size."""
    return to_working(small_rgb(picture, size=size), picture.meaning)
