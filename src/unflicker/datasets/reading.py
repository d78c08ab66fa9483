"""Reads films and folders of pictures as short clips."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np

from unflicker.errors import InputError
from unflicker.frames.clip import Clip, from_float
from unflicker.frames.colour import small_rgb
from unflicker.video import VideoSource, open_video
from unflicker.video.picture_folder import ENDINGS as PICTURES
from unflicker.video.target import CONTAINERS


def is_film(path: Path) -> bool:
    """Whether a file has the suffix of a video, or a folder has pictures in it."""
    if path.name.startswith("."):
        return False
    if path.is_dir():
        return any(file.suffix.lower() in PICTURES for file in path.iterdir())
    return path.suffix.lower() in CONTAINERS


def films_in(folder: Path) -> dict[str, Path]:
    """The films in a folder, by name without suffix, in order; none if there is no such folder.

    Raises:
        InputError: Two films have one name, such as apple.mp4 and apple.mov.
    """
    if not folder.is_dir():
        return {}
    found: dict[str, Path] = {}
    for path in sorted(path for path in folder.iterdir() if is_film(path)):
        name = path.name if path.is_dir() else path.stem
        if name in found:
            raise InputError(f"{found[name]} and {path} have one name; rename one of them")
        found[name] = path
    return found


def size_within(size: tuple[int, int], width_px: int | None) -> tuple[int, int]:
    """Height and width of a picture downscaled to at most a width.

    Args:
        size: Height and width, in px.
        width_px: Largest width; None for no limit.
    """
    scale = min(1.0, (width_px or size[1]) / size[1])
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def read_clip(
    path: Path,
    *,
    width_px: int | None = None,
    frames: int | None = None,
    size: tuple[int, int] | None = None,
    fps: float | None = None,
) -> Clip:
    """The first frames of a film with 8 bits a sample, at the film's mean rate.

    Args:
        path: A video file, or a folder of pictures.
        width_px: Wider films are downscaled to this; None for no limit.
        frames: Number of frames at most; None for all.
        size: Height and width of the result, in place of `width_px`.
        fps: Frames a second; None for the film's.

    Raises:
        InputError: The film cannot be read, or has no frame.
    """
    film: VideoSource = open_video(path)
    size = size or size_within(film.size, width_px)
    pixels = [
        from_float(small_rgb(frame.picture, size=size), dtype=np.uint8)
        for frame in islice(film.frames(), frames)
    ]
    if not pixels:
        raise InputError(f"{path} has no frame; remove it from the folder, or get it again")
    return Clip.at_rate(np.stack(pixels), fps=fps or float(film.rate))
