"""The clips that benchmarks run on: which, and how they are read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from unflicker.frames.clip import Clip, from_float
from unflicker.frames.colour import small_rgb
from unflicker.video.source import open_video

SPLITS = ("development", "held-out")
VIDEO_ENDINGS = {".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v"}
_SPLIT_FILE = Path(__file__).with_name("split.json")


@dataclass(frozen=True, kw_only=True, eq=False)
class NamedClip:
    """A clip, its name, and to which half it belongs."""

    name: str
    clip: Clip
    fps: float
    split: str


def video_files(folder: Path, *, names: list[str] | None = None, split: str = "") -> list[Path]:
    """The films of a folder, all, or those of one half, or those named."""
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in VIDEO_ENDINGS)
    if split:
        wanted = json.loads(_SPLIT_FILE.read_text())[split]
        files = [path for path in files if path.stem in wanted]
    if names:
        missing = set(names) - {path.stem for path in files}
        if missing:
            known = ", ".join(path.stem for path in files)
            raise SystemExit(f"no clip {', '.join(sorted(missing))} in {folder}; there are {known}")
        files = [path for path in files if path.stem in names]
    if not files:
        raise SystemExit(f"no film to run on in {folder}; pass a folder of films")
    return files


def split_of(path: Path) -> str:
    """The half a clip is in, or "other"."""
    halves = json.loads(_SPLIT_FILE.read_text())
    return next((half for half in SPLITS if path.stem in halves[half]), "other")


def load(path: Path, *, width_px: int, most_frames: int, first: int = 0) -> NamedClip:
    """The first frames of a film, 8 bits, shrunk to at most a width (never enlarged)."""
    film = open_video(path)
    height, width = film.size
    scale = min(1.0, width_px / width)
    size = (round(height * scale), round(width * scale))
    pixels = [
        from_float(small_rgb(frame.picture, size=size), dtype=np.uint8)
        for frame in islice(film.frames(), first, first + most_frames)
    ]
    fps = float(film.rate)
    clip = Clip.at_rate(np.stack(pixels), fps=fps)
    return NamedClip(name=path.stem, clip=clip, fps=fps, split=split_of(path))
