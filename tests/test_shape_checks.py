"""Shapes are checked in a function's first calls in each file, and in one of some later."""

import numpy as np
import pytest
from jaxtyping import TypeCheckError

import shape_checks
from unflicker.grade import Grade
from unflicker.grade.apply import apply_to_light

LIGHT, NO_LIGHT = np.zeros((4, 5, 3), np.float32), np.zeros((4, 5), np.float32)
IDENTITY = Grade.identity()


def is_refused(light: np.ndarray) -> bool:
    try:
        apply_to_light(light, IDENTITY)
    except TypeCheckError:
        return True
    return False


@pytest.fixture(autouse=True)
def _start_over() -> None:
    """As in another file of tests."""
    shape_checks.start_over()


@pytest.mark.parametrize("file", ["first", "second"])
def test_a_wrong_shape_is_refused_in_the_first_calls_of_a_file(file: str) -> None:
    for _ in range(shape_checks.FIRST):
        assert is_refused(NO_LIGHT)
    assert not is_refused(NO_LIGHT)


def test_a_wrong_shape_is_refused_in_some_later_calls() -> None:
    for _ in range(shape_checks.FIRST):
        assert not is_refused(LIGHT)
    assert sum(is_refused(NO_LIGHT) for _ in range(3 * shape_checks.EVERY)) == 3
