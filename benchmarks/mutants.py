"""Small films in ten containers, and damage to their bytes, the same for the same seed."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np

_SIZE = (48, 64)
_FRAMES = 10
_RATE = 25
_THREADS = 3
"""Of encoders. With a number of their own choice bytes differ by machine. Those of x264 differ in
one sample of some 150 even with one thread; all others were equal in 150."""
_X265 = "log-level=none:pools=none:frame-threads=1"
_HEADER_BYTES = 2048
"""Of a file: where sizes and counts stand in most containers."""
_LIES = (0, 1, 2, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0xFFFF_FFFF, 0x8000_0000, 65_536)
"""Numbers that a header may claim."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A small film of one kind."""

    suffix: str
    content: bytes


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A damaged film."""

    number: int
    suffix: str
    damage: str
    """What was done to it, in words."""
    content: bytes


_KINDS: tuple[tuple[str, str, str, str], ...] = (
    ("mp4", "libx264", "yuv420p", "aac"),
    ("mov", "prores_ks", "yuv422p10le", "pcm_s16le"),
    ("mkv", "ffv1", "yuv444p", "flac"),
    ("webm", "libvpx-vp9", "yuv420p", "libopus"),
    ("avi", "mjpeg", "yuvj420p", "pcm_s16le"),
    ("ts", "mpeg2video", "yuv420p", "mp2"),
    ("mpg", "mpeg1video", "yuv420p", "mp2"),
    ("mxf", "mpeg2video", "yuv420p", "pcm_s16le"),
    ("flv", "flv1", "yuv420p", ""),
    ("gif", "gif", "rgb8", ""),
    ("mp4", "libx265", "yuv420p10le", ""),
)
_FORMATS = {"mkv": "matroska", "ts": "mpegts", "mpg": "mpeg"}
"""FFmpeg's names of containers, where they are not the suffix."""


def samples() -> list[Sample]:
    """One small film of each kind, with sound where the container takes it."""
    return [_sample(*kind) for kind in _KINDS]


def mutants(made: list[Sample], *, seed: int) -> Iterator[Mutant]:
    """Damaged films without end, each kind in turn.

    Args:
        made: Whole films.
        seed: Of the damage; a mutant depends on it and on its own number.
    """
    number = 0
    while True:
        sample = made[number % len(made)]
        drawn = random.Random(f"{seed}-{number}")
        content, words = bytearray(sample.content), []
        for _ in range(drawn.choice((1, 1, 1, 2, 3))):
            damage = drawn.choice(_DAMAGE)
            words.append(damage.__name__.strip("_"))
            damage(content, drawn)
        yield Mutant(
            number=number, suffix=sample.suffix, damage=", ".join(words), content=bytes(content)
        )
        number += 1


def _sample(suffix: str, codec: str, pixel_format: str, sound: str) -> Sample:
    file = io.BytesIO()
    with av.open(
        file, "w", format=_FORMATS.get(suffix, suffix), options={"fflags": "+bitexact"}
    ) as output:
        options = {"x265-params": _X265} if codec == "libx265" else {}
        pictures: Any = output.add_stream(codec, rate=_RATE, options=options)
        pictures.height, pictures.width = _SIZE
        pictures.pix_fmt = pixel_format
        pictures.codec_context.thread_count = _THREADS
        tones: Any = output.add_stream(sound, rate=48_000) if sound else None
        for index in range(_FRAMES):
            output.mux(pictures.encode(_picture(index, pixel_format)))
            if tones is not None:
                output.mux(tones.encode(_tone(index)))
        output.mux(pictures.encode(None))
        if tones is not None:
            output.mux(tones.encode(None))
    return Sample(suffix=suffix, content=file.getvalue())


def _picture(index: int, pixel_format: str) -> av.VideoFrame:
    """A slanted pattern that moves and flickers."""
    height, width = _SIZE
    across, down = np.meshgrid(np.arange(width), np.arange(height))
    level = (110 + 50 * np.sin((across + down + 2 * index) / 7)) * (0.85 + 0.3 * (index % 2))
    rgb = np.repeat(level.clip(0, 255).astype(np.uint8)[..., None], 3, axis=-1)
    frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format=pixel_format)
    frame.pts, frame.time_base = index, Fraction(1, _RATE)
    return frame


def _tone(index: int) -> av.AudioFrame:
    count = 48_000 // _RATE
    wave = (3000 * np.sin(np.arange(count) / 12)).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(np.repeat(wave, 2)[None], format="s16", layout="stereo")
    frame.sample_rate, frame.pts = 48_000, index * count
    frame.time_base = Fraction(1, 48_000)
    return frame


def _flipped_bits(content: bytearray, drawn: random.Random) -> None:
    for _ in range(drawn.choice((1, 4, 40, 400))):
        if content:
            content[drawn.randrange(len(content))] ^= 1 << drawn.randrange(8)


def _flipped_header(content: bytearray, drawn: random.Random) -> None:
    for _ in range(drawn.choice((1, 2, 8))):
        if content:
            content[drawn.randrange(min(len(content), _HEADER_BYTES))] ^= 1 << drawn.randrange(8)


def _cut_off(content: bytearray, drawn: random.Random) -> None:
    del content[drawn.randrange(len(content) + 1) :]


def _beginning_lost(content: bytearray, drawn: random.Random) -> None:
    del content[: drawn.randrange(len(content) // 2 + 1)]


def _block(content: bytearray, drawn: random.Random) -> slice:
    length = drawn.choice((1, 16, 512, 4096))
    begin = drawn.randrange(max(len(content) - length, 1))
    return slice(begin, min(begin + length, len(content)))


def _zeroed(content: bytearray, drawn: random.Random) -> None:
    place = _block(content, drawn)
    content[place] = bytes(place.stop - place.start)


def _noise(content: bytearray, drawn: random.Random) -> None:
    place = _block(content, drawn)
    content[place] = drawn.randbytes(place.stop - place.start)


def _left_out(content: bytearray, drawn: random.Random) -> None:
    del content[_block(content, drawn)]


def _repeated(content: bytearray, drawn: random.Random) -> None:
    place = _block(content, drawn)
    content[place.start : place.start] = bytes(content[place]) * drawn.choice((1, 3, 50))


def _lying_numbers(content: bytearray, drawn: random.Random) -> None:
    """Overwrite numbers of two or four bytes, at the beginning or at the end of the file."""
    for _ in range(drawn.choice((1, 2, 5))):
        width = drawn.choice((2, 4))
        reach = min(len(content), _HEADER_BYTES)
        if reach <= width:
            return
        begin = drawn.randrange(reach - width)
        if drawn.random() < 0.5:
            begin += len(content) - reach
        value = drawn.choice(_LIES) & ((1 << 8 * width) - 1)
        content[begin : begin + width] = value.to_bytes(width, drawn.choice(("big", "little")))


_DAMAGE: tuple[Callable[[bytearray, random.Random], None], ...] = (
    _flipped_bits,
    _flipped_header,
    _cut_off,
    _beginning_lost,
    _zeroed,
    _noise,
    _left_out,
    _repeated,
    _lying_numbers,
    _lying_numbers,
)
