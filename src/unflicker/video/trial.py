"""Tries whether a film's first frames come back from a format: encoded, muxed and read again."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import av
from av.error import FFmpegError
from av.video.frame import VideoFrame

from unflicker.errors import UsageError
from unflicker.frames.picture import Frame
from unflicker.video.encoding import SegmentEncoder, VideoFormat
from unflicker.video.muxing import mux_alone
from unflicker.video.pixel_formats import stored_format
from unflicker.video.side_streams import Plan
from unflicker.video.traits import FULL, UNSPECIFIED

_STANDARD = {
    "mpeg": ("mpeg1video", "mpeg2video", "mpeg4", "h264", "hevc"),
    "asf": ("wmv1", "wmv2", "msmpeg4v2", "msmpeg4v3", "mpeg4", "mjpeg", "rawvideo", "h264"),
}
"""Codecs of containers that name none, where FFmpeg guesses others from their first bytes and then
loses frames (ISO/IEC 13818-1, table of stream types), or whose players know no others."""


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What came of a trial."""

    fault: str | None = None
    """Why the format does not work; None if it does."""
    lost: tuple[str, ...] = ()
    """What does not come back, for the user."""


def trial(form: VideoFormat, frames: Sequence[Frame], segment: io.BytesIO) -> Tried:
    """Encode, mux and read the first frames of a film.

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
        mux_alone(form, segment, plan=Plan(container_format=form.container_format), place=file)
        return _read_again(file, form, frames)
    except (FFmpegError, ValueError, OSError, OverflowError) as fault:
        return Tried(fault=getattr(fault, "strerror", None) or str(fault))


def refuse_refused(forms: Sequence[VideoFormat], frames: Sequence[Frame]) -> None:
    """Name the option of the user's because of which no format works, if that is the reason.

    Args:
        forms: None of them works; the best first.
        frames: The first of the film.

    Raises:
        UsageError: Without that option it would work.
    """
    for form in forms[:1]:
        for key, value in form.settings.options:
            others = tuple(pair for pair in form.settings.options if pair != (key, value))
            without = replace(form, settings=replace(form.settings, options=others))
            if trial(without, frames, io.BytesIO()).fault is None:
                raise UsageError(
                    f"{form.candidate.encoder} refuses -e {key}={value}; leave it away, or see "
                    f"ffmpeg -h encoder={form.candidate.encoder}"
                )


def _read_again(file: io.BytesIO, form: VideoFormat, frames: Sequence[Frame]) -> Tried:
    """What a file gives back of the frames that were written to it."""
    file.seek(0)
    with av.open(file, mode="r", metadata_errors="replace") as back:
        if not back.streams.video:
            return Tried(fault="players would find no video in it")
        stream: Any = back.streams.video[0]
        if stream.codec_context is None:
            return Tried(fault="nothing could decode it again")
        codec = stream.codec_context.codec.canonical_name
        if codec not in _STANDARD.get(form.container_format, (codec,)):
            return Tried(fault=f"the standard of {form.container_format} has no {codec}")
        found = [frame for packet in back.demux(stream) for frame in packet.decode()]
        return Tried(fault=_fault(found, form, frames), lost=_lost(found, stream, form))


def _fault(found: Sequence[VideoFrame], form: VideoFormat, frames: Sequence[Frame]) -> str | None:
    """Why frames that came back are not those of the film."""
    if len(found) != len(frames):
        return f"of {len(frames)} frames {len(found)} come back"
    if any((frame.height, frame.width) != form.size for frame in found):
        return f"frames come back as {found[0].width}x{found[0].height}"
    times = [frame.pts for frame in found]
    if None in times and form.container_format != "avi":
        return "frames come back without times"
    if len(set(times)) < len(times):
        return "several frames come back with one time"
    return None


def _lost(found: Sequence[VideoFrame], stream: Any, form: VideoFormat) -> tuple[str, ...]:
    """Facts of the film that do not come back with its frames."""
    traits, lost = form.traits, []
    words = f"{form.candidate.encoder} in {form.container_format} does not store"
    shape = traits.sample_aspect
    told_shape = stream.sample_aspect_ratio or 1
    # WebM stores the shown width in whole pixels.
    if shape and shape != 1 and abs(told_shape / shape - 1) * form.size[1] > 1:
        lost.append(f"{words} the shape of pixels ({shape}); a name that ends in .mov keeps it")
    if _loses_colour_tags(found[0], form):
        lost.append(f"{words} the film's colour tags; a name that ends in .mkv or .mov keeps more")
    told = stream.codec_context.field_order > 1
    if traits.field_order > 1 and not told and not any(one.interlaced_frame for one in found):
        lost.append(f"{words} that the film is interlaced")
    return tuple(lost)


def _loses_colour_tags(frame: VideoFrame, form: VideoFormat) -> bool:
    """Whether tags that the film has come back as others, or not at all."""
    told, full = form.output_tags
    back = (int(frame.color_primaries), int(frame.color_trc), int(frame.colorspace))
    given = (told.primaries, told.transfer, told.matrix)
    if any(
        one not in (0, UNSPECIFIED) and one != other for one, other in zip(given, back, strict=True)
    ):
        return True
    is_yuv = stored_format(form.candidate.pixel_format).layout.family == "yuv"
    return is_yuv and full and told.range == FULL and int(frame.color_range) != FULL
