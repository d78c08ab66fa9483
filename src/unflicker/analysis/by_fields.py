"""Interlaced film whose two fields differ in light, analysed field by field.

    by_frames(analyse(Fields(film)))

A field is a frame of half the height at twice the rate. The grades of both fields then belong to
one frame's plan. Film whose fields have the same light is analysed by frames, as progressive film.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import islice

import numpy as np
from jaxtyping import Float32

from unflicker.analysis.analyse_window import Finding
from unflicker.frames.fields import LOWER, UPPER, can_be_split, levelled_field
from unflicker.frames.picture import Frame, Picture
from unflicker.plan import FramePlan
from unflicker.video import VideoSource, frames_from

_LOOKED_AT = 100
"""Frames at the beginning of a film that are examined."""
_FEWEST = 5
_CELLS = 8
"""Across and down a picture, for the comparison of its fields."""
_DIFFERENT = 0.004
"""Change from frame to frame of the logarithm of one field's light over the other's, in bands of
stored values: 0.4 %, half a code of middle grey in 8 bits."""
_UPPER_FIRST = (2, 5)
"""FFmpeg's numbers of the field orders that show the upper field first (AVFieldOrder)."""


class Fields:
    """The fields of an interlaced film as a source, in the order in which they are shown."""

    def __init__(self, film: VideoSource) -> None:
        self._film = film
        self.lower_first = film.traits.field_order not in _UPPER_FIRST
        self._first = LOWER if self.lower_first else UPPER
        self.rate: Fraction = 2 * film.rate
        self.traits = replace(film.traits, time_base=film.traits.time_base / 2)
        frames = film.estimated_frames
        self.estimated_frames = None if frames is None else 2 * frames
        self.name, self.layout, self.meaning = film.name, film.layout, film.meaning
        self.size = film.size
        """That of frames: proxies keep their shape."""

    @property
    def notes(self) -> tuple[str, ...]:
        """The film's."""
        return self._film.notes

    @property
    def mended(self) -> bool:
        """Whether the film had faults, as far as it has been read."""
        return getattr(self._film, "mended", True)

    def frames(self) -> Iterator[Frame]:
        """The fields, each resampled to rows between those of both."""
        return self._split(self._film.frames())

    def frames_from(self, index: int, pts: int) -> Iterator[Frame]:
        """The same fields from one on.

        Args:
            index: Of the first.
            pts: Its time.
        """
        if index % 2:
            return islice(self.frames(), index, None)
        return self._split(frames_from(self._film, index // 2, pts // 2))

    def _split(self, frames: Iterator[Frame]) -> Iterator[Frame]:
        usual = round(1 / (self._film.rate * self._film.traits.time_base))
        for frame in frames:
            half = frame.duration or usual
            for place, which in enumerate((self._first, 1 - self._first)):
                yield replace(
                    frame,
                    picture=levelled_field(frame.picture, which),
                    index=2 * frame.index + place,
                    pts=2 * frame.pts + place * half,
                    time_base=frame.time_base / 2,
                    duration=half,
                )


def fields_differ(film: VideoSource) -> bool:
    """Whether the two fields of a film's frames each have a light of their own.

    Args:
        film: Its first frames are read, if it is interlaced.
    """
    if film.traits.field_order <= 1 or film.traits.path is None:
        return False
    ratios = []
    for frame in islice(film.frames(), _LOOKED_AT):
        if frame.original is not None or not can_be_split(frame.picture):
            return False
        if not frame.damaged:
            ratios.append(_log_ratio(frame.picture))
    if len(ratios) < _FEWEST:
        return False
    changes = np.stack(ratios)
    # What stays or drifts is detail and steady motion: flicker differs from its neighbours in time.
    changes = changes[1:-1] - (changes[2:] + changes[:-2]) / 2
    bands = np.median(changes, axis=2, keepdims=True)
    deviation = np.median(np.abs(bands), axis=0).max()
    # Motion between the fields differs from cell to cell of a band, light does not.
    by_motion = np.median(np.abs(changes - bands))
    return bool(deviation > max(_DIFFERENT, by_motion))


def by_frames(
    found: Iterator[FramePlan | Finding], *, lower_first: bool
) -> Iterator[FramePlan | Finding]:
    """Plans of frames from those of their fields; findings pass, marked as those of fields.

    Args:
        found: Of fields, in order.
        lower_first: Whether the lower field is shown first.
    """
    first: FramePlan | None = None
    starts_shot = False
    for one in found:
        if isinstance(one, Finding):
            yield replace(one, fields_a_frame=2)
        elif first is None:
            first = one
        else:
            upper, lower = (one, first) if lower_first else (first, one)
            yield replace(
                first,
                index=first.index // 2,
                grade=upper.grade,
                lower_grade=lower.grade,
                mean_before=(first.mean_before + one.mean_before) / 2,
                mean_after=(first.mean_after + one.mean_after) / 2,
                # A cut between two fields of a frame counts from the next frame on.
                starts_shot=first.starts_shot or starts_shot,
                repeats=False,
                keeps_light=first.keeps_light and one.keeps_light,
                damaged=first.damaged or one.damaged,
            )
            first, starts_shot = None, one.starts_shot


def _log_ratio(picture: Picture) -> Float32[np.ndarray, "rows columns"]:
    """Logarithm of the upper field's light over the lower's, by cells of the first plane."""
    plane = picture.planes[0]
    height, width = (length - length % (2 * _CELLS) for length in plane.shape)
    if not height or not width:
        return np.zeros((1, 1), np.float32)
    cells = plane[:height, :width].reshape(_CELLS, -1, 2, _CELLS, width // _CELLS)
    means = cells.mean(axis=(1, 4), dtype=np.float64) + 1.0
    upper, lower = means[:, UPPER], means[:, LOWER]
    return np.log(upper / lower).astype(np.float32)
