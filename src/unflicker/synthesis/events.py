"""Intended changes of light: lightning, flashes, strobes, fades, dissolves, fire.

A method that removes flicker must leave all of them unchanged, alone and under flicker. Each event
draws its own times and sizes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32

Clip = Float32[np.ndarray, "time height width 3"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Event:
    """An event's changes to the frames of a clip."""

    show: Callable[[Clip], Clip]
    """Applies the event to a clip in [0, 1]; flicker in the clip is preserved."""
    frames: Bool[np.ndarray, " time"]
    """The frames that it changes."""


Draw = Callable[[np.random.Generator, int, float], Event]
"""An event, from a random generator, the number of frames, and frames a second."""


def lightning(random: np.random.Generator, time: int, fps: float) -> Event:
    """Three to five strokes, each a leap of light by half and more that dies away."""
    light = np.ones(time)
    starts = np.linspace(0.12, 0.8, int(random.integers(3, 6))) * time
    for start in (starts + random.integers(0, 4, len(starts))).astype(int):
        after = np.arange(time - start)
        dies = random.uniform(0.07, 0.12) * fps
        light[start:] += random.uniform(0.55, 0.95) * np.exp(-after / dies)
    return _lit(light)


def flash(random: np.random.Generator, time: int, fps: float) -> Event:
    """Photographers' flashes: two to four, each for one or two frames, at different sizes."""
    del fps
    light = np.ones(time)
    places = np.arange(4, time - 4, 5)
    for start in random.choice(places, int(random.integers(2, 5)), replace=False):
        light[start : start + random.integers(1, 3)] = random.uniform(1.6, 2.4)
    return _lit(light)


def strobe(random: np.random.Generator, time: int, fps: float) -> Event:
    """A strobe on a stage: a bright frame every sixth to tenth of a second or so."""
    light = np.ones(time)
    every = max(5, round(fps / random.uniform(3.5, 5.0)))
    light[int(random.integers(2, every)) :: every] = random.uniform(1.9, 2.6)
    return _lit(light)


def fade_in(random: np.random.Generator, time: int, fps: float) -> Event:
    """From black in half a second to a second."""
    length = _length(random, time, fps)
    return _lit(np.clip((np.arange(time) + 1.0) / length, 0.0, 1.0))


def fade_out(random: np.random.Generator, time: int, fps: float) -> Event:
    """To black in half a second to a second."""
    length = _length(random, time, fps)
    return _lit(np.clip((time - np.arange(time)) / length, 0.0, 1.0))


def fade_to_white(random: np.random.Generator, time: int, fps: float) -> Event:
    """To white in half a second to a second."""
    length = _length(random, time, fps)
    white = _over_time(np.clip((np.arange(time) - time + 1.0 + length) / length, 0.0, 1.0))
    return Event(show=lambda clip: clip * (1.0 - white) + white, frames=white.reshape(-1) > 0.0)


def dissolve(random: np.random.Generator, time: int, fps: float) -> Event:
    """Over half a second to a second into the same scene mirrored and shown backwards."""
    length = _length(random, time, fps)
    start = int(random.uniform(0.35, 0.55) * time)
    late = _over_time(np.clip((np.arange(time) - start) / length, 0.0, 1.0))
    return Event(
        show=lambda clip: clip * (1.0 - late) + clip[::-1, :, ::-1] * late,
        frames=(late.reshape(-1) > 0.0) & (late.reshape(-1) < 1.0),
    )


def fire(random: np.random.Generator, time: int, fps: float) -> Event:
    """A fire at the lower edge: its glow wanders, quick and warm, over a third of the picture."""
    memory = float(np.exp(-1.0 / (0.12 * fps)))
    level = np.zeros(time)
    for t in range(1, time):
        level[t] = memory * level[t - 1] + random.normal(0.0, np.sqrt(1.0 - memory**2))
    glow = np.exp(0.25 * level).astype(np.float32)
    across, width = random.uniform(0.3, 0.7), random.uniform(0.1, 0.16)
    warm = np.array([0.34, 0.2, 0.07], np.float32)

    def show(clip: Clip) -> Clip:
        rows, columns = clip.shape[1:3]
        y = np.linspace(0.0, 1.0, rows, dtype=np.float32)[:, None]
        x = np.linspace(0.0, 1.0, columns, dtype=np.float32)
        spot = np.exp(-0.5 * (((x - across) / width) ** 2 + ((1.0 - y) / width) ** 2))
        return np.minimum(clip * 0.7 + glow[:, None, None, None] * spot[..., None] * warm, 1.0)

    return Event(show=show, frames=np.ones(time, bool))


EVENTS: dict[str, Draw] = {
    "lightning": lightning,
    "flash": flash,
    "strobe": strobe,
    "fade in": fade_in,
    "fade out": fade_out,
    "fade to white": fade_to_white,
    "dissolve": dissolve,
    "fire": fire,
}
"""All events by name."""


def _length(random: np.random.Generator, time: int, fps: float) -> int:
    return int(min(round(random.uniform(0.5, 1.0) * fps), time // 3))


def _over_time(values: np.ndarray) -> Float32[np.ndarray, "time 1 1 1"]:
    return values.astype(np.float32)[:, None, None, None]


def _lit(light: np.ndarray) -> Event:
    """An event that multiplies the light of each frame; the scene is darkened so that the brightest
    frames do not clip."""
    factor = _over_time(light / max(1.0, 0.8 * light.max()))
    return Event(
        show=lambda clip: np.clip(clip * factor, 0.0, 1.0), frames=np.abs(light - 1.0) > 0.004
    )
