"""Pictures that flicker, of any size and length: of a film, or a landscape that is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from unflicker.errors import InputError
from unflicker.video.transcode import scaled_pictures

FPS = 25
_FLICKER_DEVIATION = 0.08
_KEPT_FRAMES = 60
"""Of a film; they go to and fro until there are enough."""


def flickering(
    size: tuple[int, int], *, frames: int, film: Path | None, by_place: bool
) -> Iterator[np.ndarray]:
    """Pictures that flicker, uint8 RGB: a film's, to and fro, or a landscape's.

    Args:
        size: Height and width.
        frames: How many.
        film: Whose pictures they are; None draws a landscape.
        by_place: Whether light flickers by place, or as a whole.

    Raises:
        InputError: The film has no frame.
    """
    random = np.random.default_rng(0)
    pictures = _landscape(size, frames=frames) if film is None else _to_and_fro(size, frames, film)
    for picture in pictures:
        nodes = random.normal(0, _FLICKER_DEVIATION, (4, 5) if by_place else (1, 1))
        gain = cv2.resize(np.exp(nodes).astype(np.float32), size[::-1])
        yield np.clip(picture * gain[..., None], 0, 255).astype(np.uint8)


def _landscape(size: tuple[int, int], *, frames: int) -> Iterator[np.ndarray]:
    """A camera that wanders over a texture of many scales, and a disc that crosses it."""
    height, width = size
    texture = _texture((height + height // 4, width + width // 4))
    room = np.array([height // 4, width // 4]) // 2
    for index in range(frames):
        turn = 2 * np.pi * index / 250
        y, x = (room * (1 + 0.95 * np.array([np.sin(2 * turn), np.cos(turn)]))).astype(int)
        picture = texture[y : y + height, x : x + width].copy()
        centre = (int(width * (0.5 + 0.4 * np.sin(3 * turn))), height // 2)
        cv2.circle(picture, centre, height // 8, (200, 120, 60), -1, cv2.LINE_AA)
        yield picture


def _texture(size: tuple[int, int]) -> np.ndarray:
    """Noise of all scales, as much of each as in photographs; uint8 RGB."""
    random = np.random.default_rng(1)
    total = np.zeros((*size, 3), np.float32)
    for level in range(2, 11):
        coarse = random.normal(size=(2**level, 2**level, 3)).astype(np.float32)
        total += cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC) / 2 ** (level / 2)
    total = total.mean(axis=2, keepdims=True) + 0.4 * total
    return np.clip(115 + 60 * total, 0, 255).astype(np.uint8)


def _to_and_fro(size: tuple[int, int], frames: int, film: Path) -> Iterator[np.ndarray]:
    """A film's first frames, scaled, forwards and backwards until there are enough."""
    kept = list(scaled_pictures(film, size=size, frames=min(frames, _KEPT_FRAMES)))
    if not kept:
        raise InputError(f"{film} has no frame; name another film")
    there_and_back = [*range(len(kept)), *range(len(kept) - 2, 0, -1)]
    for index in range(frames):
        yield kept[there_and_back[index % len(there_and_back)]]
