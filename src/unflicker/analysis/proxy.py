"""Proxies, the downscaled frames on which analysis runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from unflicker.frames.alpha import small_seen
from unflicker.frames.colour import proxy_size, small_luma, small_rgb, to_working
from unflicker.frames.picture import Frame, Picture
from unflicker.frames.shift import inside_bars
from unflicker.motion import Registered, Shifts
from unflicker.video import VideoSource

_LUMA_PX = 960
"""Longest side of the luma in which overlays are found: it must show strokes of text."""
_GATE_PX, _LEAST_GATE_PX = 480, 48
"""Longest side of the luma in which shifts are measured, to some hundredths of a px; and the least
shorter side."""


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
    shifts: Shifts | None = None
    """How far its parts have moved from the frame before; None if not measured."""


def proxies_of(
    film: VideoSource,
    longest_px: int,
    *,
    frames: Iterator[Frame] | None = None,
    measures_gate: bool = False,
) -> Iterator[Proxy]:
    """The proxies of a film's frames, in order.

    Args:
        film: Read once.
        longest_px: Longest side of a proxy.
        frames: Those of the film from one on; None for all.
        measures_gate: Whether shifts from frame to frame are measured.
    """
    size = proxy_size(film.size, longest_px)
    gate = _Gate() if measures_gate and _can_weave(film) else None
    for frame in film.frames() if frames is None else frames:
        stored, opaque = small_seen(frame.picture, size=size)
        yield Proxy(
            pixels=to_working(stored, frame.picture.meaning),
            seconds=frame.seconds,
            damaged=frame.damaged,
            original=light_of(frame.original, size=size) if frame.original is not None else None,
            opaque=opaque,
            luma=small_luma(frame.picture, longest_px=_LUMA_PX) if opaque is None else None,
            shifts=gate.shifts_to(frame.picture) if gate is not None else None,
        )


class _Gate:
    """Measures shifts from frame to frame."""

    def __init__(self) -> None:
        self._before: Registered | None = None

    def shifts_to(self, picture: Picture) -> Shifts | None:
        """Those of the next picture from the last one; None for the first.

        Bars stand still, whatever the scene does, and are left out.
        """
        luma = small_luma(picture, longest_px=_GATE_PX)
        now = Registered(luma.planes[0], within=inside_bars(luma))
        before, self._before = self._before, now
        return None if before is None else now.shifts_from(before)


def _can_weave(film: VideoSource) -> bool:
    """Whether pictures are large enough, and whole: the fields of a frame lie apart in time."""
    small = min(proxy_size(film.size, _GATE_PX))
    return film.traits.field_order <= 1 and small >= _LEAST_GATE_PX


def light_of(picture: Picture, *, size: tuple[int, int]) -> Float32[np.ndarray, "height width 3"]:
    """A picture in working light, resampled.

    Args:
        picture: Of any size.
        size: Height and width of the result, in px.
    """
    return to_working(small_rgb(picture, size=size), picture.meaning)
