"""Gate weave of a window: how far each of its frames is from its place."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

from unflicker.analysis.roles import Roles
from unflicker.analysis.windows import Window
from unflicker.motion import weave_of


def weave_window(window: Window, roles: Roles) -> Float32[np.ndarray, "time 2"] | None:
    """Gate weave of each frame in px of a picture 640 px wide, x first; None if not measured.

    A frame that shows the same picture as another is as far from its place.

    Args:
        window: Of a film.
        roles: Of its frames.
    """
    shifts = [frame.shifts for frame in window.frames]
    if all(one is None for one in shifts):
        return None
    new = np.unique(roles.repeats)
    weave = weave_of([shifts[place] for place in new])
    return weave[np.searchsorted(new, roles.repeats)]
