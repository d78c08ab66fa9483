"""Clips made for the tests: pictures with texture and shapes, and a camera that moves over them."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from unflicker.frames.clip import Clip, from_float

FPS = 24.0


@lru_cache(maxsize=16)
def scene(*, seed: int = 0, size: tuple[int, int] = (320, 480)) -> np.ndarray:
    """A picture with texture at every scale and coloured shapes; float32 in [0, 1]."""
    random = np.random.default_rng(seed)
    height, width = size
    picture = np.zeros((height, width, 3), np.float32)
    for octave in range(2, 8):
        cells = (max(2, height >> (8 - octave)), max(2, width >> (8 - octave)))
        noise = random.standard_normal((*cells, 3)).astype(np.float32)
        noise = 0.6 * noise.mean(axis=2, keepdims=True) + 0.4 * noise
        smooth = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
        picture += smooth * np.float32(0.75**octave)
    picture = 0.42 + 0.16 * picture / picture.std()
    for _ in range(24):
        centre = (int(random.integers(width)), int(random.integers(height)))
        axes = (int(random.integers(6, 50)), int(random.integers(6, 40)))
        colour = random.uniform(0.08, 0.85, 3).astype(np.float32)
        shape = np.zeros((height, width), np.float32)
        cv2.ellipse(shape, centre, axes, random.uniform(0, 180), 0, 360, 1.0, -1, cv2.LINE_AA)
        shape = 0.8 * cv2.GaussianBlur(shape, None, 0.8)[..., None]
        picture = picture * (1 - shape) + shape * (
            0.7 * np.array(colour, np.float32) + 0.3 * picture
        )
    return np.clip(picture, 0.03, 0.93).astype(np.float32)


def panning(
    *,
    time: int = 24,
    size: tuple[int, int] = (108, 192),
    seed: int = 0,
    speed_px: tuple[float, float] = (1.3, 0.4),
    dtype: type = np.uint8,
) -> Clip:
    """A steady clip: a camera that moves over a scene by some px a frame, x first."""
    height, width = size
    reach = (round(abs(speed_px[1]) * time) + 8, round(abs(speed_px[0]) * time) + 8)
    picture = scene(seed=seed, size=(height + reach[0], width + reach[1]))
    start = [4.0 if speed >= 0 else 4.0 - speed * (time - 1) for speed in speed_px]
    frames = []
    for index in range(time):
        x, y = (start[axis] + speed_px[axis] * index for axis in range(2))
        shift = np.array([[1, 0, x], [0, 1, y]], np.float32)
        how = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        frames.append(cv2.warpAffine(picture, shift, (width, height), flags=how))
    pixels = from_float(np.clip(np.stack(frames), 0, 1), dtype=dtype)
    return Clip.at_rate(pixels, fps=FPS)


def photograph(*, time: int = 24, size: tuple[int, int] = (144, 256)) -> Clip:
    """A steady clip of a photograph that the plotting library brings: the camera drifts over it."""
    from matplotlib import cbook

    with cbook.get_sample_data("grace_hopper.jpg") as file:
        data = np.frombuffer(file.read(), np.uint8)
    picture = cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    picture = cv2.GaussianBlur(picture, None, 0.6)
    height, width = size
    frames = []
    for index in range(time):
        shift = np.array([[1.6, 0, 12 + 1.9 * index], [0, 1.6, 40 + 1.1 * index]], np.float32)
        how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        frames.append(cv2.warpAffine(picture, shift, (width, height), flags=how))
    return Clip.at_rate(np.stack(frames), fps=FPS)


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    """In dB, of arrays of the same integer type or of floats in [0, 1]; infinite where equal."""
    peak = 1.0 if one.dtype.kind == "f" else float(np.iinfo(one.dtype).max)
    error = float(np.mean((one.astype(np.float64) - other.astype(np.float64)) ** 2))
    return float("inf") if error == 0 else 10 * np.log10(peak**2 / error)
