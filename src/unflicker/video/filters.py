"""Runs FFmpeg's filters on a clip in memory, for the baselines."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np
from av.error import BlockingIOError as NothingYet
from av.error import EOFError as NothingMore
from av.error import FFmpegError
from av.filter import Graph, filters_available
from jaxtyping import UInt8

from unflicker.errors import MissingError, UsageError
from unflicker.frames.clip import Clip, from_float

TICKS_A_SECOND = 90_000


def run_filter(clip: Clip, graph: str) -> Clip:
    """The clip after a chain of FFmpeg filters, in 8 bits, with the same number of frames.

    Args:
        clip: Any sample type; the filters see 8 bits.
        graph: One or more filters in FFmpeg's syntax, `deflicker=size=5` or `hue=h=10,negate`. A
            filter that supports RGB gets planar RGB, any other 4:4:4 YUV in full range.

    Raises:
        MissingError: FFmpeg has no filter of that name.
        UsageError: The filter refuses the arguments, or it adds or drops frames.
    """
    pictures = filtered_frames(clip, graph)
    if len(pictures) != len(clip):
        raise UsageError(
            f"the filter {graph!r} does not keep the number of frames: "
            f"{len(clip)} went in, {len(pictures)} came out; choose one that gives a frame for each"
        )
    return Clip(pixels=pictures, seconds=clip.seconds)


def filtered_frames(clip: Clip, graph: str) -> UInt8[np.ndarray, "time height width 3"]:
    """All frames that a chain of FFmpeg filters makes of a clip, however many.

    Args:
        clip: As for `run_filter`.
        graph: As for `run_filter`.

    Raises:
        MissingError: FFmpeg has no filter of that name.
        UsageError: The filter refuses the arguments.
    """
    pixels = from_float(clip.as_float(), dtype=np.uint8)
    pixel_format = "gbrp" if _takes_rgb(graph) else "yuvj444p"
    pictures = list(_filtered(pixels, clip.seconds, graph=graph, pixel_format=pixel_format))
    return np.stack(pictures) if pictures else pixels[:0]


def _takes_rgb(graph: str) -> bool:
    """Whether the chain maps planar RGB to planar RGB, so that nothing inside converts."""
    grey = np.full((1, 64, 64, 3), 128, np.uint8)
    frames = _frames(grey, np.zeros(1), pixel_format="gbrp")
    return all(frame.format.name.startswith("gbr") for frame in _through(frames, graph=graph))


def _filtered(
    pixels: UInt8[np.ndarray, "time height width 3"],
    seconds: np.ndarray,
    *,
    graph: str,
    pixel_format: str,
) -> Iterator[UInt8[np.ndarray, "height width 3"]]:
    frames = _frames(pixels, seconds, pixel_format=pixel_format)
    for frame in _through(frames, graph=graph):
        yield frame.to_ndarray(format="rgb24")


def _frames(pixels: np.ndarray, seconds: np.ndarray, *, pixel_format: str) -> list[av.VideoFrame]:
    frames = []
    for picture, second in zip(pixels, seconds, strict=True):
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        frame = frame.reformat(format=pixel_format)
        frame.pts = round(second * TICKS_A_SECOND)
        frame.time_base = Fraction(1, TICKS_A_SECOND)
        frames.append(frame)
    return frames


def _through(frames: list[av.VideoFrame], *, graph: str) -> Iterator[av.VideoFrame]:
    """Push all frames into a new graph, and pull all that it gives."""
    if not frames:
        return
    chain = _chain(graph, frames[0])
    for frame in [*frames, None]:
        chain.vpush(frame)
        while True:
            try:
                yield chain.vpull()
            except (NothingYet, NothingMore):
                break


def _chain(graph: str, example: av.VideoFrame) -> Graph:
    """Build and configure `buffer -> the named filters -> buffersink`."""
    chain = Graph()
    last = chain.add_buffer(
        width=example.width,
        height=example.height,
        format=example.format,
        time_base=example.time_base,
    )
    for words in graph.split(","):
        name, _, arguments = words.strip().partition("=")
        if name not in filters_available:
            raise MissingError(f"this build of FFmpeg has no filter {name!r}; see its filter list")
        try:
            step = chain.add(name, arguments or None)
        except (ValueError, FFmpegError) as fault:
            raise UsageError(
                f"the filter {name} does not understand {arguments!r}: {fault}"
            ) from fault
        last.link_to(step)
        last = step
    last.link_to(chain.add("buffersink"))
    chain.configure()
    return chain
