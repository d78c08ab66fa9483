"""Masks that were drawn in the browser: white is corrected, black is kept."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

import cv2
import numpy as np

from unflicker.errors import UsageError
from unflicker.files.atomic import write_whole
from unflicker.frames.colour import shrunk
from unflicker.grade.mask import Share, read_mask
from unflicker.studio.look import look_of
from unflicker.studio.steering import Steering

MOST_BYTES = 8 << 20
_MOST_PX = 64_000_000
_PNG = b"\x89PNG\r\n\x1a\n"


def mask_file(folder: Path, steering: Steering) -> Path | None:
    """The mask of a film, of its size; None if there is none.

    Args:
        folder: Of the film.
        steering: What is decided.
    """
    return folder / f"mask-{steering.mask}.png" if steering.mask else None


def store_mask(folder: Path, data: bytes, *, size: tuple[int, int]) -> str:
    """Store a mask, at the size of the film.

    Args:
        folder: Of the film.
        data: A PNG of any size.
        size: Height and width of the film.

    Returns:
        Its digest; empty if all is corrected.

    Raises:
        UsageError: It is no PNG, or too large.
    """
    if len(data) > MOST_BYTES or data[:8] != _PNG or len(data) < 24:
        raise UsageError(f"a mask of {len(data)} bytes; send a PNG of at most {MOST_BYTES} bytes")
    width, height = struct.unpack(">II", data[16:24])
    if not 0 < width * height <= _MOST_PX:
        raise UsageError(f"a mask of {width}×{height} px; send a smaller one")
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise UsageError("the mask is not a whole PNG; draw it again")
    full = cv2.resize(picture, size[::-1], interpolation=cv2.INTER_LINEAR)
    if full.min() == 255:
        return ""
    done, png = cv2.imencode(".png", full)
    assert done
    content = png.tobytes()
    digest = hashlib.sha256(content).hexdigest()[:16]
    write_whole(folder / f"mask-{digest}.png", content)
    return digest


def mask_of(folder: Path, steering: Steering, *, size: tuple[int, int]) -> Share | None:
    """The mask for pictures of any size; None if there is none.

    Args:
        folder: Of the film.
        steering: What is decided.
        size: Height and width of the pictures.
    """
    look, place = look_of(folder), mask_file(folder, steering)
    if place is None or look is None:
        return None
    return shrunk(read_mask(place, size=(look.height, look.width)), size)
