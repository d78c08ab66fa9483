"""Headers of OpenEXR files: attributes carried from one file to another byte for byte.

OpenImageIO keeps most attributes but not all, and adds the time of writing where there is none.

Source: OpenEXR file layout (openexr.com, "The OpenEXR File Layout"), files of one part.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

_MAGIC = 20000630
_OF_PIXELS = frozenset(
    [
        *("channels", "compression", "dataWindow", "displayWindow", "lineOrder", "tiles"),
        *("type", "version", "chunkCount", "maxSamplesPerPixel"),
    ]
)
"""Attributes that say how samples are stored; those of the new file are its own."""
_PLACE = struct.Struct("<Q")
_USUAL_BYTES = 1 << 20
"""Of a header; a larger one, as with a preview, is read with its whole file."""
_LONG_NAMES = 0x400
"""The bit of the version that allows names of more than 31 letters."""
_WHOLE_NUMBERS = 0
"""The type of channels of 32-bit whole numbers."""

Attributes = Mapping[str, tuple[bytes, bytes]]
"""Type and value of each attribute, by name, in the file's order."""


def attributes_of(data: bytes) -> tuple[Attributes, int]:
    """The attributes of an OpenEXR file of one part, and where its header ends.

    Args:
        data: At least the file's first bytes, to its header's end.

    Raises:
        ValueError: It is none, or is damaged.
    """
    if len(data) < 8 or struct.unpack("<I", data[:4])[0] != _MAGIC:
        raise ValueError("no OpenEXR")
    found: dict[str, tuple[bytes, bytes]] = {}
    at = 8
    try:
        while data[at]:
            name_end = data.index(b"\0", at)
            type_end = data.index(b"\0", name_end + 1)
            (size,) = struct.unpack_from("<I", data, type_end + 1)
            begin = type_end + 5
            if begin + size > len(data):
                raise IndexError
            name = data[at:name_end].decode("latin-1")
            found[name] = (data[name_end + 1 : type_end], data[begin : begin + size])
            at = begin + size
    except (IndexError, ValueError, struct.error) as fault:
        raise ValueError("a damaged OpenEXR") from fault
    return found, at + 1


def carry_attributes(source: Path, path: Path) -> None:
    """Give an OpenEXR file the attributes of another one that do not concern its samples.

    Args:
        source: The other file; one that cannot be read leaves the file as it is.
        path: The file, which is changed.

    Raises:
        OSError: The file cannot be written.
    """
    data = path.read_bytes()
    try:
        given, flags = _attributes_in(source)
        own, end = attributes_of(data)
    except (OSError, ValueError):
        return
    wanted = {
        name: own[name] if name in _OF_PIXELS else value
        for name, value in given.items()
        if name not in _OF_PIXELS or name in own
    }
    wanted |= {name: value for name, value in own.items() if name in _OF_PIXELS}
    (version,) = struct.unpack("<I", data[4:8])
    begin = data[:4] + struct.pack("<I", version | flags & _LONG_NAMES)
    head = begin + b"".join(_stored(name, *value) for name, value in wanted.items()) + b"\0"
    path.write_bytes(head + _moved(data, end, by=len(head) - end))


def whole_number_channels(source: Path) -> tuple[str, ...]:
    """The names of channels of whole numbers, such as identities of objects.

    Args:
        source: An OpenEXR file; one that cannot be read has none.
    """
    try:
        _, channels = _attributes_in(source)[0]["channels"]
    except (OSError, ValueError, KeyError):
        return ()
    names, at = [], 0
    while channels[at : at + 1] not in (b"", b"\0"):
        end = channels.index(b"\0", at)
        if channels[end + 1] == _WHOLE_NUMBERS:
            names.append(channels[at:end].decode("latin-1"))
        at = end + 1 + 16
    return tuple(names)


def _attributes_in(source: Path) -> tuple[Attributes, int]:
    """The attributes of a file, and its version with flags."""
    with source.open("rb") as file:
        data = file.read(_USUAL_BYTES)
        try:
            found, _ = attributes_of(data)
        except ValueError:
            data += file.read()
            found, _ = attributes_of(data)
    return found, struct.unpack("<I", data[4:8])[0]


def _stored(name: str, kind: bytes, value: bytes) -> bytes:
    return name.encode("latin-1") + b"\0" + kind + b"\0" + struct.pack("<I", len(value)) + value


def _moved(data: bytes, end: int, *, by: int) -> bytes:
    """All after a header, when the header's length changes: a table of places, then samples."""
    places: list[int] = []
    at, first = end, len(data)
    while at < first:
        (place,) = _PLACE.unpack_from(data, at)
        places.append(place)
        first = min(first, place)
        at += _PLACE.size
    return b"".join(_PLACE.pack(place + by) for place in places) + data[at:]
