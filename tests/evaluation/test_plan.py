"""Which method runs on what, in which order, and what of it is there already."""

import json
from pathlib import Path

import pytest

from unflicker.datasets.examples import Example
from unflicker.errors import MissingError, UsageError
from unflicker.evaluation.methods import Effort, Method, chosen, parsed, version_of
from unflicker.evaluation.plan import QUICK, Scope, plan
from unflicker.evaluation.registry import METHODS, method_of
from unflicker.evaluation.results import (
    append_rows,
    done_in,
    merged,
    on_enough,
    pack_scores,
    read_rows,
)
from unflicker.evaluation.selection import Selection, examples_of
from unflicker.evaluation.summary import summary

KINDS = ("exposure", "local", "bands", "w3")
PLACE = "unflicker.evaluation.adapters:unchanged"


def method(name: str, **others) -> Method:
    return Method(name=name, label=name, place=PLACE, **others)


def examples() -> list[Example]:
    nowhere = Path("nowhere")
    made = [
        Example(
            name=f"{clip}/{kind}",
            clip=clip,
            category="synthetic",
            kind=kind,
            video=nowhere,
            truth=nowhere,
        )
        for clip in ("apple", "pear", "plum")
        for kind in KINDS
    ]
    pair = Example(
        name="bike/enhancement",
        clip="bike",
        category="processed",
        kind="enhancement",
        video=nowhere,
        original=nowhere,
    )
    old = Example(name="street", clip="street", category="old movie", kind="", video=nowhere)
    return [*made, pair, old]


def planned(*methods: Method, scope: Scope | None = None, done=frozenset()):
    return plan(methods, examples(), scope or Scope(), weights=None, done=set(done))


def names(found, of: str) -> list[str]:
    jobs = [job for batch in found.batches for job in batch.jobs]
    return [job.example.name for job in jobs if job.method.name == of]


def test_a_guided_method_meets_only_videos_with_an_original():
    assert names(planned(method("guided", guided=True)), "guided") == ["bike/enhancement"]


def test_a_slow_method_meets_every_video_but_few_kinds():
    slow = method("slow", few_kinds=("local", "w3"), seconds_a_frame=5.0)
    found = set(names(planned(slow), "slow"))
    few = {f"{clip}/{kind}" for clip in ("apple", "pear", "plum") for kind in ("local", "w3")}
    assert found == few | {"bike/enhancement", "street"}
    every = planned(slow, scope=Scope(every_kind=True))
    assert len(names(every, "slow")) == len(examples())


def test_a_quick_run_fits_two_clips_and_a_processed_one():
    fitted = method("fitted", efforts={"full": Effort(), "quick": Effort()})
    found = planned(fitted, scope=QUICK)
    assert set(names(found, "fitted")) == {"apple/w3", "pear/w3", "bike/enhancement"}
    assert {batch.effort for batch in found.batches} == {"quick"}


def test_cheap_methods_come_first_and_of_slow_ones_the_longest():
    slow, slower = (
        method(f"slow {seconds}", seconds_a_frame=seconds, few_kinds=KINDS)
        for seconds in (3.0, 6.0)
    )
    found = planned(slow, method("input"), slower, method("cheap"))
    assert [batch.method.name for batch in found.batches][:2] == ["input", "cheap"]
    later = [batch.seconds for batch in found.batches[2:]]
    assert later == sorted(later, reverse=True)


def test_a_dear_batch_is_short_and_no_job_is_lost():
    dear = method("dear", seconds_a_frame=1.0)
    found = planned(dear)
    assert sorted(names(found, "dear")) == sorted(example.name for example in examples())
    assert all(batch.seconds < 180 for batch in found.batches)


def test_what_is_done_at_the_same_effort_size_and_version_is_not_planned_again():
    one = method("one")
    first = planned(one)
    marks = {job.mark for batch in first.batches for job in batch.jobs}
    again = planned(one, done=marks)
    assert (again.jobs, again.done_before) == (0, len(examples()))
    assert planned(one, scope=Scope(frames=48), done=marks).jobs == len(examples())
    other = method("one", efforts={"full": Effort(options={"steps": 3})})
    assert planned(other, done=marks).jobs == len(examples())


def test_a_method_whose_code_or_weights_are_missing_is_left_out_with_the_reason():
    gone = Method(name="gone", label="gone", place="unflicker.nowhere:at_all")
    bare = method("bare", weights={"weights": "bare.safetensors"})
    found = planned(gone, bare, method("there"))
    assert [one.name for one in found.left_out] == ["gone", "bare"]
    assert "unflicker.nowhere" in found.left_out[0].why
    assert "--weights" in found.left_out[1].why
    assert found.jobs == len(examples())


def test_the_version_changes_with_weights_and_with_code_of_ones_own(tmp_path, monkeypatch):
    weights = tmp_path / "some.safetensors"
    weights.write_bytes(b"one")
    trained = method("trained", weights={"weights": weights.name})
    before = version_of(trained, effort="full", weights=tmp_path)
    weights.write_bytes(b"two")
    assert version_of(trained, effort="full", weights=tmp_path) != before
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "my_steady_method.py").write_text("def same(clip):\n    return clip\n")
    mine = parsed("mine=my_steady_method:same")
    before = version_of(mine, effort="full", weights=None)
    (tmp_path / "my_steady_method.py").write_text("def same(clip):\n    return clip  # once more\n")
    assert version_of(mine, effort="full", weights=None) != before


def test_methods_are_chosen_by_name_and_the_input_always_runs(tmp_path, monkeypatch):
    assert [one.name for one in chosen(["fast"], known=METHODS)] == ["input", "fast"]
    usual = [one.name for one in chosen([], known=METHODS)]
    assert "standard" in usual
    assert "standard-without-tone" not in usual
    assert [one.name for one in chosen(["all"], known=METHODS)] == list(METHODS)
    with pytest.raises(UsageError, match="did you mean histogram"):
        chosen(["histogran"], known=METHODS)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "two_methods.py").write_text(
        "def blind(clip, steps=3):\n    return clip\n"
        "def guided(clip, original, *, steps=3):\n    return clip\n"
    )
    own = ["a=two_methods:blind", "b=two_methods:guided"]
    found = chosen([], known=METHODS, added=own)
    assert [(one.name, one.guided) for one in found[1:]] == [("a", False), ("b", True)]
    with pytest.raises(MissingError, match="PYTHONPATH"):
        chosen([], known=METHODS, added=["a=two_methods:nobody"])
    with pytest.raises(UsageError, match="name=package"):
        chosen([], known=METHODS, added=["two_methods:blind"])


def row(which: str, *, example: str = "apple/w3", name: str = "one", **others) -> dict:
    place = {"method": name, "example": example, "category": "synthetic", "set": which}
    mark = {"effort": "full", "width": 480, "frames": 32, "version": "1"}
    return {**place, **mark, "values": {}, **others}


def test_broken_lines_are_passed_over_and_later_lines_win(tmp_path):
    append_rows(tmp_path, [row("cost", values={"seconds_a_frame": 1.0})])
    with (tmp_path / "scores.jsonl").open("a") as file:
        file.write('{"method": "one", "exam')
    append_rows(tmp_path, [row("cost", values={"seconds_a_frame": 2.0})])
    found = merged(read_rows(tmp_path))
    assert [one["values"] for one in found.values()] == [{"seconds_a_frame": 2.0}]
    lines = (tmp_path / "scores.jsonl").read_text().splitlines()
    assert len(lines) == 3
    assert json.loads(lines[2])["values"] == {"seconds_a_frame": 2.0}


def test_a_failure_is_tried_again_and_a_success_takes_its_place(tmp_path):
    append_rows(tmp_path, [row("visible"), row("cost")])
    assert len(done_in(tmp_path)) == 1
    append_rows(tmp_path, [row("failed", error="it broke")])
    assert done_in(tmp_path) == set()
    append_rows(tmp_path, [row("visible"), row("cost")])
    assert {key[2] for key in merged(read_rows(tmp_path))} == {"visible", "cost"}


def test_means_are_over_the_videos_that_all_methods_share():
    scored = [
        row("fidelity", example=f"{clip}/w3", name=name, values={"psnr": value})
        for name, clip, value in (
            ("a", "x", 30.0),
            ("a", "y", 10.0),
            ("a", "z", 5.0),
            ("b", "x", 20.0),
            ("b", "y", 50.0),
            ("b", "z", 35.0),
            ("few", "x", 25.0),
        )
    ]
    lines = [line.split() for line in summary(scored, ["b", "few", "a"]).splitlines()[1:4]]
    assert [(line[0], line[2], line[5]) for line in lines] == [
        ("b", "35.00", "20.00"),
        ("few", "–", "25.00"),
        ("a", "15.00", "30.00"),
    ]


def test_each_method_has_a_name_for_people_and_unknown_names_are_told_by_what_they_say():
    assert len({one.label for one in METHODS.values()}) == len(METHODS)
    assert all(one.about for one in METHODS.values())
    assert method_of("histogram") is METHODS["histogram"]
    best = method_of("best+guide")
    assert (best.label, best.ours, best.guided) == ("unflicker best + guide", True, True)
    assert method_of("fast-without-grade").family == "ablation"
    assert method_of("standard-without-atlas").family == "ablation"
    stranger = method_of("somebody else's")
    assert (stranger.label, stranger.family, stranger.ours) == ("somebody else's", "blind", False)


def test_a_method_with_half_of_the_examples_of_the_busiest_is_compared_and_no_less():
    has = {"most": set("abcd"), "half": set("ab"), "few": set("a"), "none": set()}
    assert list(on_enough(has)) == ["most", "half"]
    assert on_enough({}) == {}


def test_packed_scores_are_read_with_those_next_to_them(tmp_path):
    append_rows(tmp_path, [row("visible"), row("cost")])
    pack_scores(tmp_path, tmp_path / "packed")
    assert [one["set"] for one in read_rows(tmp_path / "packed")] == ["visible", "cost"]
    assert not (tmp_path / "packed" / "scores.jsonl").exists()
    append_rows(tmp_path / "packed", [row("fidelity")])
    assert [one["set"] for one in read_rows(tmp_path / "packed")] == ["visible", "cost", "fidelity"]
    again = (tmp_path / "packed" / "scores.jsonl.gz").read_bytes()
    pack_scores(tmp_path, tmp_path / "packed")
    assert (tmp_path / "packed" / "scores.jsonl.gz").read_bytes() == again


def test_a_quick_run_has_one_processed_video_of_each_task(tmp_path):
    pairs = tmp_path / "processed"
    pairs.mkdir()
    for name in ("depth_a", "depth_b", "enhancement_a", "style_c"):
        for side in ("processed", "original"):
            (pairs / f"{name}_{side}.mp4").touch()
    (tmp_path / "flicker").mkdir()
    found = {
        quick: [
            one.name
            for one in examples_of(
                tmp_path, tmp_path / "out", scope=scope, selection=Selection(), build=False
            )
        ]
        for quick, scope in ((True, QUICK), (False, Scope()))
    }
    assert found[True] == ["a/depth", "a/enhancement", "c/style transfer"]
    assert len(found[False]) == 4
