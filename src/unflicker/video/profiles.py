"""Colour profiles (ICC) of pictures, carried from one kind of picture to another.

Source: ICC.1:2022, annex B: how PNG, TIFF and JPEG embed a profile.
"""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

from unflicker.video import tiff_tags
from unflicker.video.picture_metadata import (
    chunks_of,
    order_of,
    png_chunk,
    segment_of_jpeg,
    segments_of,
)

_MARK = b"ICC_PROFILE\0"
_PART_BYTES = 65_519
"""Of a profile in one segment of a JPEG."""
_APP2 = 0xE2
_AFTER_HEADER = 8 + 25
_CMYK = b"CMYK"
_UNDEFINED = 7


def profile_of(path: Path) -> bytes:
    """The colour profile of a PNG, TIFF or JPEG; empty if it has none, or one for printing."""
    try:
        found = _found(path.read_bytes())
    except (OSError, ValueError, struct.error, IndexError, zlib.error):
        return b""
    return b"" if found[16:20] == _CMYK else found


def with_profile(encoded: bytes, profile: bytes) -> bytes:
    """An encoded picture with a colour profile.

    Args:
        encoded: PNG, TIFF of one page, or JPEG.
        profile: Empty for none.
    """
    if not profile:
        return encoded
    if encoded[:4] == b"\x89PNG":
        chunk = png_chunk(b"iCCP", b"profile\0\0" + zlib.compress(profile))
        return encoded[:_AFTER_HEADER] + chunk + encoded[_AFTER_HEADER:]
    if encoded[:2] == b"\xff\xd8":
        parts = [profile[at : at + _PART_BYTES] for at in range(0, len(profile), _PART_BYTES)]
        marked = (
            _MARK + bytes([number, len(parts)]) + part for number, part in enumerate(parts, start=1)
        )
        return encoded[:2] + b"".join(segment_of_jpeg(_APP2, body) for body in marked) + encoded[2:]
    order, made = order_of(encoded), io.BytesIO()
    tag = tiff_tags.Tag(kind=_UNDEFINED, count=len(profile), data=profile)
    link = tiff_tags.begin_pages(made, order=order)
    tiff_tags.add_page(made, encoded, {tiff_tags.PROFILE: tag}, link=link, order=order)
    return made.getvalue()


def _found(data: bytes) -> bytes:
    if data[:4] == b"\x89PNG":
        bodies = (body for name, body in chunks_of(data) if name == b"iCCP")
        body = next(bodies, b"\0\0")
        packed = body[body.index(b"\0") + 2 :]
        return zlib.decompress(packed) if packed else b""
    if data[:2] == b"\xff\xd8":
        bodies = [body for _, body in segments_of(data) if body.startswith(_MARK)]
        at = len(_MARK)
        return b"".join(body[at + 2 :] for body in sorted(bodies, key=lambda body: body[at]))
    tags = tiff_tags.read_tags(data, most_pages=1)
    own = tags.pages[0]
    return own[tiff_tags.PROFILE].data if tiff_tags.PROFILE in own else b""
