"""Correction shares: a drawn mask, and the parts of each frame that are not scene."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from unflicker.errors import InputError
from unflicker.frames.alpha import visible_places
from unflicker.frames.clip import to_float
from unflicker.frames.picture import Picture

Share = Float32[np.ndarray, "height width"]
"""Correction share of each pixel, 0 to 1."""


_HEADER = 8
_MOST_PIXELS = 1 << 28
"""Of what is kept of a frame: 16,384 × 16,384."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """The part of a frame that is not corrected, such as a subtitle or bars, compressed."""

    packed: bytes
    """Correction share of each pixel, 0 to 255, row by row, compressed by zlib."""
    rows: int
    columns: int

    @classmethod
    def of(cls, share: UInt8[np.ndarray, "rows columns"]) -> Kept:
        """Pixels with less than 255 of their correction."""
        rows, columns = share.shape
        return cls(packed=zlib.compress(share.tobytes(), 1), rows=rows, columns=columns)

    def to_bytes(self) -> bytes:
        """For a file: rows, columns, then the compressed shares."""
        return struct.pack("<II", self.rows, self.columns) + self.packed

    @classmethod
    def from_bytes(cls, data: bytes) -> Kept:
        """The inverse of `to_bytes`.

        Raises:
            ValueError: These are no such bytes.
        """
        if len(data) < _HEADER:
            raise ValueError(f"{len(data)} bytes of what is kept of a frame")
        rows, columns = struct.unpack("<II", data[:_HEADER])
        if rows * columns > _MOST_PIXELS:
            raise ValueError(f"{rows} rows of {columns} pixels kept of a frame")
        try:
            # No more than is needed to see that there is too much.
            size = len(zlib.decompressobj().decompress(data[_HEADER:], rows * columns + 1))
        except zlib.error as fault:
            raise ValueError(f"what is kept of a frame cannot be unpacked: {fault}") from fault
        if size != rows * columns or size == 0:
            raise ValueError(f"{size} pixels for {rows} rows of {columns} kept of a frame")
        return cls(packed=data[_HEADER:], rows=rows, columns=columns)

    def share(self, size: tuple[int, int]) -> Share:
        """Correction share of each pixel of a picture of this height and width."""
        packed = np.frombuffer(zlib.decompress(self.packed), np.uint8)
        small = packed.reshape(self.rows, self.columns).astype(np.float32) / np.float32(255.0)
        if small.shape == size:
            return small
        shrinks = size[0] < self.rows
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        return cv2.resize(small, size[::-1], interpolation=how)


def kept_of(shares: UInt8[np.ndarray, "time rows columns"] | None) -> tuple[Kept | None, ...]:
    """The same for each frame of a window; frames that keep the same share one object."""
    kept: list[Kept | None] = []
    for t, share in enumerate([] if shares is None else shares):
        same = t > 0 and shares is not None and np.array_equal(share, shares[t - 1])
        kept.append(kept[-1] if same else Kept.of(share) if share.min() < 255 else None)
    return tuple(kept)


def keep_places(
    light: Float32[np.ndarray, "time height width 3"],
    before: Sequence[Float32[np.ndarray, "height width 3"]],
    kept: Sequence[Kept | None],
) -> None:
    """Restore, in place, the kept parts of corrected proxies.

    Args:
        light: Corrected proxies in working light, RGB.
        before: The same proxies before correction.
        kept: What is kept of each; None for a frame that is corrected everywhere.
    """
    for now, was, one in zip(light, before, kept, strict=False):
        if one is not None:
            now += (was - now) * (1.0 - one.share(now.shape[:2]))[..., None]


class FullShares:
    """Correction shares of a film's frames, one frame after the other.

    They combine the mask, the kept part of the frame, and 0 where it is wholly transparent.
    """

    def __init__(self, mask: Share | None) -> None:
        """Begin a film; `mask` is for all of its frames."""
        self._mask = mask
        self._kept: Kept | None = None
        self._share: Share | None = mask

    def of(self, picture: Picture, kept: Kept | None) -> Share | None:
        """Correction shares of a frame's picture; None where all pixels take all of the correction.

        Args:
            picture: Whose size and alpha count.
            kept: What the frame keeps, if anything.
        """
        share, seen = self.of_size(picture.size, kept), visible_places(picture)
        return share if seen is None else _product(share, seen.astype(np.float32))

    def of_size(self, size: tuple[int, int], kept: Kept | None) -> Share | None:
        """Correction shares of an opaque frame; None where all pixels take all of the correction.

        Args:
            size: Height and width in px.
            kept: What the frame keeps, if anything.
        """
        if kept is not self._kept:
            self._kept = kept
            self._share = _product(self._mask, kept.share(size) if kept is not None else None)
        return self._share


def _product(one: Share | None, other: Share | None) -> Share | None:
    if one is None or other is None:
        return other if one is None else one
    return one * other


def read_mask(path: Path, *, size: tuple[int, int]) -> Float32[np.ndarray, "height width"]:
    """Correction shares of a film's pixels from a picture: 1 for white, 0 for black.

    Args:
        path: A grey or colour picture of any depth; its transparency is ignored.
        size: Height and width of the film in px, which the mask must have.

    Raises:
        InputError: It is no picture, or of another size.
    """
    data = np.fromfile(path, np.uint8) if path.is_file() else np.zeros(0, np.uint8)
    # A PNG says its size first; one of some kilobytes may take gigabytes.
    told = _size_of_png(data)
    readable = len(data) and told in (None, size)
    picture = cv2.imdecode(data, cv2.IMREAD_ANYDEPTH | cv2.IMREAD_GRAYSCALE) if readable else None
    found = told if picture is None else picture.shape
    if found is None:
        raise InputError(f"the mask {path} is not a picture that can be read; pass a PNG or TIFF")
    if found != size:
        raise InputError(
            f"the mask {path} has {found[1]}×{found[0]} px, the film "
            f"{size[1]}×{size[0]}; draw the mask on a frame of the film"
        )
    if picture is None or not np.isfinite(picture).all():
        raise InputError(f"the mask {path} is damaged or not of numbers; draw it again")
    return to_float(picture)


def _size_of_png(data: UInt8[np.ndarray, " bytes"]) -> tuple[int, int] | None:
    """Height and width that a PNG tells; None for other data."""
    if data[:8].tobytes() != b"\x89PNG\r\n\x1a\n" or len(data) < 24:
        return None
    width, height = struct.unpack(">II", data[16:24].tobytes())
    return height, width
