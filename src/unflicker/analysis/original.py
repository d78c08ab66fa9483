"""The steady original of a processed film: its frames, and whether it belongs to that film."""

from __future__ import annotations

from dataclasses import replace
from itertools import takewhile

import numpy as np
from jaxtyping import Float32

from unflicker.analysis.cuts import distance, thumbnail_of
from unflicker.analysis.windows import Window, nearest_sound
from unflicker.errors import InputError
from unflicker.video import VideoSource

_COMPARED = 8
"""Frames of a window that are compared with the original's."""
_LEAST_ALIKE = 0.15
"""Similarity of a film to its original (`likeness_to_original`), below which it is another's."""
_LATER = (-3, -2, -1, 1, 2, 3)
_CLEARLY_MORE = 0.03
"""Gain of similarity by a shift in time, above which an original is out of step."""


def usable_originals(window: Window) -> list[Float32[np.ndarray, "height width 3"]]:
    """The same frames of the original; fewer if it ends earlier, none without an original."""
    nearest, _ = nearest_sound(window)
    found = [window.frames[place].original for place in nearest]
    return list(takewhile(lambda original: original is not None, found))  # pyright: ignore


def likeness_to_original(window: Window, *, later: int = 0) -> float | None:
    """Similarity in structure of a window's frames and its original's: 1 if equal, about 0 for
    another film, None if no frames can be compared.

    Args:
        window: Of a film with its original.
        later: Shift in frames: each frame is compared with the original's so many frames after it.
    """
    alike = []
    for place in range(0, len(window.frames), max(1, len(window.frames) // _COMPARED)):
        frame, other = window.frames[place], place + later
        original = window.frames[other].original if 0 <= other < len(window.frames) else None
        if original is None or frame.damaged:
            continue
        one, two = thumbnail_of(frame), thumbnail_of(replace(frame, pixels=original))
        if not (one.flat or two.flat):
            alike.append(1.0 - distance(one, two))
    return float(np.median(alike)) if alike else None


def refuse_another(window: Window, film: VideoSource, *, first: bool) -> None:
    """Refuse an original that shows another scene than the film, or is shifted in time.

    Args:
        window: Of a film, with or without an original.
        film: The film, for messages.
        first: Whether it is the film's first window; others are not checked.

    Raises:
        InputError: The two differ in structure, or agree better with a shift.
    """
    alike = likeness_to_original(window) if first else None
    if alike is None:
        return
    if alike < _LEAST_ALIKE:
        raise InputError(
            f"the original does not show what {film.name} shows; pass the video that it was made "
            "from, starting at the same frame"
        )
    shifted = {k: likeness_to_original(window, later=k) or 0.0 for k in _LATER}
    later = max(shifted, key=lambda frames: shifted[frames])
    if shifted[later] - alike > _CLEARLY_MORE and 1.0 - shifted[later] < 0.5 * (1.0 - alike):
        late, by = ("early" if later < 0 else "late"), abs(later)
        raise InputError(
            f"the original is {by} frames {late}: it shows what {film.name} shows at another time; "
            "cut both to the same first frame"
        )
