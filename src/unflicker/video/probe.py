"""Properties of a file from its first frames."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from av.container import InputContainer
from av.error import FFmpegError
from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from unflicker.errors import InputError
from unflicker.video.container import open_source
from unflicker.video.pixel_formats import stored_format
from unflicker.video.traits import ColourTags, MasteringDisplay, Traits

INTERLACE_PROBE_FRAMES = 24
"""Number of frames examined if the first is interlaced, to distinguish telecined from interlaced.
"""
_PACKETS_TO_FIRST_FRAME = 500
_MAKERS = ("com.apple.", "com.android.", "com.samsung.", "com.google.", "com.xiaomi.")
"""How keys of telephones and cameras begin (QuickTime's metadata keys, `mdta`)."""
_UPPER_FIRST, _LOWER_FIRST = 2, 3
"""FFmpeg's numbers for interlaced film (AVFieldOrder)."""


@dataclass(frozen=True, kw_only=True)
class Probe:
    """Properties of a file from its first frames."""

    traits: Traits
    first: VideoFrame
    notes: tuple[str, ...]


def main_stream(container: InputContainer, *, path: Path) -> VideoStream:
    """The stream that is the film: the default one, and never a cover picture.

    Args:
        container: Opened for reading.
        path: For messages.

    Raises:
        InputError: There is none, or nothing can decode it.
    """
    streams = [stream for stream in container.streams.video if not is_cover(stream)]
    if not streams:
        found = {"a cover" if s.type == "video" else s.type for s in container.streams}
        kinds = " and ".join(sorted(found)) or "nothing"
        raise InputError(f"{path} has no video in it, only {kinds}; pass a file with pictures")
    chosen = next((stream for stream in streams if stream.disposition.value & 1), streams[0])
    if chosen.codec_context is None:
        raise InputError(
            f"{path}: this FFmpeg has no decoder for its video; convert it to H.264 or FFV1 first"
        )
    return chosen


def is_cover(stream: VideoStream) -> bool:
    """Whether a video stream is a picture attached to the file, not the film."""
    return bool(stream.disposition.value & 0x400)


def look_at(path: Path) -> Probe:
    """Open a file, decode its first frames, and return its properties.

    Raises:
        InputError: No frame can be decoded.
    """
    with open_source(path) as container:
        stream = main_stream(container, path=path)
        stream.thread_type = "AUTO"
        frames = _first_frames(container, stream, path=path)
        first = frames[0]
        keys = any(key.startswith(_MAKERS) for key in container.metadata)
        traits = replace(
            _traits(first, stream, path=path),
            own_keys=keys,
            uncarried=_uncarried(first, stream),
        )
        notes = (
            *_interlace_notes(frames, traits=traits),
            *_format_notes(first),
            *_other_video_notes(container, stream),
        )
    return Probe(traits=traits, first=first, notes=notes)


def _first_frames(
    container: InputContainer, stream: VideoStream, *, path: Path
) -> list[VideoFrame]:
    frames: list[VideoFrame] = []
    fault: Exception | None = None
    try:
        for count, packet in enumerate(container.demux(stream)):
            try:
                frames.extend(packet.decode())
            except FFmpegError as error:
                fault = error
            enough = INTERLACE_PROBE_FRAMES if frames and frames[0].interlaced_frame else 1
            if len(frames) >= enough or count > _PACKETS_TO_FIRST_FRAME + enough:
                break
    except FFmpegError as error:
        fault = error
    if not frames:
        raise InputError(
            f"{path}: not one frame of its {stream.codec_context.name} video can be decoded"
            f"{f' ({fault.strerror})' if isinstance(fault, FFmpegError) else ''}; "
            "the file is damaged or empty, get it again"
        )
    return frames


def _traits(first: VideoFrame, stream: VideoStream, *, path: Path) -> Traits:
    codec = stream.codec_context
    side_data = _side_data(first)
    matrix = side_data.get(Type.DISPLAYMATRIX)
    level = side_data.get(Type.CONTENT_LIGHT_LEVEL)
    aspect = stream.sample_aspect_ratio
    return Traits(
        path=path,
        stream_index=stream.index,
        codec=codec.name,
        profile=codec.profile or "",
        pixel_format=first.format.name,
        tags=ColourTags(
            primaries=int(first.color_primaries),
            transfer=int(first.color_trc),
            matrix=int(first.colorspace),
            range=2 if first.format.name.startswith("yuvj") else int(first.color_range),
        ),
        sample_aspect=aspect or codec.sample_aspect_ratio or None,
        display_matrix=_int32s(matrix) if matrix else None,
        mastering=MasteringDisplay.from_bytes(side_data.get(Type.MASTERING_DISPLAY_METADATA, b"")),
        light_level=_pair(level) if level else None,
        field_order=_field_order(first, codec.field_order, codec=codec.name),
        lossless=_is_lossless(codec.name, side_data.get(Type.SEI_UNREGISTERED, b""), codec.profile),
        time_base=stream.time_base or Fraction(1, 90_000),
        bytes=path.stat().st_size,
    )


def _side_data(frame: Any) -> dict[Type, bytes]:
    return {item.type: bytes(item) for item in frame.side_data}


def _unnamed(cls: Any, number: object) -> Any:
    """A member for a kind of side data that PyAV has no name for, such as EXIF.

    Without it PyAV refuses all side data of a frame that has one of those.
    """
    member = object.__new__(cls)
    member._name_, member._value_ = f"UNNAMED_{number}", number
    return cls._value2member_map_.setdefault(number, member)


_Type: Any = Type
_Type._missing_ = classmethod(_unnamed)


def _pair(data: bytes) -> tuple[int, int]:
    first, second = _int32s(data)[:2]
    return first, second


def _int32s(data: bytes) -> tuple[int, ...]:
    return tuple(
        int.from_bytes(data[place : place + 4], "little", signed=True)
        for place in range(0, len(data) - 3, 4)
    )


_LOSSLESS_CODECS = (
    "ffv1", "huffyuv", "ffvhuff", "utvideo", "magicyuv", "rawvideo", "png", "apng", "qtrle",
    "v210", "v410", "r210", "lagarith", "gif", "qoi", "bmp", "tiff", "zmbv", "flashsv",
)  # fmt: skip


def _is_lossless(codec: str, user_data: bytes, profile: str | None) -> bool:
    """Whether the film is coded without loss, as far as codec or encoder's signature says."""
    if codec in _LOSSLESS_CODECS:
        return True
    if codec == "h264":
        signed = b"x264" in user_data and b" rc=cqp " in user_data and b" qp=0" in user_data
        return signed or "Lossless" in (profile or "")
    return codec == "hevc" and b"x265" in user_data and b" lossless " in user_data


def _field_order(first: VideoFrame, told: int, *, codec: str) -> int:
    """FFmpeg's number of the field order; from the frame where the container is silent.

    Args:
        first: The first frame.
        told: By container and decoder.
        codec: FFmpeg's name.
    """
    if told > 1 or not first.interlaced_frame:
        return told
    # DV shows the lower field first (IEC 61834-2); others mostly the upper.
    return _LOWER_FIRST if codec == "dvvideo" else _UPPER_FIRST


def _interlace_notes(frames: list[VideoFrame], *, traits: Traits) -> list[str]:
    woven = sum(frame.interlaced_frame for frame in frames)
    if not woven:
        return []
    if woven < len(frames):
        return [
            f"telecined or mixed: {woven} of the first {len(frames)} frames are interlaced; kept "
            "so, and light that flickers from field to field is corrected by fields"
        ]
    order = " (bottom field first)" if traits.field_order in (3, 5) else ""
    return [
        f"interlaced{order}: kept so, and light that flickers from field to field is corrected by "
        "fields"
    ]


def _uncarried(first: VideoFrame, stream: VideoStream) -> tuple[str, ...]:
    """What is in the pictures, and no encoder here writes or no decoder reads."""
    names = {
        Type.A53_CC: "closed captions inside the pictures",
        Type.DYNAMIC_HDR_PLUS: "HDR10+ scene data",
        Type.DOVI_RPU_BUFFER: "Dolby Vision data",
        Type.DOVI_METADATA: "Dolby Vision data",
    }
    found = sorted({names[kind] for kind in _side_data(first) if kind in names})
    alpha = stored_format(first.format.name).layout.alpha
    if stream.metadata.get("alpha_mode") == "1" and not alpha:
        found.append("the transparency of this VP8 or VP9 video, which cannot be read,")
    return tuple(found)


def _format_notes(first: VideoFrame) -> list[str]:
    stored = stored_format(first.format.name)
    if stored.exact:
        return []
    return [f"pixel format {stored.name} is read as {stored.planar}, with rounding"]


def _other_video_notes(container: InputContainer, main: VideoStream) -> list[str]:
    others = [
        stream
        for stream in container.streams.video
        if not is_cover(stream) and stream.index != main.index
    ]
    if not others:
        return []
    return [f"{len(others) + 1} video streams: only stream {main.index} is steadied"]
