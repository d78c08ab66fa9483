"""The illumination trajectory of a shot, from differences of neighbours along the motion.

A point seen in frames t and t+1 gives `field(t+1, there) - field(t, here) = change`. All pairs of a
shot together are one least-squares problem for the coefficients of all frames at once; only
neighbours are coupled, so one forward and one backward sweep solve it exactly (block tridiagonal
elimination). Outliers (occlusion, a wrong flow, an object that really changed) lose weight, and it
is solved again.

Global light has to sum to zero over the shot. Otherwise flattening the contrast of every frame
would reduce all differences and look like a better answer (docs/decisions/0008-sum-to-nothing.md).

Where motion fails altogether, quantiles of the whole picture still give its change of tone; their
weight is so small that points with a trusted motion outvote them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, Int

from unflicker.compute.threads import check_stopped
from unflicker.tone.correspondences import Correspondences, sample_places
from unflicker.tone.illumination import TOE, IlluminationModel, tone_of

INDEPENDENT_SHARE = 0.008
"""Errors of neighbouring samples are correlated; this share counts as independent. It weighs pixels
against the prior that flicker varies around zero, which keeps the sum of differences from drifting
(docs/decisions/0003-expect-nothing.md)."""
_SHARE_ONCE_KNOWN = 0.1
"""The same, once each coefficient's own size was estimated: the prior is right then, and need not
be so strong (docs/decisions/0005-sizes-from-the-shot.md)."""
REFITS = 2
_SMALLEST = 0.1
"""Of its prior size: no coefficient is expected smaller than this share. At 0 synthetic flicker
gains 0.1 dB, and film, whose light is never so simple, loses a tenth of what is removed."""
_FREQUENCIES = (np.arange(6) + 0.5) * np.pi / 6
FREEDOM = 1.0 / 8.0
_QUANTILES = np.linspace(0.03, 0.97, 24)
_QUANTILE_NOISE = 0.3
_QUANTILE_MISS = 0.03
"""Usual change of quantiles, in log light, by what enters and leaves the picture: half of all pairs
that share a fifth to two thirds of what they show come to less than 0.01 to 0.04."""
_MOSTLY_SCENE = 0.5
OUTLIER_DEVIATIONS = 2.0
_SMALL_ENOUGH = 24
"""Size of a matrix from which on inversion by halves is faster."""
_EACH_CHANNEL = np.arange(3)[:, None]
BEST_AGREEMENT = 0.5
"""In expected deviations: samples that agree better get no more weight."""


@dataclass(frozen=True, kw_only=True, eq=False)
class IlluminationTrajectory:
    """The light of each frame of a shot, as coefficients of an illumination model."""

    light: Float[np.ndarray, "time 3 size"]
    """The best estimate, with a prior around zero; only differences are meaningful."""
    free: Float[np.ndarray, "time 3 size"]
    """With a weak prior: it drifts, and its drift separates noise from flicker."""


def illumination_trajectory(
    correspondences: list[Correspondences],
    field: IlluminationModel,
    *,
    quantiles: Float[np.ndarray, "time levels 3"] | None,
    flicker: float = 0.2,
    again: bool = False,
) -> IlluminationTrajectory:
    """The illumination trajectory of a shot.

    Args:
        correspondences: One for each pair of neighbouring frames.
        field: The illumination model.
        quantiles: Of each frame's channels, in [0, 1] (`frame_quantiles`); None without.
        flicker: Prior standard deviation of flicker, in log light.
        again: The shot was corrected before: points that disagree with zero change lose weight, and
            the rest is solved once.
    """
    unknown = 1.0 / field.expected_size(flicker) ** 2
    if again:
        still = np.zeros((len(correspondences) + 1, 3, field.size))
        equations = _reweighted(correspondences, still, quantiles, field)
        path = solved(equations, unknown, summed=field.whole)
        return IlluminationTrajectory(light=path, free=path)
    path = solved(_reweighted(correspondences, None, quantiles, field), unknown, summed=field.whole)
    equations = _reweighted(correspondences, path, quantiles, field)
    precision = unknown
    for _ in range(REFITS):
        precision = refitted(path, equations, precision, unknown)
        path = solved(equations, precision, summed=field.whole)
    free = solved(equations, unknown * FREEDOM, summed=field.whole)
    return IlluminationTrajectory(light=path, free=free)


def frame_quantiles(
    frames: Float32[np.ndarray, "time height width 3"],
    *,
    scene: Float32[np.ndarray, "time height width"] | None = None,
) -> Float[np.ndarray, "time levels 3"]:
    """Quantiles of each channel of each frame, of every third pixel across and down.

    Args:
        frames: The proxies.
        scene: Share of each pixel that is scene, 0 to 1; pixels below half are excluded.
    """
    if scene is not None:
        return np.stack([_quantiles(*both) for both in zip(frames, scene, strict=True)])
    pixels = np.sort(frames[:, ::3, ::3].reshape(len(frames), -1, 3), axis=1)
    return pixels[:, (_QUANTILES * (pixels.shape[1] - 1)).astype(int)].astype(np.float64)


def _quantiles(
    frame: Float32[np.ndarray, "height width 3"], scene: Float32[np.ndarray, "height width"]
) -> Float[np.ndarray, "levels 3"]:
    """Of one frame's scene; black without enough of it, which has no weight."""
    pixels = np.sort(frame[::3, ::3][scene[::3, ::3] > _MOSTLY_SCENE], axis=0)
    if len(pixels) < len(_QUANTILES):
        return np.zeros((len(_QUANTILES), 3))
    return pixels[(_QUANTILES * (len(pixels) - 1)).astype(int)].astype(np.float64)


Equations = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Of neighbouring frames: diagonal blocks, off-diagonal blocks, right-hand side."""


def _reweighted(
    correspondences: list[Correspondences],
    path: Float[np.ndarray, "time 3 size"] | None,
    quantiles: Float[np.ndarray, "time levels 3"] | None,
    field: IlluminationModel,
) -> Equations:
    """The equations of all pairs, with less weight for points that disagree with a path."""
    time, size = len(correspondences) + 1, field.size
    # In single precision: these blocks are the largest memory of the analysis.
    diagonal = np.zeros((time, 3, size, size), np.float32)
    coupling = np.zeros((time - 1, 3, size, size), np.float32)
    right = np.zeros((time, 3, size))
    here = field.at_places(sample_places(field.height, field.width))
    for t, seen in enumerate(correspondences):
        check_stopped()
        # Built again for each iteration: to keep it for all pairs takes more memory than all else.
        design = _design(seen, here, field)
        weight = _weights(design, seen, None if path is None else path[t : t + 2], field)
        normal, answer = _normal(design, seen.change, weight)
        after, beside, before = _by_channel(normal, field)
        diagonal[t] += before
        diagonal[t + 1] += after
        coupling[t] = beside
        right[t] += answer[field.functions + field.by_channel, _EACH_CHANNEL]
        right[t + 1] += answer[field.by_channel, _EACH_CHANNEL]
    if quantiles is not None:
        light_alone = np.array([seen.show_light_alone for seen in correspondences])
        equations = diagonal, coupling, right
        _add_quantiles(equations, quantiles, field, used=light_alone, path=path)
    return diagonal, coupling, right


def _design(
    seen: Correspondences, here: tuple[np.ndarray, np.ndarray], field: IlluminationModel
) -> Float32[np.ndarray, "both samples"]:
    """The functions at a pair's points in the second frame, then those in the first, negative.

    Points are on the last axis, so that a function is contiguous in memory.
    """
    after = field.design(*field.at_places(seen.there), seen.after)
    before = field.design(*here, seen.before)
    return np.concatenate([after * seen.sensitivity, before * -seen.sensitivity])


def _weights(
    design: Float32[np.ndarray, "both samples"],
    seen: Correspondences,
    path: Float[np.ndarray, "2 3 size"] | None,
    field: IlluminationModel,
) -> Float32[np.ndarray, " samples"]:
    """The weight of each point, less if it disagrees with the light of the two frames."""
    weight = seen.weight
    if path is None or not weight.any():
        return weight * np.float32(INDEPENDENT_SHARE)
    misses = -seen.change.T
    if path.any():
        coefficients = np.zeros((3, len(design)), np.float32)
        for channel, own in enumerate(field.by_channel):
            coefficients[channel, field.functions + own] = path[0, channel]
            coefficients[channel, own] = path[1, channel]
        misses += coefficients @ design
    deviations = np.sqrt((misses**2).mean(axis=0) * weight)
    usual = max(BEST_AGREEMENT, 1.2 * float(np.median(deviations[weight > 0])))
    doubt = (1.0 + (deviations / (OUTLIER_DEVIATIONS * usual)) ** 2) ** 2 * usual**2
    return (weight * INDEPENDENT_SHARE / doubt).astype(np.float32)


def _normal(
    design: Float32[np.ndarray, "both samples"],
    change: Float32[np.ndarray, "samples 3"],
    weight: Float32[np.ndarray, " samples"],
) -> tuple[Float32[np.ndarray, "both both"], Float32[np.ndarray, "both 3"]]:
    """A pair's normal matrix and right-hand sides, for all functions; overwrites the design."""
    root = np.sqrt(weight)
    design *= root
    # Of one array with itself: half the work of two arrays.
    return design @ design.T, design @ (change * root[:, None])


def _by_channel(
    normal: Float32[np.ndarray, "both both"], field: IlluminationModel
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The blocks of a normal matrix for each channel: after, before by after, before."""
    own, last = field.by_channel, field.functions
    places = own[:, :, None] * len(normal) + own[:, None, :]
    below = last * len(normal)
    flat = normal.ravel()
    return flat.take(places), flat.take(places + below), flat.take(places + (below + last))


def _add_quantiles(
    equations: Equations,
    quantiles: Float[np.ndarray, "time levels 3"],
    field: IlluminationModel,
    *,
    used: Bool[np.ndarray, " pairs"],
    path: Float[np.ndarray, "time 3 size"] | None,
) -> None:
    """Add equations for the change of each channel's quantiles by exposure and tone curve, with
    less weight where they disagree with a path: then other things have come into the picture."""
    diagonal, coupling, right = equations
    values = quantiles.swapaxes(1, 2)
    before, after = values[:-1], values[1:]
    powers = np.arange(field.powers + 1)
    darker = np.minimum(before, after)
    design = np.concatenate(
        [tone_of(after)[..., None] ** powers, -(tone_of(before)[..., None] ** powers)], axis=-1
    )
    design *= (darker / (darker + TOE))[..., None]
    change = np.log((after + TOE) / (before + TOE))
    weight = ((darker > TOE) & (np.maximum(before, after) < 0.985)) / _QUANTILE_NOISE**2
    weight = weight * used[:, None, None]
    columns, count = field.whole, len(field.whole)
    if path is not None:
        both = np.concatenate([path[1:, :, columns], path[:-1, :, columns]], axis=-1)
        misses = change - np.einsum("tclk,tck->tcl", design, both)
        weight = weight * _trust(misses, weight > 0)[:, None, None]
    weighted = (design * weight[..., None]).swapaxes(-1, -2)
    block, target = weighted @ design, (weighted @ change[..., None])[..., 0]
    square = ..., columns[:, None], columns
    diagonal[1:][square] += block[..., :count, :count]
    diagonal[:-1][square] += block[..., count:, count:]
    coupling[square] += block[..., count:, :count]
    right[1:, :, columns] += target[..., :count]
    right[:-1, :, columns] += target[..., count:]


def _trust(
    misses: Float[np.ndarray, "pairs 3 levels"], used: Bool[np.ndarray, "pairs 3 levels"]
) -> Float[np.ndarray, " pairs"]:
    """Trust in each pair's quantiles, 0 to 1: little if other things came into the picture."""
    squares = (misses**2 * used).sum(axis=(1, 2)) / np.maximum(used.sum(axis=(1, 2)), 1)
    return 1.0 / (1.0 + squares / (OUTLIER_DEVIATIONS * _QUANTILE_MISS) ** 2) ** 2


def refitted(
    path: Float[np.ndarray, "time 3 size"],
    equations: Equations,
    precision: Float[np.ndarray, " size"],
    unknown: Float[np.ndarray, " size"],
) -> Float[np.ndarray, " size"]:
    """Precision of each coefficient's prior, estimated from the shot.

    The evidence decides: a path's variance over how well it is determined, which is 1 where pixels
    determine it and 0 where only the prior does. Functions that a shot does not need nearly vanish.

    Args:
        path: The solution under the prior so far.
        equations: Of the shot.
        precision: Of the prior so far.
        unknown: The prior before any data.

    Source: MacKay, Bayesian interpolation, Neural Computation 4 (1992), eq. 4.9; the uncertainty is
    that of an infinitely long path with this shot's mean equations.
    """
    diagonal, coupling, _ = equations
    here, beside = diagonal.mean(axis=0), coupling.mean(axis=0).astype(complex)
    uncertain = np.zeros(path.shape[1:])
    for frequency in _FREQUENCIES:
        onward = np.exp(1j * frequency) * beside
        both = here + onward + np.conj(onward.swapaxes(1, 2)) + np.diag(precision)
        inverse = np.linalg.inv(both)
        uncertain += np.real(np.diagonal(inverse, axis1=1, axis2=2)) / len(_FREQUENCIES)
    determined = np.maximum(1.0 - uncertain.mean(axis=0) * precision, 0.02)
    variance = path.var(axis=0).mean(axis=0) / determined
    known = variance + _SMALLEST**2 / unknown
    return INDEPENDENT_SHARE / _SHARE_ONCE_KNOWN / known


def solved(
    equations: Equations,
    precision: Float[np.ndarray, " size"],
    *,
    summed: Int[np.ndarray, " some"],
) -> Float[np.ndarray, "time 3 size"]:
    """The solution of symmetric positive block tridiagonal equations, for all channels at once.

    Args:
        equations: Diagonal and off-diagonal blocks, right-hand side.
        precision: Added to the diagonal.
        summed: Coefficients whose sum over time must be zero.

    Source: block elimination, Golub and Van Loan, Matrix Computations, §4.5; the sums by Lagrange
    multipliers, each of which acts on one coefficient of all frames.
    """
    diagonal, coupling, right = equations
    time, channels, size = right.shape
    solution = np.zeros((time, channels, size, 1 + len(summed)))
    solution[..., 0] = right
    solution[:, :, summed, 1 + np.arange(len(summed))] = 1.0
    _eliminate(solution, diagonal, coupling, np.diag(precision))
    plain, pulled = solution[..., 0], solution[..., 1:]
    sums, answers = plain[:, :, summed].sum(axis=0), pulled[:, :, summed].sum(axis=0)
    return plain - (pulled @ np.linalg.solve(answers, sums[..., None]))[..., 0]


def _eliminate(
    solution: Float[np.ndarray, "time 3 size sides"],
    diagonal: Float[np.ndarray, "time 3 size size"],
    coupling: Float[np.ndarray, "pairs 3 size size"],
    expected: Float[np.ndarray, "size size"],
) -> None:
    """Solve for several right-hand sides, in place."""
    carried = np.empty_like(coupling)
    pivot = diagonal[0] + expected
    for t in range(len(coupling)):
        check_stopped()
        beside = coupling[t].astype(np.float64)
        inverse, onward = _inverse(pivot), beside.swapaxes(1, 2)
        across = inverse @ beside
        carried[t] = across
        solution[t] = inverse @ solution[t]
        solution[t + 1] -= onward @ solution[t]
        pivot = diagonal[t + 1] + expected - onward @ across
        # Rounding makes it a little unlike its mirror image, and every step would add to that.
        pivot = 0.5 * (pivot + pivot.swapaxes(1, 2))
    solution[-1] = _inverse(pivot) @ solution[-1]
    for t in range(len(coupling) - 1, -1, -1):
        solution[t] -= carried[t] @ solution[t + 1]


def _inverse(matrices: Float[np.ndarray, "3 size size"]) -> Float[np.ndarray, "3 size size"]:
    """Inverses of symmetric positive matrices, half by half.

    Nearly all work is then products of matrices: half the time of solving for as many right sides.
    """
    size = matrices.shape[-1]
    if size <= _SMALL_ENOUGH:
        return np.linalg.inv(matrices)
    half = size // 2
    beside = matrices[:, :half, half:]
    first = _inverse(matrices[:, :half, :half])
    reach = first @ beside
    last = _inverse(matrices[:, half:, half:] - beside.swapaxes(1, 2) @ reach)
    corner = reach @ last
    inverses = np.empty_like(matrices)
    inverses[:, :half, :half] = first + corner @ reach.swapaxes(1, 2)
    inverses[:, :half, half:] = -corner
    inverses[:, half:, :half] = -corner.swapaxes(1, 2)
    inverses[:, half:, half:] = last
    return inverses
