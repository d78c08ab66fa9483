"""Level-free PSNR: distance to the ground truth without a constant difference in level.

A flickering clip does not tell how bright, contrasty or tinted it was meant to be, so the PSNR of a
blind method depends on luck. One curve a channel and one smooth field of gains, constant over the
clip, are fitted to the ground truth and removed before the error is computed. Neither depends on
time, so they cannot hide flicker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

from unflicker.metrics.fidelity import decibels
from unflicker.metrics.pictures import Pictures, pairs_of_frames

CURVE_BINS = 32
"""Most knots of a curve, at inputs spaced evenly in the square root of the stored value."""
FIELD_DEGREE = 5
"""Degree of the field of log gains, a polynomial of the place, in either direction."""
_SAMPLES_ACROSS, _MOST_POINTS = 64, 400_000
"""Points of a frame in a row; points of all frames, beyond which half of the frames are dropped."""
_GOLDEN = (5**0.5 - 1) / 2
_LEAST_ROUNDS, _MOST_ROUNDS, _SETTLED = 8, 16, 5e-4
"""Rounds of the fit, and the change of log gain below which it ends."""
_LEAST_SLOPE = 0.05
"""Slope below which a curve cannot be inverted: clipped values, mapped to their mean truth."""
_LEAST_POINTS = 20
_DARK, _CLIPPED = 0.03, 0.995
"""Stored values beyond which a ratio is unreliable."""
_HUBER_DEVIATIONS = 2.0
_LEAST_DEVIATION = 1 / 255
_PRIOR = 1e-3
"""Weight of the prior that log gains are 0, relative to that of all points."""
_MOST_LOG_GAIN = 1.5

_Curve = tuple[Float64[np.ndarray, " _"], Float64[np.ndarray, " _"]]
"""Truth at the knots, and what the result shows for it; both rising, equally many."""

Pair = tuple[Float32[np.ndarray, "height width 3"], Float32[np.ndarray, "height width 3"]]
"""A frame of the result and of the truth, RGB in [0, 1]."""
Points = Float32[np.ndarray, "points 3"]
"""RGB of the sampled places of a frame."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Level:
    """How a result differs from its ground truth in all frames alike: curves, then gains."""

    curves: tuple[_Curve, _Curve, _Curve]
    """Of red, green and blue."""
    log_gain: Float64[np.ndarray, " terms"]
    """Coefficients of the field, which the channels share."""

    def removed(
        self, frame: Float32[np.ndarray, "height width 3"]
    ) -> Float32[np.ndarray, "height width 3"]:
        """A frame of the result at the level of the ground truth."""
        height, width = frame.shape[:2]
        log_gain = np.concatenate([[0.0], self.log_gain]).reshape((FIELD_DEGREE + 1,) * 2)
        field = _polynomials(_centres(height)) @ log_gain @ _polynomials(_centres(width)).T
        free = _inverted(frame / _gains(field)[..., None], self.curves)
        return np.clip(free, 0, 1).astype(np.float32)


class LevelFit:
    """Collects points of a result and its ground truth, frame by frame, and fits the level.

    It expects the result from the truth and not the reverse: a fit of the truth to a result with
    errors would pull values towards their mean and hide some of the error.
    """

    def __init__(self) -> None:
        self._frames: list[tuple[float, Points, Points]] = []
        self._size = (0, 0)
        self._seen, self._share = 0, 1.0

    def saw(
        self,
        result: Float32[np.ndarray, "height width 3"],
        truth: Float32[np.ndarray, "height width 3"],
    ) -> None:
        """Take note of the next frame.

        Args:
            result: Stored values in [0, 1].
            truth: Of the same size.
        """
        self._size = result.shape[:2]
        # Not every second frame: flicker that alternates would show one of its levels alone.
        draw = self._seen * _GOLDEN % 1
        self._seen += 1
        if draw >= self._share:
            return
        rows, columns = (_picked(length) for length in self._places)
        points = [frame[rows][:, columns].reshape(-1, 3) for frame in (result, truth)]
        self._frames.append((draw, points[0], points[1]))
        if len(self._frames) * len(points[0]) > _MOST_POINTS:
            self._share /= 2
            self._frames = [kept for kept in self._frames if kept[0] < self._share]

    @property
    def _places(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Length and step of both axes."""
        height, width = self._size
        step = max(1, round(width / _SAMPLES_ACROSS))
        return (height, step), (width, step)

    def level(self) -> Level:
        """The level by alternating robust least squares: curves, then the field, and again."""
        result, truth = (np.stack([kept[k] for kept in self._frames]) for k in (1, 2))
        terms = _terms(
            *(_centres(length)[_picked((length, step))] for length, step in self._places)
        )
        curves: list[_Curve | None] = [None] * 3
        log_gain, found = np.zeros(terms.shape[1]), []
        for done in range(_MOST_ROUNDS):
            values = result / _gains(terms @ log_gain)[:, None]
            found = [_curve(truth[..., c], values[..., c], before=curves[c]) for c in range(3)]
            expected = np.stack([np.interp(truth[..., c], *found[c]) for c in range(3)], axis=-1)
            before, log_gain = log_gain, _field(terms, result, expected, before=log_gain)
            if done >= _LEAST_ROUNDS and np.abs(log_gain - before).max() < _SETTLED:
                break
            curves[:] = found
        red, green, blue = found
        return Level(curves=(red, green, blue), log_gain=log_gain)


def level_free_psnr(result: Pictures, truth: Pictures) -> float:
    """Mean over frames of their PSNR in dB after a constant level was removed; 0 to 100.

    The level (see `Level`) is fitted to the whole clip, and removed only if that raises the mean,
    so the value is never below that of `psnr`.

    Args:
        result: Frames to assess.
        truth: Ground truth, of the same size and length.
    """
    return level_free_psnr_of(lambda: pairs_of_frames(result, truth))


def level_free_psnr_of(read: Callable[[], Iterable[Pair]]) -> float:
    """`level_free_psnr` of films, which are read twice and never held in memory.

    Called with a function that gives pairs of frames in [0, 1], of the result and of the truth.
    """
    fit = LevelFit()
    for result, truth in read():
        fit.saw(result, truth)
    level = fit.level()
    errors = [
        [np.mean((frame - truth) ** 2, dtype=np.float64) for frame in (one, level.removed(one))]
        for one, truth in read()
    ]
    return float(decibels(np.array(errors)).mean(axis=0).max())


def _picked(axis: tuple[int, int]) -> slice:
    """Points of an axis, given its length and step."""
    length, step = axis
    return slice(min(step // 2, length - 1), None, step)


def _centres(length: int) -> Float64[np.ndarray, " length"]:
    """Centres of pixels along an axis, from -1 to 1."""
    return (2 * np.arange(length) + 1) / length - 1


def _polynomials(places: np.ndarray) -> Float64[np.ndarray, "places degrees"]:
    """Normalised Legendre polynomials along an axis."""
    scale = np.sqrt(2 * np.arange(FIELD_DEGREE + 1) + 1)
    return np.polynomial.legendre.legvander(places, FIELD_DEGREE) * scale


def _terms(down: np.ndarray, across: np.ndarray) -> Float64[np.ndarray, "places terms"]:
    """Products of the polynomials of both axes at each place, without the constant."""
    terms = _polynomials(down)[:, None, :, None] * _polynomials(across)[None, :, None, :]
    return terms.reshape(len(down) * len(across), -1)[:, 1:]


def _gains(field: np.ndarray) -> Float32[np.ndarray, "*places"]:
    return np.exp(np.clip(field, -_MOST_LOG_GAIN, _MOST_LOG_GAIN)).astype(np.float32)


def _curve(truth: np.ndarray, values: np.ndarray, *, before: _Curve | None) -> _Curve:
    """The mean of a channel's values given the truth, rising.

    Args:
        truth: Of any shape.
        values: At the same points.
        before: The curve of the round before, from which outliers are told; None in the first.
    """
    bins = np.minimum(np.sqrt(truth) * CURVE_BINS, CURVE_BINS - 1).astype(np.int64).ravel()
    weights = np.ones(truth.size)
    if before is not None:
        weights = _huber(values - np.interp(truth, *before)).ravel()
    # Means of both axes in each bin lie on the curve wherever the values crowd in it.
    counts, mass, x, y = (
        np.bincount(bins, weights=given, minlength=CURVE_BINS)
        for given in (None, weights, weights * truth.ravel(), weights * values.ravel())
    )
    full = counts >= max(1, min(_LEAST_POINTS, truth.size // 100))
    mass, x, y = mass[full], x[full], y[full]
    return _extended(*_risen(x / mass, y / mass, mass))


def _risen(x: np.ndarray, y: np.ndarray, mass: np.ndarray) -> _Curve:
    """The curve with neighbours pooled until it rises everywhere (isotonic regression)."""
    pooled: list[tuple[float, float, float]] = []
    for knot in zip(x.tolist(), y.tolist(), mass.tolist(), strict=True):
        pooled.append(knot)
        while len(pooled) > 1 and not _rises(pooled[-2], pooled[-1]):
            one, other = pooled.pop(-2), pooled.pop()
            both = one[2] + other[2]
            mixed = [(one[k] * one[2] + other[k] * other[2]) / both for k in (0, 1)]
            pooled.append((mixed[0], mixed[1], both))
    return np.array([knot[0] for knot in pooled]), np.array([knot[1] for knot in pooled])


def _rises(one: tuple[float, float, float], other: tuple[float, float, float]) -> bool:
    return other[1] - one[1] > _LEAST_SLOPE * (other[0] - one[0])


def _extended(x: np.ndarray, y: np.ndarray) -> _Curve:
    """The curve continued to black and white along its first and last pieces."""
    first, last = 1.0, 1.0
    if len(x) > 1:
        slopes = np.diff(y) / np.diff(x)
        first, last = (float(np.clip(slope, 0.2, 5.0)) for slope in (slopes[0], slopes[-1]))
    low, high = x[0] + 1e-6, 1 - x[-1] + 1e-6
    return (
        np.concatenate([[x[0] - low], x, [x[-1] + high]]),
        np.concatenate([[y[0] - first * low], y, [y[-1] + last * high]]),
    )


def _inverted(
    values: np.ndarray, curves: Sequence[_Curve]
) -> Float64[np.ndarray, "*places channels"]:
    """The truth for which the curve of each channel gives the values."""
    return np.stack([np.interp(values[..., c], y, x) for c, (x, y) in enumerate(curves)], axis=-1)


def _field(
    terms: np.ndarray, result: np.ndarray, expected: np.ndarray, *, before: np.ndarray
) -> Float64[np.ndarray, " terms"]:
    """Log gains by place that bring the expected values nearest to the result.

    Args:
        terms: Of each place.
        result: Of each frame, place and channel.
        expected: The truth after the curves, likewise.
        before: Coefficients of the round before.
    """
    usable = (expected > _DARK) & (result > _DARK) & (result < _CLIPPED)
    ratio = np.where(usable, np.log(np.maximum(result, _DARK) / np.maximum(expected, _DARK)), 0.0)
    far = (ratio - (terms @ before)[:, None]) * expected
    weights = usable * expected**2 * _huber(far)
    mass, moment = weights.sum(axis=(0, 2)), (weights * ratio).sum(axis=(0, 2))
    normal = terms.T @ (mass[:, None] * terms)
    normal += (_PRIOR * mass.sum() + 1e-9) * np.eye(terms.shape[1])
    return np.linalg.solve(normal, terms.T @ moment)


def _huber(residuals: np.ndarray) -> np.ndarray:
    """Weights by which a few frames or objects that are far off lose their influence.

    Source: Huber, Robust estimation of a location parameter, Annals of Mathematical Statistics
    1964.
    """
    size = np.abs(residuals)
    limit = _HUBER_DEVIATIONS * 1.4826 * float(np.median(size)) + _LEAST_DEVIATION
    return limit / np.maximum(size, limit)
