"""Checks options for an encoder against those that FFmpeg knows, before work starts."""

from __future__ import annotations

import contextlib
import difflib
import os
from fractions import Fraction
from functools import lru_cache
from typing import Any

import av
import av.logging
from av.codec.codec import Codec
from av.codec.context import CodecContext
from av.error import FFmpegError

from unflicker.compute.scheduling import scheduling_kept
from unflicker.errors import MissingError, UsageError
from unflicker.settings import EncodingSettings

BY_SCALE = ("mjpeg", "mpeg2video", "mpeg4")
"""Encoders whose quality is a quantiser scale."""
_SCALE = (1.0, 31.0)
"""Range of the scale of MPEG-1, 2, 4 and Motion JPEG."""
_CRF = {"libx264": (0.0, 51.0), "libx264rgb": (0.0, 51.0), "libx265": (0.0, 51.0)}
"""Ranges of x264 and x265, which FFmpeg does not know."""
_ON_DEVICES = ("_nvenc", "_qsv", "_amf", "_vaapi", "_v4l2m2m", "_mf", "_videotoolbox")
"""How the names of FFmpeg's encoders end that run on a device of their own."""
_SPOKEN = {
    "x264": "libx264",
    "avc": "libx264",
    "x265": "libx265",
    "h265": "libx265",
    "svtav1": "libsvtav1",
    "aom": "libsvtav1",
    "vp9": "libvpx-vp9",
    "mpeg2": "mpeg2video",
    "dv": "dvvideo",
}
"""Names that people use, for the message."""
_NUMBERS = ("INT", "INT64", "UINT", "UINT64", "FLOAT", "DOUBLE")


@lru_cache
def encoder_named(name: str) -> str:
    """The name of the encoder that FFmpeg takes for a name: libx264 for h264.

    Raises:
        MissingError: There is no such encoder.
        UsageError: It does not encode video.
    """
    try:
        codec = Codec(name, "w")
    except ValueError as fault:
        meant = _SPOKEN.get(name.lower())
        hint = f"did you mean {meant}?" if meant else "leave --codec away, or take one such as"
        others = "" if meant else " libx264, libx265, ffv1, prores"
        raise MissingError(f"this FFmpeg has no encoder {name!r}; {hint}{others}") from fault
    if codec.type != "video":
        raise UsageError(f"{name!r} encodes {codec.type}, not video; pass a video encoder")
    return codec.name


def needs_hardware(encoder: str) -> bool:
    """Whether an encoder runs on a device of its own."""
    return encoder.endswith(_ON_DEVICES)


def has_quality(encoder: str) -> bool:
    """Whether an encoder has a quality to choose."""
    return encoder in BY_SCALE or encoder in _CRF or "crf" in _options_of(encoder)


def refuse_options(encoder: str, settings: EncodingSettings) -> None:
    """Refuse options that an encoder does not have, or values out of their range.

    Args:
        encoder: FFmpeg's name.
        settings: As the user asked.

    Raises:
        UsageError: It names the option, what was got, and what there is.
    """
    known = _options_of(encoder)
    if settings.crf is not None:
        _refuse_quality(encoder, settings.crf, known)
    for key, value in settings.options:
        option = known.get(key)
        if option is None:
            close = difflib.get_close_matches(key, known, n=1)
            hint = (
                f"did you mean {close[0]}?" if close else f"ffmpeg -h encoder={encoder} lists all"
            )
            raise UsageError(f"{encoder} has no option {key!r} (-e {key}={value}); {hint}")
        _refuse_value(encoder, option, value)
        if key.endswith("-params"):
            _refuse_parameters(encoder, key, value)


def _refuse_quality(encoder: str, crf: float, known: dict[str, Any]) -> None:
    if encoder in BY_SCALE:
        low, high = _SCALE
    elif encoder in _CRF:
        low, high = _CRF[encoder]
    elif has_quality(encoder):
        low, high = max(known["crf"].min, 0.0), known["crf"].max
    else:
        raise UsageError(
            f"{encoder} has no quality to choose (--crf {crf:g}); leave --crf away, or name an "
            "encoder that has with --codec, such as libx264"
        )
    if not low <= crf <= high:
        raise UsageError(f"--crf {crf:g} is out of range; {encoder} takes {low:g} to {high:g}")


def _refuse_value(encoder: str, option: Any, value: str) -> None:
    """Refuse a value that is neither a number in the option's range nor one of its words."""
    if option.type.name not in _NUMBERS or option.is_array:
        return
    words = [choice.name for choice in option.choices]
    if value in words:
        return
    told = f"-e {option.name}={value}"
    try:
        number = float(value)
    except ValueError as fault:
        takes = ", ".join(words) or "a number"
        raise UsageError(f"{encoder} does not understand {told}; it takes {takes}") from fault
    if not option.min <= number <= option.max:
        raise UsageError(
            f"{told} is out of range; {encoder} takes {option.min:g} to {option.max:g}"
        )


def _refuse_parameters(encoder: str, key: str, value: str) -> None:
    """Refuse parameters of a library, as x264's, that it reports as unknown and then ignores."""
    context: Any = CodecContext.create(encoder, "w")
    context.width, context.height, context.time_base = 64, 64, Fraction(1, 25)
    context.pix_fmt = "yuv420p"
    quiet = "log-level=none:" if encoder == "libx265" else ""
    context.options = {key: quiet + value}
    level = av.logging.get_level()
    av.logging.set_level(av.logging.WARNING)
    os.environ.setdefault("SVT_LOG", "1")
    try:
        logging = av.logging.Capture(local=False)
        with logging as logged, contextlib.suppress(FFmpegError), scheduling_kept():
            context.open()
    finally:
        av.logging.set_level(level)
    for _, name, text in logged:
        if name == encoder and "option" in text:
            raise UsageError(f"{encoder} refuses a part of -e {key}={value}: {text.strip()}")


@lru_cache
def _options_of(encoder: str) -> dict[str, Any]:
    """FFmpeg's description of each option of an encoder, by name."""
    context: Any = CodecContext.create(encoder, "w")
    every = context.supported_options
    return {option.name: option for option in (*every.generic, *every.private)}
