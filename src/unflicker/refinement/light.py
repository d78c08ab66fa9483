"""Low-frequency light of a shot, filtered along the motion.

Only light and colour over a neighbourhood have a memory of more than a frame. Texture carried so
long would drift and blur; light has no edges to lose.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.frames.colour import LUMA
from unflicker.frames.flow import pixel_places, resized, warp
from unflicker.grade import Grade
from unflicker.refinement.neighbour_weights import Way

_SHRINK = 2
"""Pixels of a proxy for a cell of light, across and down."""
_MEMORY = 0.75
"""Decay of a gain per frame: half of a change of light remains after two frames."""
_LIMIT = 0.5
"""Change of log light at which the trust in a place is one half."""
_DARK = np.float32(0.02)
"""Added to light, so that noise near black is no change of light."""
_BLUR_CELLS, _DOUBT_CELLS = 1.4, 2.0
_TONES = np.linspace(0.0, 1.0, 5, dtype=np.float32) ** 2
"""Luma of a grade's tone bins."""
_NEIGHBOURS = np.ones((3, 3), np.uint8)


class SmoothLight:
    """The memory of a shot's light; a new one starts with every shot."""

    def __init__(self) -> None:
        self._before: Float32[np.ndarray, "rows columns 3"] | None = None
        """The logarithm of the last frame's light."""
        self._gain: Float32[np.ndarray, "rows columns 3"] | None = None
        """What was added to it."""

    def grade(self, light: Float32[np.ndarray, "rows columns 3"], way: Way | None) -> Grade:
        """The grade that matches a proxy's light to earlier frames; identity where they disagree.

        Light is carried for one frame, the gain for longer: pictures blended again and again would
        lose contrast, while a gain only decays.

        Args:
            light: The proxy; its frame becomes the newest of the memory.
            way: Motion to the previous frame; None if there is none.
        """
        rows, columns = light.shape[:2]
        size = max(1, rows // _SHRINK), max(1, columns // _SHRINK)
        smooth = cv2.GaussianBlur(resized(light[None], size)[0], (0, 0), _BLUR_CELLS)
        now = np.log(smooth + _DARK)
        gain = np.zeros_like(now)
        if self._before is not None and self._gain is not None and way is not None:
            scale = np.array([size[1] / columns, size[0] / rows], np.float32)
            flow = resized(way.flow[None], size)[0] * scale
            change = _laid_over(self._before, flow) - now + warp(self._gain, flow)
            doubt = np.abs(cv2.GaussianBlur(change, (0, 0), _DOUBT_CELLS)).max(axis=2) / _LIMIT
            # Light is that of a neighbourhood, so all of it has to be seen.
            seen = cv2.erode(resized(way.seen[None], size)[0], _NEIGHBOURS)
            trust = seen * (_MEMORY / (1.0 + doubt**4))
            gain = change * trust[..., None]
        self._before, self._gain = now, gain
        return Grade(curves=Grade.identity().curves, log_gain=_by_tone(gain, smooth @ LUMA))


def _by_tone(
    gain: Float32[np.ndarray, "rows columns 3"], level: Float32[np.ndarray, "rows columns"]
) -> Float32[np.ndarray, "rows columns bins 3"]:
    """The gain for each tone: pixels brighter than their neighbourhood are only brightened.

    So a bright spot next to a dark area does not glow when the dark is lifted.
    """
    share = np.minimum(1.0, (level[..., None] + _DARK) / (_TONES + _DARK))
    return np.log1p(np.expm1(gain)[:, :, None] * share[..., None]).astype(np.float32)


def _laid_over(
    picture: Float32[np.ndarray, "rows columns 3"], flow: Float32[np.ndarray, "rows columns 2"]
) -> Float32[np.ndarray, "rows columns 3"]:
    """As `warp`, cubic: a smooth picture loses no sharpness by it."""
    x, y = cv2.split(flow + pixel_places(flow.shape[0], flow.shape[1]))
    return cv2.remap(picture, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
