"""Shares of preference with intervals, and a ranking, from paired comparisons."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from jaxtyping import Float64

from unflicker.errors import UsageError

CONFIDENCE = 0.95
_MOST_ROUNDS = 20_000


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A share and its confidence interval."""

    share: float
    """0 to 1."""
    low: float
    high: float


def wilson(successes: float, trials: float, *, confidence: float = CONFIDENCE) -> Interval:
    """A share of trials and its Wilson interval; 0 to 1 without trials.

    Args:
        successes: 0 to `trials`; a draw may count as half, which makes the interval slightly wide.
        trials: Number of trials.
        confidence: Probability that such intervals contain the true share.

    Raises:
        ValueError: More successes than trials, or fewer than none.

    Source: Wilson, Probable inference, the law of succession, and statistical inference, JASA 1927.
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} successes of {trials} trials; pass 0 to as many as trials")
    if not trials:
        return Interval(share=0.5, low=0.0, high=1.0)
    share, z = successes / trials, NormalDist().inv_cdf(0.5 + confidence / 2)
    middle = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    reach = np.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2)) * z / (1 + z**2 / trials)
    return Interval(
        share=share,
        low=float(np.clip(middle - reach, 0.0, share)),
        high=float(np.clip(middle + reach, share, 1.0)),
    )


def strengths(
    wins: Float64[np.ndarray, "*draws methods methods"],
    *,
    virtual_draws: float = 0.0,
    settled: float = 1e-7,
) -> Float64[np.ndarray, "*draws methods"]:
    """How strong each method is in the model of Bradley and Terry: natural logarithm, mean 0.

    One method is preferred over another with the odds of their strengths.

    Args:
        wins: How often the method of the row was preferred over that of the column; a draw is half
            a win for both. Several tables at once in the first axes.
        virtual_draws: Draws of each method against one of strength 0, added to what was seen: a
            method that won or lost all of its games has no finite strength without.
        settled: Ready when a round changes no logarithm by more than this.

    Raises:
        UsageError: Without virtual draws, a table in which not everybody has, through others,
            both won and lost against everybody.

    Source: Hunter, MM algorithms for generalized Bradley-Terry models, Annals of Statistics 2004,
    equation 3.
    """
    if not virtual_draws and not _everybody_beat_everybody(wins):
        raise UsageError(
            "some methods won or lost every comparison with the others, which gives them no finite "
            "strength; pass virtual_draws, or ask more people"
        )
    logs = _fitted(wins, virtual_draws=virtual_draws, settled=settled)
    return logs - logs.mean(axis=-1, keepdims=True)


def uncertainty(
    wins: Float64[np.ndarray, "methods methods"], *, virtual_draws: float = 0.0
) -> Float64[np.ndarray, "methods methods"]:
    """Covariance of `strengths`, from the curvature of the likelihood at its peak.

    Args:
        wins: As for `strengths`.
        virtual_draws: As for `strengths`.
    """
    logs = _fitted(wins, virtual_draws=virtual_draws)
    likely = 1 / (1 + np.exp(logs[None, :] - logs[:, None]))
    information = -(wins + wins.T) * likely * likely.T
    alone = virtual_draws * np.exp(logs) / (1 + np.exp(logs)) ** 2
    np.fill_diagonal(information, 0.0)
    np.fill_diagonal(information, alone - information.sum(axis=1))
    centred = np.eye(len(logs)) - 1 / len(logs)
    return centred @ np.linalg.pinv(information, hermitian=True) @ centred


def chances(logs: Float64[np.ndarray, "*draws methods"]) -> Float64[np.ndarray, "*draws methods"]:
    """Probability that each method is preferred over a random other method; 0 to 1."""
    count = logs.shape[-1]
    if count < 2:
        return np.full(logs.shape, 0.5)
    against = 1 / (1 + np.exp(logs[..., None, :] - logs[..., :, None]))
    return (against.sum(axis=-1) - 0.5) / (count - 1)


def _fitted(
    wins: Float64[np.ndarray, "*draws methods methods"],
    *,
    virtual_draws: float,
    settled: float = 1e-7,
) -> Float64[np.ndarray, "*draws methods"]:
    """Log strengths, with virtual draws against a strength of 0."""
    played = wins + np.swapaxes(wins, -1, -2)
    won = wins.sum(axis=-1) + virtual_draws / 2
    logs = np.zeros(wins.shape[:-1])
    for _ in range(_MOST_ROUNDS):
        strength = np.exp(logs)
        pairs = strength[..., :, None] + strength[..., None, :]
        expected = (played / pairs).sum(axis=-1) + virtual_draws / (strength + 1)
        new = np.log(won / expected)
        if not virtual_draws:
            new -= new.mean(axis=-1, keepdims=True)
        change, logs = new - logs, new
        # A common offset does not change the ranking, and converges last.
        if np.abs(change - change.mean(axis=-1, keepdims=True)).max(initial=0.0) < settled:
            break
    return logs


def _everybody_beat_everybody(wins: Float64[np.ndarray, "*draws methods methods"]) -> bool:
    """Whether a chain of wins leads from each method to each other, in every table."""
    count = wins.shape[-1]
    reached = (wins > 0) | np.eye(count, dtype=bool)
    for _ in range(max(1, count - 1).bit_length()):
        reached = (reached.astype(np.float64) @ reached.astype(np.float64)) > 0
    return bool(reached.all())
