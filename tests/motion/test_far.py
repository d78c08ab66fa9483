"""Motion over a quarter of the picture and more is found from the shift of the whole picture."""

import cv2
import numpy as np
import pytest

import unflicker
from made_clips import psnr, scene
from unflicker.frames.flow import visibility
from unflicker.frames.structure import normalised
from unflicker.motion import estimate_flow, estimate_motion, match

SIZE = (144, 256)


def leapt(shift: tuple[int, int], *, seed: int) -> np.ndarray:
    """Two pictures of one scene, the second shifted by some px, x first, and darker."""
    wide = scene(seed=seed, size=(360, 560))
    x, y = 150 - shift[0], 108 - shift[1]
    second = wide[y : y + SIZE[0], x : x + SIZE[1]]
    return np.stack([wide[108 : 108 + SIZE[0], 150 : 150 + SIZE[1]], 0.7 * second])


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("shift", [(60, 0), (-45, 20), (30, -40), (0, 50), (-80, 5)])
def test_a_leap_of_the_camera_is_followed(shift: tuple[int, int], seed: int) -> None:
    one, other = leapt(shift, seed=seed)
    flow, seen = match(one, other)
    assert np.median(np.hypot(*np.moveaxis(flow[seen > 0.5] - shift, -1, 0))) < 0.3
    both_show = (1 - abs(shift[0]) / SIZE[1]) * (1 - abs(shift[1]) / SIZE[0])
    assert seen.mean() > 0.85 * both_show


def test_a_leap_leaves_no_trace_in_the_next_search() -> None:
    pictures = np.concatenate([leapt((-70, 10), seed=3), leapt((2, 1), seed=4)])
    alone = estimate_motion(pictures[2:]).forward[0]
    small = scene(seed=5, size=(40, 60))
    for _ in range(2):
        after = estimate_motion(pictures).forward[2]
        np.testing.assert_array_equal(after, alone)
        assert np.abs(match(small, small)[0]).max() < 0.1


def test_unrelated_pictures_are_not_matched_by_a_shift() -> None:
    for seed in range(4, 16, 2):
        one, other = (normalised(scene(seed=seed + k, size=SIZE)) for k in (0, 1))
        flow, seen = match(*(scene(seed=seed + k, size=SIZE) for k in (0, 1)))
        np.testing.assert_array_equal(flow, estimate_flow(one, other))
        assert seen.mean() < 0.5
        np.testing.assert_array_equal(seen, visibility(flow, estimate_flow(other, one)))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_whip_pan_into_a_bright_place_keeps_its_light_under_flicker(seed: int) -> None:
    wide = 0.2 * scene(seed=seed, size=(144, 800))
    wide[:, 400:] = 0.55 + 2 * wide[:, 400:]
    left = 16 + 500 / (1 + np.exp(-(np.arange(72) - 36) / 3))
    truth = np.stack([wide[:, round(x) : round(x) + 256] for x in left])
    for t in range(30, 43):
        truth[t] = cv2.blur(truth[t], (1 + round(abs(np.gradient(left)[t])), 1))
    gain = np.exp(np.random.default_rng(seed).normal(0, 0.06, len(truth)))[:, None, None, None]
    flickering = np.rint(np.clip(truth * gain, 0, 1) * 255).astype(np.uint8)
    steady = unflicker.deflicker(flickering, fps=24, preset="fast")
    truth = np.rint(truth * 255).astype(np.uint8)
    before, after = (
        [psnr(*pair) for pair in zip(film, truth, strict=True)] for film in (flickering, steady)
    )
    assert min(after) > min(before)
    assert np.mean(after) > np.mean(before) + 1
