"""Laws of the grade itself: the identity, and shares of a grade."""

import dataclasses

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from made_pictures import curve, gain, mixed, nothing_but_work, smooth
from unflicker.grade import Grade
from unflicker.grade.apply import apply_to_light
from unflicker.grade.grade import KNOTS, bin_luma, curve_inputs


@pytest.mark.parametrize("shape", [(1, 1, 1), (4, 5, 6)])
def test_the_identity_says_so(shape: tuple[int, int, int]) -> None:
    rows, columns, bins = shape
    grade = Grade.identity(rows=rows, columns=columns, bins=bins)
    assert grade.is_identity
    assert grade.log_gain.shape == (*shape, 3)


@pytest.mark.parametrize("grade", [gain(1e-6), curve(1.0001), nothing_but_work(), smooth()])
def test_whatever_changes_anything_is_not_the_identity(grade: Grade) -> None:
    assert not grade.is_identity


def test_full_strength_is_the_grade_itself_and_none_the_identity() -> None:
    grade = smooth()
    assert grade.scaled(1.0) is grade
    assert grade.scaled(0.0).is_identity
    identity = Grade.identity()
    assert identity.scaled(0.3) is identity


@given(strength=st.floats(-1.0, 1.0), exponent=st.floats(0.6, 1.6), stops=st.floats(-2.0, 2.0))
def test_strength_acts_on_log_gain(strength: float, exponent: float, stops: float) -> None:
    grade = Grade(curves=curve(exponent).curves, log_gain=gain(stops).log_gain)
    scaled = grade.scaled(strength)
    np.testing.assert_allclose(scaled.log_gain, grade.log_gain * strength, atol=1e-6)
    # The knots next to black are so dark that a share of them is taken of a least value.
    inputs = curve_inputs()[4:]
    whole = np.log(grade.curves[:, 4:] / inputs)
    np.testing.assert_allclose(np.log(scaled.curves[:, 4:] / inputs), whole * strength, atol=2e-5)


@given(first=st.floats(0.1, 0.9), second=st.floats(0.1, 0.9))
def test_a_share_of_a_share_is_their_product(first: float, second: float) -> None:
    grade = smooth()
    twice, once = grade.scaled(first).scaled(second), grade.scaled(first * second)
    np.testing.assert_allclose(twice.log_gain, once.log_gain, atol=1e-6)
    np.testing.assert_allclose(twice.curves, once.curves, atol=1e-5)


@given(stops=st.floats(-2.0, 2.0))
def test_stops_by_place_are_the_stops_of_a_gain(stops: float) -> None:
    by_place = gain(stops).stops_by_place(rows=3, columns=4)
    assert by_place.shape == (3, 4)
    np.testing.assert_allclose(by_place, 2.4 * stops, atol=1e-4)


def test_stops_of_a_curve_are_those_of_middle_grey() -> None:
    stops = curve(1.5).stops_by_place(rows=1, columns=1)[0, 0]
    assert stops == pytest.approx(2.4 * np.log2(0.4**0.5), abs=0.05)


def test_stops_by_place_keep_their_places() -> None:
    log_gain = np.zeros((4, 4, 1, 3), np.float32)
    log_gain[:, 2:] = np.log(2.0)
    stops = Grade(curves=Grade.identity().curves, log_gain=log_gain).stops_by_place(
        rows=2, columns=2
    )
    np.testing.assert_allclose(stops, [[0, 2.4], [0, 2.4]], atol=1e-5)


def test_knots_and_bins_span_black_to_white_and_are_closer_near_black() -> None:
    for places in (curve_inputs(), bin_luma(6)):
        assert places[0] == 0.0
        assert places[-1] == 1.0
        assert np.all(np.diff(places, 2) > -1e-6)
        assert np.all(np.diff(places) > 0)
    assert len(curve_inputs()) == KNOTS


def _grid(seed: int, deviation: float, *, grey: bool = False) -> np.ndarray:
    nodes = np.random.default_rng(seed).normal(0.0, deviation, (3, 4, 2 * 3)).astype(np.float32)
    cells = cv2.resize(nodes, (32, 24), interpolation=cv2.INTER_CUBIC).reshape(24, 32, 1, 2, 3)
    slope = np.linspace(-1.0, 1.0, 6, dtype=np.float32)[:, None]
    grid = cells[..., 0, :] + cells[..., 1, :] * slope
    return np.repeat(grid.mean(axis=3, keepdims=True), 3, axis=3) if grey else grid


def test_one_pair_of_curves_and_grid_does_what_two_grades_do_in_turn() -> None:
    light = np.random.default_rng(0).uniform(0.1, 0.8, (48, 64, 3)).astype(np.float32)
    light[:] = light.mean(axis=2, keepdims=True)
    first = Grade(curves=curve(0.8).curves, log_gain=_grid(1, 0.08, grey=True))
    later = _grid(2, 0.08)
    chain = apply_to_light(apply_to_light(light, first), Grade.identity().followed_by(later))
    pair = apply_to_light(light, first.followed_by(later))
    assert np.abs(pair - chain).max() < 0.012
    unaware = Grade(curves=first.curves, log_gain=first.log_gain + later)
    naive = apply_to_light(light, unaware)
    assert np.abs(pair - chain).mean() < 0.7 * np.abs(naive - chain).mean()


def _smooth_grid(seed: int, shape: tuple[int, int, int]) -> np.ndarray:
    """Gains that vary slowly over the picture and the tones, the same for all channels."""
    random = np.random.default_rng(seed)
    rows, columns, bins = shape
    fields = [random.uniform(-0.2, 0.2, (3, 4)).astype(np.float32) for _ in range(2)]
    dark, bright = (cv2.resize(field, (columns, rows)) for field in fields)
    share = np.sqrt(bin_luma(bins))
    grid = dark[..., None] * (1 - share) + bright[..., None] * share
    return np.repeat(grid[..., None], 3, axis=3).astype(np.float32)


@pytest.mark.parametrize(
    ("first", "later", "joined"),
    [
        ((24, 32, 6), (36, 64, 1), (36, 64, 6)),
        ((1, 1, 1), (36, 64, 1), (36, 64, 1)),
        ((36, 64, 1), (24, 32, 6), (36, 64, 6)),
        ((24, 32, 6), (20, 60, 1), (24, 60, 6)),
    ],
)
@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_grids_of_different_cells_and_tones_join_to_what_they_do_in_turn(
    first: tuple[int, int, int],
    later: tuple[int, int, int],
    joined: tuple[int, int, int],
    seed: int,
) -> None:
    grey = np.random.default_rng(seed).uniform(0.05, 0.7, (72, 128, 1))
    light = np.repeat(grey, 3, axis=2).astype(np.float32)
    before = Grade(curves=curve(0.9).curves, log_gain=_smooth_grid(seed, first))
    after = _smooth_grid(seed + 1, later)
    pair = before.followed_by(after)
    assert pair.log_gain.shape == (*joined, 3)
    chain = Grade.identity().followed_by(after)
    in_turn = apply_to_light(apply_to_light(light, before), chain)
    assert np.abs(apply_to_light(light, pair) - in_turn).max() < 0.012
    assert np.abs(apply_to_light(light, pair) - in_turn).mean() < 0.001


def test_a_grid_of_one_tone_is_the_same_at_any_scale_and_under_any_curve() -> None:
    fine = Grade.identity().followed_by(_smooth_grid(3, (36, 64, 1)))
    for moved in (fine.at_scale(4.0), fine.recurved(curve(1.1).curves)):
        np.testing.assert_array_equal(moved.log_gain, fine.log_gain)


def test_nothing_after_a_grade_is_the_grade() -> None:
    grade = smooth()
    assert grade.followed_by(np.zeros((24, 32, 6, 3), np.float32)) is grade


@settings(deadline=None)
@given(seed=st.integers(0, 10_000), strength=st.floats(0.0, 1.0))
def test_strength_acts_on_the_logarithm_of_the_matrix(seed: int, strength: float) -> None:
    random = np.random.default_rng(seed)
    grade = mixed(random.uniform(0.05, 0.4), random.uniform(-0.3, 0.3), grade=smooth())
    part, rest = grade.scaled(strength), grade.scaled(1.0 - strength)
    np.testing.assert_allclose(part.matrix @ rest.matrix, grade.matrix, atol=1e-5)
    assert grade.scaled(0.0).is_identity


def test_a_matrix_alone_is_not_the_identity_and_outlives_later_gains() -> None:
    grade = mixed(1e-4)
    assert not grade.is_identity
    assert grade.mixes
    assert not smooth().mixes
    later = smooth(bins=2).log_gain
    np.testing.assert_array_equal(grade.followed_by(later).log_matrix, grade.log_matrix)
    np.testing.assert_array_equal(grade.stops_by_place(rows=2, columns=2), 0.0)


def test_a_matrix_stays_at_another_scale_and_under_later_curves() -> None:
    less = np.array([[-0.2, 0.1, 0.1], [0.1, -0.2, 0.1], [0.1, 0.1, -0.2]], np.float32)
    grade = dataclasses.replace(curve(1.2), log_matrix=less)
    for other in (grade.at_scale(4.0), grade.recurved(curve(0.9).curves)):
        np.testing.assert_array_equal(other.log_matrix, less)
    gains = dataclasses.replace(gain(0.5), log_matrix=less).recurved(curve(0.9).curves)
    np.testing.assert_array_equal(gains.log_matrix, less)


def test_a_mixed_grade_at_another_scale_does_the_same_to_darker_light() -> None:
    less = np.array([[-0.2, 0.1, 0.1], [0.1, -0.2, 0.1], [0.1, 0.1, -0.2]], np.float32)
    grade = dataclasses.replace(Grade.identity(), log_matrix=less)
    light = np.random.default_rng(3).uniform(0.1, 0.9, (8, 8, 3)).astype(np.float32)
    wanted = apply_to_light(light, grade) / 4.0
    np.testing.assert_allclose(apply_to_light(light / 4.0, grade.at_scale(4.0)), wanted, atol=1e-3)
