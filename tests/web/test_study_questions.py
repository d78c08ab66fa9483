"""Which questions a person is asked, and what material there is to ask about."""

import itertools
import json
from collections import Counter
from random import Random

import pytest
from made_results import FOLDERS, METHODS

from unflicker.errors import InputError, UsageError
from unflicker.study import Plan, read_material
from unflicker.study.material import Example, Material, Pair, folder_name
from unflicker.study.questions import choose_questions


def material_of(examples: int, methods: int) -> Material:
    names = [f"method {index}" for index in range(methods)]
    pairs = [
        Pair(example=f"clip {index}", category="old movie", one=one, other=other)
        for index in range(examples)
        for place, one in enumerate(names)
        for other in names[place + 1 :]
    ]
    described = {
        f"clip {index}": Example(name=f"clip {index}", category="old movie", videos={})
        for index in range(examples)
    }
    return Material(examples=described, pairs=tuple(pairs))


def asked_by(people: int, *, material: Material, plan: Plan) -> list[list]:
    """What people one after the other are asked, each answering all."""
    asked: Counter[Pair] = Counter()
    courses = []
    for person in range(people):
        questions = choose_questions(material, asked=asked, plan=plan, chance=Random(person))
        for each in questions:
            one, other = sorted((each.left, each.right))
            asked[Pair(example=each.example, category="", one=one, other=other)] += 1
        courses.append(questions)
    return courses


def test_every_pair_of_methods_is_asked_about_equally_often():
    material, plan = material_of(5, 4), Plan(pairs=10, checks=0)
    courses = asked_by(12, material=material, plan=plan)
    methods = Counter(tuple(sorted((q.left, q.right))) for course in courses for q in course)
    cells = Counter((q.example, *sorted((q.left, q.right))) for course in courses for q in course)
    assert set(methods.values()) == {12 * 10 // 6}
    assert len(cells) == 30
    assert max(cells.values()) - min(cells.values()) <= 1


def test_what_was_asked_least_comes_first():
    material, plan = material_of(3, 3), Plan(pairs=1, checks=0)
    rare = material.pairs[4]
    asked = {pair: 5 for pair in material.pairs if pair != rare}
    for person in range(5):
        (question,) = choose_questions(material, asked=asked, plan=plan, chance=Random(person))
        assert {question.left, question.right} == {rare.one, rare.other}
        assert question.example == rare.example


def test_sides_and_order_are_by_chance_and_the_same_for_one_person():
    material, plan = material_of(6, 2), Plan(pairs=6, checks=0)
    courses = asked_by(100, material=material, plan=plan)
    left = sum(question.left == "method 0" for course in courses for question in course)
    assert 240 < left < 360
    assert len({tuple(q.example for q in course) for course in courses}) > 50
    again = choose_questions(material, asked={}, plan=plan, chance=Random(0))
    assert again == courses[0]


def test_nobody_is_asked_a_pair_twice_and_examples_change_from_pair_to_pair():
    material, plan = material_of(8, 3), Plan(pairs=20, checks=0)
    for course in asked_by(10, material=material, plan=plan):
        assert len({(q.example, *sorted((q.left, q.right))) for q in course}) == 20
        twice = sum(a.example == b.example for a, b in itertools.pairwise(course))
        assert twice <= 2


def test_where_there_are_fewer_pairs_all_are_asked():
    questions = choose_questions(
        material_of(1, 3), asked={}, plan=Plan(pairs=20, checks=0), chance=Random(0)
    )
    assert len(questions) == 3


def test_checks_are_the_input_against_the_truth_and_one_video_twice(results):
    material = read_material(results)
    questions = choose_questions(material, asked={}, plan=Plan(pairs=4, checks=3), chance=Random(1))
    kinds = Counter(question.kind for question in questions)
    assert kinds == {"pair": 4, "clear": 1, "same": 2}
    assert questions[0].kind == "pair"
    for question in questions:
        names = {question.left, question.right}
        if question.kind == "clear":
            assert (question.example, names) == (FOLDERS[0], {"input", "truth"})
        elif question.kind == "same":
            assert len(names) == 1


def test_a_plan_without_pairs_is_refused():
    with pytest.raises(UsageError, match="at least 1 pair"):
        Plan(pairs=0)


def test_a_folder_of_results_gives_every_pair_with_its_category(results):
    material = read_material(results)
    assert material.methods == METHODS
    assert len(material.pairs) == 6
    assert {pair.category for pair in material.pairs} == {"synthetic", "old movie"}
    assert material.video(FOLDERS[0], "quince").is_file()
    assert material.video(FOLDERS[0], "../../scores") is None
    assert material.video("nothing", "quince") is None


def test_only_methods_asked_for_are_compared(results):
    assert read_material(results, methods=("quince", "sloe")).methods == ("quince", "sloe")
    against = read_material(results, against="quince")
    assert {(pair.one, pair.other) for pair in against.pairs} == {
        ("medlar", "quince"),
        ("quince", "sloe"),
    }
    one = read_material(results, methods=("sloe",), against="quince")
    assert {(pair.one, pair.other) for pair in one.pairs} == {("quince", "sloe")}


def test_input_truth_and_original_are_no_methods(results):
    with pytest.raises(UsageError, match="no result is of a method named 'input'"):
        read_material(results, methods=("input", "sloe"))


def test_a_misspelt_method_is_refused_with_the_nearest_one(results):
    with pytest.raises(UsageError, match="did you mean quince"):
        read_material(results, methods=("quinze", "sloe"))
    with pytest.raises(UsageError, match="only sloe is asked for"):
        read_material(results, methods=("sloe",))


def test_folders_without_results_are_refused(tmp_path):
    with pytest.raises(InputError, match="unflicker evaluate"):
        read_material(tmp_path)
    (tmp_path / "videos" / "clip").mkdir(parents=True)
    with pytest.raises(InputError, match="nothing to compare"):
        read_material(tmp_path)
    (tmp_path / "videos" / "clip" / "fast.mp4").write_bytes(b"x")
    (tmp_path / "videos" / "clip" / "empty.mp4").write_bytes(b"")
    (tmp_path / "videos" / "other").mkdir()
    (tmp_path / "videos" / "other" / "paper.mp4").write_bytes(b"x")
    with pytest.raises(InputError, match="no example has results of two"):
        read_material(tmp_path)


def test_scores_that_are_torn_or_strange_only_lose_categories(results):
    lines = ["[]", "3", '{"example": 5, "category": "x"}', "{", json.dumps({"example": "a"})]
    (results / "scores.jsonl").write_text("\n".join(lines), encoding="utf-8")
    assert {pair.category for pair in read_material(results).pairs} == {""}


def test_an_example_lies_in_a_folder_of_its_name():
    assert folder_name("bedroom/white balance") == "bedroom__white-balance"
