"""Confidence intervals of means and of paired differences, by bootstrap over clips.

Several examples come from one clip, and are not independent: whole clips are resampled.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

LEAST_CLIPS = 3
"""With fewer clips an interval is unreliable."""
_RESAMPLES = 2000
_ENDS = (2.5, 97.5)

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A mean over examples, with its confidence interval over clips."""

    mean: float
    low: float | None
    """Lower end of the 95 % interval by bootstrap over clips; None with too few of them."""
    high: float | None
    count: int
    """Number of examples."""


def estimated(values: Mapping[Key, float], *, clip_of: Callable[[Key], str]) -> Estimate | None:
    """The mean of values, with its interval over clips; None without values.

    Args:
        values: By example.
        clip_of: The clip of an example.

    Source: Efron, Bootstrap methods: another look at the jackknife, 1979; by clusters as in Davison
    and Hinkley, Bootstrap methods and their application, 1997, section 3.8.
    """
    if not values:
        return None
    by_clip: dict[str, list[float]] = {}
    for key, value in values.items():
        by_clip.setdefault(clip_of(key), []).append(value)
    low, high = _interval([np.array(found) for found in by_clip.values()])
    mean = float(np.mean(list(values.values())))
    return Estimate(mean=mean, low=low, high=high, count=len(values))


def paired(
    one: Mapping[Key, float], other: Mapping[Key, float], *, clip_of: Callable[[Key], str]
) -> Estimate | None:
    """The mean of differences, example by example, with its interval; None without common ones.

    Args:
        one: Values of one method by example.
        other: Values to subtract.
        clip_of: The clip of an example.
    """
    both = {key: value - other[key] for key, value in one.items() if key in other}
    return estimated(both, clip_of=clip_of)


def signed(estimate: Estimate | None, *, digits: int = 1) -> str:
    """A difference with its interval as text: "+1.2 (0.4 to 2.1)"; a dash for None.

    Args:
        estimate: The difference.
        digits: After the point.
    """
    return _as_text(estimate, form=f"+.{digits}f")


def with_interval(estimate: Estimate | None, *, digits: int = 1) -> str:
    """A mean with its interval as text: "36.9 (35.1 to 38.8)"; a dash for None.

    Args:
        estimate: The mean.
        digits: After the point.
    """
    return _as_text(estimate, form=f".{digits}f")


def _as_text(estimate: Estimate | None, *, form: str) -> str:
    """A mean and its interval, each number in a form."""
    if estimate is None:
        return "–"
    text = f"{estimate.mean:{form}}"
    if estimate.low is None or estimate.high is None:
        return text
    return f"{text} ({estimate.low:{form}} to {estimate.high:{form}})"


def _interval(clips: Iterable[np.ndarray]) -> tuple[float | None, float | None]:
    """Percentiles of the mean over resampled clips."""
    groups = list(clips)
    if len(groups) < LEAST_CLIPS:
        return None, None
    sums = np.array([clip.sum() for clip in groups])
    counts = np.array([len(clip) for clip in groups])
    drawn = np.random.default_rng(0).integers(0, len(groups), (_RESAMPLES, len(groups)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.percentile(means, _ENDS)
    return float(low), float(high)
