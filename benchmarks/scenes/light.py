"""Scenes whose light changes."""

from __future__ import annotations

import cv2
import numpy as np

from scenes.drawing import (
    COLUMNS,
    ROWS,
    SIZE,
    Maker,
    Picture,
    Scene,
    disc,
    glow,
    scene,
    view,
)


@scene
def explosion(make: Maker) -> Scene:
    """A flash that fades over a second, and its fire."""
    photo = make.photo()

    def at(t: int) -> Picture:
        seen, late = view(photo, t * 0.3) * 0.6, t - 35
        if late < 0:
            return seen
        left = np.exp(-late / 9)
        fire = disc(150, 90, 10 + late * 1.5, 20) * np.array([1, 0.75, 0.35])
        return seen * (1 + 1.2 * left) + fire * 1.3 * left

    return at


@scene
def headlights(make: Maker) -> Scene:
    """A car's light crosses a dark street."""
    street = make.still() * 0.25

    def at(t: int) -> Picture:
        x = -60 + t * 5
        lamps = disc(x - 14, 110, 5, 3) + disc(x + 14, 110, 5, 3)
        return street * (1 + 3 * glow(x, 110, 60, 45)) + 0.9 * lamps

    return at


@scene
def strobe(make: Maker) -> Scene:
    """A lamp that fires every eighth frame."""
    photo = make.photo()
    return lambda t: view(photo, t * 0.6) * (1.6 if t % 8 == 0 and 20 < t < 70 else 0.5)


@scene
def photographers(make: Maker) -> Scene:
    """Some flashes."""
    photo = make.photo()
    return lambda t: view(photo, t * 0.4) * (1.3 if t in {12, 33, 35, 58, 80} else 0.4)


@scene
def sun_comes_out(make: Maker) -> Scene:
    """Within a second."""
    photo = make.photo()
    return lambda t: view(photo, t * 0.2) * (0.5 + 0.45 / (1 + np.exp(-(t - 40) / 5)))


@scene
def clouds_pass(make: Maker) -> Scene:
    """Shadows of clouds over a still picture."""
    under, shade = make.still(), make.clouds(4, 22)
    return lambda t: (
        under
        * (0.4 + 0.6 / (1 + np.exp(-1.5 * shade[40 : 40 + SIZE[0], 100 + t * 4 : 420 + t * 4])))[
            ..., None
        ]
    )


@scene
def tunnel(make: Maker) -> Scene:
    """Dark for a second, with soft ends."""
    photo = make.photo(3.0)
    return lambda t: (
        view(photo, -150 + t * 3, zoom=0.8)
        * (0.12 + 0.88 / (1 + np.exp(-(abs(t - 44) - 14) / 1.5)))
    )


@scene
def tunnel_at_once(make: Maker) -> Scene:
    """The same with hard ends."""
    photo = make.photo(3.0)
    return lambda t: view(photo, -150 + t * 3, zoom=0.8) * (0.12 if 30 <= t < 58 else 1)


@scene
def television(make: Maker) -> Scene:
    """A screen with cuts, and its light in the room."""
    room, shots = make.still() * 0.3, [make.photo() for _ in range(6)]
    near = glow(160, 80, 120, 80)

    def at(t: int) -> Picture:
        screen = cv2.resize(view(shots[t // 15], t * 2.0), (120, 70))
        frame = room * (0.8 + 0.8 * screen.mean() * near)
        frame[45:115, 100:220] = screen
        return frame

    return at


@scene
def lens_flare(make: Maker) -> Scene:
    """Light that wanders over the picture."""
    photo = make.photo()

    def at(t: int) -> Picture:
        x = 60 + t * 2
        flare = 0.8 * np.exp(-np.hypot(COLUMNS - x, ROWS - 40) / 18)[..., None]
        return view(photo, t * 1.5) + flare + 0.12 * glow(320 - x, 140, 30, 30)

    return at
