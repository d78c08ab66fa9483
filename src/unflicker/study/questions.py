"""Choice of the pairs that a person is asked about: fewest answers first, in random order."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

from unflicker.errors import UsageError
from unflicker.study.material import Material, Pair

Kind = Literal["pair", "same", "clear"]
"""What a question asks: between two methods; or, to see who looks, the same video twice, or the
flickering video against the ground truth."""
ShownInput = Literal["key", "below", "none"]
_ORDERS = 40


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Number and kinds of questions for each person."""

    pairs: int = 20
    """Between two methods; fewer where there are fewer."""
    checks: int = 2
    """Attention checks, questions with a known answer, among the others."""
    shown_input: ShownInput = "key"
    """The flickering video: while a key is held, below the pair, or not at all."""

    def __post_init__(self) -> None:
        if self.pairs < 1 or self.checks < 0:
            raise UsageError(
                f"a person is asked about at least 1 pair with 0 checks; "
                f"got {self.pairs} with {self.checks}"
            )


@dataclass(frozen=True, kw_only=True)
class Question:
    """Two videos of one example, side by side."""

    kind: Kind
    example: str
    category: str
    left: str
    """The method on the left; `input` or `truth` in a check."""
    right: str


def choose_questions(
    material: Material, *, asked: Mapping[Pair, int], plan: Plan, chance: Random
) -> list[Question]:
    """The questions for one more person, in order.

    Pairs of methods with the fewest answers come first, then examples with the fewest answers for
    that pair, then examples that this person has not had; other choices, order and sides are
    random.

    Args:
        material: Videos of the study.
        asked: How often each pair was asked before.
        plan: How many questions.
        chance: Random generator of this person.
    """
    chosen = [
        _sided(pair.example, "pair", category=pair.category, names=(pair.one, pair.other))
        for pair in _asked_least(material.pairs, asked=asked, count=plan.pairs, chance=chance)
    ]
    checks = _checks(material, count=plan.checks, chance=chance)
    questions = [_turned(question, chance=chance) for question in (*chosen, *checks)]
    orders = (chance.sample(questions, len(questions)) for _ in range(_ORDERS))
    return min(orders, key=_repeats)


def _asked_least(
    pairs: Sequence[Pair], *, asked: Mapping[Pair, int], count: int, chance: Random
) -> list[Pair]:
    left = chance.sample(list(pairs), len(pairs))
    of_methods: Counter[tuple[str, str]] = Counter()
    for pair in pairs:
        of_methods[pair.one, pair.other] += asked.get(pair, 0)
    of_examples: Counter[str] = Counter()
    taken: list[Pair] = []
    while left and len(taken) < count:
        best = min(
            left,
            key=lambda pair: (
                of_methods[pair.one, pair.other],
                asked.get(pair, 0),
                of_examples[pair.example],
            ),
        )
        left.remove(best)
        taken.append(best)
        of_methods[best.one, best.other] += 1
        of_examples[best.example] += 1
    return taken


def _checks(material: Material, *, count: int, chance: Random) -> list[Question]:
    """Attention checks: in turn clear ones and identical videos, as far as there are any."""
    clear = chance.sample(material.pairs_with_truth, len(material.pairs_with_truth))
    same = chance.sample(list(material.pairs), len(material.pairs))
    checks = []
    for index in range(count):
        if index % 2 == 0 and clear:
            name = clear.pop()
            category = material.examples[name].category
            checks.append(_sided(name, "clear", category=category, names=("input", "truth")))
        elif same:
            pair = same.pop()
            names = (pair.one, pair.one)
            checks.append(_sided(pair.example, "same", category=pair.category, names=names))
    return checks


def _sided(example: str, kind: Kind, *, category: str, names: tuple[str, str]) -> Question:
    return Question(kind=kind, example=example, category=category, left=names[0], right=names[1])


def _turned(question: Question, *, chance: Random) -> Question:
    if chance.random() < 0.5:
        return question
    return _sided(
        question.example,
        question.kind,
        category=question.category,
        names=(question.right, question.left),
    )


def _repeats(questions: Sequence[Question]) -> int:
    """Penalty of an order: one example twice in a row, or a check at the beginning."""
    twice = sum(a.example == b.example for a, b in itertools.pairwise(questions))
    return 2 * twice + (questions[0].kind != "pair" if questions else 0)
