"""What of a window is the scene, and what was laid over it: from the luma of its frames and the
light that tone found to what each frame keeps."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.analysis.windows import Window
from unflicker.grade.apply import apply_grade
from unflicker.grade.mask import Kept
from unflicker.tone import SteadyTone
from unflicker.tone.overlays import Laid, Share, Standing, corrected_share

_REACH_PX = 5
"""Pixels of a proxy, across, in which an overlay may show in what is blurred or followed there."""


def not_scene(
    window: Window, tone: SteadyTone, standing: Standing | None
) -> tuple[Share | None, Standing | None]:
    """How much of its correction each pixel of a window takes, if not all do all of it; and what
    of that lies over its last frame.

    Args:
        window: Of a film.
        tone: What was found in it.
        standing: What lay over the frame before.
    """
    lumas = [frame.luma for frame in window.frames if frame.luma is not None]
    # In the lowest bits nothing moves by more than an overlay may.
    dim = window.light_scale != 1.0
    if dim or len(lumas) < len(window.frames) or not tone.coefficients.any():
        return None, standing
    grades = [tone.grade(t) for t in range(len(lumas))]
    stored = [luma.planes[0] for luma in lumas]

    def laid() -> Laid:
        graded = (apply_grade(*both).planes[0] for both in zip(lumas, grades, strict=True))
        return Laid(stored=np.stack(stored), corrected=np.stack(list(graded)))

    share = corrected_share(laid, stored, grades, standing=standing)
    return share, Standing.after(share, stored)


def scene_without(
    kept: Sequence[Kept | None],
    scene: Float32[np.ndarray, "time height width"] | None,
    *,
    size: tuple[int, int],
) -> Float32[np.ndarray, "time height width"]:
    """How far each pixel of the proxies shows the scene, and nothing near it shows anything else.

    Args:
        kept: What each frame keeps.
        scene: The same for what was known before; None where all pixels showed the scene.
        size: Height and width of the proxies.
    """
    shown = []
    for t, one in enumerate(kept):
        share = np.ones(size, np.float32) if one is None else one.share(size)
        near = cv2.erode(share, np.ones((_REACH_PX, _REACH_PX), np.uint8))
        shown.append(near if scene is None else near * scene[t])
    return np.stack(shown)
