"""Decodes TIFF pictures (OpenCV), with what OpenCV changes in them put right."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from unflicker.errors import InputError
from unflicker.video import tiff_tags
from unflicker.video.tiff_tags import Directory, Parts, Tags

_WHITE_IS_0, _RGB, _PALETTE, _CMYK, _YCBCR, _LAB = 0, 2, 3, 5, 6, 8
_READ = (_WHITE_IS_0, 1, _RGB, _PALETTE, _CMYK, _YCBCR, _LAB)
_NAMES = {
    _CMYK: "CMYK",
    _YCBCR: "YCbCr",
    _LAB: "CIE L*a*b*",
    9: "ICC L*a*b*",
    32803: "the mosaic of a camera",
    32844: "LogL",
    32845: "LogLuv",
    34892: "linear raw light",
}
_PREMULTIPLIED, _STRAIGHT = 1, 2
_FLOAT = 3
_SAMPLE_FORMAT = 339


@dataclass(frozen=True, kw_only=True)
class StoredTiff:
    """How a page of a TIFF is stored."""

    size: tuple[int, int]
    """Height and width as stored."""
    samples: int
    """Of a pixel."""
    bits: int
    """Of a sample."""
    colours: int
    """PhotometricInterpretation."""
    extra: int | None
    """What the fourth sample is; None if the file does not say."""
    orientation: int
    floats: bool

    @property
    def channels(self) -> int:
        """As it is decoded: 1 for grey, 3 for colour, 4 with alpha."""
        if self.samples == 4 and self.colours != _CMYK:
            return 4
        return 3 if self.samples >= 3 or self.colours == _PALETTE else 1

    def refusal(self) -> str:
        """Why its pixels cannot be processed; empty if they can.

        OpenCV would drop samples or bits of these, or take codes of colours for red, green, blue.
        """
        if self.colours not in _READ or (self.colours in (_CMYK, _YCBCR, _LAB) and self.bits > 8):
            name = _NAMES.get(self.colours, f"colours of kind {self.colours}")
            return f"stores {name} in {self.bits} bits"
        if self.floats:
            return f"stores floats of {self.bits} bits"
        if self.samples == 2:
            return "stores grey with transparency"
        if self.samples > 4:
            return f"stores {self.samples} samples a pixel"
        return ""

    def converted(self) -> tuple[str, ...]:
        """What of its pixels is stored in another way in the result, in words."""
        words = []
        if self.colours in (_CMYK, _YCBCR, _LAB):
            words.append(f"the {_NAMES[self.colours]} colours of a TIFF (it becomes RGB)")
        if self.colours == _PALETTE:
            words.append("the palette of a TIFF (it becomes RGB)")
        if self.bits not in (1, 8, 16):
            words.append(f"the {self.bits} bits of a TIFF (they become 16)")
        return tuple(words)


def stored_tiff(tags: Tags, page: int = 0) -> StoredTiff:
    """How a page is stored.

    Args:
        tags: Of the file.
        page: Its number.

    Raises:
        ValueError: It is no picture.
    """
    own = tags.pages[page] if page < len(tags.pages) else {}
    width, height = (_first(tags, own, tag, 0) for tag in (tiff_tags.WIDTH, tiff_tags.HEIGHT))
    if not width or not height:
        raise ValueError("no picture")
    samples = _first(tags, own, tiff_tags.SAMPLES, 1)
    orientation = _first(tags, own, tiff_tags.ORIENTATION, 1)
    return StoredTiff(
        size=(height, width),
        samples=samples,
        bits=_first(tags, own, tiff_tags.BITS, 1),
        colours=_first(tags, own, tiff_tags.PHOTOMETRIC, 0),
        extra=_first(tags, own, tiff_tags.EXTRA_SAMPLES, -1) if samples == 4 else None,
        orientation=orientation if 1 <= orientation <= 8 else 1,
        floats=_first(tags, own, _SAMPLE_FORMAT, 1) == _FLOAT,
    )


def decoded_tiff(path: Path, page: int | None) -> np.ndarray | None:
    """The pixels of a page in OpenCV's order, turned by its own tag; None if it cannot be read.

    libtiff multiplies colours of 8 bits by their transparency, which is prevented; and 16-bit
    pictures in which white is 0 are inverted, as libtiff inverts those of 8 bits.

    Args:
        path: A TIFF.
        page: Number of the page, where the pages are pictures of their own.

    Raises:
        InputError: Its samples are of a kind that is not processed.
    """
    try:
        with path.open("rb") as file:
            tags = tiff_tags.read_tags(Parts(file), most_pages=(page or 0) + 1)
        stored = stored_tiff(tags, page or 0)
    except (OSError, ValueError):
        return _decoded(path, page)
    why = stored.refusal()
    if why:
        raise InputError(
            f"{path} {why}, which is not read; convert it to RGB or grey of 8 or 16 bits, "
            "or floats to OpenEXR"
        )
    if stored.extra == _STRAIGHT and stored.bits == 8:
        return _with_straight_alpha(path, tags, page or 0)
    pixels = _decoded(path, page)
    if pixels is not None and stored.colours == _WHITE_IS_0 and stored.bits > 8:
        return np.iinfo(pixels.dtype).max - pixels
    return pixels


def with_alpha_named(encoded: bytes, extra: int | None) -> tiff_tags.Directory:
    """The tag that says what the fourth sample of an encoded TIFF is; OpenCV writes none.

    Args:
        encoded: Of one page.
        extra: As in the source; None for straight transparency.
    """
    tags = tiff_tags.read_tags(encoded, most_pages=1)
    if _first(tags, tags.pages[0], tiff_tags.SAMPLES, 1) != 4 or extra == -1:
        return {}
    value = struct.pack(f"{tags.order}H", _STRAIGHT if extra is None else extra)
    return {tiff_tags.EXTRA_SAMPLES: tiff_tags.Tag(kind=3, count=1, data=value)}


def _first(tags: Tags, directory: Directory, number: int, otherwise: int) -> int:
    numbers: Sequence[int] = tags.numbers(directory[number]) if number in directory else ()
    return numbers[0] if numbers else otherwise


def _decoded(path: Path, page: int | None) -> np.ndarray | None:
    try:
        if page is not None:
            done, pages = cv2.imreadmulti(str(path), page, 1, flags=cv2.IMREAD_UNCHANGED)
            return pages[0] if done and pages else None
        data = np.frombuffer(path.read_bytes(), np.uint8)
        return cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if data.size else None
    except (OSError, cv2.error):
        return None


def _with_straight_alpha(path: Path, tags: Tags, page: int) -> np.ndarray | None:
    """The pixels of a page whose transparency is named multiplied, in memory, and first."""
    try:
        data = bytearray(path.read_bytes())
    except OSError:
        return None
    tiff_tags.put_first(data, tags, page)
    tiff_tags.put_number(data, tags, page, number=tiff_tags.EXTRA_SAMPLES, value=_PREMULTIPLIED)
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
