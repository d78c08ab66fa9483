"""Laws of change points: levels that are held are steps, fades are ramps, flicker is neither."""

import numpy as np
import pytest

from unflicker.tone.changes import Changes, find_changes

TIME = 72


def penalty(period: float = 50.0) -> np.ndarray:
    bend = np.diff(np.eye(TIME), 2, axis=0)
    return (period / (2 * np.pi)) ** 4 * bend.T @ bend


def found(light: np.ndarray, *, seed: int = 0, same_for_all_tones: bool = False) -> Changes:
    random = np.random.default_rng(seed)
    less = 1.0 if same_for_all_tones else 0.7
    tones = np.stack([light, less * light + random.normal(0, 0.003, TIME)], axis=1)
    return find_changes(tones, random.normal(0, 0.002, (TIME, 2)), smoothness=penalty())


def remembered(random: np.random.Generator, memory: float) -> np.ndarray:
    light = random.normal(0, 0.08, TIME)
    for t in range(1, TIME):
        light[t] = memory * light[t - 1] + np.sqrt(1 - memory**2) * light[t]
    return light


FLICKER = {
    "white": lambda random: random.normal(0, 0.08, TIME),
    "remembered": lambda random: remembered(random, 0.5),
    "heavy tails": lambda random: random.standard_t(3, TIME) * 0.05,
    "one side": lambda random: np.abs(random.normal(0, 0.12, TIME)),
    "every other frame": lambda random: 0.3 * (np.arange(TIME) % 2) + random.normal(0, 0.01, TIME),
    "now and then": lambda random: (
        random.normal(0, 0.12, TIME) * (np.sin(np.arange(TIME) / 7 + random.uniform(0, 6)) > 0.2)
    ),
    "old film": lambda random: (
        random.normal(0, 0.07, TIME) + 0.06 * np.sin(np.arange(TIME) * random.uniform(0.26, 0.8))
    ),
}


@pytest.mark.parametrize("kind", FLICKER)
def test_flicker_has_no_steps_and_no_fades(kind: str) -> None:
    changes = [found(FLICKER[kind](np.random.default_rng(seed)), seed=seed) for seed in range(10)]
    assert sum(len(one.steps) > 0 for one in changes) <= 1
    assert sum(len(one.ramps) > 0 for one in changes) <= 1


@pytest.mark.parametrize("length", [5, 10, 18])
@pytest.mark.parametrize("seed", range(3))
def test_levels_that_are_held_are_steps_and_flat_without_them(length: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    levels = random.normal(0, 0.15, 20)
    light = np.repeat(levels, length)[:TIME] + random.normal(0, 0.003, TIME)
    changes = found(light, seed=seed)
    true = np.arange(length - 1, TIME - 3, length)
    leaps = np.abs(np.diff(light))[true]
    assert set(true[leaps > 0.04]) <= set(changes.steps) <= set(true)
    stairs, _ = changes.parted(light[:, None])
    assert np.std((light - stairs[:, 0])[:-3]) < 0.25 * np.std(light)


@pytest.mark.parametrize("flicker", [0.003, 0.08])
@pytest.mark.parametrize("length", [12, 20, 25])
@pytest.mark.parametrize("backwards", [False, True])
def test_a_fade_is_a_ramp_with_flicker_and_without(
    flicker: float, length: int, *, backwards: bool
) -> None:
    random = np.random.default_rng(length)
    fade = np.log(np.clip((np.arange(TIME) + 1.0) / length, 0.0, 1.0))
    fade = fade[::-1] if backwards else fade
    changes = found(fade + random.normal(0, flicker, TIME))
    assert not len(changes.steps)
    ((start, stop),) = changes.ramps
    true = np.nonzero(np.diff(fade))[0]
    assert abs(start - true[0]) < 8
    assert abs(stop - true[-1]) < 8


def test_a_sunset_is_no_fade() -> None:
    light = -0.02 * np.arange(TIME) + np.random.default_rng(1).normal(0, 0.08, TIME)
    assert not found(light).ramps


def test_a_path_that_leaks_away_from_its_levels_has_the_step_that_it_leaps() -> None:
    after = np.arange(TIME) - 30
    light = np.where(
        after > 0, -0.13 * 0.8 ** np.maximum(after, 0), 0.13 * 0.8 ** -np.minimum(after, 0)
    )
    light += np.random.default_rng(2).normal(0, 0.002, TIME)
    changes = found(light)
    assert list(changes.steps) == [30]
    stairs, _ = changes.parted(light[:, None])
    assert stairs[-1, 0] - stairs[0, 0] == pytest.approx(-0.255, abs=0.02)


@pytest.mark.parametrize("flicker", [0.02, 0.08])
@pytest.mark.parametrize("length", [14, 20, 25])
@pytest.mark.parametrize("seed", range(3))
def test_of_a_fade_from_black_the_last_frame_is_known(
    flicker: float, length: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    fade = np.log(np.clip((np.arange(TIME) + 1.0) / length, 0.0, 1.0))
    light = fade + random.normal(0, flicker, TIME)
    changes = found(light, same_for_all_tones=True)
    ((_, stop),) = changes.ramps
    assert abs(stop - (length - 1)) <= 1 + 25 * flicker
    _, fades = changes.parted(light[:, None], is_whole=True)
    off = fades[:, 0] - fade
    assert np.abs(off - off[-1])[length // 2 :].max() < 0.01 + flicker


def test_a_small_ramp_is_no_fade() -> None:
    light = np.interp(np.arange(TIME), [30, 40], [0.0, -0.04])
    assert not found(light + np.random.default_rng(1).normal(0, 0.003, TIME)).ramps


def test_what_bends_dark_tones_little_by_little_is_no_step() -> None:
    random = np.random.default_rng(5)
    dark = np.interp(np.arange(TIME), [32, 44], [0.0, -0.5]) + random.normal(0, 0.08, TIME)
    middle, bright = random.normal(0, 0.08, (2, TIME))
    tones = np.stack([dark, middle, bright], axis=1)
    changes = find_changes(tones, np.zeros((TIME, 2)), smoothness=penalty())
    assert not len(changes.steps)
