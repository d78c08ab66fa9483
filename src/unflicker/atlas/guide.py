"""An atlas's rendering of each frame, and its trust."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.atlas.canvas import Canvas, Painting
from unflicker.atlas.make import ShotAtlas
from unflicker.compute.threads import in_parallel
from unflicker.frames.structure import CODES_A_DEVIATION, normalised

_STRUCTURE_BLUR_PX, _GUIDE_BLUR_PX = 3.0, 2.0
_FLATTEST = 0.002
_TRUST = (0.417, -10.97, 6.232, -0.573)
"""Log odds that a guide's colour is within 2 ΔE: a constant, then for each of `signs`. Fitted to
eight development clips with synthetic flicker (benchmarks/atlas_trust.py; lab notebook)."""
_TEXELS_PER_PX, _MOST_TEXELS = 0.5, 1_000_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Guide:
    """An atlas's rendering of a shot's frames: consistent, with errors, and with its trust."""

    pictures: Float32[np.ndarray, "time height width 3"]
    trust: Float32[np.ndarray, "time height width"]
    """Probability that the slightly blurred colour is within 2 ΔE of the true one, 0 to 1."""


def guide_of(atlas: ShotAtlas, frames: Float32[np.ndarray, "time height width 3"]) -> Guide:
    """The atlas guide of a shot's frames, with its trust.

    Trust is predicted from structure, never from colour: colours differ most where light flickers.

    Args:
        atlas: Of these frames.
        frames: RGB in [0, 1], as the atlas was made from.
    """
    pictures = np.stack([atlas.rendered(t) for t in range(len(frames))])
    often = _seen_often(atlas)
    pairs = in_parallel(signs, frames, pictures)
    trust = np.stack([probability(found) for found in pairs])
    return Guide(pictures=pictures, trust=trust * often)


def signs(
    frame: Float32[np.ndarray, "height width 3"], rendered: Float32[np.ndarray, "height width 3"]
) -> Float32[np.ndarray, "height width 3"]:
    """Features that predict trust.

    Args:
        frame: RGB in [0, 1].
        rendered: The guide's picture of it.

    Returns:
        By pixel: the difference in structure, in local deviations; its square; the log gradient of
        the guide's colours.
    """
    here, there = (normalised(picture).astype(np.float32) for picture in (frame, rendered))
    miss = cv2.GaussianBlur(np.abs(here - there), (0, 0), _STRUCTURE_BLUR_PX)
    miss /= np.float32(CODES_A_DEVIATION)
    soft = cv2.GaussianBlur(rendered, (0, 0), _GUIDE_BLUR_PX)
    down = np.abs(np.diff(soft, axis=0, append=soft[-1:])).mean(axis=-1)
    across = np.abs(np.diff(soft, axis=1, append=soft[:, -1:])).mean(axis=-1)
    return np.stack([miss, miss * miss, np.log(down + across + _FLATTEST)], axis=-1)


def probability(
    found: Float32[np.ndarray, "height width 3"],
) -> Float32[np.ndarray, "height width"]:
    """Probability that a guide with these signs is within 2 ΔE of the true colour."""
    odds = found @ np.array(_TRUST[1:], np.float32) + np.float32(_TRUST[0])
    # A miss so large that its square would speak for it is not better than a large one.
    odds = np.where(found[..., 0] > -_TRUST[1] / (2.0 * _TRUST[2]), -8.0, odds)
    return (1.0 / (1.0 + np.exp(-odds))).astype(np.float32)


def _seen_often(atlas: ShotAtlas) -> Float32[np.ndarray, "time height width"]:
    """n / (n + 1), where n frames show a place: a place that one frame shows is less reliable."""
    often = np.zeros((atlas.frames, *atlas.size), np.float32)
    shares = np.stack([atlas.shares(t) for t in range(atlas.frames)])
    for layer in range(shares.shape[1]):
        places = np.stack([atlas.places(t, layer=layer) for t in range(atlas.frames)])
        canvas = Canvas.around(places, texels_per_px=_TEXELS_PER_PX, most_texels=_MOST_TEXELS)
        painting = Painting(canvas)
        nothing = np.zeros((*atlas.size, 3), np.float32)
        for t in range(atlas.frames):
            painting.add(nothing, places[t], shares[t, layer])
        frames = painting.seen * np.float32(canvas.texels_per_px**2)
        for t in range(atlas.frames):
            count = canvas.look_up(frames, places[t])
            often[t] += shares[t, layer] * count / (count + 1.0)
    return often
