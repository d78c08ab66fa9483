"""Scenes of screens."""

from __future__ import annotations

import cv2
import numpy as np

from scenes.drawing import (
    COLUMNS,
    FRAMES,
    ROWS,
    SIZE,
    Maker,
    Picture,
    Scene,
    box,
    disc,
    over,
    scene,
    view,
    write,
)


@scene
def scrolled_page(make: Maker) -> Scene:
    """A white page of words and pictures, scrolled now and then by 20 px a frame."""
    page = np.zeros((1400, SIZE[1], 3), np.float32)
    for line in range(60):
        write(page, make.words(34), (16, 20 + line * 22), 0.45)
    page = 0.97 - 0.85 * page
    for top in (200, 600, 1000):
        page[top : top + 120, 60:260] = cv2.resize(make.still(), (200, 120))
    places = np.cumsum(np.where(np.arange(FRAMES) // 15 % 2 == 0, 0, 20))
    return lambda t: page[places[t] : places[t] + SIZE[0]]


@scene
def game(make: Maker) -> Scene:
    """A world that scrolls under an interface; a bar blinks."""
    world, colours = make.photo(), make.random.uniform(0.1, 0.9, (4, 3)).astype(np.float32)

    def at(t: int) -> Picture:
        frame = over(view(world, t * 2.0), colours[0], box(0, 150, 320, 180))
        frame = over(frame, colours[1 + t // 4 % 2], box(10, 158, 110, 170))
        return over(
            frame, colours[3], disc(80 + 20 * np.sin(t / 4), 120 - 30 * abs(np.sin(t / 6)), 12)
        )

    return at


@scene
def scan_lines(make: Maker) -> Scene:
    """Lines that drift down."""
    photo = make.photo()
    return lambda t: (
        view(photo, t * 0.5) * (0.8 + 0.2 * np.sign(np.sin((ROWS + t * 2) / 2.5)))[..., None]
    )


@scene
def fine_grating(make: Maker) -> Scene:
    """Stripes that move by half their width."""
    phase = make.random.uniform(0, 6)
    tint = np.array([1, 0.9, 0.8])
    return lambda t: (
        (0.5 + 0.4 * np.sin((COLUMNS * 0.8 + ROWS * 0.3) / 2.2 + phase + t * 0.9))[..., None] * tint
    )
