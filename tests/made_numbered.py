"""A small film that flickers, each of whose frames shows its own number as a row of bits.

It is a Gray code: one bit changes from frame to frame, so that no change is taken for a cut.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from made_clips import panning
from unflicker.frames.clip import Clip
from unflicker.settings import EncodingSettings
from unflicker.synthesis import synthesise
from unflicker.video import ArraySource, open_writer

BITS, BLOCK = 7, 16
_FOR_BROWSERS = EncodingSettings(codec="libx264", crf=10.0, pix_fmt="yuv420p")


def numbered_film(
    path: Path, *, time: int = 36, size: tuple[int, int] = (96, 256), seed: int = 1
) -> Path:
    """Write the film; the bits stand at the left and at the right end of the last rows."""
    steady = panning(time=time, size=size, seed=seed)
    clip = synthesise(steady, kind="exposure", seed=seed, strength=1.0).clip
    pixels = clip.pixels.copy()
    for index, picture in enumerate(pixels):
        bits = [((index ^ index >> 1) >> place) & 1 for place in range(BITS)]
        row = np.repeat(np.array(bits, np.uint8) * 255, BLOCK)
        picture[-BLOCK:, : len(row)] = row[:, None]
        picture[-BLOCK:, -len(row) :] = row[:, None]
    film = ArraySource(Clip(pixels=pixels, seconds=clip.seconds))
    with open_writer(film, path, encoding=_FOR_BROWSERS, overwrite=True) as writer:
        for frame in film.frames():
            writer.write(frame)
    return path


def number_in(pixels: np.ndarray, *, at_right: bool = False) -> int:
    """The number that a picture `(height, width[, 3])` of this film's size shows."""
    row = pixels[-BLOCK // 2].reshape(pixels.shape[1], -1).mean(axis=1)
    row = row[-BITS * BLOCK :] if at_right else row[: BITS * BLOCK]
    middles = row[BLOCK // 2 :: BLOCK]
    code = sum(int(value > 127) << place for place, value in enumerate(middles))
    number = 0
    while code:
        number, code = number ^ code, code >> 1
    return number
