"""The light of pictures before and after, drawn as a picture."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Float32

_SIZE, _MARGIN = (288, 640), 36
_BACK, _AXIS = (31, 31, 33), (115, 115, 120)
_COLOURS = {"before": (232, 115, 79), "after": (97, 191, 242)}


def curve_picture(
    before: Sequence[float], after: Sequence[float]
) -> Float32[np.ndarray, "height width 3"]:
    """A plot of the mean light of each frame, RGB in [0, 1].

    Args:
        before: Mean of each frame, uncorrected, 0 to 1.
        after: The same of the results.
    """
    height, width = _SIZE
    picture = np.full((height, width, 3), _BACK, np.uint8)
    values = np.array([*before, *after], np.float32)
    middle = float(values.mean()) if values.size else 0.5
    reach = max(float(np.abs(values - middle).max()) if values.size else 0.0, 0.01)
    bottom, right = height - _MARGIN, width - _MARGIN
    cv2.rectangle(picture, (_MARGIN, _MARGIN), (right, bottom), _AXIS, 1)
    for name, light in (("before", before), ("after", after)):
        x = np.linspace(_MARGIN, right, max(len(light), 1))
        y = (bottom + _MARGIN) / 2 - (np.asarray(light) - middle) / reach * (bottom - _MARGIN) / 2.2
        points = np.rint(np.stack([x[: len(light)], y], axis=-1)).astype(np.int32)
        cv2.polylines(picture, [points], False, _COLOURS[name], 2, cv2.LINE_AA)  # noqa: FBT003
    texts = (
        (f"mean light {middle - reach:.3f} to {middle + reach:.3f}", _MARGIN, _AXIS),
        ("before", width - 190, _COLOURS["before"]),
        ("after", width - 100, _COLOURS["after"]),
    )
    for text, left, colour in texts:
        place = (left, _MARGIN - 12)
        cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, colour, 1, cv2.LINE_AA)
    return picture.astype(np.float32) / np.float32(255)
