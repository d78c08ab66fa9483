"""The tone path: the light of every frame of a shot, from how neighbours differ along the motion.

A point seen in frames t and t+1 says `field(t+1, there) - field(t, here) = change`. All pairs of a
shot together are one least-squares problem for the coefficients of all frames at once; only
neighbours are coupled, so it is solved exactly by one sweep there and back (block tridiagonal
elimination). Points that disagree with the solution (occlusion, a wrong flow, an object that really
changed) lose weight, and it is solved again.

Where motion fails altogether, quantiles of the whole picture still say how its tone moved; they
weigh so little that points with a trusted motion outvote them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32

from unflicker.ahead import in_parallel
from unflicker.tone.light_field import TOE, LightField, tone_of
from unflicker.tone.observations import Sightings, sample_places

_INDEPENDENT_SHARE = 0.008
"""Neighbouring samples err alike; this share of them counts as independent. It weighs what pixels
show against the expectation that flicker varies about nothing, which keeps the sum of differences
from drifting (docs/decisions/0003-expect-nothing.md)."""
_SHARE_ONCE_KNOWN = 0.1
"""The same, once each coefficient's own size was estimated: the expectation is right then, and
need not be so strong (docs/decisions/0005-sizes-from-the-shot.md)."""
_REFITS = 2
_SMALLEST = 0.1
"""Of its size in a shot unknown: no coefficient is expected smaller than this share. At 0 made
flicker gains 0.1 dB, and film, whose light is never so simple, loses a tenth of what is removed."""
_FREQUENCIES = (np.arange(6) + 0.5) * np.pi / 6
_FREEDOM = 1.0 / 8.0
_QUANTILES = np.linspace(0.03, 0.97, 24)
_QUANTILE_NOISE = 0.3
_OUTLIER_DEVIATIONS = 2.0
_BEST_AGREEMENT = 0.5
"""Of the expected deviation: samples that agree better than so are not believed more."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TonePath:
    """The light of each frame of a shot, as coefficients of a light field."""

    light: Float[np.ndarray, "time 3 size"]
    """The best estimate, expecting light to vary about nothing; only differences mean anything."""
    free: Float[np.ndarray, "time 3 size"]
    """With little such expectation: it drifts, and how it drifts tells noise from flicker."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Pair:
    """One pair's equations, in parts: the light at the places of the first frame is the same for
    all pairs and kept once."""

    after: Float32[np.ndarray, "samples columns"]
    here: Float32[np.ndarray, "samples places"]
    before_tone: Float32[np.ndarray, "samples rest"]
    sightings: Sightings

    def design(self) -> Float32[np.ndarray, "samples both"]:
        """Columns of the second frame, then those of the first, negative."""
        both = np.concatenate([self.after, -self.here, -self.before_tone], axis=1)
        both *= self.sightings.sensitivity[:, None]
        return both


def tone_path(
    sightings: list[Sightings],
    field: LightField,
    *,
    quantiles: Float[np.ndarray, "time levels 3"],
    flicker: float = 0.2,
    again: bool = False,
) -> TonePath:
    """The light of each frame of a shot.

    Args:
        sightings: One for each pair of neighbouring frames.
        field: The functions in which light is described.
        quantiles: Of each frame's channels, in [0, 1] (`frame_quantiles`).
        flicker: How strong flicker may be, as a deviation of log light.
        again: The shot was corrected before, so little is left: points that disagree with no change
            at all lose weight, and the rest is solved once.
    """
    pairs = _designs(sightings, field)
    unknown = 1.0 / field.expected_size(flicker) ** 2
    if again:
        still = np.zeros((len(sightings) + 1, 3, field.size))
        path = _solved(_reweighted(pairs, still, quantiles, field), unknown)
        return TonePath(light=path, free=path)
    path = _solved(_reweighted(pairs, None, quantiles, field), unknown)
    equations = _reweighted(pairs, path, quantiles, field)
    precision = unknown
    for _ in range(_REFITS):
        precision = _refitted(path, equations, precision, unknown)
        path = _solved(equations, precision)
    return TonePath(light=path, free=_solved(equations, unknown * _FREEDOM))


def frame_quantiles(
    frames: Float32[np.ndarray, "time height width 3"],
) -> Float[np.ndarray, "time levels 3"]:
    """Quantiles of each channel of each frame, of every third pixel across and down."""
    pixels = np.sort(frames[:, ::3, ::3].reshape(len(frames), -1, 3), axis=1)
    return pixels[:, (_QUANTILES * (pixels.shape[1] - 1)).astype(int)].astype(np.float64)


def _designs(sightings: list[Sightings], field: LightField) -> list[_Pair]:
    light, contrast = field.at_places(sample_places(field.height, field.width))
    nowhere = light[:, :0]
    return [
        _Pair(
            after=field.design(*field.at_places(seen.there), seen.after),
            here=light,
            before_tone=field.design(nowhere, contrast, seen.before),
            sightings=seen,
        )
        for seen in sightings
    ]


def _weights(
    pair: _Pair, path: Float[np.ndarray, "2 3 size"] | None, field: LightField
) -> Float32[np.ndarray, " samples"]:
    weight = pair.sightings.weight
    if path is None or not weight.any():
        return weight * np.float32(_INDEPENDENT_SHARE)
    design = pair.design()
    misses = np.empty_like(pair.sightings.change)
    for channel in range(3):
        columns = _both(field, channel)
        coefficients = np.concatenate([path[1, channel], path[0, channel]]).astype(np.float32)
        misses[:, channel] = design[:, columns] @ coefficients
    misses -= pair.sightings.change
    deviations = np.sqrt((misses**2).mean(axis=1) * weight)
    usual = max(_BEST_AGREEMENT, 1.2 * float(np.median(deviations[weight > 0])))
    doubt = (1.0 + (deviations / (_OUTLIER_DEVIATIONS * usual)) ** 2) ** 2 * usual**2
    return (weight * _INDEPENDENT_SHARE / doubt).astype(np.float32)


def _both(field: LightField, channel: int) -> np.ndarray:
    columns = field.columns(channel)
    return np.concatenate([columns, columns + field.shared + 3 * field.powers])


_Equations = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Of neighbouring frames: blocks on the diagonal, blocks beside it, right-hand side."""


def _reweighted(
    pairs: list[_Pair],
    path: Float[np.ndarray, "time 3 size"] | None,
    quantiles: Float[np.ndarray, "time levels 3"],
    field: LightField,
) -> _Equations:
    """The equations, points that disagree with a path having lost weight."""
    weights = [
        _weights(pair, None if path is None else path[t : t + 2], field)
        for t, pair in enumerate(pairs)
    ]
    return _equations(pairs, weights, quantiles, field)


def _refitted(
    path: Float[np.ndarray, "time 3 size"],
    equations: _Equations,
    precision: Float[np.ndarray, " size"],
    unknown: Float[np.ndarray, " size"],
) -> Float[np.ndarray, " size"]:
    """One over the variance of each coefficient, as the shot shows it; `unknown` before any look.

    The evidence decides: a path's variance over how well it is determined, which is 1 where pixels
    show it and 0 where the expectation alone speaks. What a shot does not need nearly vanishes.

    Source: MacKay, Bayesian interpolation, Neural Computation 4 (1992), eq. 4.9; the uncertainty is
    that of a path that goes on for ever with this shot's mean equations.
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
    return _INDEPENDENT_SHARE / _SHARE_ONCE_KNOWN / known


def _solved(
    equations: _Equations, precision: Float[np.ndarray, " size"]
) -> Float[np.ndarray, "time 3 size"]:
    diagonal, coupling, right = equations
    channels = in_parallel(
        lambda c: _tridiagonal(diagonal[:, c], coupling[:, c], right[:, c], precision), range(3)
    )
    return np.stack(list(channels), axis=1)


def _equations(
    pairs: list[_Pair],
    weights: list[Float32[np.ndarray, " samples"]],
    quantiles: Float[np.ndarray, "time levels 3"],
    field: LightField,
) -> _Equations:
    time, size = len(pairs) + 1, field.size
    # In single precision: these blocks are the most memory that thinking takes.
    diagonal = np.zeros((time, 3, size, size), np.float32)
    coupling = np.zeros((time - 1, 3, size, size), np.float32)
    right = np.zeros((time, 3, size))
    for t, (normal, answer) in enumerate(in_parallel(_normal, pairs, weights)):
        for channel in range(3):
            columns = _both(field, channel)
            block = normal[np.ix_(columns, columns)].astype(np.float64)
            target = answer[columns, channel].astype(np.float64)
            _add_quantiles(block, target, quantiles[t : t + 2, :, channel], field)
            diagonal[t + 1, channel] += block[:size, :size]
            diagonal[t, channel] += block[size:, size:]
            coupling[t, channel] += block[size:, :size]
            right[t + 1, channel] += target[:size]
            right[t, channel] += target[size:]
    return diagonal, coupling, right


def _normal(
    pair: _Pair, weight: Float32[np.ndarray, " samples"]
) -> tuple[Float32[np.ndarray, "both both"], Float32[np.ndarray, "both 3"]]:
    """A pair's normal matrix and right-hand sides, for all columns."""
    root = np.sqrt(weight)[:, None]
    weighted = pair.design()
    weighted *= root
    # Of one array with itself: half the work of two arrays.
    return weighted.T @ weighted, weighted.T @ (pair.sightings.change * root)


def _add_quantiles(
    block: Float[np.ndarray, "both both"],
    target: Float[np.ndarray, " both"],
    values: Float[np.ndarray, "2 levels"],
    field: LightField,
) -> None:
    """Add to one channel's equations that its quantiles moved as exposure and tone curve say."""
    columns = np.concatenate([[0], field.shared + np.arange(field.powers)])
    columns = np.concatenate([columns, columns + field.size])
    before, after = values
    powers = np.arange(field.powers + 1)
    design = np.concatenate(
        [tone_of(after)[:, None] ** powers, -(tone_of(before)[:, None] ** powers)], axis=1
    )
    darker = np.minimum(before, after)
    design *= (darker / (darker + TOE))[:, None]
    change = np.log((after + TOE) / (before + TOE))
    weight = ((darker > TOE) & (np.maximum(before, after) < 0.985)) / _QUANTILE_NOISE**2
    block[np.ix_(columns, columns)] += design.T @ (design * weight[:, None])
    target[columns] += design.T @ (weight * change)


def _tridiagonal(
    diagonal: Float32[np.ndarray, "time size size"],
    coupling: Float32[np.ndarray, "pairs size size"],
    right: Float[np.ndarray, "time size"],
    precision: Float[np.ndarray, " size"],
) -> Float[np.ndarray, "time size"]:
    """The solution of a symmetric positive block tridiagonal system, `precision` on its diagonal.

    Source: block elimination, Golub and Van Loan, Matrix Computations, §4.5.
    """
    time, size = len(diagonal), diagonal.shape[-1]
    expected = np.diag(precision)
    carried = np.zeros((time, size, size), np.float32)
    solution = np.zeros((time, size))
    pivot, side = diagonal[0] + expected, right[0]
    for t in range(time):
        last = t == time - 1
        onward = np.zeros_like(pivot) if last else coupling[t].astype(np.float64)
        solved = np.linalg.solve(pivot, np.concatenate([onward, side[:, None]], axis=1))
        carried[t], solution[t] = solved[:, :size], solved[:, size]
        if not last:
            across = onward.T @ solved
            pivot = diagonal[t + 1] + expected - across[:, :size]
            side = right[t + 1] - across[:, size]
    for t in range(time - 2, -1, -1):
        solution[t] -= carried[t] @ solution[t + 1]
    return solution
