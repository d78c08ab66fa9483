"""Synthetic damage, and where it is."""

import cv2
import numpy as np
import pytest

from made_clips import panning
from unflicker.errors import InputError
from unflicker.synthesis.damage import (
    SEEN,
    damaged,
    drawn_scratches,
    drawn_spots,
    texture_densities,
    texture_spots,
)

SIZE = (108, 192)


def frame() -> np.ndarray:
    return panning(time=1, size=SIZE).pixels[0]


def test_truth_is_where_luma_changes_and_the_rest_is_as_before() -> None:
    density = drawn_spots(np.random.default_rng(1), size=SIZE)
    made = damaged(frame(), density)
    np.testing.assert_array_equal(made.pixels[density == 0], frame()[density == 0])
    assert made.truth.any()
    assert not made.truth[density == 0].any()
    changed = np.abs(made.pixels.astype(float) - frame()).max(axis=2)
    assert (changed[made.truth] >= 255 * SEEN * 0.9).all()


def test_the_same_seed_makes_the_same_spots() -> None:
    one, again = (drawn_spots(np.random.default_rng(4), size=SIZE) for _ in range(2))
    np.testing.assert_array_equal(one, again)
    assert one.min() < 0.0 < one.max()


def test_scratches_are_upright_and_last() -> None:
    lines = list(drawn_scratches(np.random.default_rng(2), size=SIZE, time=12, count=4))
    assert len(lines) == 12
    lasting = (np.stack(lines) != 0).any(axis=1).sum(axis=0)
    assert lasting.max() >= 8
    across, down = ((lines[6] != 0).any(axis=axis).sum() for axis in (0, 1))
    assert down > 2 * across


def test_textures_of_a_folder_are_used(tmp_path) -> None:
    with pytest.raises(InputError, match="no PNG"):
        texture_densities(tmp_path)
    texture = np.zeros((40, 40, 4), np.uint8)
    cv2.circle(texture, (20, 20), 6, (0, 0, 0, 255), -1)
    cv2.imwrite(str(tmp_path / "spot.png"), texture)
    textures = texture_densities(tmp_path)
    random = np.random.default_rng(3)
    density = texture_spots(random, textures, size=SIZE, count=5)
    assert 0.0 < (density != 0).mean() < 0.2
