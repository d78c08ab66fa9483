"""Scenes in which things move by themselves."""

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
)


@scene
def on_twos(make: Maker) -> Scene:
    """A cartoon of flat colours, a drawing every other frame."""
    colours = make.random.uniform(0.1, 0.95, (6, 3)).astype(np.float32)

    def at(t: int) -> Picture:
        t = t // 2 * 2
        frame = over(
            np.ones((*SIZE, 3), np.float32) * colours[0], colours[1], box(-1, 120, 321, 181)
        )
        frame = over(frame, colours[2], disc(60 + t * 2, 90 + 20 * np.sin(t / 5), 25))
        frame = over(frame, colours[4], disc(68 + t * 2, 85 + 20 * np.sin(t / 5), 5))
        return over(frame, colours[3], box(200 - t, 60 + 10 * np.sin(t / 4), 230 - t, 120))

    return at


@scene
def stop_motion(make: Maker) -> Scene:
    """A figure moved every fourth frame."""
    under, figure = make.still(), make.still()
    steps = make.random.normal(0, 8, (FRAMES // 4 + 1, 2))
    places = np.cumsum(steps, 0) + np.array([160, 90])
    return lambda t: over(under, figure, disc(*places[t // 4], 26))


@scene
def dark_object(make: Maker) -> Scene:
    """A large dark thing crosses the picture."""
    photo = make.photo()
    return lambda t: over(view(photo), 0.03, disc(-130 + t * 6.5, 100, 95, 2))


@scene
def talking_head(make: Maker) -> Scene:
    """A face and its mouth before a still room."""
    room, face = make.still(), make.photo()

    def at(t: int) -> Picture:
        x, y = 2 * np.sin(t / 7), 1.5 * np.sin(t / 3)
        frame = over(room, view(face, x, y), disc(160 + x, 100 + y, 60, 2))
        return over(frame, 0.05, disc(160, 125, 3 + 4 * abs(np.sin(t / 2))))

    return at


@scene
def confetti(make: Maker) -> Scene:
    """Paper that falls and turns."""
    under, count = make.still(), 250
    start = make.random.uniform(0, (SIZE[1], SIZE[0] * 2), (count, 2))
    speed = np.stack([make.random.normal(0, 0.7, count), make.random.uniform(1.5, 4, count)], 1)
    colours, phases = make.random.uniform(0, 1, (count, 3)), make.random.uniform(0, 6, count)

    def at(t: int) -> Picture:
        frame = under.copy()
        for place, colour, phase in zip(start + speed * t, colours, phases, strict=True):
            seen = abs(np.sin(phase + t * 0.4))
            x, y = int(place[0] % SIZE[1]), int(place[1] % (2 * SIZE[0]))
            tint = tuple(float(part) * (0.5 + 0.5 * seen) for part in colour)
            cv2.ellipse(frame, (x, y), (3, max(1, int(3 * seen))), 0, 0, 360, tint, -1, cv2.LINE_AA)
        return frame

    return at


@scene
def rain(make: Maker) -> Scene:
    """Streaks in other places in every frame."""
    under, random = make.still() * 0.7, make.random

    def at(_: int) -> Picture:
        frame = under.copy()
        for x, y in random.uniform(-10, SIZE[::-1], (120, 2)).astype(int).tolist():
            cv2.line(frame, (x, y), (x - 2, y + 12), (0.8, 0.8, 0.85), 1, cv2.LINE_AA)
        return frame

    return at


@scene
def water(make: Maker) -> Scene:
    """A picture and its reflection in waves, with glints."""
    photo, count = make.still(), 10
    ways, pace = make.random.normal(0, 0.16, (count, 2)), make.random.uniform(0.2, 0.7, count)
    phases = make.random.uniform(0, 6, count)
    low = np.clip((ROWS - 90) / 10, 0, 1)
    mirrored = np.where(ROWS > 90, 180 - ROWS, ROWS)

    def at(t: int) -> Picture:
        angles = ways @ np.stack([COLUMNS.ravel(), ROWS.ravel()]) + (pace * t + phases)[:, None]
        x, y = ((ways[:, k] @ np.cos(angles)).reshape(SIZE) for k in (0, 1))
        places = (COLUMNS + low * x * 6, mirrored + low * y * 8)
        mapped = [place.astype(np.float32) for place in places]
        seen = cv2.remap(photo, *mapped, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        return (
            seen * (1 - 0.25 * low[..., None]) + (low * np.clip(x + y - 0.55, 0, 1) * 2)[..., None]
        )

    return at
