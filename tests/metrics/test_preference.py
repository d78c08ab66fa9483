"""Shares and rankings from choices: values of the literature, and what they must obey."""

import numpy as np
import pytest

from unflicker.errors import UsageError
from unflicker.metrics.preference import chances, strengths, uncertainty, wilson

# American League 1987, wins of the row over the column (Agresti, Categorical Data Analysis).
TEAMS = ("Milwaukee", "Detroit", "Toronto", "New York", "Boston", "Cleveland", "Baltimore")
BASEBALL = np.array(
    [
        [0, 7, 9, 7, 7, 9, 11],
        [6, 0, 7, 5, 11, 9, 9],
        [4, 6, 0, 7, 7, 8, 12],
        [6, 8, 6, 0, 6, 7, 10],
        [6, 2, 6, 7, 0, 7, 12],
        [4, 4, 5, 6, 6, 0, 6],
        [2, 4, 1, 3, 1, 7, 0],
    ],
    float,
)
# Strengths over Baltimore's as the R package BradleyTerry2 prints them for this table.
PUBLISHED = (1.5814, 1.4364, 1.2945, 1.2476, 1.1077, 0.6839, 0.0)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_intervals_are_those_of_the_textbook(successes, trials, low, high):
    # Newcombe, Two-sided confidence intervals for the single proportion, 1998, table I, method 3.
    interval = wilson(successes, trials)
    assert interval.low == pytest.approx(low, abs=5e-5)
    assert interval.high == pytest.approx(high, abs=5e-5)
    assert interval.share == successes / trials


def test_a_share_and_the_share_of_the_others_are_mirror_images():
    one, other = wilson(7.5, 20), wilson(12.5, 20)
    assert one.low == pytest.approx(1 - other.high)
    assert one.high == pytest.approx(1 - other.low)


def test_more_trials_make_the_interval_narrow_and_none_say_nothing():
    few, many, none = wilson(6, 10), wilson(600, 1000), wilson(0, 0)
    assert many.high - many.low < 0.2 * (few.high - few.low)
    assert (none.low, none.share, none.high) == (0.0, 0.5, 1.0)


def test_more_successes_than_trials_are_refused():
    with pytest.raises(ValueError, match="3 successes of 2"):
        wilson(3, 2)


def test_strengths_of_a_published_table_are_the_published_ones():
    logs = strengths(BASEBALL)
    np.testing.assert_allclose(logs - logs[-1], PUBLISHED, atol=5e-5)


def test_expected_wins_are_those_seen():
    logs = strengths(BASEBALL)
    likely = 1 / (1 + np.exp(logs[None, :] - logs[:, None]))
    expected = ((BASEBALL + BASEBALL.T) * likely).sum(axis=1)
    np.testing.assert_allclose(expected, BASEBALL.sum(axis=1), atol=1e-4)


def test_two_methods_have_the_odds_of_their_wins():
    logs = strengths(np.array([[0.0, 30.0], [10.0, 0.0]]))
    assert logs[0] - logs[1] == pytest.approx(np.log(3))
    np.testing.assert_allclose(chances(logs), [0.75, 0.25])


def test_a_method_that_always_wins_needs_virtual_draws():
    wins = np.array([[0.0, 5.0, 5.0], [0.0, 0.0, 2.0], [0.0, 3.0, 0.0]])
    with pytest.raises(UsageError, match="no finite strength"):
        strengths(wins)
    logs = strengths(wins, virtual_draws=1.0)
    assert np.isfinite(logs).all()
    assert list(np.argsort(-logs)) == [0, 2, 1]


def test_virtual_draws_change_little_where_much_was_seen():
    np.testing.assert_allclose(
        strengths(100 * BASEBALL, virtual_draws=1.0), strengths(100 * BASEBALL), atol=2e-3
    )


def test_several_tables_at_once_are_as_one_by_one():
    tables = np.stack([BASEBALL, 2 * BASEBALL.T + 1 - np.eye(7)])
    together = strengths(tables, virtual_draws=0.5)
    for table, logs in zip(tables, together, strict=True):
        np.testing.assert_allclose(strengths(table, virtual_draws=0.5), logs, atol=1e-5)


def test_chances_are_a_half_on_average_and_for_one_alone():
    assert chances(strengths(BASEBALL)).mean() == pytest.approx(0.5)
    np.testing.assert_array_equal(chances(np.zeros(1)), [0.5])


def test_methods_never_compared_are_of_middling_strength():
    wins = np.zeros((3, 3))
    wins[0, 1] = wins[1, 0] = 4.0
    np.testing.assert_allclose(strengths(wins, virtual_draws=1.0), 0.0, atol=1e-9)


def test_uncertainty_of_two_methods_is_that_of_their_log_odds():
    covariance = uncertainty(np.array([[0.0, 30.0], [10.0, 0.0]]))
    difference = np.array([1.0, -1.0])
    assert difference @ covariance @ difference == pytest.approx(1 / 30 + 1 / 10)


def test_uncertainty_is_how_much_strengths_vary_from_study_to_study():
    logs, random = strengths(BASEBALL), np.random.default_rng(0)
    likely = 1 / (1 + np.exp(logs[None, :] - logs[:, None]))
    games = np.triu(BASEBALL + BASEBALL.T, 1).astype(int)
    won = random.binomial(games, np.triu(likely, 1), size=(500, 7, 7)).astype(float)
    again = strengths(
        won + np.swapaxes(np.triu(games - won, 1), 1, 2), virtual_draws=1e-6, settled=1e-5
    )
    seen = again.std(axis=0)
    np.testing.assert_allclose(np.sqrt(np.diag(uncertainty(BASEBALL))), seen, rtol=0.15)
