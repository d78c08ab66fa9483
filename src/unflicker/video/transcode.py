"""A plain transcode, decoding and encoding alone: the reference for `unflicker`'s speed.

Run as a file (`python transcode.py SOURCE TARGET --codec libx264`), it loads PyAV alone, so that
its time and memory are those of a transcode.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
from av.video.frame import PictureType

if TYPE_CHECKING:
    import numpy as np


def transcode(source: Path, target: Path, *, codec: str, options: dict[str, str]) -> None:
    """Encode a film again, picture by picture; presentation times are kept.

    Args:
        source: The film to read.
        target: The film to write.
        codec: FFmpeg's name of the encoder.
        options: Options of the encoder, by FFmpeg's names.
    """
    with av.open(str(source)) as film, av.open(str(target), "w") as result:
        stream = film.streams.video[0]
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = 0
        writer: Any = result.add_stream(codec, rate=stream.average_rate, options=options)
        writer.width, writer.height = stream.width, stream.height
        writer.pix_fmt = stream.pix_fmt
        writer.codec_context.time_base = stream.time_base
        for frame in film.decode(stream):
            # The encoder chooses the picture type, as in any new encode.
            frame.pict_type = PictureType.NONE
            result.mux(writer.encode(frame))
        result.mux(writer.encode(None))


def encode(
    pictures: Iterable[np.ndarray], target: Path, *, size: tuple[int, int], fps: int
) -> None:
    """Write pictures as a film in H.264, 8 bits 4:2:0, with preset veryfast at CRF 20.

    Args:
        pictures: uint8 RGB of (height, width, 3).
        target: The film to write.
        size: Height and width, in px.
        fps: Frames a second.
    """
    with av.open(str(target), "w") as result:
        options = {"preset": "veryfast", "crf": "20"}
        writer: Any = result.add_stream("libx264", rate=fps, options=options)
        writer.height, writer.width = size
        writer.pix_fmt = "yuv420p"
        for index, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame = frame.reformat(format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, fps)
            result.mux(writer.encode(frame))
        result.mux(writer.encode(None))


def scaled_pictures(path: Path, *, size: tuple[int, int], frames: int) -> Iterator[np.ndarray]:
    """The first pictures of a film as uint8 RGB, scaled to a height and width by FFmpeg.

    Args:
        path: The film to read.
        size: Height and width, in px.
        frames: Number of pictures at most.
    """
    height, width = size
    with av.open(str(path)) as film:
        for frame in islice(film.decode(video=0), frames):
            yield frame.to_ndarray(format="rgb24", width=width, height=height)


def main() -> None:
    """Transcode from the command line."""
    parser = argparse.ArgumentParser(description="A plain transcode.")
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--codec", required=True)
    parser.add_argument("-e", dest="options", action="append", default=[], help="KEY=VALUE")
    given = parser.parse_args()
    options = dict(pair.split("=", 1) for pair in given.options)
    transcode(given.source, given.target, codec=given.codec, options=options)


if __name__ == "__main__":
    main()
