"""Kinds of pictures in a folder, read from their headers, and conversion between kinds."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BufferedReader
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8, UInt16

from unflicker.files.remote import RemotePath
from unflicker.video.tiff_tags import Parts, read_tags

Pixels = UInt8[np.ndarray, "..."] | UInt16[np.ndarray, "..."]
TIFF = (".tif", ".tiff")
JPEG = (".jpg", ".jpeg")
_HEADER_BYTES = 1 << 18
"""Read of each file: previews in EXIF data come before the size of a JPEG."""
_TURNED = (5, 6, 7, 8)
"""Values of EXIF's orientation at which width and height change places (CIPA DC-008, 4.6.4)."""
_WIDTH, _HEIGHT, _BITS, _PHOTOMETRIC, _ORIENTATION = 256, 257, 258, 262, 274
_SAMPLES = 277
"""Numbers of the tags (TIFF 6.0)."""
_SHORT, _LONG = 3, 4
_SUBFILE, _REDUCED = 254, 1
_PALETTE, _CMYK = 3, 5
_TURNS = {
    3: cv2.ROTATE_180,
    4: cv2.ROTATE_180,
    5: cv2.ROTATE_90_CLOCKWISE,
    6: cv2.ROTATE_90_CLOCKWISE,
    7: cv2.ROTATE_90_COUNTERCLOCKWISE,
    8: cv2.ROTATE_90_COUNTERCLOCKWISE,
}
_MIRRORED = (2, 4, 5, 7)


@dataclass(frozen=True, kw_only=True)
class PictureKind:
    """How a picture is stored."""

    channels: int
    """1 for grey, 3 for colour, 4 with alpha."""
    depth: int
    """8 or 16 bits."""
    size: tuple[int, int] = (0, 0)
    """Height and width as stored, before any turn."""
    orientation: int = 1
    """By EXIF."""

    @property
    def upright(self) -> tuple[int, int]:
        """Height and width on display."""
        height, width = self.size
        return (width, height) if self.orientation in _TURNED else (height, width)


def is_stack(path: Path) -> bool:
    """Whether a path is a TIFF of this machine, whose pages are frames."""
    return path.suffix.lower() in TIFF and not isinstance(path, RemotePath) and path.is_file()


def kind_of(file: Path) -> PictureKind | None:
    """How a picture is stored, by its header; None if that cannot be read."""
    try:
        status = file.stat()
        return _kind(str(file), (status.st_size, status.st_mtime_ns))
    except (OSError, struct.error, IndexError, KeyError):
        return None


def pages_in(file: Path) -> tuple[int, ...]:
    """The numbers of the pages of a TIFF, without smaller copies of pictures; (0,) for others."""
    if file.suffix.lower() not in TIFF:
        return (0,)
    try:
        with file.open("rb") as opened:
            tags = read_tags(Parts(opened))
    except (OSError, ValueError):
        return (0,)
    whole = [
        number
        for number, page in enumerate(tags.pages)
        if _SUBFILE not in page or not tags.numbers(page[_SUBFILE])[0] & _REDUCED
    ]
    return tuple(whole) or (0,)


def joint_kind(kinds: Sequence[PictureKind]) -> PictureKind:
    """The narrowest kind that holds all of others."""
    return PictureKind(
        channels=max(kind.channels for kind in kinds), depth=max(kind.depth for kind in kinds)
    )


def common_turn(kinds: Sequence[PictureKind]) -> int | None:
    """The orientation to give to all pictures whose tags disagree; None where they are right.

    A camera that looks down changes its mind about what is upright; the scene does not turn.
    """
    as_shown = {kind.upright for kind in kinds}
    if len(as_shown) == 1 or len({kind.size for kind in kinds}) > 1:
        return None
    return Counter(kind.orientation for kind in kinds).most_common(1)[0][0]


def turned(pixels: Pixels, orientation: int) -> Pixels:
    """A picture as stored, turned upright.

    Args:
        pixels: As stored.
        orientation: By EXIF.

    Source: CIPA DC-008, 4.6.4: the sides at which the first row and the first column are.
    """
    turn = _TURNS.get(orientation)
    seen = pixels if turn is None else cv2.rotate(pixels, turn)
    return cv2.flip(seen, 1) if orientation in _MIRRORED else seen


def turned_back(pixels: Pixels, orientation: int) -> Pixels:
    """An upright picture as it was stored.

    Args:
        pixels: Upright.
        orientation: By EXIF, of the stored picture.
    """
    return turned(pixels, {6: 8, 8: 6}.get(orientation, orientation))


def as_kind(pixels: Pixels, kind: PictureKind) -> Pixels:
    """A picture in OpenCV's order as another kind: grey, colour or with alpha, 8 or 16 bits.

    Args:
        pixels: Blue first.
        kind: The wanted one.
    """
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    if kind.depth == 16 and pixels.dtype == np.uint8:
        pixels = pixels.astype(np.uint16) * 257
    elif kind.depth == 8 and pixels.dtype == np.uint16:
        pixels = ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if channels == kind.channels:
        return pixels
    if kind.channels == 1:
        whole = pixels[..., :3].astype(np.uint32).sum(axis=-1)
        return ((whole + 1) // 3).astype(pixels.dtype)
    colours = np.repeat(pixels[..., None], 3, axis=-1) if channels == 1 else pixels[..., :3]
    if kind.channels == 3:
        return np.ascontiguousarray(colours)
    opaque = np.full((*colours.shape[:2], 1), np.iinfo(pixels.dtype).max, pixels.dtype)
    return np.concatenate([colours, opaque], axis=-1)


@lru_cache(maxsize=100_000)
def _kind(path: str, _: tuple[int, int]) -> PictureKind | None:
    with open(path, "rb") as file:
        data = file.read(_HEADER_BYTES)
        if data[:8] == b"\x89PNG\r\n\x1a\n":
            return _png(data)
        if data[:2] == b"\xff\xd8":
            return _jpeg(data)
        if data[:4] in (b"II*\0", b"MM\0*"):
            (place,) = struct.unpack(f"{_order(data)}I", data[4:8])
            file.seek(place)
            return _tiff(file, _order(data))
    return None


def _png(data: bytes) -> PictureKind:
    width, height, bits, colour = struct.unpack(">IIBB", data[16:26])
    before_pixels = data[: data.find(b"IDAT")]
    alpha = colour in (4, 6) or b"tRNS" in before_pixels
    channels = 4 if alpha else 1 if colour == 0 else 3
    at = before_pixels.find(b"eXIf")
    return PictureKind(
        channels=channels,
        depth=16 if bits == 16 else 8,
        size=(height, width),
        orientation=_orientation(data[at + 4 :]) if at > 0 else 1,
    )


def _jpeg(data: bytes) -> PictureKind | None:
    place, orientation = 2, 1
    while data[place] == 0xFF:
        marker = data[place + 1]
        (length,) = struct.unpack(">H", data[place + 2 : place + 4])
        if marker == 0xE1 and data[place + 4 : place + 10] == b"Exif\0\0":
            orientation = _orientation(data[place + 10 : place + 2 + length])
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            _, height, width, channels = struct.unpack(">BHHB", data[place + 4 : place + 10])
            return PictureKind(
                channels=1 if channels == 1 else 3,
                depth=8,
                size=(height, width),
                orientation=orientation,
            )
        place += 2 + length
    return None


def _orientation(exif: bytes) -> int:
    order = _order(exif)
    (place,) = struct.unpack(f"{order}I", exif[4:8])
    entry = _entries(exif[place:], order).get(_ORIENTATION)
    return _known_orientation(entry)


def _known_orientation(entry: _Entry | None) -> int:
    found = 1 if entry is None else entry.value
    return found if 1 <= found <= 8 else 1


def _tiff(file: BufferedReader, order: str) -> PictureKind:
    entries = _entries(file.read(1 << 16), order)
    samples = entries[_SAMPLES].value if _SAMPLES in entries else 1
    bits = 1
    if _BITS in entries:
        entry = entries[_BITS]
        bits = entry.value
        if entry.is_elsewhere:
            file.seek(bits)
            (bits,) = struct.unpack(f"{order}H", file.read(2))
    colours = entries[_PHOTOMETRIC].value if _PHOTOMETRIC in entries else 0
    channels = 3 if samples >= 3 or colours == _PALETTE else 1
    if samples == 4 and colours != _CMYK:
        channels = 4
    return PictureKind(
        channels=channels,
        depth=16 if bits > 8 else 8,
        size=(entries[_HEIGHT].value, entries[_WIDTH].value),
        orientation=_known_orientation(entries.get(_ORIENTATION)),
    )


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """A tag of a TIFF."""

    value: int
    """Its first number, or where its numbers are."""
    is_elsewhere: bool


def _entries(directory: bytes, order: str) -> dict[int, _Entry]:
    """The tags of a TIFF's directory that hold short or long numbers."""
    (count,) = struct.unpack(f"{order}H", directory[:2])
    found = {}
    for number in range(count):
        entry = directory[2 + 12 * number : 14 + 12 * number]
        tag, kind, many = struct.unpack(f"{order}HHI", entry[:8])
        if kind not in (_SHORT, _LONG):
            continue
        elsewhere = many > (2 if kind == _SHORT else 1)
        short = kind == _SHORT and not elsewhere
        (value,) = struct.unpack(f"{order}{'H' if short else 'I'}", entry[8 : 10 if short else 12])
        found[tag] = _Entry(value=value, is_elsewhere=elsewhere)
    return found


def _order(data: bytes) -> str:
    return "<" if data[:2] == b"II" else ">"
