"""Fine light in one window: the gains that tone cannot give, where they visibly reduce flicker."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, Float64

from unflicker.fine_light import KnownFlicker, fine_light, smoothstep
from unflicker.frames.flow import BackwardMotion, Motion, resized
from unflicker.metrics import visible_flicker_by_place
from unflicker.metrics.visible import WORST_SHARE
from unflicker.refinement.texture import NO_FLICKER, TextureFlicker

_MEASURED_FRAMES = 32
_FALL_FROM, _FALL_TO = 0.35, 0.6
"""Share of a place's visible power that must go, from and to which it is corrected. Where motion is
at fault it hardly falls: 0.85 to 1 is left on steady clips, 0.1 to 0.3 on lamps (lab notebook)."""
_SEEN_FROM, _SEEN_TO = 0.08, 0.2
"""Visible flicker of a place in ΔE, likewise."""
_LEAST_FALL = 0.15
"""ΔE by which the worst tenth of the picture must improve, as for other corrections."""
_LEAST_DECAY, _MOST_DECAY = 0.4, 0.65
"""Least decay of weights where texture flickers weakly, and strongly. Old film with weak flicker is
nearly as steady with 0.4 as with 0.6, at half the harm to real shading (lab notebook)."""
_BOILING_DECAY, _BOILING_CELL_PX = 0.88, 2
"""The same, and px of the proxy for a cell, where places flicker independently: generated film
becomes steadier by a fifth than with 0.65 and 4 px (lab notebook)."""
_SMOOTH_SHARE = 3 / 128
"""Deviation of the neighbourhood in which places are judged, in widths of the picture."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FineWindow:
    """The fine light of a window, where it is earned."""

    log_gain: Float32[np.ndarray, "time rows columns 3"]
    left: float
    """Visible flicker after it, as a share of that before, in the whole picture."""


def fine_window(
    light: Float32[np.ndarray, "time height width 3"],
    motion: Motion,
    *,
    fps: float,
    keep_frames: float,
    texture: TextureFlicker = NO_FLICKER,
) -> FineWindow | None:
    """The gains that reduce visible flicker of a window; None if nowhere by enough.

    Args:
        light: Proxies in working light, corrected by tone.
        motion: Between them.
        fps: Frames a second.
        keep_frames: Changes of light that take longer are kept.
        texture: Its flicker of texture: light flickers in the same places.
    """
    found = fine_light(light, motion, keep_frames=keep_frames, known=_known(texture))
    if found is None:
        return None
    frames, shown, back = middle_shown(light, motion)
    before = _smoothly(visible_flicker_by_place(shown, motion=back, fps=fps))
    sure = smoothstep(before, _SEEN_FROM, _SEEN_TO)
    if not found.flickering.any() and _most_fall(before, sure, found.shared) < _LEAST_FALL:
        return None
    with_fine_light(shown, found.log_gain[frames])
    after = _smoothly(visible_flicker_by_place(shown, motion=back, fps=fps))
    fall = 1.0 - after**2 / np.maximum(before**2, 1e-9)
    worth = smoothstep(fall, _FALL_FROM, _FALL_TO) * sure
    rows, columns = found.shared.shape
    worth = cv2.resize(worth.astype(np.float32), (columns, rows), interpolation=cv2.INTER_LINEAR)
    share = np.maximum(worth * found.shared, found.flickering)
    seen, left = (_in_cells(part, (rows, columns)) for part in (before, after))
    left = seen + (left - seen) * share
    if not found.flickering.any() and _worst(seen) - _worst(left) < _LEAST_FALL:
        return None
    ratio = float(np.sqrt((left**2).mean() / max(float((seen**2).mean()), 1e-9)))
    return FineWindow(log_gain=found.log_gain * share[..., None], left=min(ratio, 1.0))


def _known(texture: TextureFlicker) -> KnownFlicker | None:
    if texture.where is None or not texture.where.any():
        return None
    decay = _LEAST_DECAY + (_MOST_DECAY - _LEAST_DECAY) * texture.strong
    if texture.boils:
        return KnownFlicker(
            where=texture.where, decay=max(decay, _BOILING_DECAY), cell_px=_BOILING_CELL_PX
        )
    return KnownFlicker(where=texture.where, decay=decay)


def with_fine_light(
    light: Float32[np.ndarray, "time height width 3"],
    log_gain: Float32[np.ndarray, "time rows columns 3"],
) -> None:
    """Apply gains by cells to proxies, in place.

    Args:
        light: In working light.
        log_gain: For each of them.
    """
    height, width = light.shape[1:3]
    for picture, gain in zip(light, log_gain, strict=True):
        dense = cv2.resize(gain, (width, height), interpolation=cv2.INTER_LINEAR)
        np.minimum(picture * np.exp(dense), 1.0, out=picture)


def middle_shown(
    light: Float32[np.ndarray, "time height width 3"], motion: Motion
) -> tuple[slice, Float32[np.ndarray, "some rows columns 3"], BackwardMotion]:
    """The middle frames of a window, in which visible flicker is measured: which they are, copies
    of half the size, and their motion.

    Args:
        light: Proxies of the window.
        motion: Between them.
    """
    first = max(0, (len(light) - _MEASURED_FRAMES) // 2)
    last = min(first + _MEASURED_FRAMES, len(light)) - 1
    size = max(1, light.shape[1] // 2), max(1, light.shape[2] // 2)
    frames = slice(first, last + 1)
    return frames, resized(light[frames], size), motion.back(first, last, size=size)


def _smoothly(
    visible: Float64[np.ndarray, "rows columns"],
) -> Float64[np.ndarray, "rows columns"]:
    """The root mean square of visible flicker around each place."""
    deviation = _SMOOTH_SHARE * visible.shape[1]
    return np.sqrt(cv2.GaussianBlur(visible**2, (0, 0), deviation))


def _most_fall(
    before: Float64[np.ndarray, "rows columns"],
    sure: Float64[np.ndarray, "rows columns"],
    shared: Float32[np.ndarray, "small_rows small_columns"],
) -> float:
    """ΔE by which the worst tenth improves if all visible flicker goes where it may: no gain is
    computed for less than is asked for."""
    rows, columns = shared.shape
    most = cv2.resize(sure.astype(np.float32), (columns, rows), interpolation=cv2.INTER_LINEAR)
    seen = _in_cells(before, (rows, columns))
    return _worst(seen) - _worst(seen * (1.0 - most * shared))


def _in_cells(values: np.ndarray, size: tuple[int, int]) -> Float32[np.ndarray, "rows columns"]:
    return cv2.resize(values.astype(np.float32), size[::-1], interpolation=cv2.INTER_AREA)


def _worst(values: np.ndarray) -> float:
    """The root mean square of the worst tenth."""
    count = max(1, round(WORST_SHARE * values.size))
    return float(np.sqrt((np.sort(values.ravel())[-count:] ** 2).mean()))
