"""Means of methods over the examples that all of them have, with confidence intervals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from unflicker.evaluation.intervals import Estimate, estimated, paired
from unflicker.evaluation.results import on_enough
from unflicker.leaderboard.measures import SECONDS, SPEED, Measure
from unflicker.leaderboard.scores import INPUT, Scores


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The methods and examples of a comparison."""

    scores: Scores
    methods: tuple[str, ...]
    examples: tuple[str, ...]
    """The examples that all of them have."""
    fewer: dict[str, int]
    """Methods with too few examples, and their number."""

    def values(self, method: str, measure: Measure) -> dict[str, float]:
        """A method's numbers by example, for examples where all methods with this measure have one.

        Args:
            method: Name of a method.
            measure: The number.
        """
        own = self._given(method, measure)
        for other in self.methods:
            given = self._given(other, measure)
            if given:
                own = {name: value for name, value in own.items() if name in given}
        return own

    def estimate(self, method: str, measure: Measure) -> Estimate | None:
        """The mean of a method's numbers; of its speed, one over the mean time.

        Args:
            method: Name of a method.
            measure: The number.
        """
        if measure == SPEED:
            return _inverse(self.estimate(method, SECONDS))
        return estimated(self.values(method, measure), clip_of=self._clip_of)

    def difference(self, method: str, other: str, measure: Measure) -> Estimate | None:
        """The mean difference of two methods, example by example.

        Args:
            method: Name of a method.
            other: Name of the method to subtract.
            measure: The number.
        """
        one, two = self.values(method, measure), self.values(other, measure)
        return paired(one, two, clip_of=self._clip_of)

    def ranked(self, measure: Measure) -> list[tuple[str, Estimate]]:
        """The methods with their means, the best first; those without a number are left out."""
        found = [(method, self.estimate(method, measure)) for method in self.methods]
        have = [(method, estimate) for method, estimate in found if estimate is not None]
        return sorted(have, key=lambda pair: measure.worse(pair[1].mean))

    def narrowed(self, examples: Iterable[str]) -> Comparison:
        """The same methods on some of the examples."""
        wanted = set(examples)
        kept = tuple(name for name in self.examples if name in wanted)
        return Comparison(scores=self.scores, methods=self.methods, examples=kept, fewer=self.fewer)

    def _clip_of(self, example: str) -> str:
        return self.scores.examples[example].clip

    def _given(self, method: str, measure: Measure) -> dict[str, float]:
        if method == INPUT and measure.of == SECONDS.of:
            return {}  # the input has no processing time
        pairs = (
            (name, self.scores.value(method, name, of=measure.of, name=measure.name))
            for name in self.examples
        )
        return {name: value for name, value in pairs if value is not None}


def compared(
    scores: Scores, *, methods: Sequence[str], examples: Sequence[str], of: str
) -> Comparison:
    """The methods that have enough examples, compared on the examples that all of them have.

    The others are listed in `fewer`; `evaluation.results.on_enough` defines enough.

    Args:
        scores: Of one or several runs.
        methods: Names of methods.
        examples: Names of examples.
        of: The set of metrics that an example needs to have.
    """
    has = _having(scores, methods=methods, examples=examples, of=of)
    enough = list(on_enough(has))
    few = {method: len(names) for method, names in has.items() if names and method not in enough}
    return _on_common(scores, has, enough, few)


def compared_all(
    scores: Scores, *, methods: Sequence[str], examples: Sequence[str], of: str
) -> Comparison:
    """All methods that have any of the examples, compared on the examples that all of them have.

    While they have none in common, the one with the fewest is moved to `fewer`.

    Args:
        scores: Of one or several runs.
        methods: Names of methods.
        examples: Names of examples.
        of: The set of metrics that an example needs to have.
    """
    has = _having(scores, methods=methods, examples=examples, of=of)
    kept, few = [method for method, names in has.items() if names], {}
    while kept and not set.intersection(*(has[method] for method in kept)):
        fewest = min(reversed(kept), key=lambda method: len(has[method]))
        kept.remove(fewest)
        few[fewest] = len(has[fewest])
    return _on_common(scores, has, kept, few)


def mean_ranks(comparisons: Sequence[Comparison], measure: Measure) -> dict[str, float]:
    """The mean rank of each method over several comparisons, 1 for the best.

    Args:
        comparisons: Of kinds or categories.
        measure: The number by which methods are ranked.
    """
    places: dict[str, list[int]] = {}
    for comparison in comparisons:
        ranked = comparison.ranked(measure)
        for method, estimate in ranked:
            better = sum(
                measure.worse(other.mean) < measure.worse(estimate.mean) for _, other in ranked
            )
            places.setdefault(method, []).append(1 + better)
    return {method: float(np.mean(found)) for method, found in places.items()}


def _having(
    scores: Scores, *, methods: Sequence[str], examples: Sequence[str], of: str
) -> dict[str, set[str]]:
    return {
        method: {name for name in examples if (method, name, of) in scores.by_key}
        for method in methods
    }


def _on_common(
    scores: Scores, has: dict[str, set[str]], methods: Sequence[str], fewer: dict[str, int]
) -> Comparison:
    common = set.intersection(*(has[method] for method in methods)) if methods else set()
    return Comparison(
        scores=scores,
        methods=tuple(methods),
        examples=tuple(name for name in scores.examples if name in common),
        fewer=fewer,
    )


def _inverse(seconds: Estimate | None) -> Estimate | None:
    if seconds is None or seconds.mean <= 0:
        return None
    low = 1.0 / seconds.high if seconds.high else None
    high = 1.0 / seconds.low if seconds.low else None
    return Estimate(mean=1.0 / seconds.mean, low=low, high=high, count=seconds.count)
