"""Checks a processed clip and its steady original."""

from __future__ import annotations

from unflicker.errors import UsageError
from unflicker.frames.clip import Clip


def need_alike(clip: Clip, original: Clip) -> None:
    """Refuse a processed clip and an original that do not match.

    Args:
        clip: Processed.
        original: Steady.

    Raises:
        UsageError: They differ in size or in number of frames.
    """
    one, other = clip.pixels.shape[:3], original.pixels.shape[:3]
    if one != other:
        raise UsageError(
            f"a processed clip of {_words(one)} and an original of {_words(other)}; "
            "pass two alike, frame by frame"
        )


def _words(shape: tuple[int, ...]) -> str:
    frames, height, width = shape
    return f"{frames} frames of {width}×{height}"
