"""Laws of the grade itself: the identity, and shares of a grade."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from made_pictures import curve, gain, nothing_but_work, smooth
from unflicker.grade import Grade
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
    np.testing.assert_allclose(by_place, stops, atol=1e-5)


def test_stops_of_a_curve_are_those_of_middle_grey() -> None:
    stops = curve(1.5).stops_by_place(rows=1, columns=1)[0, 0]
    assert stops == pytest.approx(np.log2(0.4**0.5), abs=0.02)


def test_stops_by_place_keep_their_places() -> None:
    log_gain = np.zeros((4, 4, 1, 3), np.float32)
    log_gain[:, 2:] = np.log(2.0)
    stops = Grade(curves=Grade.identity().curves, log_gain=log_gain).stops_by_place(
        rows=2, columns=2
    )
    np.testing.assert_allclose(stops, [[0, 1], [0, 1]], atol=1e-6)


def test_knots_and_bins_span_black_to_white_and_are_closer_near_black() -> None:
    for places in (curve_inputs(), bin_luma(6)):
        assert places[0] == 0.0
        assert places[-1] == 1.0
        assert np.all(np.diff(places, 2) > -1e-6)
        assert np.all(np.diff(places) > 0)
    assert len(curve_inputs()) == KNOTS
