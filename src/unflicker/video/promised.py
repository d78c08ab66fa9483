"""What a container promises: its size in bytes, its frames and when its pictures end.

A file that was cut off holds less. Only what a header says for certain is compared: in a file with
sound, its length may be that of the sound.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction
from io import BufferedIOBase
from pathlib import Path
from typing import Any

from av.container import InputContainer
from av.video.stream import VideoStream

_MXF_PARTITION = bytes.fromhex("060e2b34020501010d010201010200")[:13]
"""The first bytes of the key of a partition pack (SMPTE ST 377-1)."""
_SLOWEST, _FASTEST = Fraction(1, 7 * 86_400), Fraction(10_000_000)
"""Frames a second: a frame a week, and the fastest cameras; damaged headers tell of others."""
_EBML, _SEGMENT = 0x1A45DFA3, 0x18538067
"""Matroska's names of its two outermost elements (RFC 9559)."""


@dataclass(frozen=True, kw_only=True)
class Promise:
    """What a file promises of its pictures; None where it does not say."""

    bytes: int | None = None
    packets: int | None = None
    seconds: float | None = None
    """Length of the pictures."""
    maybe_seconds: float | None = None
    """Length of the whole file, perhaps that of other streams."""


def promise_of(path: Path, container: InputContainer, stream: Any) -> Promise:
    """The promise of a file.

    Args:
        path: Of the file.
        container: The same, opened.
        stream: The one that is the film.
    """
    kinds = container.format.name.split(",")
    whole = None if container.duration is None else container.duration / 1_000_000
    told = _tagged_seconds(stream.metadata)
    if "mp4" in kinds:
        return Promise(bytes=_boxes(path), packets=len(stream.index_entries) or None)
    if "avi" in kinds:
        # Its count of frames includes those that are dropped.
        return Promise(bytes=_riff(path))
    if "mxf" in kinds:
        length = stream.duration
        return Promise(bytes=_mxf(path), packets=length or None)
    if "matroska" in kinds:
        alone = len(container.streams) == 1
        return Promise(
            bytes=_matroska(path),
            seconds=told or (whole if alone else None),
            maybe_seconds=whole,
        )
    # FFmpeg reads the length of transport streams from their end: no promise.
    if "flv" in kinds:
        return Promise(bytes=_flv(path), maybe_seconds=whole)
    return Promise()


def _tagged_seconds(metadata: dict[str, str]) -> float | None:
    """Matroska's statistics of a track: `00:01:02.345`."""
    parts = metadata.get("DURATION", "").split(":")
    try:
        hours, minutes, seconds = (float(part) for part in parts)
    except ValueError:
        return None
    return hours * 3600 + minutes * 60 + seconds


def _boxes(path: Path) -> int | None:
    """Where the last box of an MP4 or MOV ends."""
    size, place = path.stat().st_size, 0
    with path.open("rb") as file:
        while place < size:
            file.seek(place)
            head = file.read(16)
            if len(head) < 8:
                return place + 8
            length = int.from_bytes(head[:4], "big")
            if length == 1 and len(head) == 16:
                length = int.from_bytes(head[8:], "big")
            if length < 8 or not head[4:8].isalnum():
                return None  # To the end of the file, or no box.
            place += length
    return place


def _riff(path: Path) -> int | None:
    """Where the last RIFF list of an AVI ends."""
    size, place = path.stat().st_size, 0
    with path.open("rb") as file:
        while place + 8 <= size:
            file.seek(place)
            name, length = struct.unpack("<4sI", file.read(8))
            if name != b"RIFF" or length in (0, 0xFFFFFFFF):
                break
            place += 8 + length + length % 2
    # Some writers do not count the last byte of padding.
    return place - 1 if place else None


def _flv(path: Path) -> int | None:
    """The size that the metadata of an FLV tell: a name, the type 0, a double."""
    name = b"\x00\x08filesize\x00"
    with path.open("rb") as file:
        head = file.read(1 << 16)
    place = head.find(name) + len(name)
    if place < len(name) or place + 8 > len(head):
        return None
    (size,) = struct.unpack(">d", head[place : place + 8])
    return int(size) if 0 < size < 2**53 else None


def _mxf(path: Path) -> int | None:
    """Where the footer of an MXF begins; None if its header does not say."""
    with path.open("rb") as file:
        head = file.read(128)
    if head[:13] != _MXF_PARTITION:
        return None
    coded = head[16]
    value = 17 + (coded & 0x7F if coded & 0x80 else 0)
    footer = head[value + 24 : value + 32]
    place = int.from_bytes(footer, "big")
    return place + 16 if place else None


def _matroska(path: Path) -> int | None:
    """Where the segment of a Matroska file ends; None if its size is not known."""
    with path.open("rb") as file:
        name, length = _element(file)
        if name != _EBML or length is None:
            return None
        file.seek(length, 1)
        name, length = _element(file)
        if name != _SEGMENT or length is None:
            return None
        return file.tell() + length


def _element(file: BufferedIOBase) -> tuple[int, int | None]:
    """Name and length of the next element."""
    name, _ = _number(file, marked=True)
    length, unknown = _number(file, marked=False)
    return name, None if unknown else length


def _number(file: BufferedIOBase, *, marked: bool) -> tuple[int, bool]:
    """A number of EBML, and whether all its bits are set."""
    first = file.read(1)
    if not first or not first[0]:
        return 0, True
    more = 8 - first[0].bit_length()
    bits = 7 * (more + 1)
    value = int.from_bytes(first + file.read(more), "big")
    plain = value & ((1 << bits) - 1)
    return (value if marked else plain), plain == (1 << bits) - 1


def missing_bytes(promise: Promise, *, path: Path) -> str:
    """How much shorter a file is than its promise, in words; empty if it is not.

    Args:
        promise: Of the file.
        path: Of the file.
    """
    size = path.stat().st_size
    if promise.bytes is None or size >= promise.bytes:
        return ""
    return f"its header promises {promise.bytes:,} bytes, the file has {size:,}"


def shortfall(
    promise: Promise, *, path: Path, packets: int | None, seconds: float, rate: Fraction
) -> tuple[str, bool] | None:
    """What a file lacks of its promise, and whether that is certain; None if it is whole.

    Args:
        promise: Of the file.
        path: Of the file.
        packets: That were read; None if they were not counted.
        seconds: Length of the pictures that were read.
        rate: Frames a second.
    """
    cut = missing_bytes(promise, path=path)
    if cut:
        return cut, True
    if packets is not None and packets < (promise.packets or 0):
        return f"its header promises {promise.packets} frames, {packets} are there", True
    frame = 1 / float(rate)
    for told, slack, certain in (
        (promise.seconds, 1.5 * frame, True),
        (promise.maybe_seconds, 1.0 + 2 * frame, False),
    ):
        if told is not None and seconds + slack < told:
            return f"its header promises {told:.2f} s, the pictures end at {seconds:.2f} s", certain
    return None


def credible_rate(*told: Fraction | None) -> Fraction:
    """The first of some rates that a film can have, in frames a second; 25 if none can be."""
    credible = (rate for rate in told if rate is not None and _SLOWEST <= rate <= _FASTEST)
    return Fraction(next(credible, 25))


def origin_of(container: InputContainer, stream: VideoStream) -> Fraction:
    """When a file begins, in seconds of its own clock.

    Args:
        container: Opened for reading.
        stream: The one that is the film.
    """
    if container.start_time is not None:
        return Fraction(container.start_time, 1_000_000)
    return (stream.start_time or 0) * (stream.time_base or Fraction(1))


def end_of(container: InputContainer, stream: VideoStream) -> float | None:
    """When a film ends by its header, which may be wrong, in seconds of its own clock.

    Args:
        container: Opened for reading.
        stream: The one that is the film.
    """
    seconds = seconds_of(container, stream)
    if seconds is None:
        return None
    if stream.duration and stream.time_base:
        return float((stream.start_time or 0) * stream.time_base) + seconds
    return (container.start_time or 0) / 1_000_000 + seconds


def seconds_of(container: InputContainer, stream: VideoStream) -> float | None:
    """How long a film is by its header, which may be wrong.

    Args:
        container: Opened for reading.
        stream: The one that is the film.
    """
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    if container.duration:
        return container.duration / 1_000_000
    return None
