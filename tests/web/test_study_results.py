"""What a study finds, from answers made by hand."""

import csv
import io
import json
import sqlite3

import numpy as np
import pytest

from unflicker.errors import InputError, MissingError, OutputError, UsageError
from unflicker.study import (
    Answers,
    Plan,
    as_csv,
    as_json,
    as_table,
    raw_csv,
    read_material,
    results_of,
)
from unflicker.study.answers import Asked
from unflicker.study.results import preferred


def asked(person: int, left: str, right: str, *, choice: str | None, **changes) -> Asked:
    values = {
        "person": person,
        "place": 0,
        "kind": "pair",
        "example": "bridge__bands",
        "category": "synthetic",
        "left_method": left,
        "right_method": right,
        "left_token": "l",
        "right_token": "r",
        "input_token": "i",
        "choice": choice,
        "seconds": 3.0,
        "answered": "2026-01-01T00:00:00+00:00",
    }
    return Asked(**{**values, **changes})


def many(people: int = 40, *, strong: float = 2.0) -> list[Asked]:
    """People who prefer quince to medlar to sloe, each step with the odds of e to the `strong`."""
    random, order = np.random.default_rng(0), ["quince", "medlar", "sloe"]
    answers = []
    for person in range(people):
        for a, b in ((0, 1), (1, 2), (0, 2)):
            wins = random.random() < 1 / (1 + np.exp(-strong * (b - a)))
            turned = random.random() < 0.5
            left, right = (order[b], order[a]) if turned else (order[a], order[b])
            answers.append(asked(person, left, right, choice="right" if wins == turned else "left"))
    return answers


def test_the_side_says_nothing_about_who_is_preferred():
    assert preferred(asked(1, "quince", "sloe", choice="left")) == "quince"
    assert preferred(asked(1, "sloe", "quince", choice="right")) == "quince"
    assert preferred(asked(1, "sloe", "quince", choice="none")) is None


def test_preferences_count_wins_draws_and_losses_whatever_the_side():
    answers = [
        asked(1, "quince", "sloe", choice="left"),
        asked(2, "sloe", "quince", choice="right"),
        asked(3, "sloe", "quince", choice="none"),
        asked(4, "sloe", "quince", choice="left"),
        asked(5, "sloe", "quince", choice=None),
    ]
    results = results_of(answers)
    (found,) = results.categories[0].preferences
    assert (found.method, found.other) == ("quince", "sloe")
    assert (found.wins, found.draws, found.losses) == (2, 1, 1)
    assert found.share == pytest.approx(2.5 / 4)
    assert (results.people, results.finished, results.answers) == (4, 4, 4)


def test_the_ranking_finds_the_strengths_that_made_the_answers():
    ranking = results_of(many(200)).categories[0].ranking
    assert [rank.method for rank in ranking] == ["quince", "medlar", "sloe"]
    np.testing.assert_allclose([rank.log_strength for rank in ranking], [2, 0, -2], atol=0.5)
    for rank in ranking:
        assert rank.low < rank.chance < rank.high
        assert rank.answers == 400


def test_intervals_hold_the_truth_and_narrow_with_people():
    few, crowd = (results_of(many(n)).categories[0].ranking[1] for n in (6, 200))
    assert few.low < 0.5 < few.high
    assert crowd.low < 0.5 < crowd.high
    assert crowd.high - crowd.low < 0.4 * (few.high - few.low)


def test_one_answer_proves_nothing_and_neither_do_people_who_agree():
    for people in (1, 6):
        answers = [asked(k, "quince", "sloe", choice="left") for k in range(people)]
        first = results_of(answers).categories[0].ranking[0]
        assert first.method == "quince"
        assert first.high - first.low > 0.2


def test_categories_are_counted_apart():
    answers = [
        asked(1, "quince", "sloe", choice="left", category="old movie"),
        asked(1, "quince", "sloe", choice="right", category="time-lapse", place=1),
    ]
    every, movies, lapses = results_of(answers).categories
    assert [part.name for part in (every, movies, lapses)] == ["all", "old movie", "time-lapse"]
    assert movies.ranking[0].method == "quince"
    assert lapses.ranking[0].method == "sloe"
    assert every.answers == 2


def test_nobody_so_far_is_a_result_too():
    results = results_of([])
    assert (results.people, results.answers, results.median_seconds) == (0, 0, None)
    assert as_table(results).startswith("0 people")
    assert json.loads(as_json(results))["categories"][0]["ranking"] == []
    assert len(as_csv(results).splitlines()) == 1


def test_people_who_fail_their_checks_can_be_left_out():
    careful = [
        asked(1, "quince", "sloe", choice="left"),
        asked(1, "input", "truth", choice="right", kind="clear", place=1),
        asked(1, "sloe", "sloe", choice="none", kind="same", place=2),
    ]
    careless = [
        asked(2, "quince", "sloe", choice="right"),
        asked(2, "input", "truth", choice="left", kind="clear", place=1),
        asked(2, "sloe", "sloe", choice="left", kind="same", place=2),
    ]
    everybody = results_of(careful + careless)
    assert (everybody.checks_right, everybody.checks) == (2, 4)
    assert (everybody.answers, everybody.left_out) == (2, 0)
    attentive = results_of(careful + careless, attentive=True)
    assert (attentive.answers, attentive.left_out, attentive.people) == (1, 1, 1)
    assert "left out" in as_table(attentive)


def test_csv_and_json_hold_the_numbers_of_the_table():
    answers = many(20)
    results = results_of(answers)
    rows = list(csv.DictReader(io.StringIO(as_csv(results))))
    found = {(row["category"], row["method"], row["other"]): row for row in rows}
    best = found["all", "quince", "any"]
    facts = json.loads(as_json(results))
    rank = facts["categories"][0]["ranking"][0]
    assert float(best["share"]) == pytest.approx(rank["chance"], abs=1e-4)
    pair = found["all", "quince", "medlar"]
    assert int(pair["wins"]) + int(pair["losses"]) == int(pair["answers"]) == 20
    assert f"{rank['chance']:.0%}" in as_table(results)
    raw = list(csv.DictReader(io.StringIO(raw_csv(answers))))
    assert len(raw) == 60
    assert sum(row["preferred"] == "quince" for row in raw if "sloe" in (row["left"], row["right"]))


def test_answers_of_something_else_are_refused_and_left_alone(tmp_path):
    text = tmp_path / "notes.sqlite"
    text.write_text("no data base " * 100)
    with pytest.raises(InputError, match="holds no answers"):
        Answers(text)
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as base:
        base.execute("CREATE TABLE birds (name TEXT)")
    base.close()
    with pytest.raises(InputError, match="birds"):
        Answers(other)
    with sqlite3.connect(other) as base:
        assert base.execute("SELECT name FROM sqlite_master").fetchall() == [("birds",)]
    base.close()


def test_answers_that_cannot_be_kept_are_said(tmp_path):
    with pytest.raises(OutputError, match="name another file"):
        Answers(tmp_path)
    with pytest.raises(MissingError, match="no answers yet"):
        Answers.existing(tmp_path / "study.sqlite")


def test_answers_of_a_later_version_are_refused(tmp_path):
    Answers(tmp_path / "study.sqlite")
    with sqlite3.connect(tmp_path / "study.sqlite") as base:
        base.execute("UPDATE study SET value = '9' WHERE key = 'version'")
    base.close()
    with pytest.raises(InputError, match="version 9"):
        Answers(tmp_path / "study.sqlite")


def test_pairs_before_others_are_not_asked_again_while_they_are_answered(results, tmp_path):
    answers, material = Answers(tmp_path / "study.sqlite"), read_material(results)
    for _ in range(2):
        answers.begin(material, plan=Plan(pairs=3, checks=0))
    seen = {
        (each.example, *sorted((each.left_method, each.right_method)))
        for each in answers.everything()
    }
    assert len(seen) == 6


def test_nobody_answers_with_a_token_that_was_not_given(tmp_path):
    answers = Answers(tmp_path / "study.sqlite")
    with pytest.raises(UsageError, match="start again"):
        answers.answer("stranger", 0, choice="left", seconds=1.0)
    assert answers.of_person("stranger") == []
    assert answers.behind("stranger") is None
