"""Reads an example's viewing copies: pictures of its worst moment, and its light over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from unflicker.frames.clip import from_float
from unflicker.frames.colour import SHOWN_LUMA
from unflicker.leaderboard.scores import VIDEOS, Example

STEADY = {"truth": "the ground truth", "original": "the steady original"}
"""Copies of steady videos, by the names of their files."""
_CELL_PX = 200
_BESIDE_WORST = 2
_SLICE_PX = (1000, 72)
"""Width and height of the picture of one column over time."""
_GRID = (16, 9)
"""Columns and rows of cells in which light is compared to find the worst moment."""
_LINE_PX, _GROUND = 3, 24
_QUALITY = 82
_MOST_DB = 60.0
"""PSNR above this is not meaningful for H.264 copies."""

Pixels = UInt8[np.ndarray, "_ _ _ 3"]
Picture = UInt8[np.ndarray, "_ _ 3"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Copy:
    """One video of an example."""

    name: str
    """The method, or "input", "truth", "original"."""
    path: Path
    light: Float32[np.ndarray, " _"]
    """Mean luma of each frame in [0, 1]."""
    error_db: Float32[np.ndarray, " _"] | None
    """PSNR of each frame, measured on the copies; None without ground truth."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Viewing:
    """An example's viewing copies, and pictures of its worst moment."""

    example: Example
    copies: tuple[Copy, ...]
    """The input first, the steady video last."""
    fps: float
    worst: int
    """Index of the frame at which the input's light jumps most."""
    frames: tuple[int, ...]
    """Indices of the frames in the strips."""
    strip: bytes
    """JPEG: a row for each copy, a column for each of `frames`."""
    slices: bytes
    """JPEG: a row for each copy, its middle column over time."""
    thumbnail: bytes
    """JPEG: the input's worst frame."""


def copies_of(example: Example, folders: Sequence[Path]) -> dict[str, Path]:
    """The videos of an example by name.

    Args:
        example: The example.
        folders: Of runs; a video of a later folder replaces one of an earlier.
    """
    found: dict[str, Path] = {}
    for folder in folders:
        place = folder / VIDEOS / example.folder
        found.update({path.stem: path for path in sorted(place.glob("*.mp4"))})
    return found


def view(example: Example, paths: dict[str, Path]) -> Viewing:
    """Read the viewing copies of an example, in order.

    Args:
        example: The example.
        paths: Its videos by name, with "input" among them.

    Raises:
        InputError: A video cannot be read.
    """
    source, fps = _read(paths["input"])
    steady = next((name for name in STEADY if name in paths), None)
    reference = _read(paths[steady])[0] if steady else None
    worst = worst_moment(source, reference)
    frames = _frames_around(worst, len(source))
    copies, strips, slices = [], [], []
    for name, path in paths.items():
        pixels = source if name == "input" else _read(path)[0]
        truth = reference if steady == "truth" and name != "truth" else None
        copies.append(_copy(name, path, pixels, truth))
        strips.append(_strip(pixels, frames))
        slices.append(_slice(pixels))
    return Viewing(
        example=example,
        copies=tuple(copies),
        fps=fps,
        worst=worst,
        frames=frames,
        strip=_stacked(strips),
        slices=_stacked(slices),
        thumbnail=_jpeg(source[worst]),
    )


def worst_moment(source: Pixels, reference: Pixels | None) -> int:
    """Index of the frame whose light jumps most.

    Args:
        source: The input.
        reference: A steady video to compare with; None to compare with neighbouring frames.
    """
    cells = _cells(source)
    if len(cells) < 3:
        return 0
    if reference is not None and len(reference) >= 3:
        count = min(len(cells), len(reference))
        unsteady = cells[:count] - _cells(reference)[:count]
        jumps = np.abs(np.diff(unsteady, axis=0)).mean(axis=(1, 2))
        return 1 + int(jumps.argmax())
    jumps = np.abs(cells[1:-1] - 0.5 * (cells[:-2] + cells[2:])).mean(axis=(1, 2))
    return 1 + int(jumps.argmax())


def _copy(name: str, path: Path, pixels: Pixels, truth: Pixels | None) -> Copy:
    light = pixels.mean(axis=(1, 2), dtype=np.float32) @ SHOWN_LUMA / 255.0
    error = None if truth is None else _psnr_by_frame(pixels, truth)
    return Copy(name=name, path=path, light=light.astype(np.float32), error_db=error)


def _psnr_by_frame(pixels: Pixels, truth: Pixels) -> Float32[np.ndarray, " _"]:
    count = min(len(pixels), len(truth))
    shape = truth.shape[1:3]
    errors = []
    for one, other in zip(pixels[:count], truth[:count], strict=True):
        fitting = one if one.shape[:2] == shape else cv2.resize(one, shape[::-1])
        errors.append(np.mean((fitting.astype(np.float32) - other) ** 2))
    decibels = 10.0 * np.log10(255.0**2 / np.maximum(errors, 1e-9))
    return np.minimum(decibels, _MOST_DB).astype(np.float32)


def _read(path: Path) -> tuple[Pixels, float]:
    """A video's frames, downscaled, and its rate."""
    from unflicker.frames.colour import proxy_size, small_rgb
    from unflicker.metrics import PROXY_PX
    from unflicker.video import open_video

    film = open_video(path)
    size = proxy_size(film.size, PROXY_PX)
    small = (small_rgb(frame.picture, size=size) for frame in film.frames())
    pixels = np.stack([from_float(rgb, dtype=np.uint8) for rgb in small])
    return pixels, float(film.rate)


def _cells(pixels: Pixels) -> Float32[np.ndarray, "_ _ _"]:
    grey = [cv2.resize(frame, _GRID, interpolation=cv2.INTER_AREA) for frame in pixels]
    return np.stack(grey).astype(np.float32) @ SHOWN_LUMA


def _frames_around(worst: int, count: int) -> tuple[int, ...]:
    wanted = min(2 * _BESIDE_WORST + 1, count)
    first = min(max(worst - _BESIDE_WORST, 0), count - wanted)
    return tuple(range(first, first + wanted))


def _strip(pixels: Pixels, frames: Sequence[int]) -> Picture:
    height, width = pixels.shape[1:3]
    size = (_CELL_PX, max(1, round(_CELL_PX * height / width)))
    cells = [pixels[min(frame, len(pixels) - 1)] for frame in frames]
    return np.hstack([cv2.resize(cell, size, interpolation=cv2.INTER_AREA) for cell in cells])


def _slice(pixels: Pixels) -> Picture:
    """The middle columns of all frames side by side: flicker shows as stripes."""
    middle = pixels.shape[2] // 2
    columns = np.ascontiguousarray(pixels[:, :, middle].swapaxes(0, 1))
    width, height = _SLICE_PX
    tall = cv2.resize(columns, (len(pixels), height), interpolation=cv2.INTER_AREA)
    return cv2.resize(tall, (width, height), interpolation=cv2.INTER_NEAREST)


def _stacked(rows: list[Picture]) -> bytes:
    """Rows stacked at equal size, with a thin line under each."""
    height, width = rows[0].shape[:2]
    line = np.full((_LINE_PX, width, 3), _GROUND, np.uint8)
    parts = []
    for row in rows:
        fits = row.shape[:2] == (height, width)
        parts += [row if fits else cv2.resize(row, (width, height)), line]
    return _jpeg(np.vstack(parts))


def _jpeg(rgb: Picture) -> bytes:
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()
