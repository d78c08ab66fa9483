"""The light of several frames by least squares over pairwise comparisons.

Each equation gives the difference in light of two frames, or the light of one. Equations that
contradict the rest, such as a wrong match with an anchor, are down-weighted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

_WANDER = 0.05
"""Standard deviation of light between frames where there is no equation."""
_OUTLIER_DEVIATIONS = 3.0
_ROUNDS = 4


@dataclass(frozen=True, kw_only=True, eq=False)
class Equation:
    """The light of frame `to`, less that of frame `since` where there is one."""

    since: int | None = None
    to: int
    light: Float[np.ndarray, "3 2"]
    """Of each channel: log gain at a middle grey, and a power of tone (`anchors.Difference`)."""
    information: Float[np.ndarray, "3 2 2"]
    """Its inverse covariance."""


@dataclass(frozen=True, kw_only=True, eq=False)
class KnownLight:
    """The light of some frames, with its covariance."""

    light: Float[np.ndarray, "time 3 2"]
    covariance: Float[np.ndarray, "time 3 2 2"]

    def part(self, start: int, stop: int) -> KnownLight:
        """The same for some of the frames.

        Args:
            start: Index of the first.
            stop: Index after the last.
        """
        return KnownLight(light=self.light[start:stop], covariance=self.covariance[start:stop])


def solved(equations: Sequence[Equation], *, frames: int) -> KnownLight:
    """The light of frames that agrees best with all equations, by robust least squares.

    Args:
        equations: Comparisons of frames; at least one has no `since`.
        frames: Number of frames.
    """
    trust = np.ones(len(equations))
    light = np.zeros((3, frames, 2))
    inverse = np.zeros((3, frames * 2, frames * 2))
    for _ in range(_ROUNDS):
        normal, right = _normal(equations, trust, frames)
        inverse = np.linalg.inv(normal.reshape(3, frames * 2, frames * 2))
        light = (inverse @ right.reshape(3, frames * 2, 1)).reshape(3, frames, 2)
        miss = np.stack([light[:, each.to] - each.light for each in equations])
        miss -= np.stack(
            [np.zeros((3, 2)) if e.since is None else light[:, e.since] for e in equations]
        )
        information = np.stack([each.information for each in equations])
        squared = np.einsum("eck,eckl,ecl->e", miss, information, miss) / 6.0
        trust = 1.0 / (1.0 + squared / _OUTLIER_DEVIATIONS**2) ** 2
    blocks = inverse.reshape(3, frames, 2, frames, 2)
    covariance = np.stack([blocks[:, t, :, t] for t in range(frames)])
    return KnownLight(light=light.transpose(1, 0, 2), covariance=covariance)


def _normal(
    equations: Sequence[Equation], trust: Float[np.ndarray, " equations"], frames: int
) -> tuple[Float[np.ndarray, "3 time 2 time 2"], Float[np.ndarray, "3 time 2"]]:
    """The normal equations of each channel."""
    normal = np.zeros((3, frames, 2, frames, 2))
    right = np.zeros((3, frames, 2))
    for t in range(frames - 1):
        _couple(normal, t, t + 1, np.tile(np.eye(2) * _WANDER**-2, (3, 1, 1)))
    for equation, share in zip(equations, trust, strict=True):
        information = equation.information * share
        pull = (information @ equation.light[..., None])[..., 0]
        right[:, equation.to] += pull
        if equation.since is None:
            normal[:, equation.to, :, equation.to] += information
        else:
            right[:, equation.since] -= pull
            _couple(normal, equation.since, equation.to, information)
    return normal, right


def _couple(
    normal: Float[np.ndarray, "3 time 2 time 2"],
    since: int,
    to: int,
    information: Float[np.ndarray, "3 2 2"],
) -> None:
    normal[:, since, :, since] += information
    normal[:, to, :, to] += information
    normal[:, since, :, to] -= information
    normal[:, to, :, since] -= information
