"""Results of a study: pairwise preferences and a ranking, in all and by category."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Float64

from unflicker.metrics.preference import CONFIDENCE, chances, strengths, uncertainty, wilson
from unflicker.study.answers import Asked

ALL = "all"
VIRTUAL_DRAWS = 1.0
_DRAWN, _RESAMPLED = 4000, 500
_SETTLED = 1e-4
"""Tolerance of the strengths of resampled people, of which only the spread matters."""
_FEW_PEOPLE = 5
_LEAST_RIGHT = 0.5
_RIGHT_ANSWERS = {("same", "none"), ("clear", "truth")}


@dataclass(frozen=True, kw_only=True)
class Preference:
    """How often one method was preferred over another."""

    method: str
    other: str
    wins: int
    draws: int
    losses: int
    share: float
    """Of answers in which `method` was preferred, a draw as half; 0 to 1."""
    low: float
    """Of Wilson's interval."""
    high: float


@dataclass(frozen=True, kw_only=True)
class Rank:
    """A method's place among all."""

    method: str
    answers: int
    chance: float
    """Of being preferred over a random other method, in the model; 0 to 1."""
    low: float
    """Of the wider of two intervals: by the likelihood's curvature, and by resampling people."""
    high: float
    log_strength: float
    """In the model of Bradley and Terry; mean over methods 0."""


@dataclass(frozen=True, kw_only=True)
class Category:
    """Results for one kind of video, or for all."""

    name: str
    answers: int
    ranking: tuple[Rank, ...]
    """Strongest first."""
    preferences: tuple[Preference, ...]


@dataclass(frozen=True, kw_only=True)
class Results:
    """All results of a study."""

    people: int
    """With at least one answer."""
    finished: int
    left_out: int
    """People who failed more than half of their checks, if they are excluded."""
    answers: int
    """Between two methods."""
    checks: int
    checks_right: int
    median_seconds: float | None
    """Of an answer."""
    resampled: bool
    """Whether there were enough people to resample for the ranking's intervals."""
    categories: tuple[Category, ...]
    """All videos first, then by name."""


def results_of(questions: Sequence[Asked], *, attentive: bool = False) -> Results:
    """Results of a study.

    Args:
        questions: Of all people, answered or not.
        attentive: Exclude people who failed more than half of their checks.
    """
    by_person: dict[int, list[Asked]] = {}
    for question in questions:
        by_person.setdefault(question.person, []).append(question)
    careless = {person for person, asked in by_person.items() if attentive and _careless(asked)}
    answered = [
        each for each in questions if each.choice is not None and each.person not in careless
    ]
    finished = sum(
        all(each.choice is not None for each in asked)
        for person, asked in by_person.items()
        if person not in careless
    )
    pairs = [each for each in answered if each.kind == "pair"]
    checks = [_is_right(each) for each in answered if each.kind != "pair"]
    people = len({each.person for each in answered})
    seconds = [each.seconds for each in answered if each.seconds is not None]
    names = sorted({each.category for each in pairs} - {""})
    parts = [(ALL, pairs)] + [(name, [a for a in pairs if a.category == name]) for name in names]
    return Results(
        people=people,
        finished=finished,
        left_out=len(careless),
        answers=len(pairs),
        checks=len(checks),
        checks_right=sum(checks),
        median_seconds=float(np.median(seconds)) if seconds else None,
        resampled=people >= _FEW_PEOPLE,
        categories=tuple(_category(name, part) for name, part in parts),
    )


def preferred(question: Asked) -> str | None:
    """The method that was chosen; None for a draw."""
    sides = {"left": question.left_method, "right": question.right_method}
    return sides.get(question.choice or "none")


def _is_right(question: Asked) -> bool:
    return (question.kind, preferred(question) or "none") in _RIGHT_ANSWERS


def _careless(asked: Sequence[Asked]) -> bool:
    checks = [_is_right(each) for each in asked if each.kind != "pair" and each.choice is not None]
    return bool(checks) and sum(checks) < _LEAST_RIGHT * len(checks)


def _category(name: str, answers: Sequence[Asked]) -> Category:
    if not answers:
        return Category(name=name, answers=0, ranking=(), preferences=())
    methods = sorted({each for a in answers for each in (a.left_method, a.right_method)})
    tables = np.stack([_wins(a, methods=methods) for a in answers])
    people = np.array([a.person for a in answers])
    ranking = _ranking(methods, np.stack([tables[people == p].sum(axis=0) for p in set(people)]))
    return Category(
        name=name,
        answers=len(answers),
        ranking=ranking,
        preferences=_preferences(answers, order=[rank.method for rank in ranking]),
    )


def _wins(answer: Asked, *, methods: Sequence[str]) -> Float64[np.ndarray, "methods methods"]:
    """One answer as a table of wins; a draw is half a win for both."""
    table = np.zeros((len(methods), len(methods)))
    left, right = methods.index(answer.left_method), methods.index(answer.right_method)
    share = {"left": 1.0, "right": 0.0}.get(answer.choice or "none", 0.5)
    table[left, right] += share
    table[right, left] += 1 - share
    return table


def _ranking(
    methods: Sequence[str], by_person: Float64[np.ndarray, "people methods methods"]
) -> tuple[Rank, ...]:
    """The methods by strength, from a table of wins of each person."""
    wins = by_person.sum(axis=0)
    logs = strengths(wins, virtual_draws=VIRTUAL_DRAWS)
    share = chances(logs)
    low, high = _reach(by_person, logs)
    played = (wins + wins.T).sum(axis=1)
    ranks = [
        Rank(
            method=method,
            answers=round(float(played[k])),
            chance=float(share[k]),
            low=float(min(low[k], share[k])),
            high=float(max(high[k], share[k])),
            log_strength=float(logs[k]),
        )
        for k, method in enumerate(methods)
    ]
    return tuple(sorted(ranks, key=lambda rank: -rank.chance))


def _reach(
    by_person: Float64[np.ndarray, "people methods methods"], logs: Float64[np.ndarray, " methods"]
) -> tuple[Float64[np.ndarray, " methods"], Float64[np.ndarray, " methods"]]:
    """Intervals of the methods' chances.

    The curvature of the likelihood treats all answers as independent; resampling people keeps the
    correlation of one person's answers, but fails where people are few or agree. The wider of both
    is used.
    """
    people, tail, random = len(by_person), 50 * (1 - CONFIDENCE), np.random.default_rng(0)
    covariance = uncertainty(by_person.sum(axis=0), virtual_draws=VIRTUAL_DRAWS)
    drawn = [random.multivariate_normal(logs, covariance, size=_DRAWN, method="eigh")]
    if people >= _FEW_PEOPLE:
        times = random.multinomial(people, np.full(people, 1 / people), size=_RESAMPLED)
        tables = np.tensordot(times.astype(np.float64), by_person, axes=1)
        drawn.append(strengths(tables, virtual_draws=VIRTUAL_DRAWS, settled=_SETTLED))
    reach = [np.percentile(chances(each), (tail, 100 - tail), axis=0) for each in drawn]
    low, high = zip(*reach, strict=True)
    return np.minimum.reduce(low), np.maximum.reduce(high)


def _preferences(answers: Sequence[Asked], *, order: Sequence[str]) -> tuple[Preference, ...]:
    """Every pair with answers, the stronger method first."""
    found = []
    for method, other in combinations(order, 2):
        chosen = [
            preferred(a) for a in answers if {a.left_method, a.right_method} == {method, other}
        ]
        if chosen:
            wins, draws = chosen.count(method), chosen.count(None)
            interval = wilson(wins + draws / 2, len(chosen))
            found.append(
                Preference(
                    method=method,
                    other=other,
                    wins=wins,
                    draws=draws,
                    losses=len(chosen) - wins - draws,
                    share=interval.share,
                    low=interval.low,
                    high=interval.high,
                )
            )
    return tuple(found)
