"""Scenes by what the camera does."""

from __future__ import annotations

import cv2
import numpy as np

from scenes.drawing import (
    FRAMES,
    SIZE,
    Maker,
    Picture,
    Scene,
    scene,
    view,
)


@scene
def still_photo(make: Maker) -> Scene:
    """Nothing moves."""
    one = make.still()
    return lambda _: one


@scene
def zoom_in(make: Maker) -> Scene:
    """By 1.2 % a frame."""
    photo = make.photo()
    return lambda t: view(photo, zoom=0.7 * 1.012**t)


@scene
def zoom_out(make: Maker) -> Scene:
    """By 1.3 % a frame."""
    photo = make.photo()
    return lambda t: view(photo, zoom=2.2 * 0.987**t)


@scene
def hand_held(make: Maker) -> Scene:
    """A shaking camera."""
    photo = make.photo()
    path = np.cumsum(make.random.normal(0, 1, (FRAMES, 2)), 0)
    path += make.random.normal(0, 2.5, path.shape) - path.mean(0)
    return lambda t: view(photo, *path[t], zoom=0.9, angle=path[t, 0] * 0.1)


@scene
def whip_pan(make: Maker) -> Scene:
    """A blurred pan over two frames' widths in half a second."""
    photo = make.photo(3.0)

    def at(t: int) -> Picture:
        blur = 1 + int(60 * np.exp(-(((t - 45) / 5) ** 2)))
        return cv2.blur(view(photo, -300 + 600 / (1 + np.exp(-(t - 45) / 3)), zoom=0.8), (blur, 1))

    return at


@scene
def fast_pan(make: Maker) -> Scene:
    """5.5 px a frame."""
    photo = make.photo(3.0)
    return lambda t: view(photo, -250 + t * 5.5, zoom=0.8)


@scene
def speed_ramp(make: Maker) -> Scene:
    """A pan that runs fast for a second."""
    photo = make.photo(3.0)
    path = np.cumsum(0.3 + 7 * np.exp(-(((np.arange(FRAMES) - 45) / 12) ** 2)))
    return lambda t: view(photo, path[t] - 70, zoom=0.8)


@scene
def rotation(make: Maker) -> Scene:
    """1.5 degrees a frame."""
    photo = make.photo(2.2)
    return lambda t: view(photo, zoom=0.8, angle=t * 1.5)


@scene
def focus_breathing(make: Maker) -> Scene:
    """Sharp and blurred in turn."""
    photo = make.photo()
    return lambda t: cv2.GaussianBlur(
        view(photo, zoom=0.75 + 0.015 * np.sin(t / 9)), (0, 0), 1.6 + 1.25 * np.sin(t / 9)
    )


@scene
def grainy(make: Maker) -> Scene:
    """Strong grain."""
    photo, random = make.photo(), make.random
    return lambda t: view(photo, t * 0.5) + random.normal(0, 0.06, (*SIZE, 1))


@scene
def dark_and_noisy(make: Maker) -> Scene:
    """A night, few photons."""
    photo, random = make.photo(), make.random
    return lambda t: (
        random.poisson(view(photo, t * 0.5) * 12) / 120 + random.normal(0, 0.008, (*SIZE, 3))
    )


@scene
def overexposed(make: Maker) -> Scene:
    """Much is white."""
    photo = make.photo()
    return lambda t: view(photo, t * 0.6) * 2.4


@scene
def saturated(make: Maker) -> Scene:
    """Colours beyond the gamut."""
    photo = make.photo()

    def at(t: int) -> Picture:
        seen = view(photo, t * 0.6)
        grey = seen.mean(-1, keepdims=True)
        return (grey + (seen - grey) * 3) * 1.4 - 0.15

    return at
