"""The first look at a film: the time and light of each frame, a small copy, a poster."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64, Int64

from unflicker.errors import InputError
from unflicker.files import stored
from unflicker.files.atomic import write_whole
from unflicker.frames.picture import Frame
from unflicker.progress import Progress
from unflicker.studio.pictures import PROXY_PX, as_jpeg, mean_rgb, viewable, whole_part_size
from unflicker.video import VideoSource, open_video
from unflicker.video.viewing import ViewingFilm

LOOK, SMALL_FILM, POSTER = "look", "before.mp4", "poster.jpg"
_POSTER_PX = 480
_POSTER_FRAME = 12
"""Films often begin with a black frame."""
_PARTLY_SECONDS = 0.5
KEYFRAME_EVERY = 6
"""A seek decodes at most so many small pictures."""
_CRF = 20


@dataclass(frozen=True, kw_only=True)
class LookTask:
    """A film to be looked at, and the folder for what is found."""

    source: Path
    folder: Path


@dataclass(frozen=True, kw_only=True, eq=False)
class Look:
    """What the first look at a film found."""

    width: int
    height: int
    fps: float
    depth: int
    seconds: Float64[np.ndarray, " time"]
    """Presentation time of each frame, from the first one's."""
    pts: Int64[np.ndarray, " time"]
    """When each is shown on the film's own clock, to find it again."""
    time_base: Fraction
    """Seconds a unit of `pts`."""
    mean: Float32[np.ndarray, "time 3"]
    """Mean stored red, green and blue of each frame."""
    notes: tuple[str, ...] = ()
    complete: bool = True
    """Whether the film was read to its end."""


def take_look(task: LookTask, tell: Callable[[Progress], None]) -> Look:
    """Read a film once; what is found so far is stored every half second.

    Args:
        task: The film.
        tell: Receives the progress.

    Raises:
        InputError: It has no frame, or cannot be read.
    """
    film = open_video(task.source)
    found = _Found(film)
    size = whole_part_size(film.size, longest_px=PROXY_PX)
    due = time.monotonic() + _PARTLY_SECONDS
    with ViewingFilm(task.folder / SMALL_FILM, keyframe_every=KEYFRAME_EVERY, crf=_CRF) as copy:
        for frame in film.frames():
            small = viewable(frame.picture, size=size)
            found.add(frame, mean=mean_rgb(small))
            copy.add(small, seconds=found.seconds[-1])
            if frame.index in (0, _POSTER_FRAME):
                write_whole(task.folder / POSTER, as_jpeg(frame.picture, longest_px=_POSTER_PX))
            if time.monotonic() > due:
                stored.store(task.folder / LOOK, found.look(complete=False))
                tell(Progress(stage="read", done=len(found.seconds), total=film.estimated_frames))
                due = time.monotonic() + _PARTLY_SECONDS
    if not found.seconds:
        raise InputError(f"{film.name} has no frame")
    look = found.look(complete=True)
    stored.store(task.folder / LOOK, look)
    return look


def look_of(folder: Path) -> Look | None:
    """What is known of a film so far; None before its first look.

    Args:
        folder: Of the film.
    """
    return loaded(folder / LOOK)


def loaded(path: Path) -> Any:
    """A value that was stored, read again only when it has changed; None if there is none."""
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        return None
    return _loaded(path, changed)


@lru_cache(maxsize=16)
def _loaded(path: Path, _changed: int) -> Any:
    return stored.load(path)


class _Found:
    """What was found so far."""

    def __init__(self, film: VideoSource) -> None:
        self._film = film
        self._first, self._time_base = 0.0, Fraction(1)
        self.seconds: list[float] = []
        self._pts: list[int] = []
        self._means: list[np.ndarray] = []

    def add(self, frame: Frame, *, mean: np.ndarray) -> None:
        if not self.seconds:
            self._first, self._time_base = frame.seconds, frame.time_base
        self.seconds.append(frame.seconds - self._first)
        self._pts.append(frame.pts)
        self._means.append(mean)

    def look(self, *, complete: bool) -> Look:
        height, width = self._film.size
        return Look(
            width=width,
            height=height,
            fps=float(self._film.rate),
            depth=self._film.layout.depth,
            seconds=np.array(self.seconds, np.float64),
            pts=np.array(self._pts, np.int64),
            time_base=self._time_base,
            mean=np.array(self._means, np.float32).reshape(-1, 3),
            notes=tuple(self._film.notes),
            complete=complete,
        )
