"""Small films made for the tests, each with something special about it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from unflicker.frames.picture import Frame
from unflicker.video.pixel_formats import stored_format
from unflicker.video.source import open_video
from unflicker.video.writer import open_writer

MILLISECONDS = Fraction(1, 1000)
UNEVEN = (0, 40, 95, 120, 160, 333, 340, 500, 540, 700)


def moving(name: str, *, width: int, height: int, index: int) -> av.VideoFrame:
    """A soft pattern that moves, in any planar or packed format of 8 to 16 bits."""
    frame = av.VideoFrame(width, height, name)
    depth = stored_format(name).layout.depth
    for number, plane in enumerate(frame.planes):
        sample = np.uint8 if depth == 8 else np.uint16
        samples = np.frombuffer(plane, sample)
        grid = np.arange(samples.size).reshape(plane.height, -1)
        wave = 0.5 + 0.3 * np.sin((grid % max(plane.width, 2)) / 9 + index / 3 + number)
        samples[:] = (wave * ((1 << depth) - 1)).astype(sample).ravel()
    return frame


def make_film(
    path: Path,
    *,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    size: tuple[int, int] = (48, 64),
    times: Sequence[int] = tuple(range(0, 400, 40)),
    time_base: Fraction = MILLISECONDS,
    rate: Fraction | int = 25,
    options: dict[str, str] | None = None,
    container_format: str | None = None,
    tags: tuple[int, int, int, int] = (2, 2, 2, 0),
    prepare: Any = None,
) -> Path:
    """Write a film with PyAV alone; `prepare(container, stream)` may add to it before it starts."""
    height, width = size
    with av.open(f"file:{path}", "w", format=container_format) as container:
        stream: Any = container.add_stream(codec, rate=rate, options=options or {})
        stream.height, stream.width, stream.pix_fmt = height, width, pixel_format
        context = stream.codec_context
        context.time_base = time_base
        context.flags |= 256
        _tag(context, tags)
        after = prepare(container, stream) if prepare else None
        for index, pts in enumerate(times):
            frame = moving(pixel_format, width=width, height=height, index=index)
            frame.pts, frame.time_base = pts, time_base
            following = times[index + 1] if index + 1 < len(times) else pts + 77
            frame.duration = following - pts
            _tag(frame, tags)
            container.mux(stream.encode(frame))
        if after:
            after(container)
        container.mux(stream.encode(None))
    return path


def _tag(place: Any, tags: tuple[int, int, int, int]) -> None:
    place.color_primaries, place.color_trc, place.colorspace, place.color_range = tags


def read(path: Path, **options: Any) -> list[Frame]:
    """All frames of a film."""
    return list(open_video(path, **options).frames())


def rewrite(source: Path, target: Path, **options: Any) -> tuple[str, ...]:
    """Read a film and write it unchanged; returns the writer's notes."""
    film = open_video(source)
    with open_writer(film, target, **options) as writer:
        for frame in film.frames():
            writer.write(frame)
    return writer.notes


def seconds(frames: list[Frame]) -> list[Fraction]:
    return [frame.pts * frame.time_base for frame in frames]


def lengths(frames: list[Frame]) -> list[Fraction]:
    return [frame.duration * frame.time_base for frame in frames]


def same_samples(one: list[Frame], other: list[Frame]) -> bool:
    """Whether two readings hold the same pictures, bit for bit."""
    return len(one) == len(other) and all(
        len(a.picture.planes) == len(b.picture.planes)
        and all(
            np.array_equal(x, y) for x, y in zip(a.picture.planes, b.picture.planes, strict=True)
        )
        for a, b in zip(one, other, strict=True)
    )


def worst_psnr(one: list[Frame], other: list[Frame]) -> float:
    """The lowest PSNR of any frame's first plane, in dB."""
    peak = one[0].picture.layout.peak
    errors = [
        np.mean((a.picture.planes[0].astype(float) - b.picture.planes[0]) ** 2)
        for a, b in zip(one, other, strict=True)
    ]
    return float(10 * np.log10(peak**2 / max(*errors, 1e-9)))
