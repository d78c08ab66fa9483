"""Neighbours that do not show the same things say nothing of light."""

import cv2
import numpy as np
import pytest

import unflicker
from made_clips import scene
from unflicker.motion import estimate_motion
from unflicker.tone.correspondences import correspondences

SIZE = (144, 256)


def picture(seed: int) -> np.ndarray:
    """Blots of all sizes, which no other picture shares."""
    random, whole = np.random.default_rng(seed), np.zeros((*SIZE, 3), np.float32)
    for blur in (2, 5, 12, 30):
        noise = random.normal(0, 1, whole.shape).astype(np.float32)
        noise = cv2.GaussianBlur(noise, (0, 0), blur)
        whole += noise / noise.std()
    return np.clip(0.5 + 0.12 * whole, 0, 1)


def montage(every: int, *, time: int = 48) -> np.ndarray:
    """Another picture every few frames."""
    return np.stack([picture(t // every) for t in range(time)])


@pytest.mark.parametrize("every", [1, 2, 3, 5])
def test_a_montage_stays_bit_for_bit(every: int) -> None:
    frames = np.rint(montage(every) * 255).astype(np.uint8)
    assert np.array_equal(unflicker.deflicker(frames, fps=24, preset="fast"), frames)


def test_pairs_of_unrelated_pictures_have_no_weight() -> None:
    frames = montage(2, time=8)
    pairs = correspondences(frames, estimate_motion(frames))
    assert [pair.are_related for pair in pairs] == [True, False] * 3 + [True]
    assert [bool(pair.weight.any()) for pair in pairs] == [True, False] * 3 + [True]


@pytest.mark.parametrize("noise", [0.0, 0.03, 0.06])
@pytest.mark.parametrize("contrast", [1.0, 0.1, 0.0])
def test_grain_and_plain_walls_do_not_part_neighbours(noise: float, contrast: float) -> None:
    random = np.random.default_rng(1)
    whole = 0.4 + contrast * (scene(seed=3, size=SIZE) - 0.4)
    frames = [whole * gain + random.normal(0, noise, whole.shape) for gain in (1.0, 0.8, 1.1, 0.9)]
    frames = np.clip(np.stack(frames), 0, 1).astype(np.float32)
    pairs = correspondences(frames, estimate_motion(frames))
    assert all(pair.are_related for pair in pairs)


@pytest.mark.parametrize("level", [0.25, 0.7, 1.0])
@pytest.mark.parametrize("light", [1.0, 0.6])
def test_a_flat_frame_is_related_to_none_with_detail(level: float, light: float) -> None:
    frames = np.stack([light * picture(3)] * 5)
    frames[2] = light * level
    pairs = correspondences(frames, estimate_motion(frames))
    assert [pair.are_related for pair in pairs] == [True, False, False, True]
