"""Separates the scene of a window from overlays, by its luma and the correction by tone."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.analysis.windows import Window
from unflicker.compute.threads import check_stopped
from unflicker.grade.apply import apply_grade
from unflicker.grade.mask import Kept
from unflicker.tone import SteadyTone
from unflicker.tone.overlays import Laid, Share, Standing, corrected_share

_REACH_PX = 5
"""Width in px of a proxy over which an overlay may affect blurs and motion."""


def not_scene(
    window: Window, tone: SteadyTone, standing: Standing | None
) -> tuple[Share | None, Standing | None]:
    """Correction shares of a window's pixels, and the overlays of its last frame.

    The shares are None if all are 1.

    Args:
        window: Of a film.
        tone: Its correction.
        standing: Overlays of the frame before; None if there are none.
    """
    lumas = [frame.luma for frame in window.frames if frame.luma is not None]
    # In the lowest bits no pixel changes by more than an overlay may.
    dim = window.light_scale != 1.0
    if dim or len(lumas) < len(window.frames) or not tone.coefficients.any():
        return None, standing
    grades = [tone.grade(t) for t in range(len(lumas))]
    stored = [luma.planes[0] for luma in lumas]

    def laid() -> Laid:
        graded = []
        for luma, grade in zip(lumas, grades, strict=True):
            check_stopped()
            graded.append(apply_grade(luma, grade).planes[0])
        return Laid(stored=np.stack(stored), corrected=np.stack(graded))

    share = corrected_share(laid, stored, grades, standing=standing)
    return share, Standing.after(share, stored)


def scene_without(
    kept: Sequence[Kept | None],
    scene: Float32[np.ndarray, "time height width"] | None,
    *,
    size: tuple[int, int],
) -> Float32[np.ndarray, "time height width"]:
    """How far each pixel of the proxies, and all near it, show the scene, 0 to 1.

    Args:
        kept: The part of each frame that is not corrected.
        scene: The result so far, by transparency; None if all pixels show the scene.
        size: Height and width of the proxies, in px.
    """
    shown = []
    for t, one in enumerate(kept):
        share = np.ones(size, np.float32) if one is None else one.share(size)
        near = cv2.erode(share, np.ones((_REACH_PX, _REACH_PX), np.uint8))
        shown.append(near if scene is None else near * scene[t])
    return np.stack(shown)
