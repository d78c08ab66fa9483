"""Intervals hold what they should, and pairing takes out what examples share."""

import numpy as np
import pytest

from unflicker.evaluation.intervals import estimated, paired, signed, with_interval
from unflicker.evaluation.suites.paired_means import paired_means


def drawn(clips: int, *, mean: float, seed: int = 0, shared: float = 1.0, own: float = 0.1):
    """Values of two examples a clip; most of their spread is the clip's."""
    random = np.random.default_rng(seed)
    levels = np.random.default_rng(99).normal(0, shared, clips)
    return {
        (f"clip{clip}", kind): mean + levels[clip] + random.normal(0, own)
        for clip in range(clips)
        for kind in ("a", "b")
    }


def clip_of(example: tuple[str, str]) -> str:
    return example[0]


@pytest.mark.parametrize(("clips", "known"), [(2, False), (3, True), (12, True)])
def test_an_interval_needs_three_clips_and_holds_the_mean(clips, known):
    found = estimated(drawn(clips, mean=5.0), clip_of=clip_of)
    assert (found.low is not None) is known
    assert found.count == 2 * clips
    if known:
        assert found.low <= found.mean <= found.high


def test_a_paired_difference_is_surer_than_either_mean():
    one, other = drawn(12, mean=5.2), drawn(12, mean=5.0, seed=1)
    alone, both = estimated(one, clip_of=clip_of), paired(one, other, clip_of=clip_of)
    assert both.mean == pytest.approx(0.2, abs=0.1)
    assert both.high - both.low < 0.2 * (alone.high - alone.low)
    assert both.low > 0


def test_intervals_hold_the_true_mean_about_as_often_as_they_say():
    held = 0
    for trial in range(200):
        values = dict(enumerate(np.random.default_rng(trial).normal(1.0, 1.0, 12)))
        found = estimated(values, clip_of=str)
        held += found.low <= 1.0 <= found.high
    # Percentiles of few clips are a little narrow.
    assert 0.85 <= held / 200 <= 0.98


def test_examples_of_one_clip_do_not_count_as_independent():
    once = {(f"clip{k}", "a"): value for k, value in enumerate((1.0, 2.0, 4.0, 7.0))}
    often = {(clip, f"{kind}{k}"): v for (clip, kind), v in once.items() for k in range(20)}
    few, many = (estimated(values, clip_of=clip_of) for values in (once, often))
    assert (few.low, few.high) == pytest.approx((many.low, many.high))


def test_only_common_examples_are_paired():
    one, other = {("a", "x"): 3.0, ("b", "x"): 5.0}, {("b", "x"): 4.0, ("c", "x"): 0.0}
    assert paired(one, other, clip_of=clip_of).mean == 1.0
    assert paired(one, {}, clip_of=clip_of) is None


def test_texts_have_signs_and_ends():
    found = estimated({str(k): float(v) for k, v in enumerate((1, 2, 3))}, clip_of=str)
    assert signed(found, digits=0) == "+2 (+1 to +3)"
    assert with_interval(found) == "2.0 (1.0 to 3.0)"
    assert signed(None) == with_interval(None) == "–"
    assert signed(estimated({"a": -1.25}, clip_of=str), digits=2) == "-1.25"


@pytest.mark.parametrize("seed", [0, 1])
def test_means_of_a_suite_have_intervals_and_pairs(seed):
    random = np.random.default_rng(seed)
    of_film = random.normal(30, 5, 4)
    rows = [
        {"clip": f"film{k}", "method": name, "left": of_film[k] + more, "rare": 1.0}
        for k in range(4)
        for name, more in (("off", 0.0), ("on", 2.0))
    ]
    rows += [{"clip": "alone", "method": "off", "left": 99.0}]
    text = paired_means(rows, {"left": ("dB", 1), "rare": ("rare", 2)})
    off, on = (line.split(" | ") for line in text.splitlines() if line.startswith("| o"))
    assert (off[1], on[1]) == ("5", "4")
    assert on[3] == "+2.0 (+2.0 to +2.0)"
    assert off[3] == "–"
    assert on[2].startswith(f"{of_film.mean() + 2:.1f} (")
    few = paired_means(
        [row for row in rows if row["clip"] in ("film0", "film1")], {"left": ("dB", 1)}
    )
    assert "+2.0 |" in few
    assert "(" not in few.splitlines()[-1]
