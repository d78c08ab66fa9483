"""What steadiness along the motion means: known flicker gives known errors."""

import cv2
import numpy as np
import pytest

from unflicker.metrics import (
    Paths,
    e_warp,
    lai_warp,
    over_own,
    sharpness_ratio,
    squared_warping_error,
    vbench_flickering_gain,
    warping_error,
    warping_error_ratio,
    warping_error_to_first,
)

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


def test_the_squared_error_of_alternating_light_is_its_size_squared():
    flows, visible = flows_back([STEP] * (TIME - 1))
    light = np.array([0.0, 0.1, 0.0, 0.1, 0.0], np.float32)[:, None, None, None]
    error = squared_warping_error(sliding() + light, flows=flows, visible=visible)
    assert error == pytest.approx(0.01, abs=1e-6)


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


def paths_back(steps: list[int], *, first: tuple[int, ...] | None = None) -> Paths:
    """The paths of a clip that slides by known steps, all that stays in the picture seen."""
    back, seen = flows_back(steps)
    to_first, seen_in_first = flows_back(list(np.cumsum(steps)))
    return Paths(
        back=back,
        seen=seen > 0,
        to_first=to_first,
        seen_in_first=seen_in_first > 0,
        first=first or (0,) * len(steps),
    )


STEADILY = [STEP] * (TIME - 1)


def test_both_published_errors_of_a_steady_moving_clip_are_nothing():
    assert e_warp(sliding(), paths=paths_back(STEADILY)) == pytest.approx(0, abs=1e-6)
    assert lai_warp(sliding(), paths=paths_back(STEADILY)) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("amplitude", [0.05, 0.1, 0.2])
def test_the_paper_s_error_adds_the_change_since_the_frame_before_and_since_the_first(amplitude):
    light = np.array([0, 1, 0, 1, 0], np.float32)[:, None, None, None] * np.float32(amplitude)
    error = e_warp(sliding() + light, paths=paths_back(STEADILY))
    # Four neighbours differ by the amplitude; two of four frames differ from the first by it.
    assert error == pytest.approx(amplitude + amplitude / 2, abs=1e-5)


@pytest.mark.parametrize("amplitude", [0.05, 0.1, 0.2])
def test_lai_s_error_is_the_square_of_the_change_between_neighbours(amplitude):
    light = np.array([0, 1, 0, 1, 0], np.float32)[:, None, None, None] * np.float32(amplitude)
    error = lai_warp(sliding() + light, paths=paths_back(STEADILY))
    assert error == pytest.approx(amplitude**2, abs=1e-5)


def test_drift_is_seen_by_the_paper_s_error_more_than_by_lai_s():
    light = np.linspace(0, 0.4, TIME, dtype=np.float32)[:, None, None, None]
    clip = sliding() + light
    assert e_warp(clip, paths=paths_back(STEADILY)) == pytest.approx(0.1 + 0.25, abs=1e-5)
    assert lai_warp(clip, paths=paths_back(STEADILY)) == pytest.approx(0.01, abs=1e-5)


def test_every_pair_counts_alike_however_little_is_seen_of_it():
    light = np.array([0.0, 0.0, 0.4], np.float32)[:, None, None, None]
    paths = paths_back([0, 0])
    paths.seen[1] = False
    paths.seen[1, :2, :2] = True
    paths.seen_in_first[:] = False
    still = np.repeat(sliding()[:1], 3, axis=0)
    assert e_warp(still + light, paths=paths) == pytest.approx(0.2, abs=1e-5)


def test_nothing_is_compared_across_a_cut():
    cut = np.concatenate([sliding()[:3], 1 - sliding()[:2]])
    paths = paths_back([STEP, STEP, STEP, STEP], first=(0, 0, 3, 3))
    paths.seen[2] = False
    paths.seen_in_first[2] = False
    paths.to_first[3] = paths.back[3]
    assert e_warp(cut, paths=paths) == pytest.approx(0, abs=1e-6)


def test_lost_pixels_are_left_out_of_both_published_errors():
    clip = sliding()
    clip[2, 5:9, 10:20] = 1.0
    valid = np.ones((TIME, HEIGHT, WIDTH), bool)
    valid[2, 5:9, 10:20] = False
    paths = paths_back(STEADILY)
    for measure in (e_warp, lai_warp):
        assert measure(clip, paths=paths) > 1e-3
        assert measure(clip, paths=paths, valid=valid) == pytest.approx(0, abs=1e-6)


def test_blur_games_the_errors_along_the_motion_and_sharpness_tells():
    noise = np.random.default_rng(2).normal(0, 0.03, (TIME, HEIGHT, WIDTH, 3)).astype(np.float32)
    clean = sliding() + noise
    blurred = np.stack([cv2.GaussianBlur(frame, (0, 0), 1.5) for frame in clean])
    paths = paths_back(STEADILY)
    assert e_warp(blurred, paths=paths) < e_warp(clean, paths=paths)
    assert over_own(e_warp(blurred, paths=paths), e_warp(clean, paths=paths)) < 1
    assert sharpness_ratio(blurred, clean) < 0.8


def test_an_error_over_nothing_is_endless_unless_it_is_nothing_too():
    assert over_own(0.2, 0.1) == pytest.approx(2)
    assert over_own(0.1, 0.0) == float("inf")
    assert over_own(0.0, 0.0) == 1.0


def test_paths_of_another_clip_are_refused():
    with pytest.raises(ValueError, match="one less than frames"):
        e_warp(sliding(), paths=paths_back([STEP]))


def test_a_single_frame_has_neither_published_error():
    assert e_warp(sliding()[:1], paths=paths_back([])) == 0.0
    assert lai_warp(sliding()[:1], paths=paths_back([])) == 0.0


def test_vbench_counts_flicker_and_not_the_motion_that_both_have():
    steady = sliding()
    light = np.array([0.0, 0.1, 0.0, 0.1, 0.0], np.float32)[:, None, None, None]
    plain = np.full_like(steady, 0.4)
    assert vbench_flickering_gain(plain, plain + light) == pytest.approx(10.0, abs=1e-4)
    assert vbench_flickering_gain(plain + light, plain) == pytest.approx(-10.0, abs=1e-4)
    assert vbench_flickering_gain(steady, steady) == 0.0
    assert 0 < vbench_flickering_gain(steady, steady + light) < 10


def test_vbench_sees_no_flicker_in_a_single_frame():
    assert vbench_flickering_gain(sliding()[:1], 0.5 * sliding()[:1]) == 0.0
