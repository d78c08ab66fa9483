"""A study from end to end with synthetic people: what they prefer is what it finds."""

import numpy as np
import pytest

from unflicker.errors import InputError, UsageError
from unflicker.study import (
    Answers,
    Consent,
    Crowd,
    Plan,
    as_paper,
    read_consent,
    results_of,
    simulate,
)
from unflicker.study.material import Example, Material, Pair

STRENGTHS = {"quince": 1.2, "medlar": 0.3, "sloe": -0.4, "rowan": -1.1}
CATEGORIES = ("old movie", "time-lapse", "generated")


@pytest.fixture(scope="module")
def material(tmp_path_factory) -> Material:
    """Fifty examples of three categories, with four methods each, and no videos."""
    place = tmp_path_factory.mktemp("none")
    names = sorted(STRENGTHS)
    examples, pairs = {}, []
    for number in range(50):
        name, category = f"film{number:02}", CATEGORIES[number % 3]
        videos = {each: place / f"{each}.mp4" for each in (*names, "input", "truth")}
        examples[name] = Example(name=name, category=category, videos=videos)
        pairs += [
            Pair(example=name, category=category, one=one, other=other)
            for k, one in enumerate(names)
            for other in names[k + 1 :]
        ]
    return Material(examples=examples, pairs=tuple(pairs))


@pytest.fixture(scope="module")
def answers(material, tmp_path_factory) -> Answers:
    """Of 50 people with 20 pairs each, as in the paper, a tenth of whom press keys at random."""
    found = Answers(tmp_path_factory.mktemp("study") / "study.sqlite")
    crowd = Crowd(strengths=STRENGTHS, people=50, careless=0.1, seed=3)
    simulate(crowd, found, material, plan=Plan(pairs=20, checks=4))
    return found


def test_fifty_people_of_twenty_pairs_give_back_the_known_ranking(answers):
    found = results_of(answers.everything(), attentive=True)
    assert (found.people + found.left_out, found.finished) == (50, found.people)
    assert found.answers == 20 * found.people
    assert 1 <= found.left_out <= 10
    ranking = found.categories[0].ranking
    assert [rank.method for rank in ranking] == list(STRENGTHS)
    logs = {rank.method: rank.log_strength for rank in ranking}
    # Draws and the spread of taste pull strengths together.
    slope, _ = np.polyfit([STRENGTHS[m] for m in logs], list(logs.values()), 1)
    assert 0.5 < slope < 1.1
    for part in found.categories[1:]:
        assert part.ranking[0].method == "quince"
        assert part.ranking[-1].method == "rowan"


def test_careless_people_are_found_by_their_checks(answers, material, tmp_path):
    everyone = Answers(tmp_path / "careless.sqlite")
    crowd = Crowd(strengths=STRENGTHS, people=12, careless=1.0, seed=1)
    simulate(crowd, everyone, material, plan=Plan(pairs=2, checks=6))
    # With three answers to choose from, a third of the checks is right at random.
    assert results_of(everyone.everything(), attentive=True).left_out >= 5
    kept = results_of(answers.everything())
    assert kept.checks_right / kept.checks > 0.85


def test_the_same_seed_gives_the_same_people(material, tmp_path):
    crowd = Crowd(strengths=STRENGTHS, people=2, seed=4)
    said = []
    for name in ("one", "other"):
        study = Answers(tmp_path / f"{name}.sqlite")
        simulate(crowd, study, material, plan=Plan(pairs=3, checks=1))
        said.append(
            [(a.example, a.left_method, a.right_method, a.choice) for a in study.everything()]
        )
    assert said[0] == said[1]


def test_equal_methods_are_not_told_apart(material, tmp_path):
    even = Answers(tmp_path / "even.sqlite")
    crowd = Crowd(strengths=dict.fromkeys(STRENGTHS, 0.0), people=12, careless=0.0, seed=5)
    simulate(crowd, even, material, plan=Plan(pairs=12, checks=0))
    ranking = results_of(even.everything()).categories[0].ranking
    # One interval of twenty excludes the truth.
    assert sum(not rank.low <= 0.5 <= rank.high for rank in ranking) <= 1
    assert max(abs(rank.log_strength) for rank in ranking) < 0.5


def test_the_table_of_a_paper_has_categories_and_shares_of_one_method(answers):
    found = results_of(answers.everything())
    lines = as_paper(found).splitlines()
    assert lines[0].startswith("quince preferred, % (95 % interval); 50 people, 1000 answers")
    assert lines[2] == "| category | over medlar | over sloe | over rowan | answers |"
    assert [line.split("|")[1].strip() for line in lines[4:]] == [*sorted(CATEGORIES), "all"]
    whole = next(each for each in found.categories[0].preferences if each.other == "rowan")
    assert f"{100 * whole.share:.1f} (" in lines[-1]
    assert sum(int(line.split("|")[-2]) for line in lines[4:-1]) == 1000
    turned = as_paper(found, method="rowan")
    assert f"{100 * (1 - whole.share):.1f} (" in turned.splitlines()[-1]
    latex = as_paper(found, latex=True)
    assert latex.count(r"\\") == 1 + len(CATEGORIES) + 1
    assert r"\begin{tabular}{lrrrr}" in latex


def test_a_method_without_answers_and_an_empty_study_have_no_table(answers, tmp_path):
    with pytest.raises(UsageError, match="pear has no answers; there are quince"):
        as_paper(results_of(answers.everything()), method="pear")
    with pytest.raises(UsageError, match="no answers between two methods"):
        as_paper(results_of(Answers(tmp_path / "empty.sqlite").everything()))


def test_the_text_of_consent_is_read_and_has_a_mark_of_its_own(tmp_path):
    file = tmp_path / "consent.txt"
    file.write_text("I agree.\n\n  I am of age.\n", encoding="utf-8")
    found = read_consent(file, contact="a lab")
    assert found.statements == ("I agree.", "I am of age.")
    assert len({found.mark, read_consent(file).mark, Consent().mark}) == 3
    file.write_text("\n")
    with pytest.raises(InputError, match="has no statement"):
        read_consent(file)
