"""How far light of a cell may be averaged over time: variances of flicker and drift, by place.

Light of a point along the motion is modelled as a random walk (shading, errors of the motion) plus
independent flicker: the local level model. Its variances follow from those of changes over one, two
and four frames, and they fix the best average: weights that decay with the distance in time, slowly
where light flickers more than it drifts.

Source: Muth, Optimal properties of exponentially weighted forecasts, JASA 1960; Harvey,
Forecasting, structural time series models and the Kalman filter, 1989, section 4.1.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32, Float64

from unflicker.fine_light.changes import LightChanges
from unflicker.frames.flow import warp

_LAGS = (1, 2, 4)
"""Frames over which changes are taken; longer ones tell nothing more (lab notebook)."""
_SPREAD_CELLS = 2.0
"""Neighbourhood over which variances are averaged."""
_MOST_DECAY = 0.9
"""Largest share of a weight that is left one frame further away: half is gone after seven."""
_LEAST = 1e-9


def decay_by_place(changes: LightChanges) -> Float32[np.ndarray, "rows columns"]:
    """The decay of weights from frame to frame, 0 (no average) to 0.9, for each cell.

    Args:
        changes: Of a window, to the frame before; cells are places of the picture, not points of
            the scene.
    """
    variances = _variances(changes)
    if len(variances) < 2:
        return np.zeros(changes.seen.shape[1:3], np.float32)
    # Var(change over k frames) = 2 flicker + k drift; longer ones are known less well.
    lags = np.array(list(variances), float)
    terms = np.stack([np.full_like(lags, 2.0), lags], axis=1) / lags[:, None]
    known = np.stack(list(variances.values())) / lags[:, None, None]
    flicker, drift = np.tensordot(np.linalg.pinv(terms), known, axes=1)
    ratio = np.maximum(drift, _LEAST) / np.maximum(flicker, _LEAST)
    decay = 1.0 - (np.sqrt(ratio * ratio + 4.0 * ratio) - ratio) / 2.0
    decay[flicker <= 0.0] = 0.0
    return np.minimum(decay, _MOST_DECAY).astype(np.float32)


def _variances(changes: LightChanges) -> dict[int, Float64[np.ndarray, "rows columns"]]:
    """Mean squared change of each cell over some frames along the motion."""
    squares = {lag: np.zeros(changes.seen.shape[1:3]) for lag in _LAGS}
    weights = {lag: np.zeros(changes.seen.shape[1:3]) for lag in _LAGS}
    longer: list[tuple[np.ndarray, np.ndarray]] = []
    """Changes over one frame, two and so on, each with its visibility."""
    for change, flow, seen in zip(changes.luma, changes.flow, changes.seen, strict=True):
        carried = [
            (change + warp(sum_, flow), seen * warp(visible, flow)) for sum_, visible in longer
        ]
        longer = [(change, seen), *carried][: max(_LAGS)]
        for lag in _LAGS:
            if lag <= len(longer):
                sum_, visible = longer[lag - 1]
                squares[lag] += visible * sum_**2
                weights[lag] += visible
    return {
        lag: _around(squares[lag]) / np.maximum(_around(weights[lag]), 1e-3)
        for lag in _LAGS
        if weights[lag].any()
    }


def _around(values: Float64[np.ndarray, "rows columns"]) -> Float64[np.ndarray, "rows columns"]:
    return np.asarray(cv2.GaussianBlur(values, (0, 0), _SPREAD_CELLS), np.float64)
