"""A film whose size, pixel format or shape of pixels changes in the middle, all as it begins."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from av.video.frame import VideoFrame

from unflicker.video.pixel_formats import reformatted


class AsItBegins:
    """Brings frames to the form of a film's first one, and says what changes."""

    def __init__(self, first: VideoFrame, *, changed: Callable[[str], None]) -> None:
        """Begin.

        Args:
            first: The first frame of the film.
            changed: Told once of each change, in words.
        """
        self._size = first.height, first.width
        self._format = first.format.name
        self._shape: Fraction | None = None
        self._changed = changed

    def __call__(self, frame: VideoFrame) -> VideoFrame:
        """The frame, converted where it differs from the first."""
        if (frame.height, frame.width) == self._size and frame.format.name == self._format:
            return frame
        height, width = self._size
        if (frame.height, frame.width) != self._size:
            self._changed(
                f"the size changes to {frame.width}x{frame.height} in mid-film; "
                f"such frames are scaled to {width}x{height}"
            )
            return frame.reformat(width=width, height=height, format=self._format)
        if frame.format.name.replace("yuvj", "yuv") == self._format.replace("yuvj", "yuv"):
            return frame
        self._changed(
            f"the pixel format changes to {frame.format.name} in mid-film; "
            f"converted to {self._format}"
        )
        return reformatted(frame, self._format)

    def see_shape(self, shape: Fraction | None) -> None:
        """Say if the shape of pixels changes: a file has one for all frames.

        Args:
            shape: Width of pixels by their height, as the decoder says; None if unspecified.
        """
        if not shape or shape == self._shape:
            return
        if self._shape is not None:
            self._changed(
                f"the shape of pixels changes to {shape.numerator}:{shape.denominator} in "
                "mid-film; the result has that of the beginning throughout"
            )
            return
        self._shape = shape
