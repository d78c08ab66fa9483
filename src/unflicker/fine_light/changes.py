"""Changes of light between neighbouring frames along the motion, by cells of the picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.frames.colour import LUMA
from unflicker.frames.flow import Motion, resized, warp

CELL_PX = 4
"""Px of the proxy for a cell, across and down: lamps of a real street are 4 to 8 px wide. Cells of
2 px win nothing there (lab notebook)."""
_BLUR_CELLS, _SMALL_BLUR_CELLS = 0.7, 1.15
"""Neighbourhood over which light is averaged, of usual and of smaller cells."""
_DARK = np.float32(0.02)
"""Added to light, so that noise near black is no change of light."""
_NEIGHBOURS = np.ones((3, 3), np.uint8)


@dataclass(frozen=True, kw_only=True, eq=False)
class LightChanges:
    """Changes of log light of a window from its frames to their neighbours in one direction, by
    cells, and the motion of the cells."""

    change: Float32[np.ndarray, "pairs rows columns 3"]
    """What light of a frame exceeds that of its neighbour by, laid over it."""
    flow: Float32[np.ndarray, "pairs rows columns 2"]
    """To the neighbour, in cells, x first."""
    seen: Float32[np.ndarray, "pairs rows columns"]
    """How far all of a cell and its neighbourhood is visible there, 0 to 1."""

    @property
    def luma(self) -> Float32[np.ndarray, "pairs rows columns"]:
        """Changes of the three channels as one."""
        return self.change @ LUMA


def cells_of(size: tuple[int, int], *, cell_px: int = CELL_PX) -> tuple[int, int]:
    """Rows and columns of cells of a proxy.

    Args:
        size: Its height and width in px.
        cell_px: Px for a cell, across and down.
    """
    height, width = size
    return max(1, height // cell_px), max(1, width // cell_px)


def log_light(
    light: Float32[np.ndarray, "time height width 3"], *, cell_px: int = CELL_PX
) -> Float32[np.ndarray, "time rows columns 3"]:
    """Log light of each cell of proxies, averaged over its neighbourhood.

    Args:
        light: In working light.
        cell_px: Px for a cell, across and down.
    """
    cells = resized(light, cells_of((light.shape[1], light.shape[2]), cell_px=cell_px))
    blur = _BLUR_CELLS if cell_px >= CELL_PX else _SMALL_BLUR_CELLS
    return np.stack([np.log(cv2.GaussianBlur(one, (0, 0), blur) + _DARK) for one in cells])


def changes_back(logs: Float32[np.ndarray, "time rows columns 3"], motion: Motion) -> LightChanges:
    """Changes from each frame but the first to the frame before.

    Args:
        logs: Log light by cells.
        motion: Of the proxies.
    """
    return _changes(logs[1:], logs[:-1], flow=motion.backward, visible=motion.visible_backward)


def changes_forth(logs: Float32[np.ndarray, "time rows columns 3"], motion: Motion) -> LightChanges:
    """Changes from each frame but the last to the next.

    Args:
        logs: Log light by cells.
        motion: Of the proxies.
    """
    return _changes(logs[:-1], logs[1:], flow=motion.forward, visible=motion.visible_forward)


def _changes(
    here: Float32[np.ndarray, "pairs rows columns 3"],
    there: Float32[np.ndarray, "pairs rows columns 3"],
    *,
    flow: Float32[np.ndarray, "pairs height width 2"],
    visible: Float32[np.ndarray, "pairs height width"],
) -> LightChanges:
    size = here.shape[1], here.shape[2]
    scale = np.array([size[1] / flow.shape[2], size[0] / flow.shape[1]], np.float32)
    small = resized(flow, size) * scale
    return LightChanges(
        change=np.stack([one - warp(*way) for one, *way in zip(here, there, small, strict=True)]),
        flow=small,
        seen=_all_seen(visible, size),
    )


def _all_seen(
    visible: Float32[np.ndarray, "pairs height width"], size: tuple[int, int]
) -> Float32[np.ndarray, "pairs rows columns"]:
    """Light is that of a neighbourhood, so all of it has to be seen."""
    small = resized(visible, size)
    for seen in small:
        seen[:] = cv2.erode(seen, _NEIGHBOURS)
    return small
