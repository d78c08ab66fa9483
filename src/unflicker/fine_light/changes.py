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
2 px win nothing (lab notebook)."""
_BLUR_CELLS = 0.7
_DARK = np.float32(0.02)
"""Added to light, so that noise near black is no change of light."""
_NEIGHBOURS = np.ones((3, 3), np.uint8)


@dataclass(frozen=True, kw_only=True, eq=False)
class LightChanges:
    """Changes of log light of a window by cells, and the motion of the cells."""

    back: Float32[np.ndarray, "pairs rows columns 3"]
    """What light of a frame exceeds that of the frame before by, laid over it."""
    forth: Float32[np.ndarray, "pairs rows columns 3"]
    """What light of a frame exceeds that of the next frame by, laid over it."""
    flow_back: Float32[np.ndarray, "pairs rows columns 2"]
    """From frame t+1 to frame t, in cells, x first."""
    flow_forth: Float32[np.ndarray, "pairs rows columns 2"]
    """From frame t to frame t+1."""
    seen_back: Float32[np.ndarray, "pairs rows columns"]
    """How far all of a cell of frame t+1 and its neighbours is visible in frame t, 0 to 1."""
    seen_forth: Float32[np.ndarray, "pairs rows columns"]

    @property
    def luma_back(self) -> Float32[np.ndarray, "pairs rows columns"]:
        """Changes from the frame before, of the three channels as one."""
        return self.back @ LUMA


def cells_of(size: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of cells of a proxy, by its height and width in px."""
    height, width = size
    return max(1, height // CELL_PX), max(1, width // CELL_PX)


def changes_of(light: Float32[np.ndarray, "time height width 3"], motion: Motion) -> LightChanges:
    """The changes of light of a window.

    Args:
        light: Proxies in working light, corrected as far as they are.
        motion: Between them.
    """
    height, width = light.shape[1:3]
    size = cells_of((height, width))
    scale = np.array([size[1] / width, size[0] / height], np.float32)
    flow_back = resized(motion.backward, size) * scale
    flow_forth = resized(motion.forward, size) * scale
    logs = [_log_light(picture) for picture in resized(light, size)]
    pairs = range(len(flow_back))
    return LightChanges(
        back=_stacked([logs[t + 1] - warp(logs[t], flow_back[t]) for t in pairs], size),
        forth=_stacked([logs[t] - warp(logs[t + 1], flow_forth[t]) for t in pairs], size),
        flow_back=flow_back,
        flow_forth=flow_forth,
        seen_back=_all_seen(motion.visible_backward, size),
        seen_forth=_all_seen(motion.visible_forward, size),
    )


def _log_light(picture: Float32[np.ndarray, "rows columns 3"]) -> np.ndarray:
    return np.log(cv2.GaussianBlur(picture, (0, 0), _BLUR_CELLS) + _DARK)


def _stacked(parts: list[np.ndarray], size: tuple[int, int]) -> np.ndarray:
    return np.stack(parts) if parts else np.zeros((0, *size, 3), np.float32)


def _all_seen(
    visible: Float32[np.ndarray, "pairs height width"], size: tuple[int, int]
) -> Float32[np.ndarray, "pairs rows columns"]:
    """Light is that of a neighbourhood, so all of it has to be seen."""
    small = resized(visible, size)
    for seen in small:
        seen[:] = cv2.erode(seen, _NEIGHBOURS)
    return small
