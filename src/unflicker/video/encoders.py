"""Choice of encoder, pixel format and quality for a source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import cv2
from av.codec.codec import Codec
from av.video.format import VideoFormat

from unflicker.errors import UsageError
from unflicker.frames.picture import PixelLayout
from unflicker.settings import EncodingSettings
from unflicker.video.encoder_options import BY_SCALE, encoder_named
from unflicker.video.frame_facts import TOP_FIRST
from unflicker.video.pixel_formats import planar_name, stored_format
from unflicker.video.traits import Traits

AS_THE_SOURCE = EncodingSettings()
_FAMILIES = {
    "h264": "libx264",
    "hevc": "libx265",
    "vp8": "libvpx-vp9",
    "vp9": "libvpx-vp9",
    "libvpx-vp9": "libvpx-vp9",
    "av1": "libsvtav1",
    "libdav1d": "libsvtav1",
    "prores": "prores",
    "dnxhd": "dnxhd",
    "mjpeg": "mjpeg",
    "dvvideo": "dvvideo",
    "gif": "ffv1",
    "apng": "png",
    "jpeg2000": "ffv1",
}
_MIRRORED = (
    "ffv1",
    "huffyuv",
    "ffvhuff",
    "utvideo",
    "magicyuv",
    "rawvideo",
    "png",
    "qtrle",
    "v210",
)
_DEMANDED = {
    "webm": "libvpx-vp9",
    "mpeg": "mpeg2video",
    "mxf": "mpeg2video",
    "avi": "mpeg4",
    "asf": "wmv2",
}
"""Encoders that a container needs for films whose own codec is too old or too rare to encode."""
_SECOND = {"dvvideo": "libx264", "asf": "wmv2"}
"""Encoders that come second, by the first or by the container: only sizes of tape exist as DV, and
FFmpeg reads H.264 with B-frames from ASF without their times."""
_PRORES_PROFILES = {
    "Proxy": "0",
    "LT": "1",
    "Standard": "2",
    "HQ": "3",
    "4444": "4",
    "XQ": "5",
}
_DNXHR_PROFILES = {"yuv422p": "dnxhr_hq", "yuv422p10le": "dnxhr_hqx", "yuv444p10le": "dnxhr_444"}
_QUALITY = {
    "libx264": {"crf": "16", "preset": "medium"},
    "libx264rgb": {"crf": "16", "preset": "medium"},
    "libx265": {"crf": "18", "preset": "medium"},
    "libvpx-vp9": {"crf": "15", "deadline": "good", "cpu-used": "4", "row-mt": "1"},
    "libsvtav1": {"crf": "18", "preset": "8"},
    "mjpeg": {"flags": "+qscale", "global_quality": str(2 * 118)},
    "mpeg2video": {"flags": "+qscale", "global_quality": str(2 * 118), "g": "12"},
    "mpeg4": {"flags": "+qscale", "global_quality": str(2 * 118)},
    "wmv2": {"flags": "+qscale", "global_quality": str(2 * 118)},
    "ffv1": {"level": "3", "slicecrc": "1"},
}
"""Near-transparent settings: a second generation that a careful eye cannot tell from the first."""
_LOSSLESS = {
    "libx264": {"qp": "0", "preset": "medium"},
    "libx264rgb": {"qp": "0", "preset": "medium"},
    "libx265": {"preset": "medium"},
    "libvpx-vp9": {"lossless": "1", "deadline": "good", "cpu-used": "4", "row-mt": "1"},
}
_PARAMETERS = {
    "libx264": "x264-params",
    "libx264rgb": "x264-params",
    "libx265": "x265-params",
    "libsvtav1": "svtav1-params",
}
_AVX_512 = 13
"""OpenCV's number of that instruction set. With it, x264's macroblock tree reads memory that it has
not written, and the same pictures become other bytes; AVX2 takes 8 % more time (lab notebook)."""
CONSTANT_RATE = ("mpeg2video", "mpeg4", "dvvideo")
"""Encoders whose time is counted in frames."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One way to encode a film."""

    encoder: str
    pixel_format: str
    converts: bool = False
    """Whether samples change on the way: another depth, sampling or family than the film's."""


def candidates(
    traits: Traits,
    layout: PixelLayout,
    *,
    container_format: str,
    settings: EncodingSettings = AS_THE_SOURCE,
) -> list[Candidate]:
    """Ways to encode a film, the most similar to its source first.

    Args:
        traits: Of the source.
        layout: Of its pictures.
        container_format: FFmpeg's name of the muxer.
        settings: Codec and pixel format, if chosen.

    Raises:
        MissingError: The encoder asked for is not in this FFmpeg.
        UsageError: The pixel format asked for does not exist.
    """
    if settings.codec or settings.pix_fmt:
        asked = settings.codec
        encoder = encoder_named(asked) if asked else _family(traits, container_format)
        return list(_asked_for(encoder, layout, pixel_format=settings.pix_fmt))
    family = _family(traits, container_format)
    if not traits.codec:
        return _for_pictures(family, layout)
    found = list(_exact(family, layout))
    if family == "libx264":
        found += _exact("libx264rgb", layout)
    for name in {family, container_format} & _SECOND.keys():
        found += [*_exact(_SECOND[name], layout), *_nearest(_SECOND[name], layout)]
    if family == "prores":
        # ProRes stores no depth: FFmpeg reads 4444 as 12 bits, and writes it from 10.
        found += _nearest(family, layout)
    if not traits.lossless:
        for other in ("libvpx-vp9", "libsvtav1", "libx265"):
            found += _exact(other, layout)
    found += [*_exact("ffv1", layout), *_widened(family, layout), *_nearest(family, layout)]
    return list(dict.fromkeys(found))


def quality_options(
    candidate: Candidate, traits: Traits, *, settings: EncodingSettings = AS_THE_SOURCE
) -> dict[str, str]:
    """The encoder's options: near-transparent, or lossless where the source is.

    Args:
        candidate: Encoder and pixel format.
        traits: Of the source.
        settings: Quality, if chosen.
    """
    encoder = candidate.encoder
    quality = _LOSSLESS if traits.lossless and settings.crf is None else {}
    options = dict(quality.get(encoder, _QUALITY.get(encoder, {})))
    if settings.crf is not None:
        if encoder in BY_SCALE:
            options["global_quality"] = str(round(settings.crf * 118))
        else:
            options["crf"] = f"{settings.crf:g}"
    if encoder in ("prores", "prores_ks", "prores_aw"):
        options["profile"] = _prores_profile(traits, candidate.pixel_format)
    if encoder == "dnxhd":
        options["profile"] = _DNXHR_PROFILES.get(candidate.pixel_format, "dnxhr_hq")
    _add_parameters(options, encoder, traits, lossless=bool(quality))
    for key, value in settings.options:
        joined = key.endswith("-params") and options.get(key)
        options[key] = f"{joined}:{value}" if joined else value
    return options


def _add_parameters(
    options: dict[str, str], encoder: str, traits: Traits, *, lossless: bool
) -> None:
    """Set what x264, x265 and SVT-AV1 accept only in their own syntax: HDR10 data, silence."""
    words = []
    if encoder in ("libx264", "libx264rgb") and cv2.checkHardwareSupport(_AVX_512):
        words.append("asm=AVX2")
    if encoder == "libx265":
        words += ["log-level=none", *(["lossless=1"] if lossless else [])]
    if encoder == "libx264" and traits.field_order > 1:
        words.append("tff=1" if traits.field_order in TOP_FIRST else "bff=1")
        if lossless:
            # x264 skips macroblocks of interlaced film that differ by a little (lab notebook).
            words.append("no-fast-pskip=1")
    screen, level = traits.mastering, traits.light_level
    if screen is not None:
        words += {
            "libx264": [f"mastering-display={screen.in_steps()}"],
            "libx265": [f"master-display={screen.in_steps()}"],
            "libsvtav1": [f"mastering-display={screen.in_decimals()}"],
        }.get(encoder, [])
    if level is not None:
        name = {"libx264": "cll", "libx265": "max-cll", "libsvtav1": "content-light"}.get(encoder)
        words += [f"{name}={level[0]},{level[1]}"] if name else []
    if words:
        key = _PARAMETERS[encoder]
        options[key] = ":".join(words)


def keeps_hdr(encoder: str) -> bool:
    """Whether an encoder can write HDR10 mastering data."""
    return encoder in ("libx264", "libx265", "libsvtav1")


@lru_cache
def formats_of(encoder: str) -> tuple[str, ...]:
    """The pixel formats an encoder takes; empty where it takes any.

    Raises:
        MissingError: There is no such encoder.
    """
    codec = Codec(encoder_named(encoder), "w")
    # Formats of devices, as `cuda`, have no samples that could be given to them.
    return tuple(item.name for item in codec.video_formats or () if item.components)


def _family(traits: Traits, container_format: str) -> str:
    if traits.codec in _MIRRORED:
        return traits.codec
    if traits.codec in _FAMILIES:
        return _FAMILIES[traits.codec]
    if traits.lossless:
        return "ffv1"
    return _DEMANDED.get(container_format, "libx264")


def _for_pictures(family: str, layout: PixelLayout) -> list[Candidate]:
    """Candidates for pictures that become a video: 4:2:0, which every player shows, if the size
    allows."""
    depth = "" if layout.depth == 8 else "10le"
    names = [f"yuv420p{depth}", f"yuv444p{depth}"]
    encoders = [family, "libsvtav1", "libvpx-vp9", "libx265"]
    return [
        Candidate(encoder=encoder, pixel_format=name, converts=True)
        for name in names
        for encoder in encoders
        if name in formats_of(encoder)
    ]


def _asked_for(encoder: str, layout: PixelLayout, *, pixel_format: str) -> Iterator[Candidate]:
    known = formats_of(encoder)
    if pixel_format:
        try:
            asked = stored_format(pixel_format)
        except ValueError as fault:
            raise UsageError(
                f"no pixel format {pixel_format!r}; pass one such as yuv420p or yuv422p10le"
            ) from fault
        if known and pixel_format not in known:
            raise UsageError(f"{encoder} does not take {pixel_format}; it takes {', '.join(known)}")
        converts = asked.layout != layout or not _is_whole(pixel_format)
        yield Candidate(encoder=encoder, pixel_format=pixel_format, converts=converts)
        return
    yield from _exact(encoder, layout)
    yield from _nearest(encoder, layout)


def _exact(encoder: str, layout: PixelLayout) -> Iterator[Candidate]:
    """The format of an encoder that holds exactly the film's samples, if any: planar, or packed."""
    known = formats_of(encoder)
    planar = planar_name(layout)
    for name in (planar, *known):
        if known and name not in known:
            continue
        if stored_format(name).layout == layout and _is_whole(name) and "yuvj" not in name:
            yield Candidate(encoder=encoder, pixel_format=name)
            return


def _widened(encoder: str, layout: PixelLayout) -> Iterator[Candidate]:
    """The formats of an encoder that hold the film's samples with more precision, nearest first."""
    wider = [
        name
        for name in formats_of(encoder)
        if _is_whole(name) and _holds(stored_format(name).layout, layout) and "yuvj" not in name
    ]
    for name in sorted(wider, key=lambda name: _loss(stored_format(name).layout, layout)):
        if stored_format(name).layout != layout:
            yield Candidate(encoder=encoder, pixel_format=name, converts=True)


def _nearest(encoder: str, layout: PixelLayout) -> Iterator[Candidate]:
    """All formats of an encoder, the one that loses least first."""
    names = [name for name in formats_of(encoder) if "yuvj" not in name]
    for name in sorted(names, key=lambda name: _loss(stored_format(name).layout, layout)):
        if stored_format(name).layout != layout or not _is_whole(name):
            yield Candidate(encoder=encoder, pixel_format=name, converts=True)


def _holds(wide: PixelLayout, layout: PixelLayout) -> bool:
    return (
        wide.family == layout.family
        and wide.depth >= layout.depth
        and wide.alpha >= layout.alpha
        and all(a <= b for a, b in zip(wide.chroma_shift, layout.chroma_shift, strict=True))
    )


def _loss(other: PixelLayout, layout: PixelLayout) -> tuple[int, ...]:
    """Differences of two layouts, most important first: family, alpha, depth, sampling, waste."""
    coarser = sum(
        max(0, a - b) for a, b in zip(other.chroma_shift, layout.chroma_shift, strict=True)
    )
    return (
        other.family != layout.family and layout.family != "grey",
        layout.alpha and not other.alpha,
        max(0, layout.depth - other.depth),
        coarser,
        other.depth - layout.depth,
        sum(layout.chroma_shift) - sum(other.chroma_shift),
        other.alpha and not layout.alpha,
    )


@lru_cache
def _is_whole(name: str) -> bool:
    """Whether every sample of a format has 8 bits or more, and is an integer."""
    pixel_format = VideoFormat(name, 64, 64)
    enough = all(component.bits >= 8 for component in pixel_format.components)
    return enough and not pixel_format.has_palette and stored_format(name).exact


def _prores_profile(traits: Traits, pixel_format: str) -> str:
    if "444" in pixel_format:
        return "4"
    found = next(
        (number for name, number in _PRORES_PROFILES.items() if name in traits.profile), "3"
    )
    return found if found in ("0", "1", "2", "3") else "3"
