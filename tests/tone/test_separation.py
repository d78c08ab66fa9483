"""Laws of telling flicker from wanted light, on the coefficients of a tone path."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unflicker.tone.flicker import Flicker, Pace, separate
from unflicker.tone.illumination import IlluminationModel
from unflicker.tone.trajectory import IlluminationTrajectory

FIELD = IlluminationModel(height=90, width=160, waves_across=3, waves_down=4, contrast_waves=0)
TIME = 48


def path(light: np.ndarray) -> np.ndarray:
    """A tone path whose exposure is `light`, the same in all channels, and nothing else."""
    values = np.zeros((len(light), 3, FIELD.size))
    values[:, :, 0] = np.asarray(light)[:, None]
    return values


def found(values: np.ndarray, *, keep_slower_frames: float = 48.0) -> Flicker:
    path = IlluminationTrajectory(light=values, free=values)
    return separate(path, FIELD, pace=Pace(keep_slower_frames=keep_slower_frames))


def exposure(flicker: Flicker) -> np.ndarray:
    return flicker.coefficients[:, 0, 0]


def random_light(seed: int, *, time: int = TIME, size: float = 0.1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, size, time)


def rough(values: np.ndarray) -> float:
    """Root mean square of second differences: what an eye calls flicker."""
    return float(np.sqrt(np.mean(np.diff(values, 2) ** 2)))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 999), constant=st.floats(-2.0, 2.0))
def test_adding_a_constant_to_a_path_changes_nothing(seed: int, constant: float) -> None:
    light = random_light(seed)
    once, again = found(path(light)), found(path(light + constant))
    np.testing.assert_allclose(again.coefficients, once.coefficients, atol=1e-6)
    assert again.share == pytest.approx(once.share, abs=1e-6)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 999), size=st.integers(4, 90))
def test_each_coefficient_may_start_from_its_own_constant(seed: int, size: int) -> None:
    random = np.random.default_rng(seed)
    values = random.normal(0, 0.05, (size, 3, FIELD.size))
    moved = values + random.normal(0, 1.0, (1, 3, FIELD.size))
    np.testing.assert_allclose(found(moved).coefficients, found(values).coefficients, atol=1e-6)


@settings(max_examples=20, deadline=None)
@given(slope=st.floats(-0.05, 0.05), start=st.floats(-1.0, 1.0), time=st.integers(4, 96))
def test_a_straight_line_in_time_is_not_flicker(slope: float, start: float, time: int) -> None:
    line = found(path(start + slope * np.arange(time)))
    assert np.abs(line.coefficients).max() < 1e-4


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 999), slope=st.floats(-0.02, 0.02))
def test_flicker_on_a_slope_is_removed_and_the_slope_stays(seed: int, slope: float) -> None:
    light = random_light(seed) + slope * np.arange(TIME)
    left = light - exposure(found(path(light)))
    assert rough(left) < 0.1 * rough(light)
    assert left[-8:].mean() - left[:8].mean() == pytest.approx(slope * 40, abs=0.2)


@pytest.mark.parametrize("period", [2, 3, 4, 5, 6, 7.3, 8, 12])
def test_periodic_flicker_is_flicker_at_any_period(period: float) -> None:
    drift = np.cumsum(random_light(7, size=0.001))
    light = 0.1 * np.cos(2 * np.pi * np.arange(TIME) / period) + drift
    assert rough(light - exposure(found(path(light)))) < 0.1 * rough(light)


@pytest.mark.parametrize("seed", range(4))
def test_random_flicker_is_nearly_all_flicker(seed: int) -> None:
    light = random_light(seed)
    flicker = found(path(light))
    assert flicker.share > 0.9
    assert rough(light - exposure(flicker)) < 0.1 * rough(light)


@pytest.mark.parametrize("seed", range(6))
def test_a_slow_random_walk_is_drift(seed: int) -> None:
    light = np.cumsum(random_light(seed, size=0.002))
    flicker = found(path(light))
    assert np.abs(exposure(flicker)).max() < 0.006


def test_light_slower_than_asked_for_stays_and_faster_goes() -> None:
    light = 0.1 * np.sin(2 * np.pi * np.arange(96) / 24) + random_light(3, time=96, size=0.05)
    kept = light - exposure(found(path(light), keep_slower_frames=8.0))
    gone = light - exposure(found(path(light), keep_slower_frames=96.0))
    middle = slice(16, -16)
    assert np.std(kept[middle]) > 0.06
    assert np.std(gone[middle]) < 0.03


def test_one_jump_between_quiet_stretches_is_seen_as_a_step() -> None:
    light = np.where(np.arange(TIME) < 20, 0.0, 0.3) + random_light(1, size=0.001)
    assert list(found(path(light)).steps) == [20]


def test_levels_held_for_ten_frames_are_levelled() -> None:
    levels = random_light(2, time=6, size=0.15)
    light = np.repeat(levels, 10) + random_light(3, time=60, size=0.001)
    flicker = found(path(light))
    assert len(flicker.steps) >= 4
    left = light - exposure(flicker)
    jumps = np.abs(np.diff(left))
    assert jumps.max() < 0.35 * np.abs(np.diff(light)).max()


@pytest.mark.parametrize("time", [1, 2, 3])
def test_too_few_frames_have_no_flicker(time: int) -> None:
    flicker = found(path(random_light(0, time=time)))
    assert not flicker.coefficients.any()
    assert flicker.share == 0.0


def test_nothing_is_nothing() -> None:
    flicker = found(np.zeros((TIME, 3, FIELD.size)))
    assert not flicker.coefficients.any()
    assert flicker.share == 0.0
    assert len(flicker.steps) == 0


@pytest.mark.parametrize("channel", [0, 1, 2])
def test_flicker_of_one_channel_stays_in_that_channel(channel: int) -> None:
    values = np.zeros((TIME, 3, FIELD.size))
    light = random_light(5)
    values[:, channel, 0] = light
    left = values - found(values).coefficients
    for other in range(3):
        assert rough(left[:, other, 0]) < 0.1 * rough(light)
