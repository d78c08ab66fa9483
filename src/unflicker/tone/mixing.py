"""Mixed channels: flicker of saturation and hue, which no curve by channel undoes.

The colour that flicker makes of a steady one is written as a curve for each channel, then a matrix.
The logarithm of the matrix has rows that sum to zero, so grey stays grey; each row is a factor on
saturation and a turn of hue:
    log matrix = Σ over the rows of  log saturation (own − grey)  +  hue (last − next) / √3
Both are fitted as a path over the shot together with exposure and two powers of tone, from the
same correspondences as the illumination trajectory. Unlike that it is fitted in light and not in
its logarithm: mixing adds light, and a channel that is nearly dark would decide all.

A shot has a matrix only where one explains much more of what its points do (`explained`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Float32

from unflicker.frames.flow import Motion
from unflicker.grade.matrix import log_matrix_of, matrix_exponential
from unflicker.tone.changes import Changes
from unflicker.tone.correspondences import NOISE, NOISE_OF_LIGHT, Correspondences, correspondences
from unflicker.tone.flicker import Pace, separate
from unflicker.tone.illumination import TOE, IlluminationModel, tone_of
from unflicker.tone.trajectory import (
    BEST_AGREEMENT,
    FREEDOM,
    INDEPENDENT_SHARE,
    OUTLIER_DEVIATIONS,
    REFITS,
    Equations,
    IlluminationTrajectory,
    refitted,
    solved,
)

MIXING = 2
"""Parameters of a row of the matrix: log saturation and hue in radians."""
_POWERS = 2
_CURVE = 1 + _POWERS
_SIZE = _CURVE + MIXING
_EXPECTED = np.array([0.2, 0.14, 0.07, 0.2, 0.1])
"""Prior standard deviations of flicker: exposure, powers of tone, log saturation, hue."""
_AS_POWERS = IlluminationModel(
    height=1, width=1, waves_across=1, waves_down=1, powers=_SIZE - 1, contrast_waves=0
)
"""`separate` treats saturation and hue like powers of tone: as global."""
_NEVER = 1e-5
_WEIGHT = np.array([1.0, 1.0, 1.0, 0.3, 0.3])
"""Of the prior that there is no flicker. With all of it a fifth of saturation remains where colours
are pale; with a tenth of it errors add up where exposure flickers, too (lab notebook)."""
_FEWEST_FRAMES = 4
_LOOKS = 3
"""Iterations of the linearised fit: a rotation of 10° needs the second."""
_POINTS = 1000
_STEP_FACTOR, _STEP_REACH, _STEP_QUIET = 6.0, 3, 1.0 / 3.0
"""A step is this many times the usual change, and this many changes before and after it are below
this share of it. In white flicker one frame in a thousand stands out as much, but returns."""
_MOST_DEVIATIONS = 3.0
_LEAST_MIXING = 0.02
"""Log saturation or radians of hue from frame to frame, below which it is invisible."""
_LEAST_MATRIX = 0.035
"""The same of a shot, below which no matrix is looked for: of true flicker that weak none explains
enough, coded chroma at times just does, and wins 0.01 dB (lab notebook, 2026-11-29)."""
_GREY = 1e-4
"""Largest difference of the channels of a grey film."""
_MOST_MIXING = 0.7
"""Limit of a correction: half or twice the saturation, 40° of hue."""
MISFIT_LEFT = 0.9
"""Largest misfit with a matrix relative to without one, where it varies (lab notebook)."""

_Path = Float[np.ndarray, "time 3 size"]
_Colours = Float32[np.ndarray, "pairs points 3"]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Points:
    """Points of all pairs of a shot."""

    before: _Colours
    after: _Colours
    trust: _Colours
    """One over the expected variance of `after - before`; 0 for a point that is not used."""


def mixing_of(
    seen: list[Correspondences], *, pace: Pace, changes: Changes | None = None
) -> Float[np.ndarray, "time 3 mixing"] | None:
    """The mixing of each frame's channels by flicker: log saturation and hue for each row.

    None if the shot is explained as well without.

    Args:
        seen: One for each pair of neighbouring frames of one shot, uncorrected.
        pace: How slow light must be to be kept.
        changes: Steps and fades of the shot, if they are known.
    """
    if len(seen) + 1 < _FEWEST_FRAMES:
        return None
    points = _points(seen)
    if max(float(np.ptp(part, axis=2).max()) for part in (points.before, points.after)) < _GREY:
        return None
    path = _path(points)
    found = _flicker_of(path, pace=pace, changes=changes)
    moves = _moves(found)
    if (moves**2).sum() <= _LEAST_MATRIX**2 * moves.sum():
        return None
    mixed = _misfit(points, path.light)
    plain = _misfit(points, _path(points, mixes=False).light)
    explained = mixed @ moves < MISFIT_LEFT * (plain @ moves)
    return np.clip(found, -_MOST_MIXING, _MOST_MIXING) if explained else None


def _flicker_of(
    path: IlluminationTrajectory, *, pace: Pace, changes: Changes | None
) -> Float[np.ndarray, "time 3 mixing"]:
    """The flicker in a path's mixing: as by `separate`, and every step.

    A lamp that is switched on changes the light of its colour, and is kept; no lamp mixes channels
    that were apart.
    """
    stairs = _stairs(path.light[..., _CURVE:])
    still = np.concatenate([np.zeros_like(path.light[..., :_CURVE]), stairs], axis=2)
    smooth = IlluminationTrajectory(light=path.light - still, free=path.free - still)
    changes = None if changes is None else changes.at_same_tones()
    flicker = separate(smooth, _AS_POWERS, pace=pace, changes=changes)
    return flicker.coefficients[..., _CURVE:] + stairs - stairs.mean(axis=0)


def _stairs(mixing: Float[np.ndarray, "time 3 mixing"]) -> Float[np.ndarray, "time 3 mixing"]:
    """The sum of sudden changes between quiet frames; a single outlying frame is none.

    The prior makes a path leak away from its level on both sides of a step, so the step is the
    change there beyond the path's changes around it.
    """
    change = np.diff(mixing, axis=0)
    size = _root_mean_square(change)
    stairs = np.zeros_like(mixing)
    for step in np.nonzero((size > _STEP_FACTOR * np.median(size)) & (size > _LEAST_MIXING))[0]:
        near = np.arange(max(0, step - _STEP_REACH), min(len(size), step + 1 + _STEP_REACH))
        near = near[near != step]
        if size[near].max() < _STEP_QUIET * size[step]:
            stairs[step + 1 :] += change[step] - change[near].mean(axis=0)
    return stairs


def _root_mean_square(
    mixing: Float[np.ndarray, "time 3 mixing"],
) -> Float[np.ndarray, " time"]:
    """Over the rows of the matrix."""
    return np.sqrt((mixing**2).sum(axis=-1).mean(axis=-1))


def misfit_where_mixed(
    light: Float32[np.ndarray, "time height width 3"],
    motion: Motion,
    mixing: Float[np.ndarray, "time 3 mixing"],
) -> float:
    """Disagreement of corrected pictures along the motion, where the matrix varies.

    Args:
        light: Corrected pictures in working light, RGB.
        motion: Between them.
        mixing: Log saturation and hue of each frame and row.
    """
    points = _points(correspondences(light, motion))
    moves = _moves(mixing)
    return float(_misfit(points, np.zeros((len(light), 3, _SIZE))) @ moves / moves.sum())


def _moves(mixing: Float[np.ndarray, "time 3 mixing"]) -> Float[np.ndarray, " pairs"]:
    """Mean square over the rows of the change of mixing between frames."""
    return (np.diff(mixing, axis=0) ** 2).sum(axis=2).mean(axis=1)


def matrix_logarithms(
    mixing: Float[np.ndarray, "*shape 3 mixing"],
) -> Float[np.ndarray, "*shape 3 3"]:
    """Logarithms of the matrices with this mixing."""
    return log_matrix_of(mixing[..., 0], mixing[..., 1])


def unmixed(
    pictures: Iterable[Float32[np.ndarray, "height width 3"]],
    mixing: Float[np.ndarray, "time 3 mixing"],
) -> list[Float32[np.ndarray, "height width 3"]]:
    """Pictures with their channels unmixed; not below black, but maybe above white.

    Args:
        pictures: In working light, RGB.
        mixing: Log saturation and hue of each frame and row.
    """
    back = matrix_exponential(-matrix_logarithms(mixing))
    apart = (cv2.transform(each, matrix) for each, matrix in zip(pictures, back, strict=True))
    return [np.maximum(picture, np.float32(0.0)) for picture in apart]


def _points(seen: list[Correspondences]) -> _Points:
    every = -(-len(seen[0].weight) // _POINTS)
    before = np.stack([pair.before[::every] for pair in seen])
    after = np.stack([pair.after[::every] for pair in seen])
    weight = np.stack([pair.weight[::every] for pair in seen])
    darker = np.minimum(before, after)
    # A correspondence's variance is that of its darkest channel's log. What is not noise of dark
    # values, such as errors of the motion, goes with each channel's own light.
    dark = (NOISE / (darker.min(axis=2) + TOE)) ** 2
    others = np.maximum(1.0 / np.maximum(weight, 1e-9) - dark, NOISE_OF_LIGHT**2)
    variance = NOISE**2 + others[..., None] * (darker + TOE) ** 2
    trust = np.where(weight[..., None] > 0.0, 1.0 / variance, 0.0).astype(np.float32)
    return _Points(before=before, after=after, trust=trust)


def _path(points: _Points, *, mixes: bool = True) -> IlluminationTrajectory:
    """Exposure, powers of tone, saturation and hue of every frame; the latter two are fixed where
    nothing mixes."""
    expected = _EXPECTED.copy()
    if not mixes:
        expected[_CURVE:] = _NEVER
    precision = unknown = 1.0 / expected**2
    summed = np.arange(_SIZE)
    path = np.zeros((len(points.before) + 1, 3, _SIZE))
    equations = _equations(points, path)
    path = solved(equations, precision, summed=summed)
    for _ in range(1, _LOOKS):
        equations = _equations(points, path)
        for _ in range(REFITS):
            precision = refitted(path, equations, precision, unknown) * _WEIGHT
            path = solved(equations, precision, summed=summed)
    free = solved(equations, unknown * FREEDOM, summed=summed)
    return IlluminationTrajectory(light=path, free=free)


def _equations(points: _Points, path: _Path) -> Equations:
    """The equations of all points, linearised around the path."""
    before, after = _corrected(points.before, path[:-1]), _corrected(points.after, path[1:])
    weight = _weights(points, after - before, first=not path.any())
    design = np.concatenate([_functions(after), -_functions(before)], axis=2)
    here = np.concatenate([path[1:], path[:-1]], axis=2).astype(np.float32)
    change = (after - before).swapaxes(1, 2) + (here[:, :, None] @ design)[:, :, 0]
    weighted = design * weight.swapaxes(1, 2)[:, :, None]
    normal = (weighted @ design.swapaxes(2, 3)).astype(np.float64)
    answer = (weighted @ change[..., None])[..., 0].astype(np.float64)
    diagonal, right = np.zeros((*path.shape, _SIZE)), np.zeros(path.shape)
    diagonal[1:] += normal[..., :_SIZE, :_SIZE]
    diagonal[:-1] += normal[..., _SIZE:, _SIZE:]
    right[1:] += answer[..., :_SIZE]
    right[:-1] += answer[..., _SIZE:]
    return diagonal, normal[..., _SIZE:, :_SIZE], right


def _weights(points: _Points, misses: _Colours, *, first: bool) -> _Colours:
    """The weight of each point, less for outliers; in the first iteration without any."""
    if first:
        return points.trust * np.float32(INDEPENDENT_SHARE)
    deviations = np.sqrt((misses**2 * points.trust).mean(axis=2))
    known = np.where(points.trust[..., 0] > 0.0, deviations, np.nan)
    median = np.array([np.nanmedian(k) if np.isfinite(k).any() else 0.0 for k in known])
    usual = np.maximum(BEST_AGREEMENT, 1.2 * median)[:, None]
    doubt = (1.0 + (deviations / (OUTLIER_DEVIATIONS * usual)) ** 2) ** 2 * usual**2
    return (points.trust * (INDEPENDENT_SHARE / doubt)[..., None]).astype(np.float32)


def _functions(colours: _Colours) -> Float32[np.ndarray, "pairs 3 size points"]:
    """The contribution of exposure, powers of tone, saturation and hue to each channel."""
    own = colours.swapaxes(1, 2)
    tone, then, last = tone_of(own), np.roll(own, -1, axis=1), np.roll(own, -2, axis=1)
    saturation, hue = (2.0 * own - then - last) / 3.0, (last - then) / np.float32(np.sqrt(3.0))
    return np.stack([own, own * tone, own * tone**2, saturation, hue], axis=2)


def _corrected(colours: _Colours, path: _Path) -> _Colours:
    """Colours without the flicker of a path."""
    back = matrix_exponential(-matrix_logarithms(path[..., _CURVE:])).astype(np.float32)
    unmixed = colours @ back.swapaxes(1, 2)
    tone = tone_of(unmixed)
    level, *powers = path[:, None, :, :_CURVE].astype(np.float32).transpose(3, 0, 1, 2)
    light = level + sum(factor * tone**power for power, factor in enumerate(powers, start=1))
    return unmixed * np.exp(-light)


def _misfit(points: _Points, path: _Path) -> Float[np.ndarray, " pairs"]:
    """Mean squared disagreement of each pair's points, in expected deviations."""
    misses = _corrected(points.after, path[1:]) - _corrected(points.before, path[:-1])
    square = np.minimum((misses**2 * points.trust).mean(axis=2), _MOST_DEVIATIONS**2)
    known = points.trust[..., 0] > 0.0
    return (square * known).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
