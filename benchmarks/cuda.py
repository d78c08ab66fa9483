"""Frames a second on a GPU without the encoder, beside the processor of the same machine.

    python benchmarks/cuda.py [--frames 240] [--presets fast,standard] [--devices cpu,cuda:0]

Pictures lie in memory before and after (`unflicker.deflicker`), as 8-bit RGB at 1080p, and their
light flickers by place, so that every stage has work. A short clip goes first and is not counted.
Says as well how far results of the devices lie apart, in codes.
"""

from __future__ import annotations

import argparse
import sys
import time

import cv2
import numpy as np
from jaxtyping import UInt8

import unflicker
from unflicker.settings import Settings, replaced

SIZE = (1080, 1920)
FPS = 25.0
AIM = 60.0
"""Frames a second on a GPU."""
WARM_UP_FRAMES = 32
FLICKER_DEVIATION = 0.08


def main() -> None:
    """Run the benchmark from the command line."""
    options = _options()
    clip = flickering(options.frames)
    print("| preset | device | frames a second | from the first device's, codes: mean, most |")
    print("|---|---|---|---|")
    for preset in options.presets.split(","):
        first = None
        for device in options.devices.split(","):
            settings = replaced(Settings.from_preset(preset), {"device": device})
            unflicker.deflicker(clip[:WARM_UP_FRAMES], fps=FPS, settings=settings)
            start = time.perf_counter()
            steady = unflicker.deflicker(clip, fps=FPS, settings=settings)
            rate = len(clip) / (time.perf_counter() - start)
            apart = "–" if first is None else _apart(steady, first)
            first = steady if first is None else first
            print(f"| {preset} | {device} | {rate:.1f} | {apart} |", flush=True)
    print(f"\nAim: {AIM:.0f} frames a second on a GPU.", file=sys.stderr)


def flickering(frames: int) -> UInt8[np.ndarray, "time 1080 1920 3"]:
    """A camera that wanders over a texture of all scales, under light that flickers by place."""
    random = np.random.default_rng(0)
    height, width = SIZE
    texture = np.zeros((height + 200, width + 200, 3), np.float32)
    for level in range(2, 11):
        coarse = random.normal(size=(2**level, 2**level, 3)).astype(np.float32)
        grown = cv2.resize(coarse, texture.shape[1::-1], interpolation=cv2.INTER_CUBIC)
        texture += grown / 2 ** (level / 2)
    texture = np.clip(115 + 45 * texture, 0, 255)
    clip = np.empty((frames, height, width, 3), np.uint8)
    for index, picture in enumerate(clip):
        turn = 2 * np.pi * index / 250
        top, left = int(100 + 95 * np.sin(2 * turn)), int(100 + 95 * np.cos(turn))
        nodes = np.exp(random.normal(0, FLICKER_DEVIATION, (4, 5))).astype(np.float32)
        gain = cv2.resize(nodes, (width, height))[..., None]
        picture[:] = np.clip(texture[top : top + height, left : left + width] * gain, 0, 255)
    return clip


def _apart(steady: np.ndarray, first: np.ndarray) -> str:
    """Mean and largest difference, of a few frames."""
    few = slice(None, None, 10)
    apart = np.abs(steady[few].astype(np.int16) - first[few].astype(np.int16))
    return f"{apart.mean():.3f}, {apart.max()}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--frames", type=int, default=240)
    parser.add_argument("--presets", default="fast,standard")
    parser.add_argument("--devices", default="cpu,cuda:0")
    return parser.parse_args()


if __name__ == "__main__":
    main()
