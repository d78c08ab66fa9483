"""Laws of motion: known moves are found, under flicker too; what leaves the picture is unseen."""

import cv2
import numpy as np
import pytest

from made_clips import panning
from unflicker.frames.clip import to_float
from unflicker.frames.flow import Motion, visibility, visibility_at, warp
from unflicker.frames.structure import normalised
from unflicker.motion import estimate_flow, estimate_motion
from unflicker.synthesis import KINDS, synthesise

INNER = (slice(12, -12), slice(12, -12))


def error_px(flow: np.ndarray, expected: tuple[float, float]) -> float:
    """Median distance to the expected flow, away from the border."""
    miss = flow[INNER] - np.array(expected, np.float32)
    return float(np.median(np.hypot(miss[..., 0], miss[..., 1])))


@pytest.mark.parametrize("speed", [(2.0, 0.0), (0.0, -1.5), (4.3, 2.7), (-0.4, 0.3)])
def test_a_known_move_is_found(speed: tuple[float, float]) -> None:
    frames = to_float(panning(time=3, speed_px=speed).pixels)
    motion = estimate_motion(frames)
    # The camera moves to the right: what it sees moves to the left.
    for forward, backward in zip(motion.forward, motion.backward, strict=True):
        assert error_px(forward, (-speed[0], -speed[1])) < 0.3
        assert error_px(backward, speed) < 0.3


@pytest.mark.parametrize("kind", KINDS)
def test_a_known_move_is_found_under_flicker(kind: str) -> None:
    clip = panning(time=6, speed_px=(2.0, 1.0))
    made = synthesise(clip, kind=kind, seed=4, strength=1.5)
    motion = estimate_motion(to_float(made.clip.pixels))
    errors = [error_px(flow, (-2.0, -1.0)) for flow in motion.forward]
    # Grain and dust move at random; on a picture this small they weigh.
    assert max(errors) < (0.6 if kind == "film" else 0.3)


@pytest.mark.parametrize("seed", [2, 3])
def test_bands_that_crawl_do_not_take_the_flow_with_them(seed: int) -> None:
    made = synthesise(panning(time=6, size=(144, 256)), kind="bands", seed=seed)
    motion = estimate_motion(to_float(made.clip.pixels))
    assert max(error_px(flow, (-1.3, -0.4)) for flow in motion.forward) < 0.3


def test_without_normalising_flicker_would_deceive_the_flow() -> None:
    clip = panning(time=2, speed_px=(2.0, 1.0))
    ramp = np.linspace(0.6, 1.5, clip.pixels.shape[2], dtype=np.float32)[None, :, None]
    first, second = to_float(clip.pixels)
    lit = np.clip(second * ramp, 0, 1)
    grey = [np.rint(f.mean(axis=2) * 255).astype(np.uint8) for f in (first, lit)]
    deceived = error_px(estimate_flow(grey[0], grey[1]), (-2.0, -1.0))
    levelled = error_px(estimate_flow(normalised(first), normalised(lit)), (-2.0, -1.0))
    assert levelled < 0.3
    assert levelled < 0.5 * deceived


def test_still_pictures_do_not_move_and_are_wholly_seen() -> None:
    frames = np.repeat(to_float(panning(time=1).pixels), 3, axis=0)
    motion = estimate_motion(frames)
    assert np.abs(motion.forward).max() < 1e-3
    assert np.abs(motion.backward).max() < 1e-3
    assert motion.visible_forward.min() > 0.999


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_pictures_without_structure_do_not_move(value: float) -> None:
    motion = estimate_motion(np.full((3, 40, 60, 3), value, np.float32))
    assert np.abs(motion.forward).max() < 1e-3
    assert np.isfinite(motion.visible_forward).all()


def test_twice_as_wide_is_twice_the_motion() -> None:
    frames = to_float(panning(time=2, size=(90, 160), speed_px=(1.5, 0.8)).pixels)
    large = np.stack([cv2.resize(f, (320, 180), interpolation=cv2.INTER_CUBIC) for f in frames])
    once = estimate_motion(frames).forward[0]
    twice = estimate_motion(np.clip(large, 0, 1)).forward[0]
    # Enlarging about the corner of a pixel moves everything alike: the flow doubles, no more.
    assert error_px(once, (-1.5, -0.8)) < 0.3
    assert error_px(twice, (-3.0, -1.6)) < 0.4


def test_the_flow_lays_the_next_frame_over_this_one() -> None:
    first, second = to_float(panning(time=2, speed_px=(3.0, -2.0)).pixels)
    motion = estimate_motion(np.stack([first, second]))
    laid = warp(second, motion.forward[0])
    assert np.abs(laid - first)[INNER].mean() < 0.25 * np.abs(second - first)[INNER].mean()


def test_what_leaves_the_picture_is_unseen() -> None:
    frames = to_float(panning(time=2, speed_px=(12.0, 0.0)).pixels)
    motion = estimate_motion(frames)
    # The leftmost twelve columns of the first frame are not in the second, and the other way round.
    assert motion.visible_forward[0][20:-20, :9].mean() < 0.2
    assert motion.visible_backward[0][20:-20, -9:].mean() < 0.2
    assert motion.visible_forward[0][20:-20, 30:-30].mean() > 0.8


def test_a_round_trip_that_does_not_return_is_not_trusted() -> None:
    there = np.zeros((20, 30, 2), np.float32)
    there[..., 0] = 2.0
    np.testing.assert_allclose(visibility(there, -there)[:, :27], 1.0, atol=1e-5)
    assert visibility(there, 3.0 - there).max() < 0.01
    assert visibility(there, -there)[:, -1].max() == 0.0


def test_trust_falls_as_the_round_trip_misses() -> None:
    still = np.zeros((8, 8, 2), np.float32)
    misses_px = np.array([0.0, 0.2, 0.5, 1.0, 2.0], np.float32)
    trust = [visibility(still, still + miss).mean() for miss in misses_px]
    assert trust == sorted(trust, reverse=True)
    assert trust[0] == 1.0
    assert trust[-1] < 0.01


@pytest.mark.parametrize("frames", [1, 2])
@pytest.mark.parametrize("size", [(1, 1), (4, 90), (15, 15), (16, 16), (17, 33)])
def test_any_size_and_length_has_a_motion(frames: int, size: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).random((frames, *size, 3), np.float32)
    motion = estimate_motion(picture)
    assert motion.forward.shape == (frames - 1, *size, 2)
    assert motion.visible_backward.shape == (frames - 1, *size)
    assert np.isfinite(motion.forward).all()


def test_the_way_back_between_two_frames_is_that_part_of_the_motion() -> None:
    motion = estimate_motion(to_float(panning(time=5, size=(32, 48)).pixels))
    part = motion.back(1, 3, size=(32, 48))
    np.testing.assert_array_equal(part.backward, motion.backward[1:3])
    np.testing.assert_array_equal(part.visible_backward, motion.visible_backward[1:3])
    assert len(motion.back(0, 0, size=(32, 48)).backward) == 0


def test_places_are_seen_as_the_pixels_there_are() -> None:
    motion = estimate_motion(to_float(panning(time=2, size=(32, 48)).pixels))
    y, x = np.array([0, 5, 31]), np.array([47, 20, 3])
    places = np.stack([x, y], axis=-1).astype(np.float32)[:, None]
    seen = visibility_at(places, motion.forward[0][y, x][:, None], motion.backward[0])
    np.testing.assert_allclose(seen[:, 0], motion.visible_forward[0][y, x], atol=1e-6)


def test_structure_does_not_know_light() -> None:
    """A gain, also one that differs by place, leaves the normalised picture nearly as it was."""
    picture = to_float(panning(time=1).pixels)[0]
    ramp = np.linspace(0.7, 1.05, picture.shape[1], dtype=np.float32)[None, :, None]
    plain, lit = normalised(picture).astype(float), normalised(picture * ramp).astype(float)
    assert np.abs(plain - lit).mean() < 0.1 * plain.std()


def test_motion_of_half_the_size_is_half_as_far() -> None:
    flow = np.full((2, 40, 60, 2), 3.0, np.float32)
    flow[..., 1] = -1.0
    motion = Motion(forward=flow, backward=-flow)
    half = motion.back(0, 2, size=(20, 30))
    assert half.backward.shape == (2, 20, 30, 2)
    np.testing.assert_allclose(half.backward[..., 0], -1.5, rtol=1e-6)
    np.testing.assert_allclose(half.backward[..., 1], 0.5, rtol=1e-6)
    np.testing.assert_allclose(half.visible_backward[:, :-1, 2:], 1.0)
