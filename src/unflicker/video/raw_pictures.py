"""Previews inside camera raw pictures (the only home of rawpy)."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from unflicker.errors import MissingError
from unflicker.video.picture_kinds import Pixels

RAW = (".dng", ".cr2", ".cr3", ".nef", ".nrw", ".arw", ".raf", ".orf", ".rw2", ".pef", ".srw")


def is_raw(path: Path) -> bool:
    """Whether a file's name is that of a camera raw picture."""
    return path.suffix.lower() in RAW


def read_preview(path: Path) -> Pixels | None:
    """The largest preview of a raw picture, in OpenCV's order; None if there is none.

    Args:
        path: A raw picture.

    Raises:
        MissingError: rawpy is not installed.
    """
    try:
        import rawpy
    except ImportError as fault:
        raise MissingError(
            f"{path.name} is a raw picture, and rawpy is not installed; "
            "run: pip install 'unflicker[images]'"
        ) from fault
    try:
        with rawpy.imread(str(path)) as raw:
            preview = raw.extract_thumb()
    except (rawpy.LibRawError, OSError):
        return None
    if preview.format == rawpy.ThumbFormat.BITMAP:
        return np.ascontiguousarray(np.asarray(preview.data)[..., ::-1])
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    return cv2.imdecode(np.frombuffer(preview.data, np.uint8), flags)
