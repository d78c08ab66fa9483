"""Principal axes of global light: the shapes of tone curve that rise and fall together.

Gamma moves exposure and every power of tone at once. If each coefficient were judged alone, more of
one would be kept as slow light than of another, and the rest would bend the curve: white would
move, though gamma leaves it in place. Along principal axes such flicker is one number a frame, and
the other axes hold noise alone.

Source: principal component analysis; Jolliffe, Principal Component Analysis (2002), ch. 1.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from unflicker.tone.illumination import IlluminationModel, tone_of

_ROUNDING = 1e-6
"""Added to the power of each coefficient: a picture of one tone does not tell its powers apart."""


def principal_axes(
    path: Float[np.ndarray, "time all"],
    field: IlluminationModel,
    tones: Float[np.ndarray, " tones"],
) -> Float[np.ndarray, "all all"]:
    """The matrix from a path's coefficients to numbers along principal axes; it can be inverted.

    Global coefficients are turned, those by place stay. Axes are of changes from frame to frame, so
    that slow light has no part in them; their length is log light, as a mean over the tones shown.

    Args:
        path: Coefficients of lightness, then of two tints.
        field: The functions they belong to.
        tones: Values in [0, 1] as often as the pictures show them.
    """
    powers = tone_of(tones)[:, None] ** np.arange(field.powers + 1)
    power = powers.T @ powers / len(powers)
    length = np.linalg.cholesky(power + _ROUNDING * np.eye(len(power)))
    axes = np.eye(path.shape[1])
    for first in range(0, path.shape[1], field.size):
        whole = first + field.whole
        changes = np.diff(path[:, whole], axis=0) @ length
        turned = np.linalg.svd(changes, full_matrices=True).Vh
        axes[np.ix_(whole, whole)] = length @ turned.T
    return axes
