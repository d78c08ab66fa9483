"""Segments: parts of a film that are encoded on their own, and joined without encoding again.

A segment's borders depend on frame numbers alone, and its bytes on nothing but its frames, so it
does not matter when, in which order, or on which machine segments are made.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Protocol, runtime_checkable

from unflicker.errors import UsageError
from unflicker.files.parts import begin, discard
from unflicker.frames.picture import Frame

SEGMENT_FRAMES = 240
"""Frames of a segment: ten seconds. x264, x265 and most others start a new group of pictures after
250 at the latest, so the key frame that a border costs is nearly always due anyway."""


@runtime_checkable
class SegmentWriter(Protocol):
    """A segment during encoding; a context manager.

    Without an exception the segment is complete, under its name and on the disk, when the block
    ends; otherwise nothing is left of it.
    """

    def __enter__(self) -> SegmentWriter:
        """Begin the segment under a temporary name."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Complete and name it; after an exception remove it."""
        ...

    def write(self, frame: Frame) -> None:
        """Encode the next frame."""
        ...


@runtime_checkable
class SegmentFormat(Protocol):
    """How a film's segments are encoded. It can be pickled, and used in another process."""

    @property
    def key(self) -> str:
        """All that segments depend on besides their frames; no paths."""
        ...

    def segment(self, place: Path) -> SegmentWriter:
        """A new segment, to be written at a path."""
        ...


@runtime_checkable
class Joiner(Protocol):
    """Where segments are joined."""

    @property
    def format(self) -> SegmentFormat:
        """How segments are encoded."""
        ...

    def join(self, place: Path) -> None:
        """Append a complete segment."""
        ...


class OneAfterTheOther:
    """Writes frames in segments, each of which is joined to the result and then removed."""

    def __init__(self, joiner: Joiner, place: Path) -> None:
        """Prepare to write.

        Args:
            joiner: Receives the segments.
            place: Path of the segment in progress.
        """
        self._joiner, self._place = joiner, place
        self._open: SegmentWriter | None = None
        self._frames = 0

    def write(self, frame: Frame) -> None:
        """Encode the next frame."""
        if self._frames == SEGMENT_FRAMES:
            self.finish()
        if self._open is None:
            begin(self._place)
            self._open = self._joiner.format.segment(self._place).__enter__()
        self._open.write(frame)
        self._frames += 1

    def finish(self) -> None:
        """Complete the segment in progress, and join it."""
        if self._open is None:
            return
        done, self._open, self._frames = self._open, None, 0
        done.__exit__(None, None, None)
        self._joiner.join(self._place)
        discard(self._place)

    def abandon(self) -> None:
        """Remove the segment in progress."""
        if self._open is not None:
            done, self._open = self._open, None
            fault = UsageError("the writer was abandoned")
            done.__exit__(type(fault), fault, None)
            discard(self._place)
