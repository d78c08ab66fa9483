"""A plain transcode by the same library, the yardstick of `speed.py`: decode, encode, no more."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av


def transcode(source: Path, target: Path, *, codec: str, options: dict[str, str]) -> None:
    """Write a film anew, picture by picture; times are kept."""
    with av.open(str(source)) as film, av.open(str(target), "w") as result:
        stream = film.streams.video[0]
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = 0
        writer = result.add_stream(codec, rate=stream.average_rate, options=options)
        writer.width, writer.height = stream.width, stream.height
        writer.pix_fmt = stream.pix_fmt
        writer.codec_context.time_base = stream.time_base
        for frame in film.decode(stream):
            # The kind of picture is for the encoder to choose, as in any new encode.
            frame.pict_type = av.video.frame.PictureType.NONE
            result.mux(writer.encode(frame))
        result.mux(writer.encode(None))


def encode(
    pictures: Iterable[av.VideoFrame], target: Path, *, size: tuple[int, int], fps: int
) -> None:
    """Write pictures as a film in H.264, quickly and well, 8 bits 4:2:0."""
    with av.open(str(target), "w") as result:
        options = {"preset": "veryfast", "crf": "20"}
        writer = result.add_stream("libx264", rate=fps, options=options)
        writer.height, writer.width = size
        writer.pix_fmt = "yuv420p"
        for index, picture in enumerate(pictures):
            picture.pts, picture.time_base = index, Fraction(1, fps)
            result.mux(writer.encode(picture))
        result.mux(writer.encode(None))


def main() -> None:
    """Transcode from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--codec", required=True)
    parser.add_argument("-e", dest="options", action="append", default=[], help="KEY=VALUE")
    given = parser.parse_args()
    options = dict(pair.split("=", 1) for pair in given.options)
    transcode(given.source, given.target, codec=given.codec, options=options)


if __name__ == "__main__":
    main()
