"""Pictures in memory that are refused, and rates: by name, with what was got."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import unflicker
from unflicker.errors import UsageError
from unflicker.rendering.checks import checked_rate


@pytest.mark.parametrize("shape", [(4, 8), (4, 8, 8, 2), (4, 8, 8, 5), (2, 4, 8, 8, 3)])
def test_arrays_of_another_shape_are_refused(shape) -> None:
    with pytest.raises(UsageError, match="frames of shape"):
        unflicker.deflicker(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("dtype", [np.int16, bool, np.complex64])
def test_arrays_of_another_type_are_refused(dtype) -> None:
    with pytest.raises(UsageError, match="pass uint8, uint16, or floats"):
        unflicker.deflicker(np.zeros((4, 8, 8, 3), dtype))


@pytest.mark.parametrize("fps", [0.0, -24.0, float("nan"), float("inf"), 1e-9, 1e9])
def test_a_rate_that_is_none_is_refused(fps: float) -> None:
    pixels = np.zeros((4, 8, 8, 3), np.uint8)
    with pytest.raises(UsageError, match="frames a second"):
        unflicker.deflicker(pixels, fps=fps)
    with pytest.raises(UsageError, match="frames a second"):
        list(unflicker.stream(pixels, fps=fps))


@pytest.mark.parametrize("fps", [None, "25", [25], True, 25j, {}])
def test_what_is_no_number_is_no_rate(fps: Any) -> None:
    with pytest.raises(UsageError, match=r"pass a number, such as 25\.0"):
        checked_rate(fps)


@pytest.mark.parametrize("fps", [np.float32(24), np.int64(24), Fraction(24), 24])
def test_a_rate_may_be_any_kind_of_number(fps: Any) -> None:
    assert checked_rate(fps) == 24.0


@pytest.mark.parametrize("fps", [Fraction(30_000, 1001), 1 / 86_400, 0.001, 50_000])
def test_a_film_may_be_slow_or_fast(fps: float | Fraction) -> None:
    pixels = np.full((4, 8, 8, 3), 99, np.uint8)
    np.testing.assert_array_equal(unflicker.deflicker(pixels, fps=fps, preset="fast"), pixels)
    assert len(list(unflicker.stream(pixels, fps=fps, preset="fast"))) == 4


@pytest.mark.parametrize("shape", [(0, 8, 8, 3), (0, 8, 8)])
def test_no_frames_give_no_frames(shape) -> None:
    assert unflicker.deflicker(np.zeros(shape, np.uint8)).shape == shape


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_floats_that_are_no_numbers_are_refused_by_frame(value: float) -> None:
    frames = np.full((12, 8, 8, 3), 0.5, np.float32)
    frames[5, 3] = value
    with pytest.raises(UsageError, match="first in frame 5"):
        unflicker.deflicker(frames)


def test_values_outside_0_to_1_are_refused_with_what_was_got() -> None:
    with pytest.raises(UsageError, match=r"from 0 to 255; .*divide 8-bit codes by 255"):
        unflicker.deflicker(np.linspace(0, 255, 4 * 8 * 8 * 3).reshape(4, 8, 8, 3))
