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
from unflicker.video import tiff_tags
from unflicker.video.tiff_pictures import stored_tiff
from unflicker.video.tiff_tags import Parts, orientation_of, read_tags

Pixels = UInt8[np.ndarray, "..."] | UInt16[np.ndarray, "..."]
TIFF = (".tif", ".tiff")
JPEG = (".jpg", ".jpeg")
_HEADER_BYTES = 1 << 18
"""Read of each file: previews in EXIF data come before the size of a JPEG."""
_TURNED = (5, 6, 7, 8)
"""Values of EXIF's orientation at which width and height change places (CIPA DC-008, 4.6.4)."""
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
    except (OSError, struct.error, IndexError, ValueError):
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
    whole = [number for number, page in enumerate(tags.pages) if not _is_a_copy(tags, page)]
    return tuple(whole) or (0,)


def _is_a_copy(tags: tiff_tags.Tags, page: tiff_tags.Directory) -> bool:
    """Whether a page is a smaller copy of another one."""
    tag = page.get(tiff_tags.SUBFILE)
    return tag is not None and bool(tags.numbers(tag)[0] & tiff_tags.REDUCED)


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
        if data[:2] in (b"II", b"MM"):
            return _tiff(file)
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
        orientation=orientation_of(data[at + 4 :])[0] if at > 0 else 1,
    )


def _jpeg(data: bytes) -> PictureKind | None:
    place, orientation = 2, 1
    while data[place] == 0xFF:
        marker = data[place + 1]
        (length,) = struct.unpack(">H", data[place + 2 : place + 4])
        if marker == 0xE1 and data[place + 4 : place + 10] == b"Exif\0\0":
            orientation, _ = orientation_of(data[place + 10 : place + 2 + length])
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


def _tiff(file: BufferedReader) -> PictureKind:
    stored = stored_tiff(read_tags(Parts(file), most_pages=1))
    return PictureKind(
        channels=stored.channels,
        depth=16 if stored.bits > 8 else 8,
        size=stored.size,
        orientation=stored.orientation,
    )
