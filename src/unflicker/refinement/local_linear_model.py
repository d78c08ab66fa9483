"""A processed picture as a local linear function of its steady original, and a residual.

    picture = slope · original + level + rest

Slope and level are smooth, so they can be filtered over many frames without any blur: texture comes
from the original, frame by frame. Only the rest, which the original does not have, is mixed with
that of neighbouring frames.

Source: the local linear model of He, Sun and Tang, Guided image filtering, ECCV 2010, here with the
gain of the neighbourhood instead of 0 where the original is flat.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.frames.picture import Picture

_NEIGHBOURHOOD_CELLS = 2.0
_FLAT = 1e-3
"""Variance, of values in [0, 1], below which the slope of a neighbourhood is unreliable."""
_DARK = 0.02
_MOST_GAIN = 5.0
_REST_MIDDLE, _REST_SPAN = 32768.0, 32767.0
"""A rest of -1 to 1 as samples of 16 bits."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LocalLinearModel:
    """The local linear model of a picture's planes given those of its original, in values of [0,
    1]."""

    slope: Float32[np.ndarray, "rows columns planes"]
    level: Float32[np.ndarray, "rows columns planes"]
    rest: Picture
    """The residual, as a picture of 16 bits whose middle is zero."""


def local_linear_model(
    picture: Picture, original: Picture, *, cells: tuple[int, int]
) -> LocalLinearModel:
    """The local linear model of a picture given its original.

    Args:
        picture: Processed.
        original: Of the same size and layout.
        cells: Rows and columns of slopes and levels.
    """
    middles = _middles(picture)
    slopes, levels, rests = [], [], []
    gain = None
    for index, middle in enumerate(middles):
        value, steady = (_values(each, index, middle) for each in (picture, original))
        mean, steady_mean, both, square = (
            _around(part, cells) for part in (value, steady, value * steady, steady * steady)
        )
        if gain is None:
            gain = np.clip((mean + _DARK) / (steady_mean + _DARK), 1 / _MOST_GAIN, _MOST_GAIN)
        variance = np.maximum(square - steady_mean * steady_mean, 0.0)
        slope = (both - mean * steady_mean + _FLAT * gain) / (variance + _FLAT)
        slopes.append(slope.astype(np.float32))
        levels.append((mean - slope * steady_mean).astype(np.float32))
        rests.append(_as_samples(value - _follows(steady, slopes[-1], levels[-1])))
    layout = replace(picture.layout, depth=16, alpha=False)
    rest = Picture(planes=tuple(rests), layout=layout, meaning=picture.meaning)
    return LocalLinearModel(slope=np.stack(slopes, -1), level=np.stack(levels, -1), rest=rest)


def picture_of(
    local_linear_model: LocalLinearModel, original: Picture, *, into: Picture, amount: float
) -> Picture:
    """The picture that a local linear model predicts, blended into another one.

    Args:
        local_linear_model: The model.
        original: The frame's original.
        into: Picture to blend into; its transparency is kept.
        amount: 0 gives `into`, 1 the prediction.
    """
    planes, peak = list(into.planes), into.layout.peak
    for index, middle in enumerate(_middles(into)):
        steady = _values(original, index, middle)
        value = _follows(
            steady, local_linear_model.slope[..., index], local_linear_model.level[..., index]
        )
        value += (
            local_linear_model.rest.planes[index].astype(np.float32) - _REST_MIDDLE
        ) / _REST_SPAN
        samples = (value + middle) * np.float32(peak)
        if amount < 1.0:
            samples = into.planes[index] + np.float32(amount) * (samples - into.planes[index])
        planes[index] = np.clip(np.rint(samples), 0, peak).astype(into.planes[index].dtype)
    return replace(into, planes=tuple(planes))


def _middles(picture: Picture) -> list[float]:
    """The neutral value of each plane: chroma varies about the middle."""
    chroma = 0.5 if picture.layout.family == "yuv" else 0.0
    return [0.0, *[chroma] * (picture.layout.colour_planes - 1)]


def _values(picture: Picture, index: int, middle: float) -> Float32[np.ndarray, "_ _"]:
    scale = np.float32(1.0 / picture.layout.peak)
    return picture.planes[index].astype(np.float32) * scale - np.float32(middle)


def _around(values: Float32[np.ndarray, "_ _"], cells: tuple[int, int]) -> np.ndarray:
    """Means by cell and its neighbourhood."""
    small = cv2.resize(values, cells[::-1], interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(small, (0, 0), _NEIGHBOURHOOD_CELLS)


def _follows(
    steady: Float32[np.ndarray, "height width"],
    slope: Float32[np.ndarray, "rows columns"],
    level: Float32[np.ndarray, "rows columns"],
) -> Float32[np.ndarray, "height width"]:
    size = steady.shape[1], steady.shape[0]
    both = (cv2.resize(np.ascontiguousarray(part), size) for part in (slope, level))
    return next(both) * steady + next(both)


def _as_samples(rest: Float32[np.ndarray, "height width"]) -> np.ndarray:
    return np.clip(np.rint(rest * _REST_SPAN + _REST_MIDDLE), 0, 65535).astype(np.uint16)
