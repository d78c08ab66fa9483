"""Slide shows of photographs that dissolve into each other, steady and under synthetic flicker.

    python benchmarks/dissolves.py PHOTOS [--seeds 1 2] [--kinds none exposure local]

Each show has 110 frames at 24 a second, 320 px wide, still or under a slow pan and zoom. Columns:
frames of a picture and of its dissolve; pan in px a frame; seed; preset; kind; PSNR after one gain
a channel for each picture (the level of each is unknown), mean and worst frame, before > after
("same": bit for bit).
"""

from __future__ import annotations

import argparse
from itertools import product
from pathlib import Path

import cv2
import numpy as np

import unflicker
from scenes.drawing import photos_in, read_photo
from unflicker.frames.clip import Clip, from_float
from unflicker.synthesis import KINDS, synthesise

SIZE, FRAMES, FPS = (180, 320), 110, 24.0
MARGIN = (40, 60)
SHOWS = ((18, 6, 0.0), (30, 10, 0.0), (60, 24, 0.0), (24, 6, 0.5), (24, 10, 1.0), (40, 12, 0.3))


def main() -> None:
    """Print a line for each show, preset and kind."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--presets", nargs="+", default=["fast"])
    parser.add_argument(
        "--kinds", nargs="+", default=["none", "exposure", "local"], choices=["none", *KINDS]
    )
    options = parser.parse_args()
    photos = photos_in(options.photos)
    for seed, (piece, fade, speed) in product(options.seeds, SHOWS):
        truth = from_float(show(photos, piece, fade, speed, seed=seed), dtype=np.uint8)
        for kind, preset in product(options.kinds, options.presets):
            clip = Clip.at_rate(truth, fps=FPS)
            made = clip if kind == "none" else synthesise(clip, kind=kind, seed=seed).clip
            steady = unflicker.deflicker(made.pixels, fps=FPS, preset=preset)
            turns = range(piece - fade // 2, FRAMES, piece)
            before, after = (errors(which, truth, turns) for which in (made.pixels, steady))
            told = (
                f"{before.mean():.1f} > {after.mean():.1f}, {before.min():.1f} > {after.min():.1f}"
            )
            same = np.array_equal(made.pixels, steady)
            print(
                f"{piece} {fade} {speed} {seed} {preset} {kind}: {'same' if same else told}",
                flush=True,
            )


def show(photos: list[Path], piece: int, fade: int, speed: float, *, seed: int) -> np.ndarray:
    """Photographs that dissolve into each other, in [0, 1].

    Args:
        photos: To draw from.
        piece: Frames from the beginning of one picture to that of the next.
        fade: The last of them, in which it gives way.
        speed: Of a pan in px a frame; with one there is a slow zoom, too.
        seed: Of the choice.
    """
    random = np.random.default_rng(seed)
    size = (SIZE[0] + MARGIN[0], SIZE[1] + MARGIN[1])
    chosen = [read_photo(photos[k], size) for k in random.choice(len(photos), FRAMES // piece + 2)]
    ways = random.choice([-1.0, 1.0], (len(chosen), 2))
    frames = []
    for index in range(FRAMES):
        number, at = divmod(index, piece)
        late = max(0.0, (at - (piece - fade)) / fade)
        one = view(chosen[number], ways[number] * speed, at - piece / 2)
        other = view(chosen[number + 1], ways[number + 1] * speed, at - 1.5 * piece)
        frames.append(one * (1 - late) + other * late)
    return np.stack(frames)


def view(photo: np.ndarray, speed: np.ndarray, at: float) -> np.ndarray:
    """A photograph under a pan and zoom, some frames from the middle of its time."""
    height, width = photo.shape[:2]
    zoom = 1.0 + 0.001 * np.abs(speed[0]) * (at + 60)
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 0.0, zoom)
    turn[:, 2] -= (MARGIN[1] / 2 + speed[0] * at, MARGIN[0] / 2 + 0.4 * speed[1] * at)
    return np.clip(cv2.warpAffine(photo, turn, SIZE[::-1], flags=cv2.INTER_CUBIC), 0, 1)


def errors(pixels: np.ndarray, truth: np.ndarray, turns: range) -> np.ndarray:
    """PSNR of each frame after one gain a channel for the frames between two turns."""
    parts = zip(np.split(pixels, turns), np.split(truth, turns), strict=True)
    return np.concatenate([errors_of(ours.astype(float), true) for ours, true in parts])


def errors_of(ours: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """PSNR of each frame after one gain a channel for all."""
    gain = (ours * truth).sum(axis=(0, 1, 2)) / np.maximum((ours**2).sum(axis=(0, 1, 2)), 1)
    squares = ((ours * gain - truth) ** 2).mean(axis=(1, 2, 3))
    return 10 * np.log10(255**2 / np.maximum(squares, 1e-3))


if __name__ == "__main__":
    main()
