"""Highlights that flicker has clipped, kept at their usual level.

An overexposed frame is darkened, and what had clipped in it with the rest: a white sky turns grey
for one frame. The brightest share p of a steady picture is a better estimate of the level of that
share before clipping. It is the mean over the frames in which it did not clip.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Float32

from unflicker.tone.illumination import IlluminationModel, tone_of

_CLIPPED = 0.985
_EVERY_PX = 3
_MOSTLY_SCENE = 0.5
_NEAR_FRAMES, _ANYWHERE = 6.0, 1e-3
"""Neighbourhood of frames that give the usual level, and the weight of frames farther away."""
_SHARES = (np.arange(256) + 0.5) / 256.0


def with_highlights(
    coefficients: Float[np.ndarray, "time 3 size"],
    pictures: Sequence[Float32[np.ndarray, "height width 3"]]
    | Float32[np.ndarray, "time height width 3"],
    field: IlluminationModel,
    *,
    scene: Float32[np.ndarray, "time height width"] | None = None,
) -> Float[np.ndarray, "time 3 size+1"]:
    """Coefficients of flicker, and one more that keeps clipped white at its usual level.

    Args:
        coefficients: Of each frame.
        pictures: The uncorrected proxies, in working light.
        field: The functions of all but the last of them; its function is `whiteness_of`.
        scene: Share of each pixel that is scene, 0 to 1; other pixels are not measured.
    """
    shown = [None] * len(pictures) if scene is None else scene
    seen = np.stack([_quantiles(*both) for both in zip(pictures, shown, strict=True)])
    whole = coefficients[..., field.whole]
    steady = seen * np.exp(-np.einsum("tck,tlck->tlc", whole, _powers(seen, field)))
    clipped = (seen >= _CLIPPED).astype(np.float64)
    shares = clipped.sum(axis=1)
    wanted = (clipped * _usual(steady, 1.0 - clipped)).sum(axis=1) / np.maximum(shares, 1.0)
    white = np.exp(-(whole @ _powers(np.ones(1), field)[0]))
    lifted = np.where(shares > 0, np.maximum(np.minimum(wanted, 1.0), white), white)
    # Where nothing is taken out, nothing clipped either.
    changed = np.abs(coefficients).sum(axis=(1, 2)) > 0.0
    more = np.where(changed[:, None], -np.log(lifted / white), 0.0)
    return np.concatenate([coefficients, more[..., None]], axis=-1)


def _usual(
    steady: Float[np.ndarray, "time shares 3"], weight: Float[np.ndarray, "time shares 3"]
) -> Float[np.ndarray, "time shares 3"]:
    """Usual level of each share around each frame, from frames that have weight; without any, its
    maximum."""
    frames = np.arange(len(steady))
    near = np.exp(-0.5 * ((frames[:, None] - frames) / _NEAR_FRAMES) ** 2) + _ANYWHERE
    total = np.einsum("ts,slc->tlc", near, weight)
    mean = np.einsum("ts,slc->tlc", near, weight * steady) / np.maximum(total, 1e-9)
    found = np.where(weight.any(axis=0), mean, steady.max(axis=0))
    return np.maximum.accumulate(found, axis=1)


def _quantiles(
    picture: Float32[np.ndarray, "height width 3"],
    scene: Float32[np.ndarray, "height width"] | None,
) -> Float[np.ndarray, "shares 3"]:
    sparse = picture[::_EVERY_PX, ::_EVERY_PX].reshape(-1, 3)
    if scene is not None:
        shown = scene[::_EVERY_PX, ::_EVERY_PX].ravel() > _MOSTLY_SCENE
        sparse = sparse[shown] if shown.any() else np.zeros((1, 3), np.float32)
    pixels = np.sort(sparse, axis=0)
    return pixels[(_SHARES * len(pixels)).astype(int)].astype(np.float64)


def _powers(
    values: Float[np.ndarray, "*shape"], field: IlluminationModel
) -> Float[np.ndarray, "*shape whole"]:
    return tone_of(values)[..., None] ** np.arange(field.powers + 1)
