"""Slow light that is asked for goes, slower light stays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unflicker.tone import Pace, pumping

FPS, USUAL = 25.0, 50.0


def pace(keep_seconds: float) -> Pace:
    return Pace(keep_slower_frames=keep_seconds * FPS, usual_frames=USUAL)


def three(light: np.ndarray) -> np.ndarray:
    return np.repeat(light[:, None], 3, axis=1)


@settings(max_examples=40, deadline=None)
@given(
    period=st.floats(5.0, 15.0),
    phase=st.floats(0.0, 2.0 * np.pi),
    frames=st.integers(450, 640),
    slope=st.floats(-0.02, 0.02),
    seed=st.integers(0, 99),
)
def test_a_wave_goes_and_a_slope_stays(period, phase, frames, slope, seed) -> None:
    time = np.arange(frames) / FPS
    wave = 0.1 * np.sin(2.0 * np.pi * time / period + phase)
    walk = np.cumsum(np.random.default_rng(seed).normal(0.0, 0.0005, frames))
    found = pumping(three(wave + slope * time + walk), pace(20.0))
    left = three(wave) - found
    left -= left.mean(axis=0)
    assert left.std() < 0.2 * wave.std()


@settings(max_examples=40, deadline=None)
@given(times=st.floats(1.5, 4.0), phase=st.floats(0.0, 2.0 * np.pi))
def test_light_slower_than_asked_for_stays(times, phase) -> None:
    slow = 0.2 * np.sin(2.0 * np.pi * np.arange(600) / (times * 10.0 * FPS) + phase)
    assert pumping(three(slow), pace(10.0)).std() < 0.25 * slow.std()


@pytest.mark.parametrize("frames", [1, 2, 3, 40])
def test_a_short_series_gives_no_wave_that_it_cannot_show(frames: int) -> None:
    light = three(0.02 * np.arange(frames))
    np.testing.assert_allclose(pumping(light, pace(20.0)), 0.0, atol=1e-6)


def test_nothing_goes_where_nothing_is_asked_for() -> None:
    light = three(0.1 * np.sin(np.arange(500) / 20.0))
    assert not pumping(light, pace(2.0)).any()
