"""What steadiness along the motion means: known flicker gives known errors."""

import numpy as np
import pytest

from unflicker.metrics import warping_error, warping_error_ratio, warping_error_to_first

TIME, HEIGHT, WIDTH, STEP = 5, 24, 40, 2


def sliding() -> np.ndarray:
    """A texture that moves two pixels to the right each frame."""
    wide = np.random.default_rng(0).random((HEIGHT, WIDTH + TIME * STEP, 3), np.float32) * 0.5
    starts = [(TIME - t) * STEP for t in range(TIME)]
    return np.stack([wide[:, start : start + WIDTH] for start in starts])


def flows_back(steps: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """The flow back by some pixels to the left for each pair, and where it stays in the picture."""
    flows = np.zeros((len(steps), HEIGHT, WIDTH, 2), np.float32)
    visible = np.zeros((len(steps), HEIGHT, WIDTH), np.float32)
    for index, step in enumerate(steps):
        flows[index, ..., 0] = -step
        visible[index, :, step:] = 1
    return flows, visible


def test_a_steady_moving_clip_has_no_error():
    flows, visible = flows_back([STEP] * (TIME - 1))
    assert warping_error(sliding(), flows=flows, visible=visible) == pytest.approx(0, abs=1e-6)


def test_alternating_light_gives_its_own_size():
    flows, visible = flows_back([STEP] * (TIME - 1))
    light = np.array([0.0, 0.1, 0.0, 0.1, 0.0], np.float32)[:, None, None, None]
    error = warping_error(sliding() + light, flows=flows, visible=visible)
    assert error == pytest.approx(0.1, abs=1e-5)


def test_drift_shows_against_the_first_frame():
    light = np.array([0.0, 0.1, 0.2, 0.3, 0.4], np.float32)[:, None, None, None]
    clip = sliding() + light
    flows, visible = flows_back([STEP] * (TIME - 1))
    near = warping_error(clip, flows=flows, visible=visible)
    flows, visible = flows_back([STEP * t for t in range(1, TIME)])
    visible[:, :, : STEP * (TIME - 1)] = 0
    far = warping_error_to_first(clip, flows=flows, visible=visible)
    assert near == pytest.approx(0.1, abs=1e-5)
    assert far == pytest.approx(0.25, abs=1e-5)


def test_lost_pixels_are_left_out():
    clip = sliding()
    clip[2, 5:9, 10:20] = 1.0
    valid = np.ones((TIME, HEIGHT, WIDTH), bool)
    valid[2, 5:9, 10:20] = False
    flows, visible = flows_back([STEP] * (TIME - 1))
    assert warping_error(clip, flows=flows, visible=visible) > 0.005
    error = warping_error(clip, flows=flows, visible=visible, valid=valid)
    assert error == pytest.approx(0, abs=1e-6)


def test_hidden_pixels_are_left_out():
    clip = sliding()
    clip[2, 5:9, 10:20] = 1.0
    flows, visible = flows_back([STEP] * (TIME - 1))
    visible[:, 5:9] = 0
    assert warping_error(clip, flows=flows, visible=visible) == pytest.approx(0, abs=1e-6)


def test_the_ratio_is_one_for_the_clean_clip_and_more_under_flicker():
    noise = np.random.default_rng(1).normal(0, 0.01, (TIME, HEIGHT, WIDTH, 3)).astype(np.float32)
    clean = sliding() + noise
    flows, visible = flows_back([STEP] * (TIME - 1))
    assert warping_error_ratio(clean, clean, flows=flows, visible=visible) == 1.0
    light = np.array([0.0, 0.1, 0.0, 0.1, 0.0], np.float32)[:, None, None, None]
    assert warping_error_ratio(clean + light, clean, flows=flows, visible=visible) > 3


def test_a_still_has_a_ratio():
    still = np.full((3, HEIGHT, WIDTH, 3), 0.5, np.float32)
    flows, visible = flows_back([0, 0])
    assert warping_error_ratio(still, still, flows=flows, visible=visible) == 1.0
    flickering = still * np.array([1, 0.9, 1], np.float32)[:, None, None, None]
    ratio = warping_error_ratio(flickering, still, flows=flows, visible=visible)
    assert ratio == float("inf")


def test_a_single_frame_has_no_error():
    flows, visible = flows_back([])
    assert warping_error(sliding()[:1], flows=flows, visible=visible) == 0.0


def test_too_few_flows_are_refused():
    flows, visible = flows_back([STEP])
    with pytest.raises(ValueError, match="one less than frames"):
        warping_error(sliding(), flows=flows, visible=visible)
