"""Axes grow as in a mirror."""

import numpy as np
import pytest

from unflicker.frames.padding import mirrored


def test_an_axis_runs_back_from_its_border():
    assert mirrored(5, multiple=8).tolist() == [0, 1, 2, 3, 4, 3, 2, 1]


def test_a_short_axis_runs_to_and_fro():
    assert mirrored(3, multiple=8).tolist() == [0, 1, 2, 1, 0, 1, 2, 1]
    assert mirrored(1, multiple=4).tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("length", [1, 2, 7, 16, 17, 33])
def test_it_begins_with_the_axis_itself_and_ends_on_a_multiple(length):
    places = mirrored(length, multiple=16)
    assert np.array_equal(places[:length], np.arange(length))
    assert len(places) % 16 == 0
    assert len(places) - length < 16
