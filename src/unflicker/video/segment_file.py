"""A segment on disk: the packets of an encoder, without a container.

A container would round their times, or refuse some codecs. The file has its final name only when
it is complete and on the disk.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from io import BufferedIOBase
from pathlib import Path
from typing import Any

from av.packet import Packet, PacketSideData

from unflicker.errors import InputError
from unflicker.files.parts import discard
from unflicker.video.target import sync

_MAGIC = b"unflicker packets 1\n"
_HEAD = struct.Struct("<qqqIHB")
"""Times of showing and decoding, duration, bytes, pieces of side data, whether a key frame."""
_SIDE = struct.Struct("<HI")
"""Bytes of the name and of the data of a piece of side data."""
_NO_TIME = -(2**63)
_END = 0xFFFF
"""In place of the number of pieces: the file ends here."""
_SideData: Any = PacketSideData  # its constructor is missing in PyAV's type stubs
_NOT_KEPT = ("quality_stats",)
"""Side data that no container stores."""


@dataclass(frozen=True, kw_only=True)
class Timing:
    """The times of a packet, in units of the encoder; None where the encoder gives none."""

    pts: int
    dts: int | None
    duration: int


class PacketWriter:
    """Writes packets one after the other."""

    def __init__(self, file: BufferedIOBase) -> None:
        """Begin a file."""
        self._file = file
        file.write(_MAGIC)

    def add(self, packet: Packet, *, duration: int) -> None:
        """Append a packet.

        Args:
            packet: As the encoder returned it.
            duration: Of its picture, in the same units.
        """
        side = [item for item in packet.iter_sidedata() if item.data_type not in _NOT_KEPT]
        dts = _NO_TIME if packet.dts is None else packet.dts
        pts, size = packet.pts or 0, packet.size
        head = _HEAD.pack(pts, dts, duration, size, len(side), packet.is_keyframe)
        self._file.write(head)
        self._file.write(bytes(packet))
        for item in side:
            name, data = item.data_type.encode(), bytes(item)
            self._file.write(_SIDE.pack(len(name), len(data)) + name + data)

    def finish(self) -> None:
        """Mark the end."""
        self._file.write(_HEAD.pack(0, 0, 0, 0, _END, 0))


def named(part: Path, place: Path) -> None:
    """Give a complete file, or folder of files, its final name, after it is on the disk.

    What had that name is replaced.

    Args:
        part: Its temporary path, in the same folder.
        place: Its final path.
    """
    for name in (part, *part.iterdir()) if part.is_dir() else (part,):
        sync(name)
    if place.is_dir():
        discard(place)
    os.replace(part, place)


def timings(file: BufferedIOBase) -> list[Timing]:
    """The times of all packets, in the order of decoding; the file is read from its beginning."""
    found = []
    for pts, dts, duration, size, pieces, _ in _heads(file):
        found.append(Timing(pts=pts, dts=None if dts == _NO_TIME else dts, duration=duration))
        file.seek(size, os.SEEK_CUR)
        for _ in range(pieces):
            name, data = _SIDE.unpack(file.read(_SIDE.size))
            file.seek(name + data, os.SEEK_CUR)
    return found


def packets(file: BufferedIOBase) -> Iterator[Packet]:
    """All packets, without their times; the file is read from its beginning."""
    for _, _, _, size, pieces, keyframe in _heads(file):
        packet = Packet(file.read(size))
        packet.is_keyframe = bool(keyframe)
        for _ in range(pieces):
            name_bytes, data_bytes = _SIDE.unpack(file.read(_SIDE.size))
            name = file.read(name_bytes).decode()
            side: Any = _SideData(_number_of(name), data_bytes)
            side.update(file.read(data_bytes))
            packet.set_sidedata(side)
        yield packet


@lru_cache
def _number_of(name: str) -> int:
    """FFmpeg's number of a kind of side data; PyAV knows it by its name alone."""
    return next(number for number in range(256) if _SideData(number, 1).data_type == name)


def _heads(file: BufferedIOBase) -> Iterator[tuple[int, int, int, int, int, int]]:
    """The head of each packet; the caller passes over its content."""
    file.seek(0)
    whole = file.read(len(_MAGIC)) == _MAGIC
    while whole:
        head = file.read(_HEAD.size)
        if len(head) < _HEAD.size:
            break
        numbers = _HEAD.unpack(head)
        if numbers[4] == _END:
            return
        yield numbers
    raise InputError(f"the segment {getattr(file, 'name', '')} is not complete; delete it")
