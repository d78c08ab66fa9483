"""Gate weave: the fast, mean-reverting part of the motion that all of a picture shares.

A film sits a little differently in the gate each time, so the whole picture jumps from frame to
frame. Cameras pan and hands sway smoothly, objects move for themselves. So the picture's position
over time is treated as a sum of two random processes: a camera path whose speed changes little by
little, and weave that returns to its mean. The ratio of their variances is estimated by maximum
likelihood; a hand-held shot is all camera path. Sudden changes of speed, such as the start of a
pan, are given a variance of their own.

Source:
    The camera path is the local linear trend model of Harvey 1989, Forecasting, structural time
    series models and the Kalman filter, section 2.3, here solved densely for one window.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
from jaxtyping import Bool, Float32, Float64

from unflicker.motion.phase_correlation import Shifts

Path = Float64[np.ndarray, " time"]
_REACH_FRAMES = 6
"""Frames to either side over which a block's own motion is averaged."""
_LEAST_COHERENT = 1 / 3
"""Share of a picture's blocks whose shift must be known."""
_LEAST_FRAMES = 8
"""Fewest frames in succession whose positions are divided into camera path and weave."""
_PERSISTENCE = (0.0, 0.5, 0.8)
"""Correlation of the weave from frame to frame: each of these is tried."""
_RATIOS = (0.0, *np.logspace(-5.0, 5.0, 21))
"""Variance of the camera's acceleration over that of the weave: likewise."""
_MOST_RATIO = 0.04
"""The same, above which a camera moves too restlessly: of 16 clean clips each has more where weave
would be visible, six silent films have 0 to 0.03 along nine of twelve axes."""
_SPEEDS = (0.0, 1e3)
"""Variance of the camera's speed at the beginning over that of the weave: a camera that stands, and
one that moves."""
_CLEARLY = 2.0
"""Logarithm of the ratio of likelihoods from which on that is certain."""
_ROUNDS, _SUDDEN, _MOST_SUDDEN = 3, 3.0, 1e4
"""Rounds of estimation; accelerations, in usual ones, from which on one is sudden; and its largest
variance, in usual ones."""
_NOISE_PX = 0.01
"""Error of a measured position."""
_LEAST_PX = 0.1
"""Weave below this (rms, in px of a picture 640 px wide) is noise of the measurement, or a camera
on a pole in the wind: 16 clean clips have up to 0.05 where their blocks agree."""
_OF_SPREAD, _MOST_SPREAD_PX = 1.2, 1.3
"""Common jumps relative to how far blocks disagree with them (both rms), and how far they may: what
is no translation of the whole picture, such as a face that fills it, is not weave. Of silent films
with weave jumps are 1.5 to 8 times as large, blocks disagree by 0.1 to 1.1 px."""
_AGREE = 0.75
"""Share of the blocks that must agree."""


def weave_of(shifts: Sequence[Shifts | None]) -> Float32[np.ndarray, "time 2"]:
    """How far each frame of a shot is from its place, in px of a picture 640 px wide, x first.

    Zeros along an axis without weave.

    Args:
        shifts: From the frame before to each frame; None where it is not known.
    """
    steps, is_common = _common_steps(shifts)
    weave = np.zeros((len(shifts), 2))
    for start, stop in _pieces(steps):
        path = np.concatenate([np.zeros((1, 2)), np.cumsum(steps[start + 1 : stop], axis=0)])
        for axis in (0, 1):
            weave[start:stop, axis] = _fast_part(path[:, axis])
    rms = np.sqrt((weave**2).sum(axis=0) / max(len(weave), 1))
    weave[:, (rms < _LEAST_PX) | ~is_common] = 0.0
    return weave.astype(np.float32)


def _common_steps(
    shifts: Sequence[Shifts | None],
) -> tuple[Float64[np.ndarray, "time 2"], Bool[np.ndarray, " 2"]]:
    """What all blocks move by, NaN where unknown, and along which axes they do.

    Each block's own slow motion is taken out first: what is common is then the same for a moving
    object and for the scene.
    """
    known = [one for one in shifts if one is not None]
    if not known:
        return np.full((len(shifts), 2), np.nan), np.zeros(2, bool)
    blocks = np.full((len(shifts), *known[0].by_block.shape), np.nan)
    for block, one in zip(blocks, shifts, strict=True):
        if one is not None and one.coherent.mean() >= _LEAST_COHERENT:
            block[one.coherent] = one.by_block[one.coherent]
    near = (slice(max(t - _REACH_FRAMES, 0), t + _REACH_FRAMES + 1) for t in range(len(blocks)))
    own = np.stack([_median(blocks[part]) for part in near])
    own[np.isnan(blocks)] = np.nan
    fast = blocks - own
    common = np.stack([_median(one) for one in fast])
    steps = common + np.stack([_median(one) for one in own])
    seen = ~np.isnan(common[:, 0])
    # Upper quartile of what is known; of a normal distribution it is 1.15 deviations.
    pairs = zip(fast[seen], common[seen], strict=True)
    apart = [np.nanquantile(np.abs(f - c), _AGREE, axis=0) / 1.15 for f, c in pairs]
    spread, jumps = (
        np.sqrt(np.square(all_).sum(axis=0) / max(seen.sum(), 1))
        for all_ in (np.reshape(apart, (-1, 2)), common[seen])
    )
    return steps, (jumps > _OF_SPREAD * spread) & (spread.max() < _MOST_SPREAD_PX)


def _median(values: np.ndarray) -> np.ndarray:
    """The median along the first axis of what is known; NaN where nothing is."""
    ordered = np.sort(values, axis=0)  # NaN come last
    count = (~np.isnan(ordered)).sum(axis=0)
    low, high = np.maximum(count - 1, 0) // 2, np.minimum(count // 2, len(values) - 1)
    lower, upper = (np.take_along_axis(ordered, at[None], axis=0)[0] for at in (low, high))
    return 0.5 * (lower + upper)


def _pieces(steps: Float64[np.ndarray, "time 2"]) -> list[tuple[int, int]]:
    """Frames in succession whose steps are known: the step to the first one is not needed."""
    known = ~np.isnan(steps[:, 0])
    ends = [t for t in range(len(steps)) if t == 0 or not known[t]] + [len(steps)]
    return [(a, b) for a, b in pairwise(ends) if b - a >= _LEAST_FRAMES]


def _fast_part(path: Path) -> Path:
    """The weave in a path, the most likely one."""
    steps = np.diff(path)
    if not np.abs(steps).max() > 0.0:
        return np.zeros_like(path)
    sudden = np.ones(len(steps) - 1)
    weave, restless = np.zeros_like(path), False
    for _ in range(_ROUNDS):
        ways = list(_explained(steps, sudden))
        found = max(ways, key=lambda one: one.likely)
        calm = max(one.likely for one in ways if one.ratio <= _MOST_RATIO)
        weave, restless = found.weave, found.likely > calm + _CLEARLY
        usual = max(1.4826 * float(np.median(np.abs(found.speeding))), _NOISE_PX)
        sudden = np.clip((found.speeding / (_SUDDEN * usual)) ** 2, 1.0, _MOST_SUDDEN)
    return np.zeros_like(path) if restless else weave - weave.mean()


@dataclass(frozen=True, kw_only=True, eq=False)
class _Explained:
    """A path as the sum of camera and weave."""

    likely: float
    """Logarithm of its likelihood, but for a constant."""
    ratio: float
    """One of `_RATIOS`."""
    weave: Path
    speeding: Float64[np.ndarray, " accelerations"]
    """The camera's accelerations."""


def _explained(
    steps: Float64[np.ndarray, " steps"], sudden: Float64[np.ndarray, " accelerations"]
) -> Iterator[_Explained]:
    """A path by each kind of weave and of camera.

    Args:
        steps: From each frame to the next.
        sudden: Variances of the camera's accelerations, in usual ones.
    """
    many = len(steps)
    differences = np.diff(np.eye(many + 1), axis=0)
    speeds = np.tril(np.ones((many, many - 1)), -1)
    camera, times = (speeds * sudden) @ speeds.T, np.arange(many + 1)
    for persistence in _PERSISTENCE:
        memory = persistence ** np.abs(times[:, None] - times)
        jumps = differences @ memory @ differences.T
        for ratio, speed in product(_RATIOS, _SPEEDS):
            seen = jumps + ratio * camera + speed
            factor = np.linalg.cholesky(seen + 1e-9 * np.eye(many))
            white = np.linalg.solve(factor, steps)
            variance = float(white @ white) / many + _NOISE_PX**2
            spread = float(np.log(np.diag(factor)).sum())
            solved = np.linalg.solve(factor.T, white)
            yield _Explained(
                likely=-0.5 * many * np.log(variance) - spread,
                ratio=float(ratio),
                weave=memory @ differences.T @ solved,
                speeding=ratio * sudden * (speeds.T @ solved),
            )
