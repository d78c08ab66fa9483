"""Fine light of a window: each cell's light, averaged over time along the motion.

The average goes both ways, with weights that decay as the noise of the place demands (`noise`), and
starts again where motion is not sure. Gains are carried and not light, so nothing drifts or blurs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.compute.threads import check_stopped
from unflicker.fine_light.changes import (
    CELL_PX,
    LightChanges,
    changes_back,
    changes_forth,
    log_light,
)
from unflicker.fine_light.noise import decay_by_place
from unflicker.fine_light.shared import shared_by_place
from unflicker.frames.flow import Motion, warp

_LIMIT = 0.5
"""Change of log light at which the trust in a place is one half."""
_DOUBT_CELLS = 1.0
_LEAST_SHARE = 0.02
"""Share of the picture that must flicker for the average to be taken: a lamp of 1/50 of it."""
_LEAST_DECAY = 0.1
"""Decay below which a place hardly changes."""
_FEWEST_FRAMES = 20
"""Below so many frames chance looks like a shared rhythm: at 16 it did in one made clip."""
_KEPT_SHARE = 4 * np.log(2.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class KnownFlicker:
    """What is known from elsewhere of the places that flicker."""

    where: Float32[np.ndarray, "some_rows some_columns"]
    """How far places flicker, 0 to 1, at any size."""
    decay: float
    """Least decay of weights where they do, 0 to 0.9."""
    cell_px: int = CELL_PX
    """Px of the proxy for a cell of light."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FineLight:
    """The correction of a window's fine light; gains are computed when they are first used."""

    shared: Float32[np.ndarray, "rows columns"]
    """How surely changes of a cell are shared by other parts of the picture, 0 to 1: they may be
    rain elsewhere."""
    flickering: Float32[np.ndarray, "rows columns"]
    """How far a cell is known to flicker, 0 to 1."""
    decay: Float32[np.ndarray, "rows columns"]
    """Of weights, from frame to frame."""
    logs: Float32[np.ndarray, "time rows columns 3"]
    """Log light by cells."""
    back: LightChanges
    motion: Motion

    @cached_property
    def log_gain(self) -> Float32[np.ndarray, "time rows columns 3"]:
        """Natural logarithm, for each frame and cell."""
        return _averaged(self.back, changes_forth(self.logs, self.motion), self.decay)


def fine_light(
    light: Float32[np.ndarray, "time height width 3"],
    motion: Motion,
    *,
    keep_frames: float,
    known: KnownFlicker | None = None,
) -> FineLight | None:
    """The gains that steady the light of each cell along the motion; None if nothing flickers.

    Args:
        light: Proxies of a window in working light, corrected by tone.
        motion: Between them.
        keep_frames: Changes of light that take longer are kept.
        known: Places that are known to flicker.
    """
    if len(light) < (_FEWEST_FRAMES if known is None else 2):
        return None
    logs = log_light(light, cell_px=CELL_PX if known is None else known.cell_px)
    back = changes_back(logs, motion)
    shared, decay = shared_by_place(back), decay_by_place(back)
    sure = np.zeros_like(shared)
    if known is not None:
        rows, columns = shared.shape
        sure = cv2.resize(known.where, (columns, rows), interpolation=cv2.INTER_LINEAR)
        decay = np.maximum(decay, np.float32(known.decay) * sure)
    elif ((shared > 0.0) & (decay > _LEAST_DECAY)).mean() < _LEAST_SHARE / 2:
        return None
    # Half of the frames that count then lie within a quarter of the time that is kept.
    longest = np.float32(np.exp(-_KEPT_SHARE / keep_frames))
    return FineLight(
        shared=shared,
        flickering=sure,
        decay=np.minimum(decay, longest),
        logs=logs,
        back=back,
        motion=motion,
    )


def _averaged(
    back: LightChanges, forth: LightChanges, decay: Float32[np.ndarray, "rows columns"]
) -> Float32[np.ndarray, "time rows columns 3"]:
    """What the average over both directions exceeds each frame's log light by."""
    past, weight = _carried(back.change, back.flow, back.seen, decay)
    future, later = _carried(forth.change[::-1], forth.flow[::-1], forth.seen[::-1], decay)
    return (past + future[::-1]) / (weight + later[::-1] - 1.0)[..., None]


def _carried(
    changes: Float32[np.ndarray, "pairs rows columns 3"],
    flow: Float32[np.ndarray, "pairs rows columns 2"],
    seen: Float32[np.ndarray, "pairs rows columns"],
    decay: Float32[np.ndarray, "rows columns"],
) -> tuple[Float32[np.ndarray, "time rows columns 3"], Float32[np.ndarray, "time rows columns"]]:
    """Weighted sums, over all frames in one direction, of what they exceed a frame by; the weights.

    Args:
        changes: What each frame from the second on exceeds its neighbour by.
        flow: To that neighbour.
        seen: Visibility there.
        decay: Of weights, by place.
    """
    sums = np.zeros((len(changes) + 1, *changes.shape[1:]), np.float32)
    weights = np.ones(sums.shape[:3], np.float32)
    for t, change in enumerate(changes, start=1):
        check_stopped()
        doubt = np.abs(cv2.GaussianBlur(change, (0, 0), _DOUBT_CELLS)).max(axis=2) / _LIMIT
        trust = seen[t - 1] * decay / (1.0 + doubt**4)
        before = warp(weights[t - 1], flow[t - 1])
        sums[t] = trust[..., None] * (warp(sums[t - 1], flow[t - 1]) - before[..., None] * change)
        weights[t] = 1.0 + trust * before
    return sums, weights
