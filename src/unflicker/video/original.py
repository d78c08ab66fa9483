"""A processed film paired with its steady original."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from unflicker.errors import InputError, UsageError
from unflicker.frames.picture import ColourMeaning, Frame, PixelLayout
from unflicker.video.picture_order import AS_NUMBERED, Stills
from unflicker.video.source import VideoSource, open_video
from unflicker.video.traits import Traits

MAY_LACK = 5
"""Frames that an original may be shorter than its film: processing often adds or drops a few."""
_SAME_RATE = 0.01
_PROMISED = 0.9
"""Accuracy of headers; only a clear lack is refused before any work."""


@dataclass(frozen=True, kw_only=True)
class FilmFiles:
    """The files of a film, and the part of it to read: what a process needs to open it."""

    source: Path
    original: Path | None = None
    start_seconds: float = 0.0
    duration_seconds: float | None = None
    strict: bool = False
    stills: Stills = AS_NUMBERED
    """Rate and order of pictures."""

    def open(self) -> VideoSource:
        """The film, with its original if there is one.

        Raises:
            InputError: One of them cannot be read, or they do not belong together.
            UsageError: They cannot be paired from the start that is asked for.
        """
        film = open_video(
            self.source,
            start_seconds=self.start_seconds,
            duration_seconds=self.duration_seconds,
            strict=self.strict,
            stills=self.stills,
        )
        if self.original is None:
            return film
        return open_original(self.original, of=film, like=self)


def open_original(source: str | Path, *, of: VideoSource, like: FilmFiles) -> VideoSource:
    """A processed film with its original, both read from the same moment on.

    Args:
        source: The original.
        of: The processed film.
        like: How the film is read: where both begin, whether damaged frames are errors, and the
            rate and order of pictures.

    Raises:
        InputError: The original cannot be read, or has clearly fewer frames than the film.
        UsageError: The film is to begin later, and the original has another frame rate.
    """
    start_seconds = like.start_seconds
    original = open_video(
        source, start_seconds=start_seconds, strict=like.strict, stills=like.stills
    )
    if start_seconds > 0 and abs(original.rate / of.rate - 1) > _SAME_RATE:
        raise UsageError(
            f"the original {source} has {float(original.rate):.4g} frames a second, the film "
            f"{float(of.rate):.4g}, so that frames cannot be paired from {start_seconds:g} s on; "
            "cut both to the same part first"
        )
    return WithOriginal(of, original)


class WithOriginal:
    """A film with the frames of its original, paired from the first on.

    Raises:
        InputError: By its header the original has clearly fewer frames than the film.
    """

    def __init__(self, film: VideoSource, original: VideoSource) -> None:
        self._film, self._original = film, original
        self._lacked = 0
        there, wanted = original.estimated_frames, film.estimated_frames
        if there is not None and wanted is not None and there + MAY_LACK < _PROMISED * wanted:
            raise InputError(_too_short(original, there, film, f"{wanted}"))

    @property
    def name(self) -> str:
        """The film's."""
        return self._film.name

    @property
    def size(self) -> tuple[int, int]:
        """The film's height and width; the original may have others."""
        return self._film.size

    @property
    def layout(self) -> PixelLayout:
        """The film's."""
        return self._film.layout

    @property
    def meaning(self) -> ColourMeaning:
        """The film's."""
        return self._film.meaning

    @property
    def rate(self) -> Fraction:
        """The film's."""
        return self._film.rate

    @property
    def estimated_frames(self) -> int | None:
        """The film's."""
        return self._film.estimated_frames

    @property
    def notes(self) -> tuple[str, ...]:
        """The film's, and whether the original ended early."""
        if not self._lacked:
            return self._film.notes
        lack = f"the original ended {self._lacked} frames before the film"
        return (*self._film.notes, f"{lack}; those are corrected as the last that has one")

    @property
    def incomplete(self) -> bool:
        """Whether something of the film is missing."""
        return getattr(self._film, "incomplete", False)

    @property
    def traits(self) -> Traits:
        """The film's."""
        return self._film.traits

    def frames(self) -> Iterator[Frame]:
        """The film's frames, each with the original's; the last few may come without."""
        originals = self._original.frames()
        lacking = 0
        for frame in self._film.frames():
            original = next(originals, None)
            lacking += original is None
            if lacking > MAY_LACK:
                there = frame.index + 1 - lacking
                raise InputError(_too_short(self._original, there, self._film, "more"))
            self._lacked = lacking
            yield frame if original is None else replace(frame, original=original.picture)


def _too_short(original: VideoSource, there: int, film: VideoSource, wanted: str) -> str:
    return (
        f"the original {original.name} has {there} frames, the film {film.name} has {wanted}; "
        "pass the original that the film was made of, from the same first frame on"
    )
