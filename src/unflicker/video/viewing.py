"""Writes small films that browsers play and seek in quickly: H.264, 8 bits, 4:2:0."""

from __future__ import annotations

import contextlib
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, cast

import av
import numpy as np

from unflicker.errors import OutputError
from unflicker.files import unfinished
from unflicker.files.outputs import hidden_name
from unflicker.frames.picture import ColourMeaning, Picture, PixelLayout

VIEWABLE = PixelLayout(family="yuv", depth=8, chroma_shift=(1, 1))
"""The layout of their pictures."""
MATRICES = {"bt709": 1, "bt601": 6}
"""Colour matrices that browsers know, and their numbers in H.264."""
_TICKS = 90_000
_LIMITED = 1
_POWER = 1
"""The transfer of BT.709, in H.264's numbers."""


def viewable_meaning(meaning: ColourMeaning) -> ColourMeaning:
    """The meaning of a picture's samples in a film for browsers."""
    matrix = meaning.matrix if meaning.matrix in MATRICES else "bt709"
    return ColourMeaning(matrix=matrix, full_range=False)


class ViewingFilm:
    """A film for browsers, written picture by picture; after a failure no file is left."""

    def __init__(self, path: Path, *, keyframe_every: int, crf: int) -> None:
        """Prepare a film.

        Args:
            path: The file to write; an existing one is replaced.
            keyframe_every: Pictures from one keyframe to the next; few make seeking fast.
            crf: Quality of x264, lower is better.
        """
        self._path = path
        self._part = hidden_name(path, ".part.mp4")
        options = {"preset": "ultrafast", "crf": str(crf), "g": str(keyframe_every)}
        self._options = {**options, "keyint_min": str(keyframe_every), "sc_threshold": "0"}
        self._result: Any = None
        self._stream: Any = None
        self._last = -1

    def __enter__(self) -> ViewingFilm:
        """Open the file under a hidden name in the same folder."""
        unfinished.begun(self._part, self._part.unlink)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            flags = {"movflags": "+faststart", "fflags": "+bitexact"}
            self._result = av.open(str(self._part), "w", format="mp4", options=flags)
        except OSError as fault:
            raise OutputError(
                f"cannot write {self._path}: {fault.strerror}; name a place with permission"
            ) from fault
        return self

    def add(self, picture: Picture, *, seconds: float) -> None:
        """Append a picture.

        Args:
            picture: In the layout `VIEWABLE`, of the first one's size, which is even.
            seconds: When it is shown; later than the one before.
        """
        stream = self._stream = self._stream or self._begun(picture)
        frame = av.VideoFrame(picture.size[1], picture.size[0], "yuv420p")
        for plane, samples in zip(frame.planes, picture.planes, strict=True):
            into = np.frombuffer(cast(bytearray, plane), np.uint8).reshape(
                plane.height, plane.line_size
            )
            into[:, : plane.width] = samples
        frame.pts = self._last = max(round(seconds * _TICKS), self._last + 1)
        frame.time_base = Fraction(1, _TICKS)
        self._result.mux(stream.encode(frame))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Complete the file and give it its name; after an exception, remove it.

        Args:
            kind: Type of the exception that ended the block; None without one.
            fault: That exception.
            trace: Its traceback.
        """
        try:
            if kind is None and self._stream is not None:
                self._result.mux(self._stream.encode(None))
            self._result.close()
            if kind is None:
                self._part.replace(self._path)
        finally:
            unfinished.ended(self._part)
            with contextlib.suppress(FileNotFoundError):
                self._part.unlink()

    def _begun(self, picture: Picture) -> Any:
        stream = self._result.add_stream("libx264", rate=30, options=self._options)
        stream.height, stream.width = picture.size
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = Fraction(1, _TICKS)
        context.colorspace = MATRICES[picture.meaning.matrix]
        context.color_range = _LIMITED
        context.color_primaries = MATRICES[picture.meaning.matrix]
        context.color_trc = _POWER
        return stream
