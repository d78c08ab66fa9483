"""Loads the examples of a data set, ours or another, as clips."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from unflicker.datasets.build import ALL_KINDS, MADE_KINDS, Recipe, build_dataset
from unflicker.datasets.examples import CATEGORIES, REAL, Dataset, Example
from unflicker.datasets.layouts import (
    has_paper_folders,
    lai_folder,
    lai_root,
    paper_folder,
    plain_folder,
)
from unflicker.datasets.manifest import NAME as MANIFEST
from unflicker.datasets.manifest import built_dataset
from unflicker.datasets.motion_cache import paths_of
from unflicker.datasets.reading import read_clip, size_within
from unflicker.errors import InputError
from unflicker.frames.clip import Clip
from unflicker.metrics import Paths
from unflicker.video import open_video

__all__ = [
    "ALL_KINDS",
    "CATEGORIES",
    "MADE_KINDS",
    "REAL",
    "Dataset",
    "Example",
    "Loaded",
    "Recipe",
    "build_dataset",
    "load",
    "read_dataset",
]


@dataclass(frozen=True, kw_only=True, eq=False)
class Loaded:
    """An example in memory: clips of one size and length, 8 bits a sample."""

    example: Example
    video: Clip
    """The flickering clip."""
    truth: Clip | None
    original: Clip | None
    fps: float
    """Frames a second."""
    paths_folder: Path | None = None
    """Cache folder for the motion of the steady video; None for no cache."""

    @property
    def steady(self) -> Clip | None:
        """The steady video along whose motion results are assessed, if there is one."""
        return self.truth if self.truth is not None else self.original

    @cached_property
    def paths(self) -> Paths | None:
        """Motion of the steady video, estimated when first used; None without a steady video."""
        if self.steady is None:
            return None
        return paths_of(self.steady, keep_in=self.paths_folder)

    @cached_property
    def valid(self) -> Bool[np.ndarray, "time height width"] | None:
        """Pixels that synthetic flicker did not clip; None, for all, without ground truth."""
        if self.truth is None:
            return None
        inside = (self.video.pixels > 0) & (self.video.pixels < 255)
        return np.logical_and.reduce(inside, axis=3)


def read_dataset(folder: Path) -> Dataset:
    """The examples of a data set, in any known layout.

    Args:
        folder: Made by `build_dataset`; or with `flicker` and `processed` of real and processed
            video; or in the layout of Lai et al. 2018, or of the paper's data.

    Raises:
        InputError: There is no such folder, or no layout fits.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; name one that holds a data set")
    if (folder / MANIFEST).exists():
        return built_dataset(folder)
    if lai_root(folder) is not None:
        return lai_folder(folder)
    pairs = folder / "processed"
    if (folder / "flicker").is_dir() or (pairs.is_dir() and any(pairs.glob("*_processed*"))):
        return plain_folder(folder)
    if has_paper_folders(folder):
        return paper_folder(folder)
    raise InputError(
        f"{folder} has no layout that is known (docs/data-set.md); "
        "of steady clips, build a data set first: unflicker dataset build"
    )


def load(
    example: Example, *, width_px: int, frames: int, paths_folder: Path | None = None
) -> Loaded:
    """An example's first frames as clips of one size and length.

    The steady video is resampled to the size of the flickering one, and both are cut to the
    shorter: processing frame by frame may lose a frame or two at the end.

    Args:
        example: Of a data set.
        width_px: Wider videos are downscaled to this; narrower ones keep their size.
        frames: Number of frames at most.
        paths_folder: Cache folder for the steady video's motion, shared by all examples of a clip.

    Raises:
        InputError: A film cannot be read.
    """
    fps = example.fps or float(open_video(example.video).rate)
    size = size_within(open_video(example.video).size, width_px)
    clips = [
        read_clip(path, size=size, frames=frames, fps=fps) if path is not None else None
        for path in (example.video, example.truth, example.original)
    ]
    shortest = min(len(clip) for clip in clips if clip is not None)
    video, truth, original = (_first(clip, shortest, fps=fps) for clip in clips)
    assert video is not None
    return Loaded(
        example=example,
        video=video,
        truth=truth,
        original=original,
        fps=fps,
        paths_folder=paths_folder,
    )


def _first(clip: Clip | None, frames: int, *, fps: float) -> Clip | None:
    return clip if clip is None else Clip.at_rate(clip.pixels[:frames], fps=fps)
