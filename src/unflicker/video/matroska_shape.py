"""Stores the shape of pixels in a finished Matroska or WebM file, which PyAV cannot set.

FFmpeg's muxer leaves room between the index of the file's parts and the first of them. The
description of the tracks grows into that room, so that no other part moves.

Source: RFC 9559 (Matroska), RFC 8794 (EBML).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

_READ_BYTES = 1 << 20
_EBML, _SEGMENT, _SEEK_HEAD, _TRACKS = 0x1A45DFA3, 0x18538067, 0x114D9B74, 0x1654AE6B
_VOID, _CRC, _SEEK, _SEEK_POSITION = 0xEC, 0xBF, 0x4DBB, 0x53AC
_TRACK, _VIDEO = 0xAE, 0xE0
_WIDTH, _HEIGHT = 0xB0, 0xBA
_SHOWN_WIDTH, _SHOWN_HEIGHT, _SHOWN_UNIT = 0x54B0, 0x54BA, 0x54B2
_AS_A_RATIO = 3
_LEAST_VOID = 2


@dataclass(frozen=True, kw_only=True)
class _Element:
    """An element within some bytes."""

    name: int
    start: int
    content: int
    """Where its content begins."""
    end: int


class _UnknownError(Exception):
    """The file is otherwise than FFmpeg's muxer writes it."""


def store_pixel_shape(file: Any, shape: Fraction, *, as_ratio: bool) -> bool:
    """Store the shape of the first track's pixels; returns whether there was room.

    Args:
        file: A finished file, open for reading and writing bytes.
        shape: Width of a pixel by its height.
        as_ratio: Whether sides may be stored as a ratio; WebM knows whole pixels only.
    """
    file.seek(0)
    head = file.read(_READ_BYTES)
    try:
        start, changed = _changed(head, shape, as_ratio=as_ratio)
    except (_UnknownError, IndexError, OverflowError):
        return False
    file.seek(start)
    file.write(changed)
    return True


def _changed(head: bytes, shape: Fraction, *, as_ratio: bool) -> tuple[int, bytes]:
    """Where the file changes, and its bytes from there on, as many as before."""
    first = _element(head, 0)
    segment = _element(head, first.end)
    if (first.name, segment.name) != (_EBML, _SEGMENT):
        raise _UnknownError
    parts = _parts(head, segment.content)
    index, room, tracks = (_one(parts, name) for name in (_SEEK_HEAD, _VOID, _TRACKS))
    if not index.end == room.start < tracks.start:
        raise _UnknownError
    described = _described(head, tracks, shape, as_ratio=as_ratio)
    more = len(described) - (tracks.end - tracks.start)
    left = room.end - room.start - more
    if left < _LEAST_VOID:
        raise _UnknownError
    moved = range(room.end - segment.content, tracks.start - segment.content + 1)
    seeks = _seeks(head, index, moved=moved, by=more)
    between = head[room.end : tracks.start]
    return index.start, seeks + _void(left) + between + described


def _described(head: bytes, tracks: _Element, shape: Fraction, *, as_ratio: bool) -> bytes:
    """The description of the tracks with the shape in the first of them that has pictures."""
    content, done = b"", False
    for part in _children(head, tracks):
        if part.name == _TRACK and not done and _VIDEO in _names(head, part):
            inner = b"".join(
                _shown(head, one, shape, as_ratio=as_ratio)
                if one.name == _VIDEO
                else head[one.start : one.end]
                for one in _children(head, part)
            )
            content, done = content + _made(_TRACK, inner), True
        elif part.name != _CRC:
            content += head[part.start : part.end]
    if not done:
        raise _UnknownError
    return _made(_TRACKS, _checked(content) if _CRC in _names(head, tracks) else content)


def _shown(head: bytes, video: _Element, shape: Fraction, *, as_ratio: bool) -> bytes:
    """The description of pictures with the size at which they are shown."""
    kept, sides = b"", dict[int, int]()
    for part in _children(head, video):
        if part.name in (_WIDTH, _HEIGHT):
            sides[part.name] = int.from_bytes(head[part.content : part.end], "big")
        if part.name not in (_SHOWN_WIDTH, _SHOWN_HEIGHT, _SHOWN_UNIT):
            kept += head[part.start : part.end]
    width, height = sides.get(_WIDTH, 0), sides.get(_HEIGHT, 0)
    if not width or not height:
        raise _UnknownError
    wide, high = round(width * shape), height
    unit = b""
    if as_ratio and wide != width * shape:
        wide, high = (shape * width / height).as_integer_ratio()
        unit = _number(_SHOWN_UNIT, _AS_A_RATIO)
    shown = _number(_SHOWN_WIDTH, wide) + _number(_SHOWN_HEIGHT, high) + unit
    return _made(_VIDEO, kept + shown)


def _seeks(head: bytes, index: _Element, *, moved: range, by: int) -> bytes:
    """The index of parts, with the new places of those that moved to the front."""
    content = b""
    for part in _children(head, index):
        if part.name == _CRC:
            continue
        copy = bytearray(head[part.start : part.end])
        for one in _children(head, part) if part.name == _SEEK else ():
            place = int.from_bytes(head[one.content : one.end], "big")
            if one.name == _SEEK_POSITION and place in moved:
                size = one.end - one.content
                copy[one.content - part.start : one.end - part.start] = (place - by).to_bytes(
                    size, "big"
                )
        content += copy
    if _CRC in _names(head, index):
        content = _checked(content)
    made = _made(_SEEK_HEAD, content)
    return made if len(made) == index.end - index.start else _with_size_of(made, head, index)


def _with_size_of(made: bytes, head: bytes, old: _Element) -> bytes:
    """An element whose size is written in as many bytes as it was."""
    content = made[_element(made, 0).content :]
    if len(content) != old.end - old.content:
        raise _UnknownError
    return head[old.start : old.content] + content


def _checked(content: bytes) -> bytes:
    """Content with its checksum before it."""
    return _made(_CRC, zlib.crc32(content).to_bytes(4, "little")) + content


def _void(length: int) -> bytes:
    """Room of a length."""
    for size_bytes in range(1, 9):
        inside = length - 1 - size_bytes
        if 0 <= inside < (1 << (7 * size_bytes)) - 1:
            return _id(_VOID) + _size(inside, size_bytes) + bytes(inside)
    raise _UnknownError


def _number(name: int, value: int) -> bytes:
    return _made(name, value.to_bytes(max(1, -(-value.bit_length() // 8)), "big"))


def _made(name: int, content: bytes) -> bytes:
    size_bytes = next(n for n in range(1, 9) if len(content) < (1 << (7 * n)) - 1)
    return _id(name) + _size(len(content), size_bytes) + content


def _id(name: int) -> bytes:
    return name.to_bytes(-(-name.bit_length() // 8), "big")


def _size(length: int, size_bytes: int) -> bytes:
    return (length | 1 << (7 * size_bytes)).to_bytes(size_bytes, "big")


def _element(data: bytes, at: int) -> _Element:
    """The element at a place; one without a known size has no end."""
    name_bytes = 9 - data[at].bit_length()
    size_at = at + name_bytes
    size_bytes = 9 - data[size_at].bit_length()
    if name_bytes > 4 or size_bytes > 8:
        raise _UnknownError
    content = size_at + size_bytes
    size = int.from_bytes(data[size_at:content], "big") & ((1 << (7 * size_bytes)) - 1)
    name = int.from_bytes(data[at:size_at], "big")
    return _Element(name=name, start=at, content=content, end=content + size)


def _parts(head: bytes, at: int) -> list[_Element]:
    """The parts of the file up to the description of its tracks."""
    found: list[_Element] = []
    while not found or found[-1].name != _TRACKS:
        found.append(_element(head, at))
        at = found[-1].end
    if at > len(head):
        raise _UnknownError
    return found


def _children(data: bytes, parent: _Element) -> Iterator[_Element]:
    at = parent.content
    while at < parent.end:
        found = _element(data, at)
        yield found
        at = found.end


def _names(data: bytes, parent: _Element) -> set[int]:
    return {one.name for one in _children(data, parent)}


def _one(parts: list[_Element], name: int) -> _Element:
    for part in parts:
        if part.name == name:
            return part
    raise _UnknownError
