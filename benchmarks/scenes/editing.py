"""Scenes as editors join them."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from scenes.drawing import (
    FRAMES,
    MIDDLE,
    SCENES,
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
def wipe(make: Maker) -> Scene:
    """One picture slides over another."""
    one, other = make.still(), make.still()
    return lambda t: over(one, other, box(-9, -9, SIZE[1] * (t - 30) / 30, SIZE[0] + 9))


@scene
def iris_in(make: Maker) -> Scene:
    """A growing disc, as in silent film."""
    one = make.still()
    return lambda t: one * disc(160, 90, 190 * np.clip((t - 10) / 30, 0, 1), 3)


@scene
def iris_out(make: Maker) -> Scene:
    """A shrinking one."""
    one = make.still()
    return lambda t: one * disc(160, 90, 190 * np.clip((75 - t) / 40, 0, 1), 3)


@scene
def credits_roll(make: Maker) -> Scene:
    """White letters that rise on black."""
    strip = np.zeros((SIZE[0] * 4, SIZE[1], 3), np.float32)
    for line in range(26):
        left = 30 + int(make.random.integers(60))
        write(strip, make.words(int(make.random.integers(8, 22))), (left, 30 + line * 26), 0.6)
    return lambda t: strip[t * 3 : t * 3 + SIZE[0]]


@scene
def title(make: Maker) -> Scene:
    """A title that comes and goes over a dark picture."""
    under, letters = make.still() * 0.3, np.zeros((*SIZE, 3), np.float32)
    write(letters, "THE END", (60, 100), 1.4, 2)
    return lambda t: np.maximum(
        under, letters * np.clip((t - 20) / 12, 0, 1) * np.clip((70 - t) / 12, 0, 1)
    )


@scene
def subtitles(make: Maker) -> Scene:
    """A line of words every second under a pan."""
    photo, lines = make.photo(), []
    for _ in range(4):
        lines.append(np.zeros((*SIZE, 3), np.float32))
        write(lines[-1], make.words(18), (40, 165), 0.6, 2)
    return lambda t: np.maximum(view(photo, t * 0.5), lines[t // 24 % 4] * (t % 24 > 3))


def _inset(photo: Picture, other: Picture, t: int) -> Picture:
    frame = view(photo, t * 0.4).copy()
    frame[10:72, 200:310] = cv2.resize(view(other, -t * 0.8), (110, 62))
    return frame


@scene
def picture_in_picture(make: Maker) -> Scene:
    """A small film in a large one."""
    one, other = make.photo(), make.photo()
    return lambda t: _inset(one, other, t)


@scene
def inset_appears(make: Maker) -> Scene:
    """The same for part of the time."""
    one, other = make.photo(), make.photo()
    return lambda t: _inset(one, other, t) if 30 <= t < 66 else view(one, t * 0.4)


@scene
def split_screen(make: Maker) -> Scene:
    """Two films side by side."""
    one, other = make.photo(), make.photo()
    return lambda t: over(view(one, t * 0.8), view(other, 0, -t * 0.5), box(160, -1, 321, 181))


@scene
def blurred_bars(make: Maker) -> Scene:
    """An upright film before its own blur."""
    photo = make.photo()

    def at(t: int) -> Picture:
        sharp = view(photo, t * 0.7)
        blurred = cv2.GaussianBlur(sharp, (0, 0), 9)
        blurred[:, 110:210] = sharp[:, 110:210]
        return blurred

    return at


@scene
def letterbox(make: Maker) -> Scene:
    """Black bars above and below."""
    photo = make.photo()
    return lambda t: view(photo, t * 0.6) * box(-1, 24, 321, 155)


@scene
def popup(make: Maker) -> Scene:
    """A bright panel for a second."""
    photo, panel = make.photo(), make.still() * 0.3 + 0.6
    return lambda t: over(view(photo, t * 0.3), panel, box(50, 40, 270, 150) * (35 <= t < 60))


@scene
def hard_slides(make: Maker) -> Scene:
    """A photograph every eight frames."""
    photos = [make.still() for _ in range(12)]
    return lambda t: photos[t // 8]


@scene
def montage(make: Maker) -> Scene:
    """A photograph every other frame."""
    photos = [make.still() for _ in range(MIDDLE)]
    return lambda t: photos[t // 2]


@scene
def every_frame_another(make: Maker) -> Scene:
    """A photograph every frame."""
    photos = [make.still() for _ in range(FRAMES)]
    return lambda t: photos[t]


@scene
def ken_burns(make: Maker) -> Scene:
    """Photographs under a pan and zoom, with cuts."""
    photos = [make.photo() for _ in range(3)]
    return lambda t: view(photos[t // 30], t % 30 * 0.9, zoom=0.7 * 1.008 ** (t % 30))


@scene
def black_frames(make: Maker) -> Scene:
    """Some black frames at a cut and one or two later."""
    one, other = make.photo(), make.photo()
    return lambda t: view(one if t < 33 else other, t * 0.4) * (not (30 <= t < 36 or t in {60, 61}))


@scene
def white_frames(make: Maker) -> Scene:
    """The same in white."""
    one, other = make.photo(), make.photo()
    return lambda t: np.maximum(view(one if t < 31 else other, t * 0.4), t in {30, 31, 60})


def through_flat(colour: float, length: int, hold: int, *, cuts: bool) -> Callable[[Maker], Scene]:
    """A fade through a flat colour in the middle, to the same picture or another."""

    def make_it(make: Maker) -> Scene:
        one, other = make.photo(), make.photo()

        def at(t: int) -> Picture:
            share = np.clip((abs(t - MIDDLE) - hold / 2) / length, 0, 1)
            photo = other if cuts and t >= MIDDLE else one
            return over(view(photo, t * 0.4), colour, 1 - share)

        return at

    return make_it


def from_and_to_flat(colour: float, length: int, frames: int) -> Callable[[Maker], Scene]:
    """A fade in, a scene of some frames, and a fade out, then nothing more."""

    def make_it(make: Maker) -> Scene:
        photo = make.photo()
        return lambda t: over(
            view(photo, t * 0.4),
            colour,
            1 - np.clip(min(t + 1, frames - t) / length, 0, 1),
        )

    return make_it


for _colour, _name in ((0.0, "black"), (1.0, "white"), (0.5, "grey")):
    for _length in (3, 4, 6, 9, 14, 22):
        for _hold in (0, 2, 8):
            for _cuts in (False, True):
                _full = f"{_name}_{_length}_{_hold}{'_cut' if _cuts else ''}"
                SCENES[f"through_{_full}"] = through_flat(_colour, _length, _hold, cuts=_cuts)
        SCENES[f"fades_{_name}_{_length}"] = from_and_to_flat(_colour, _length, 50)
