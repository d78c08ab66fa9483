"""Tries whether a film's first frames come back from a format: encoded, muxed and read again."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import av
from av.error import FFmpegError

from unflicker.frames.picture import Frame
from unflicker.video.encoding import SegmentEncoder, VideoFormat
from unflicker.video.muxing import Muxer
from unflicker.video.side_streams import Plan


def trial(form: VideoFormat, frames: Sequence[Frame], segment: io.BytesIO) -> str | None:
    """Why a format does not work, or None if it does.

    Args:
        form: How frames are encoded.
        frames: The first of the film.
        segment: Receives their segment.
    """
    file = io.BytesIO()
    try:
        with closing(SegmentEncoder(form, segment)) as encoder:
            for frame in frames:
                encoder.write(frame)
            encoder.finish()
        muxer = Muxer(form, plan=Plan(container_format=form.container_format), place=file)
        try:
            muxer.add(segment)
            muxer.finish()
        except BaseException:
            muxer.abandon()
            raise
        return _difference(file, form, frames)
    except (FFmpegError, ValueError, OSError, OverflowError) as fault:
        return getattr(fault, "strerror", None) or str(fault)


def _difference(file: io.BytesIO, form: VideoFormat, frames: Sequence[Frame]) -> str | None:
    """What a file lacks of the frames that were written to it."""
    file.seek(0)
    with av.open(file, mode="r", metadata_errors="replace") as back:
        if not back.streams.video:
            return "players would find no video in it"
        stream: Any = back.streams.video[0]
        if stream.codec_context is None:
            return "nothing could decode it again"
        found = [frame for packet in back.demux(stream) for frame in packet.decode()]
    if len(found) != len(frames):
        return f"of {len(frames)} frames {len(found)} come back"
    if any((frame.height, frame.width) != form.size for frame in found):
        return f"frames come back as {found[0].width}x{found[0].height}"
    times = [None if frame.pts is None else frame.pts for frame in found]
    if None in times and form.container_format != "avi":
        return "frames come back without times"
    if len(set(times)) < len(times):
        return "several frames come back with one time"
    return None
