"""What visible flicker means: known light gives known ΔE, and what nobody sees gives none."""

from dataclasses import dataclass

import cv2
import numpy as np
import pytest

from unflicker.metrics import (
    VisibleStrength,
    mean_strength,
    visible_flicker,
    visible_flicker_by_frame,
    visible_strength,
)
from unflicker.metrics.visible import eye_sensitivity
from unflicker.motion import estimate_motion

HEIGHT, WIDTH = 36, 64


@dataclass
class Still:
    """A motion where nothing moves and all is seen."""

    backward: np.ndarray
    visible_backward: np.ndarray

    @classmethod
    def of(cls, frames: np.ndarray, *, flow: tuple[float, float] = (0.0, 0.0)) -> "Still":
        pairs = max(len(frames) - 1, 0)
        backward = np.zeros((pairs, *frames.shape[1:3], 2), np.float32) + np.float32(flow)
        return cls(backward.astype(np.float32), np.ones((pairs, *frames.shape[1:3]), np.float32))


def grey(lightness: np.ndarray) -> np.ndarray:
    """Plain grey frames of a CIELAB lightness."""
    lab = np.zeros((len(lightness), 1, 3), np.float32)
    lab[..., 0] = np.asarray(lightness)[:, None]
    rgb = cv2.cvtColor(lab, cv2.COLOR_Lab2RGB)
    return np.tile(rgb[:, None], (1, HEIGHT, WIDTH, 1)).astype(np.float32)


def seen(lightness: np.ndarray, *, fps: float = 24.0) -> float:
    frames = grey(lightness)
    return visible_flicker(frames, motion=Still.of(frames), fps=fps)


@pytest.mark.parametrize("amplitude", [1.0, 2.0, 6.0])
def test_alternating_light_gives_its_amplitude_as_the_eye_weighs_it(amplitude):
    light = 50 + amplitude * (-1.0) ** np.arange(96)
    assert seen(light) == pytest.approx(0.72 * amplitude, rel=0.05)


@pytest.mark.parametrize("fps", [24.0, 30.0, 60.0, 120.0])
@pytest.mark.parametrize("hertz", [0.5, 1.0, 2.0, 4.0, 8.0, 11.0])
def test_every_rhythm_is_weighed_as_the_eye_does_at_every_rate(fps, hertz):
    time = np.arange(int(6 * fps)) / fps
    value = seen(50 + 4 * np.sin(2 * np.pi * hertz * time), fps=fps)
    expected = 4 / np.sqrt(2) * eye_sensitivity(np.array([hertz]))[0]
    assert value == pytest.approx(expected, rel=0.25, abs=0.05)


def test_the_eye_sees_eight_hertz_best_and_neither_drift_nor_melted_light():
    hertz = np.array([0.0, 0.3, 8.0, 100.0])
    none, drift, best, melted = eye_sensitivity(hertz)
    assert none == 0
    assert drift < 0.02
    assert best > 0.7
    assert melted < 0.01


def test_a_steady_clip_has_none():
    assert seen(np.full(12, 50.0)) == pytest.approx(0, abs=1e-4)


def test_a_slow_fade_has_hardly_any():
    assert seen(np.linspace(80, 30, 48)) < 0.15


def test_levels_held_for_ten_frames_count():
    light = 50 + 6.0 * (np.arange(100) // 10 % 2)
    assert seen(light) == pytest.approx(1.0, rel=0.1)


def test_flicker_in_a_quarter_of_the_picture_counts_half():
    frames = grey(np.full(48, 50.0))
    frames[::2, : HEIGHT // 2, : WIDTH // 2] = grey(np.array([58.0]))[0, 0, 0]
    whole = seen(50 + 8.0 * (np.arange(48) % 2))
    part = visible_flicker(frames, motion=Still.of(frames), fps=24)
    assert part == pytest.approx(whole / 2, rel=0.1)


def test_colour_flicker_at_even_brightness_counts():
    frames = grey(np.full(24, 50.0))
    frames[::2, ..., 0] *= 1.1
    frames[::2, ..., 2] *= 0.9
    assert visible_flicker(frames, motion=Still.of(frames), fps=24) > 2


def test_motion_is_not_flicker():
    noise = np.random.default_rng(0).random((HEIGHT, WIDTH + 48, 3), np.float32)
    wide = 0.3 + 0.4 * cv2.GaussianBlur(noise, (0, 0), 2)
    frames = np.stack([wide[:, 2 * t : 2 * t + WIDTH] for t in range(24)])
    motion = Still.of(frames, flow=(-2.0, 0.0))
    motion.backward[..., 0] = 2.0
    motion.visible_backward[:, :, -2:] = 0
    ignored = visible_flicker(frames, motion=Still.of(frames), fps=24)
    followed = visible_flicker(frames, motion=motion, fps=24)
    assert followed < 0.1
    assert ignored > 5 * followed


def test_what_is_not_seen_in_both_frames_does_not_count():
    frames = grey(np.full(24, 50.0))
    frames[::2, :, :20] *= 1.2
    motion = Still.of(frames)
    motion.visible_backward[:, :, :26] = 0
    assert visible_flicker(frames, motion=motion, fps=24) < 0.05


def lamp(*, time: int = 48, step: int = 0) -> np.ndarray:
    """A lamp of 3 % of the picture that flickers by 8 ΔE before a steady wall."""
    wall = cv2.resize(grey(np.array([50.0]))[0], (256, 144))
    frames = np.repeat(wall[None], time, axis=0)
    lit = grey(np.array([58.0]))[0, 0, 0]
    for index in range(0, time, 2):
        frames[index, 40:65, 100 + step * index : 144 + step * index] = lit
    return frames


def test_a_small_lamp_hardly_counts_in_the_mean_and_fully_in_the_worst_tenth():
    frames = lamp()
    found = visible_strength(frames, motion=Still.of(frames), fps=24)
    whole = seen(50 + 8.0 * (np.arange(48) % 2))
    # The neighbourhood over which flicker is averaged softens the lamp's edges.
    assert found.mean == pytest.approx(whole * np.sqrt(0.03), rel=0.2)
    assert found.worst_tenth == pytest.approx(whole * np.sqrt(0.3), rel=0.2)
    assert found.mean == visible_flicker(frames, motion=Still.of(frames), fps=24)


def test_a_steady_clip_has_no_worst_tenth_either():
    frames = lamp()[1:2].repeat(12, axis=0)
    found = visible_strength(frames, motion=Still.of(frames), fps=24)
    assert (found.mean, found.worst_tenth) == pytest.approx((0, 0), abs=1e-4)


def test_flicker_of_the_whole_picture_is_as_strong_in_its_worst_tenth():
    frames = grey(50 + 4.0 * (np.arange(48) % 2))
    found = visible_strength(frames, motion=Still.of(frames), fps=24)
    assert found.worst_tenth == pytest.approx(found.mean, rel=0.01)
    assert found.worst_tenth >= found.mean


def test_motion_is_not_flicker_in_the_worst_tenth():
    noise = np.random.default_rng(0).random((HEIGHT, WIDTH + 48, 3), np.float32)
    wide = 0.3 + 0.4 * cv2.GaussianBlur(noise, (0, 0), 2)
    frames = np.stack([wide[:, 2 * t : 2 * t + WIDTH] for t in range(24)])
    motion = Still.of(frames, flow=(2.0, 0.0))
    motion.visible_backward[:, :, -2:] = 0
    assert visible_strength(frames, motion=motion, fps=24).worst_tenth < 0.2


def test_a_lamp_that_moves_through_the_picture_is_found_where_it_was():
    frames, still = lamp(step=2), lamp()
    moving, fixed = (visible_strength(f, motion=Still.of(f), fps=24) for f in (frames, still))
    assert moving.worst_tenth > 2 * moving.mean
    assert moving.worst_tenth < fixed.worst_tenth


def test_places_that_are_never_seen_are_no_worst_tenth():
    frames = lamp()
    motion = Still.of(frames)
    motion.visible_backward[:, 30:75, 90:154] = 0
    assert visible_strength(frames, motion=motion, fps=24).worst_tenth < 0.05


def test_shots_count_by_their_frames():
    one, other = VisibleStrength(mean=1.0, worst_tenth=4.0), VisibleStrength(mean=0, worst_tenth=0)
    both = mean_strength([one, other], frames=[10, 30])
    assert (both.mean, both.worst_tenth) == pytest.approx((0.5, 2.0))
    assert mean_strength([], frames=[]) == VisibleStrength(mean=0.0, worst_tenth=0.0)


def test_the_worst_moment_is_found():
    light = np.full(30, 50.0)
    light[17] = 60.0
    frames = grey(light)
    by_frame = visible_flicker_by_frame(frames, motion=Still.of(frames), fps=24)
    assert int(by_frame.argmax()) in (17, 18)
    assert by_frame[:17].max() < 1e-3


@pytest.mark.parametrize("time", [0, 1, 2])
def test_clips_too_short_to_flicker_have_none(time):
    frames = grey(np.array([40.0, 60.0]))[:time]
    found = visible_strength(frames, motion=Still.of(frames), fps=24)
    assert (found.mean, found.worst_tenth) == (0.0, 0.0)


def test_a_motion_of_another_length_is_refused():
    frames = grey(np.full(5, 50.0))
    with pytest.raises(ValueError, match="pass one less"):
        visible_flicker(frames, motion=Still.of(frames[:3]), fps=24)


def test_with_estimated_motion_flicker_stands_out_from_a_steady_pan():
    noise = np.random.default_rng(1).random((90, 160 + 24, 3), np.float32)
    wide = 0.25 + 1.2 * (cv2.GaussianBlur(noise, (0, 0), 3) - 0.4)
    frames = np.stack([wide[:, t : t + 160] for t in range(24)]).clip(0, 1)
    gains = np.exp(np.random.default_rng(2).normal(0, 0.1, 24)).astype(np.float32)
    flickering = (frames * gains[:, None, None, None]).clip(0, 1)
    motion = estimate_motion(flickering)
    steady = visible_flicker(frames, motion=motion, fps=24)
    assert steady < 0.2
    assert visible_flicker(flickering, motion=motion, fps=24) > 10 * steady
