"""Laws of matrices that mix channels: grey stays grey, there and back, saturation and hue."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unflicker.grade.matrix import log_matrix_of, matrix_exponential

small = st.floats(-0.6, 0.6)


def rows(value: float) -> np.ndarray:
    return np.full(3, value)


@settings(deadline=None)
@given(seed=st.integers(0, 10_000))
def test_grey_stays_grey(seed: int) -> None:
    random = np.random.default_rng(seed)
    matrix = matrix_exponential(log_matrix_of(random.normal(0, 0.4, 3), random.normal(0, 0.4, 3)))
    np.testing.assert_allclose(matrix @ rows(0.37), rows(0.37), atol=1e-12)


@settings(deadline=None)
@given(seed=st.integers(0, 10_000), size=st.floats(0.01, 3.0))
def test_the_exponential_of_the_negative_is_the_inverse(seed: int, size: float) -> None:
    logarithm = np.random.default_rng(seed).normal(0, size, (3, 3))
    there, back = matrix_exponential(logarithm), matrix_exponential(-logarithm)
    np.testing.assert_allclose(there @ back, np.eye(3), atol=1e-6 * np.abs(there).max())


@settings(deadline=None)
@given(saturation=small)
def test_saturation_multiplies_the_distance_from_grey(saturation: float) -> None:
    matrix = matrix_exponential(log_matrix_of(rows(saturation), rows(0.0)))
    colour = np.array([0.7, 0.2, 0.4])
    grey = colour.mean()
    np.testing.assert_allclose(matrix @ colour - grey, np.exp(saturation) * (colour - grey))


@settings(deadline=None)
@given(hue=small)
def test_hue_turns_about_grey_and_keeps_saturation(hue: float) -> None:
    matrix = matrix_exponential(log_matrix_of(rows(0.0), rows(hue)))
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-12)
    assert np.trace(matrix) == pytest.approx(1.0 + 2.0 * np.cos(hue))


def test_a_third_of_a_turn_takes_red_to_green() -> None:
    matrix = matrix_exponential(log_matrix_of(rows(0.0), rows(2.0 * np.pi / 3.0)))
    np.testing.assert_allclose(matrix @ [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], atol=1e-9)
