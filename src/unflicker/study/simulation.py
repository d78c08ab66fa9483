"""Synthetic participants of known preference: they show that a study finds what is there.

Each takes the whole way of a person: begins with consent, gets questions, answers them one by one.
Preferences follow the model of Bradley and Terry, with draws where two methods are about equal, and
some people press keys at random.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

import numpy as np

from unflicker.study.answers import Answers, Asked, Choice
from unflicker.study.material import Material
from unflicker.study.questions import Plan

_CHECK_RIGHT = 0.97
"""How often an attentive person is right in an attention check."""
_SECONDS = (4.0, 14.0)


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """Synthetic people."""

    strengths: Mapping[str, float]
    """Natural logarithm of each method's strength; the odds of being preferred are their ratio."""
    people: int = 100
    careless: float = 0.1
    """Share of people who press keys at random."""
    taste: float = 0.3
    """Deviation of a person's own strengths from the crowd's."""
    draws: float = 0.15
    """Share of "no difference" between equal methods."""
    seed: int = 0


def simulate(crowd: Crowd, answers: Answers, material: Material, *, plan: Plan) -> None:
    """Let synthetic people take part in a study.

    Args:
        crowd: The people.
        answers: Where their answers are stored.
        material: Videos of the study.
        plan: How many questions each gets.
    """
    random = Random(crowd.seed)
    for _ in range(crowd.people):
        careless = random.random() < crowd.careless
        own = {
            name: value + random.gauss(0, crowd.taste) for name, value in crowd.strengths.items()
        }
        own_chance = Random(random.random())
        token = answers.begin(material, plan=plan, consent="simulated", chance=own_chance)
        for question in answers.of_person(token):
            choice = _at_random(random) if careless else _chosen(question, own, crowd, random)
            seconds = random.uniform(*_SECONDS) * (0.2 if careless else 1.0)
            answers.answer(token, question.place, choice=choice, seconds=seconds)


def _at_random(random: Random) -> Choice:
    return random.choice(("left", "right", "none"))


def _chosen(question: Asked, own: Mapping[str, float], crowd: Crowd, random: Random) -> Choice:
    """The answer of an attentive person."""
    if question.kind != "pair" and random.random() > _CHECK_RIGHT:
        return _at_random(random)
    if question.kind == "same":
        return "none"
    if question.kind == "clear":
        return "left" if question.left_method == "truth" else "right"
    lead = own[question.left_method] - own[question.right_method]
    if random.random() < crowd.draws * np.exp(-(lead**2)):
        return "none"
    return "left" if random.random() < 1 / (1 + np.exp(-lead)) else "right"
