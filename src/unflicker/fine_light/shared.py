"""How far changes of a cell are shared by other parts of the picture.

Lamps on one grid, and whatever they light, change together, in a few patterns over time. Rain,
grain, flames, confetti and single lights change each by itself. So the picture is divided like a
chessboard; the strongest patterns of the black fields are looked for in the white ones, and the
other way round.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from unflicker.fine_light.changes import LightChanges
from unflicker.frames.flow import resized

_COARSER = 2
"""Cells of light for one cell here, across and down: patterns need no more."""
_FIELD_CELLS = 6
"""Side of a field of the chessboard."""
_MOST_PATTERNS, _LEAST_STRENGTH = 6, 2.5
"""Patterns are the leading principal components, if their variance is so many times the mean."""
_USUAL_CHANGE = 0.15
"""Change of log light at which a cell's weight is one half: more is motion."""
_NOISE = 1e-3
"""Log light below which changes are noise."""
_SMOOTH_CELLS = 1.0
_FROM, _TO = 0.15, 0.3
"""Share of a cell's variance that is predicted, from and to which fine light is corrected: rain,
grain, confetti and single lights come to 0.02 to 0.15, lamps to 0.36 to 0.8 (lab notebook)."""


def shared_by_place(changes: LightChanges) -> Float32[np.ndarray, "rows columns"]:
    """How surely changes of each cell are shared by other parts of the picture, 0 to 1.

    Args:
        changes: Of a window.
    """
    rows, columns = changes.seen.shape[1:3]
    size = max(1, rows // _COARSER), max(1, columns // _COARSER)
    predicted = _predicted(_relative(changes, size))
    smooth = cv2.GaussianBlur(predicted, (0, 0), _SMOOTH_CELLS)
    surely = smoothstep(smooth, _FROM, _TO)
    return cv2.resize(surely, (columns, rows), interpolation=cv2.INTER_LINEAR)


def smoothstep(values: np.ndarray, least: float, most: float) -> np.ndarray:
    """0 up to one value, 1 from another on, rising smoothly between.

    Args:
        values: Any.
        least: Where it is 0.
        most: Where it is 1.
    """
    share = np.clip((values - least) / (most - least), 0.0, 1.0)
    return share * share * (3.0 - 2.0 * share)


def _relative(
    changes: LightChanges, size: tuple[int, int]
) -> Float32[np.ndarray, "pairs rows columns"]:
    """Changes of each cell without their mean, in its own deviations."""
    change = changes.luma
    weight = changes.seen / (1.0 + (change / _USUAL_CHANGE) ** 4)
    weighted, weight = resized(change * weight, size), resized(weight, size)
    weighted -= weight * (weighted.sum(axis=0) / np.maximum(weight.sum(axis=0), 1e-3))
    return weighted / (np.sqrt((weighted**2).mean(axis=0)) + _NOISE)


def _predicted(
    relative: Float32[np.ndarray, "pairs rows columns"],
) -> Float32[np.ndarray, "rows columns"]:
    """Share of each cell's variance that patterns of the other fields explain, beyond chance."""
    pairs, rows, columns = relative.shape
    black, flat = _chessboard(rows, columns), relative.reshape(pairs, -1).astype(np.float64)
    share = np.zeros(rows * columns, np.float32)
    for own in (black, ~black):
        inside = cv2.erode(
            (~own).astype(np.uint8), np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE
        )
        others, here = inside.ravel() > 0, own.ravel()
        patterns = _patterns(flat[:, others])
        if patterns.shape[1]:
            power = np.maximum((flat[:, here] ** 2).sum(axis=0), 1e-9)
            explained = ((patterns.T @ flat[:, here]) ** 2).sum(axis=0) / power
            chance = patterns.shape[1] / pairs
            share[here] = np.maximum((explained - chance) / (1.0 - chance), 0.0)
    return share.reshape(rows, columns)


def _patterns(values: np.ndarray) -> np.ndarray:
    """The strong principal components over time of some cells, as columns."""
    variances, components = np.linalg.eigh(values @ values.T)
    total = variances.sum()
    if total <= 0.0:
        return components[:, :0]
    strong = variances[-_MOST_PATTERNS:] / total * len(values) > _LEAST_STRENGTH
    return components[:, -_MOST_PATTERNS:][:, strong]


def _chessboard(rows: int, columns: int) -> Bool[np.ndarray, "rows columns"]:
    side = max(3, min(_FIELD_CELLS, rows // 2, columns // 2))
    y, x = np.mgrid[0:rows, 0:columns]
    return (y // side + x // side) % 2 == 0
