"""Hairs and lint in the gate, with their truth: thin curved things at the border that stay.

A hair is a density in [-1, 1], as in `synthesis.damage`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.synthesis.damage import Density, lasting

Curve = Float32[np.ndarray, "points 2"]
"""Places along a hair from the border inward, in px, x first."""
LENGTH_PX = (25.0, 150.0)
"""Shortest and longest hair, in px of a film 640 px wide."""
WIDTH_PX = (1.2, 4.0)
"""Thinnest and widest hair, likewise."""
OPACITY = (0.45, 0.95)
"""Opacity of a hair, least and most."""
LASTS_FRAMES = (10, 200)
"""Shortest and longest stay; short ones are as frequent as long ones in each octave."""
_DARK = 0.85
"""Share of hairs that are dark: those in the gate of a camera, on its negative, print bright."""
_SHIFTS = 0.3
"""Chance that a hair moves to another place once during its stay."""
_SHIFT_PX = (-30.0, 30.0)
"""How far, in px of a film 640 px wide."""
_DRAWN_WIDTH_PX = 640
_STEP_PX = 3.0
"""Length of a piece of a curve, in px of a film 640 px wide."""
_FINER = 16
"""Parts of a px to which OpenCV draws."""


def drawn_hairs(
    random: np.random.Generator, *, size: tuple[int, int], time: int, count: int
) -> Iterator[Density]:
    """Hairs of each frame: they begin at the border, stay in their place and sway a little.

    Args:
        random: Random generator.
        size: Height and width in px.
        time: Number of frames.
        count: Number of hairs in all.

    Yields:
        The density of each frame.
    """
    hairs = [_Hair.drawn(random, size=size, time=time) for _ in range(count)]
    yield from lasting(hairs, size=size, time=time)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Hair:
    start: int
    stop: int
    curve: Curve
    width_px: float
    opacity: float
    sways_px: float
    shifts_at: int
    """Frame from which on it lies elsewhere; after its end if it does not."""
    shift_px: Float32[np.ndarray, " 2"]
    """How far that is, along the border that it begins at; x first."""

    @classmethod
    def drawn(cls, random: np.random.Generator, *, size: tuple[int, int], time: int) -> _Hair:
        scale = size[1] / _DRAWN_WIDTH_PX
        lasts = int(np.exp(random.uniform(*np.log(LASTS_FRAMES))))
        start = int(random.integers(-lasts // 2, max(time - lasts // 2, 1)))
        sign = -1.0 if random.uniform() < _DARK else 1.0
        shifts = random.uniform() < _SHIFTS
        curve = _curve(random, size=size)
        at_side = curve[0, 0] in (0, size[1] - 1)
        along = np.array([not at_side, at_side], np.float32)
        return cls(
            start=start,
            stop=start + lasts,
            curve=curve,
            width_px=scale * float(random.uniform(*WIDTH_PX)),
            opacity=sign * float(random.uniform(*OPACITY)),
            sways_px=scale * float(random.uniform(0.0, 0.5)),
            shifts_at=start + (int(random.uniform(0.3, 0.7) * lasts) if shifts else lasts),
            shift_px=along * np.float32(scale * random.uniform(*_SHIFT_PX)),
        )

    def put(self, density: Density, frame: int) -> None:
        if not self.start <= frame < self.stop:
            return
        # The free end sways, the root is held.
        along = np.linspace(0.0, 1.0, len(self.curve), dtype=np.float32)[:, None]
        sway = np.float32(self.sways_px * np.sin(0.7 * (frame - self.start)))
        places = self.curve + sway * along
        if frame >= self.shifts_at:
            # Along the border that it begins at.
            places = places + self.shift_px
        part = self.opacity * _stroke(places, self.width_px, density.shape)
        np.copyto(density, part, where=np.abs(part) > np.abs(density))


def _curve(random: np.random.Generator, *, size: tuple[int, int]) -> Curve:
    """A smooth curve from a place at the border inward."""
    height, width = size
    scale = width / _DRAWN_WIDTH_PX
    side, share = int(random.integers(4)), float(random.uniform(0.03, 0.97))
    root = [(0, share * height), (width - 1, share * height), (share * width, 0),
            (share * width, height - 1)][side]  # fmt: skip
    inward = (0.0, np.pi, 0.5 * np.pi, -0.5 * np.pi)[side]
    angle = inward + random.uniform(-0.9, 0.9)
    length = scale * np.exp(random.uniform(*np.log(LENGTH_PX)))
    many = max(int(length / (_STEP_PX * scale)), 4)
    bend, turn = float(random.normal(0.0, 0.03)), 0.0
    places = [np.array(root, np.float64)]
    for _ in range(many):
        turn = 0.7 * turn + float(random.normal(0.0, 0.05))
        angle += bend + turn
        places.append(places[-1] + _STEP_PX * scale * np.array([np.cos(angle), np.sin(angle)]))
    return np.array(places, np.float32)


def _stroke(places: Curve, width_px: float, size: tuple[int, ...]) -> Density:
    """A drawn curve with soft edges, 0 to 1."""
    canvas = np.zeros(size, np.uint8)
    points = np.rint(places * _FINER).astype(np.int32).reshape(-1, 1, 2)
    wide = max(round(width_px), 1)
    cv2.polylines(
        canvas, [points], isClosed=False, color=255, thickness=wide, lineType=cv2.LINE_AA, shift=4
    )
    # OpenCV draws whole widths; what is less than that is less opaque.
    drawn = canvas.astype(np.float32) * np.float32(min(width_px / wide, 1.0) / 255.0)
    return cv2.GaussianBlur(drawn, (0, 0), 0.5)
