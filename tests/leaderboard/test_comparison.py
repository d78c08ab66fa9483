"""Who is compared, on what, and what the means are."""

import numpy as np
import pytest
from made_scores import CLIPS, DECIBELS, SECONDS, line, made_lines, write_lines

from unflicker.leaderboard import measures as m
from unflicker.leaderboard.comparison import compared, compared_all, mean_ranks
from unflicker.leaderboard.headline import facts, headline
from unflicker.leaderboard.leaderboards import ablation_table, boards, cost_table, kind_table
from unflicker.leaderboard.scores import read_scores


@pytest.fixture
def given(tmp_path):
    """Scores from lines."""
    return lambda lines: read_scores(write_lines(tmp_path, lines))


def everyone(scores, **changes):
    return compared(scores, methods=scores.methods, examples=list(scores.examples), of="fidelity")


def fidelity(method, example, value, **changes):
    return line(method, example, "fidelity", {"psnr": value}, **changes)


def test_means_are_those_of_the_numbers(given):
    comparison = everyone(given(made_lines()))
    for method, base in DECIBELS.items():
        estimate = comparison.estimate(method, m.PSNR)
        assert estimate.mean == pytest.approx(base + 1.0)
        assert estimate.count == 6


def test_speed_is_one_over_the_mean_time(given):
    comparison = everyone(given(made_lines()))
    assert comparison.estimate("fast", m.SPEED).mean == pytest.approx(1 / SECONDS["fast"])
    assert comparison.estimate("input", m.SPEED) is None


def test_a_failed_example_is_left_out_for_everybody(given):
    lines = [*made_lines(), line("histogram", "dance/exposure", "failed", {}, error="no")]
    comparison = everyone(given(lines))
    assert len(comparison.examples) == 5
    assert comparison.estimate("fast", m.PSNR).count == 5
    assert comparison.estimate("fast", m.PSNR).mean == pytest.approx((6 * 37.0 - 40.0) / 5)


def test_a_method_with_few_examples_is_compared_apart_on_them(given):
    lines = [*made_lines(), fidelity("paper", "apple/bands", 33.0)]
    first, second = boards(given(lines))
    assert "paper" not in first.comparison.methods
    assert len(first.comparison.examples) == 6
    assert "paper (Lei 2023) (1)" in first.table.about
    assert second.of_few
    assert second.comparison.examples == ("apple/bands",)
    assert second.comparison.estimate("fast", m.PSNR).mean == pytest.approx(34.0)


def test_who_shares_no_example_with_the_others_is_named(given):
    scores = given([fidelity("a", "x", 1.0), fidelity("a", "y", 1.0), fidelity("b", "z", 2.0)])
    comparison = compared_all(
        scores, methods=["a", "b"], examples=list(scores.examples), of="fidelity"
    )
    assert comparison.fewer == {"b": 1}
    assert comparison.examples == ("x", "y")


def test_guided_methods_are_compared_on_processed_video_alone(given):
    processed = {"category": "processed", "kind": "white balance"}
    lines = made_lines() + [
        line(method, "bedroom", "consistency", {"e_warp_ratio": ratio}, **processed)
        for method, ratio in (("input", 3.0), ("fast", 2.0), ("bonneel", 1.5))
    ]
    made, other = boards(given(lines))
    assert "bonneel" not in made.comparison.methods
    assert [row.method.name for row in other.table.rows] == ["bonneel", "fast", "input"]
    assert [row.method.guided for row in other.table.rows] == [True, False, False]


def test_an_interval_holds_the_mean_and_grows_with_the_clips_difference(given):
    def interval(spread):
        lines = [fidelity("a", f"{clip}/k", 30.0 + spread * k) for k, clip in enumerate(CLIPS)]
        return everyone(given(lines)).estimate("a", m.PSNR)

    narrow, wide = interval(1.0), interval(5.0)
    assert narrow.low <= narrow.mean <= narrow.high
    assert wide.high - wide.low == pytest.approx(5 * (narrow.high - narrow.low))


def test_two_examples_of_one_clip_are_not_two_clips(given):
    lines = [fidelity("a", f"apple/{kind}", 30.0 + kind) for kind in range(6)]
    estimate = everyone(given(lines)).estimate("a", m.PSNR)
    assert estimate.count == 6
    assert estimate.low is None


def test_a_constant_lead_has_no_width(given):
    lead = everyone(given(made_lines())).difference("fast", "histogram", m.PSNR)
    assert (lead.mean, lead.low, lead.high) == pytest.approx((5.0, 5.0, 5.0))


def test_places_count_from_1_and_ties_share_the_better_one(given):
    values = {"a": 36.0, "b": 36.0, "c": 20.0}
    lines = [fidelity(name, "x/k", value) for name, value in values.items()]
    comparison = everyone(given(lines))
    assert mean_ranks([comparison], m.PSNR) == {"a": 1.0, "b": 1.0, "c": 3.0}


@pytest.mark.parametrize(
    ("measure", "better", "worse"),
    [(m.PSNR, 36.0, 30.0), (m.WARP_RATIO, 1.1, 2.0), (m.SHARPNESS, 1.02, 0.9)],
)
def test_each_measure_knows_what_is_better(measure, better, worse):
    assert measure.worse(better) < measure.worse(worse)


def test_kinds_have_their_own_means_and_all_together_theirs(given):
    board = boards(given(made_lines()))[0]
    table = kind_table(board, m.PSNR)
    assert [column.label for column in table.columns] == ["bands", "exposure", "mean", "mean place"]
    fast = next(row for row in table.rows if row.method.name == "fast")
    assert [cell.mean for cell in fast.cells] == pytest.approx([35.0, 39.0, 37.0, 1.0])


def test_parts_left_out_have_a_table_of_their_own(given):
    lines = made_lines({"input": 26.0, "best": 36.0, "best-without-atlas": 35.0})
    scores = given(lines)
    table = ablation_table(scores)
    names = [row.method.name for row in table.rows]
    assert names == ["best", "best-without-atlas", "input"]
    main = boards(scores)[0].comparison.methods
    assert "best-without-atlas" not in main
    assert ablation_table(given(made_lines())) is None


def test_the_input_has_no_cost(given):
    lines = [*made_lines(), line("input", "apple/bands", "cost", {"seconds_a_frame": 1e-6})]
    scores = given(lines)
    assert everyone(scores).estimate("input", m.SPEED) is None
    assert everyone(scores).estimate("fast", m.SPEED).count == 6
    assert "input" not in [row.method.name for row in cost_table(scores).rows]


def test_cost_is_ordered_by_speed(given):
    names = [row.method.name for row in cost_table(given(made_lines())).rows]
    assert names == ["ffmpeg-deflicker", "histogram", "fast"]


def test_the_headline_names_the_winner_and_its_lead(given):
    text = headline(boards(given(made_lines()))[0])
    assert "unflicker fast comes first: 37.0\u00a0dB, 5.0\u00a0dB above the best baseline" in text
    assert "histogram, at 12 frames a second" in text


def test_the_headline_is_honest_when_a_rival_wins(given):
    board = boards(given(made_lines({**DECIBELS, "histogram": 40.0})))[0]
    assert "histogram comes first: 41.0" in headline(board)
    assert "above our best, unflicker fast" in headline(board)
    assert facts(board)[1].value == "+4.0"


def test_reduced_efforts_and_failures_have_footnotes(given):
    lines = [
        {**entry, "effort": "reduced", "width": 160} if entry["method"] == "histogram" else entry
        for entry in made_lines()
    ]
    lines.append(line("ffmpeg-deflicker", "apple/bands", "failed", {}, error="no"))
    table = boards(given(lines))[0].table
    text = " / ".join(table.footnotes)
    assert "effort: reduced" in text
    assert "at 160 px and 24 frames, others 256 px, 24" in text
    assert "failed on 1 of its 6 examples" in text
    marked = {row.method.name for row in table.rows if row.marks}
    assert marked == {"histogram", "ffmpeg-deflicker"}


def test_the_same_scores_give_the_same_intervals(given):
    scores = given(made_lines())
    one, two = (everyone(scores).estimate("fast", m.PSNR) for _ in range(2))
    assert (one.low, one.high) == (two.low, two.high)
    assert np.isfinite([one.low, one.high]).all()


def test_examples_are_in_the_order_people_count_in_whatever_was_done_first(given):
    names = ("b/w10", "b/w3", "a/w1", "b/w1")
    lines = [line("input", name, "fidelity", {"psnr": 30.0}) for name in names]
    assert list(given(lines).examples) == ["a/w1", "b/w1", "b/w3", "b/w10"]
