"""A film: a source of frames that can be read again and again.

film = open_video("old.mp4")
for frame in film.frames(): ...
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from unflicker.errors import InputError, UsageError
from unflicker.files.remote import as_path
from unflicker.frames.clip import Clip, from_float
from unflicker.frames.picture import ColourMeaning, Frame, Picture, PixelLayout
from unflicker.video.picture_kinds import is_stack
from unflicker.video.picture_order import AS_NUMBERED, Stills
from unflicker.video.traits import Traits


@runtime_checkable
class VideoSource(Protocol):
    """A re-iterable source of frames, opened lazily, read twice."""

    @property
    def name(self) -> str:
        """For messages and reports."""
        ...

    @property
    def size(self) -> tuple[int, int]:
        """Height and width as stored, before any rotation on display."""
        ...

    @property
    def layout(self) -> PixelLayout:
        """The arrangement of every picture's colours in planes."""
        ...

    @property
    def meaning(self) -> ColourMeaning:
        """The interpretation of every picture's samples."""
        ...

    @property
    def rate(self) -> Fraction:
        """Average frames a second; metadata only, times are the frames' own."""
        ...

    @property
    def estimated_frames(self) -> int | None:
        """Number of frames by the header; not reliable, only for progress."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes for the user; complete once the film has been read."""
        ...

    @property
    def traits(self) -> Traits:
        """Metadata that the writer reproduces."""
        ...

    def frames(self) -> Iterator[Frame]:
        """The frames, the same at each call, in presentation order."""
        ...


def frames_from(film: VideoSource, index: int, pts: int) -> Iterator[Frame]:
    """The frames of a film from one on, found as fast as its kind of source allows.

    Args:
        film: Any source.
        index: Of the first frame.
        pts: Its time.
    """
    find = getattr(film, "frames_from", None)
    return islice(film.frames(), index, None) if find is None else find(index, pts)


def open_video(
    source: str | Path,
    *,
    start_seconds: float = 0.0,
    duration_seconds: float | None = None,
    strict: bool = False,
    stills: Stills = AS_NUMBERED,
) -> VideoSource:
    """A video file, or pictures, as a source.

    Args:
        source: A file of any kind FFmpeg reads; a folder of PNG, TIFF, JPEG, OpenEXR or DPX
            pictures; or a TIFF, whose pages are frames.
        start_seconds: Where the selected part begins, from the film's beginning.
        duration_seconds: How long it is; None is to the end.
        strict: Whether a damaged frame raises instead of being flagged.
        stills: Rate and order of pictures.

    Raises:
        InputError: It does not exist, has no video, or cannot be read.
        UsageError: A rate or an order is given for a video file.
    """
    if start_seconds < 0 or (duration_seconds is not None and duration_seconds <= 0):
        raise InputError(
            f"a film cannot start at {start_seconds} s and last {duration_seconds} s; "
            "pass a start of 0 or more and a duration above 0"
        )
    return _opened(as_path(source), start_seconds, duration_seconds, strict=strict, stills=stills)


def _opened(
    path: Path,
    start_seconds: float,
    duration_seconds: float | None,
    *,
    strict: bool,
    stills: Stills,
) -> VideoSource:
    if path.is_dir() or is_stack(path):
        from unflicker.video.picture_folder import FolderSource

        return FolderSource(
            path,
            start_seconds=start_seconds,
            duration_seconds=duration_seconds,
            strict=strict,
            stills=stills,
        )
    if stills != AS_NUMBERED:
        raise UsageError(
            f"{path} is a film, whose frames have their own times and order; --fps and --order "
            "are for pictures, leave them away"
        )
    from unflicker.video.reader import FileSource

    return FileSource(
        path, start_seconds=start_seconds, duration_seconds=duration_seconds, strict=strict
    )


class ArraySource:
    """A clip in memory as a source of RGB pictures: 8 bits for uint8, else 16."""

    def __init__(self, clip: Clip, *, name: str = "array") -> None:
        self._clip = clip
        self.name = name
        depth = 8 if clip.pixels.dtype == np.uint8 else 16
        self.layout = PixelLayout(family="rgb", depth=depth)
        self.meaning = ColourMeaning(matrix="identity", full_range=True, transfer="power")
        self.size: tuple[int, int] = clip.pixels.shape[1:3]
        self.rate = _rate(clip.seconds)
        self.estimated_frames: int | None = len(clip)
        self.notes: tuple[str, ...] = ()
        self.traits = Traits()

    def frames(self) -> Iterator[Frame]:
        """The pictures, one at a time; times in 1/90000 s."""
        ticks = np.rint(self._clip.seconds / float(self.traits.time_base)).astype(np.int64)
        lengths = np.append(np.diff(ticks), round(1 / (self.rate * self.traits.time_base)))
        for index, pixels in enumerate(self._clip.pixels):
            if pixels.dtype == np.float32:
                pixels = from_float(pixels, dtype=np.uint16)
            planes = tuple(np.ascontiguousarray(pixels[..., channel]) for channel in range(3))
            yield Frame(
                picture=Picture(planes=planes, layout=self.layout, meaning=self.meaning),
                index=index,
                pts=int(ticks[index]),
                time_base=self.traits.time_base,
                duration=int(lengths[index]),
            )


_LARGEST_RATE_TERM = 100_000


def _rate(seconds: np.ndarray) -> Fraction:
    if len(seconds) < 2 or seconds[-1] <= seconds[0]:
        return Fraction(25)
    rate = Fraction((len(seconds) - 1) / float(seconds[-1] - seconds[0]))
    return rate.limit_denominator(1001) or rate.limit_denominator(_LARGEST_RATE_TERM)
