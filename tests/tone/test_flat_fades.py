"""Fades from and to a flat picture are found by contrast; steady films that have some stay."""

import numpy as np
import pytest

import unflicker
from made_clips import panning
from unflicker.tone.flat_fades import bridged, flat_fades, without
from unflicker.tone.trajectory import frame_quantiles

TIME, SIZE = 60, (96, 160)
LENGTHS = (3, 4, 6, 9, 14, 20)
COLOURS = {"black": 0.0, "white": 1.0, "grey": 0.5}


def scene_of(seed: int, time: int = TIME) -> np.ndarray:
    return panning(time=time, size=SIZE, seed=seed).as_float()


def shares(kind: str, length: int) -> np.ndarray:
    """The share of the picture in each frame."""
    frames = np.arange(TIME)
    if kind == "through":
        return np.clip(np.abs(frames - TIME // 2) / length, 0, 1)
    return np.clip(np.minimum(frames + 1, TIME - frames) / length, 0, 1)


def faded(
    kind: str, length: int, colour: float, *, seed: int = 1, strength: float = 0.0
) -> np.ndarray:
    """A flickering scene under fades."""
    share = shares(kind, length)[:, None, None, None]
    frames = flickering(scene_of(seed), seed=length, strength=strength)
    return (frames * share + colour * (1 - share)).astype(np.float32)


def flickering(frames: np.ndarray, *, seed: int, strength: float) -> np.ndarray:
    gain = np.random.default_rng(seed).normal(0, strength, (len(frames), 1, 1, 1))
    return np.clip(frames * np.exp(gain), 0, 1).astype(np.float32)


@pytest.mark.parametrize("strength", [0.0, 0.08])
@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("length", LENGTHS)
def test_each_is_found_whatever_the_light(length: int, colour: str, strength: float) -> None:
    frames = faded("ends", length, COLOURS[colour], strength=strength)
    (first, last) = flat_fades(frame_quantiles(frames))
    assert first[0] == 0
    assert last[1] == TIME - 1
    near = 1 + length // 4
    assert abs(first[1] - (length - 2)) <= near
    assert abs(last[0] - (TIME - length + 1)) <= near
    frames = faded("through", length, COLOURS[colour], strength=strength)
    ((start, stop),) = flat_fades(frame_quantiles(frames))
    assert abs(start - (TIME // 2 - length + 1)) <= near
    assert abs(stop - (TIME // 2 + length - 1)) <= near


def pulses(period: int) -> np.ndarray:
    light = 0.5 + 0.5 * np.cos(2 * np.pi * np.arange(TIME) / period)
    return (scene_of(2) * light[:, None, None, None]).astype(np.float32)


UNFADED = {
    "still": lambda: np.repeat(scene_of(0)[:1], TIME, axis=0),
    "flicker": lambda: flickering(scene_of(1), seed=0, strength=0.2),
    "a lost frame": lambda: np.where(
        (np.arange(TIME) == 30)[:, None, None, None], 0, scene_of(1)
    ).astype(np.float32),
    "a lamp that pulses": lambda: pulses(12),
    "a lamp switched on": lambda: (
        scene_of(1) * np.where(np.arange(TIME) < 30, 0.1, 1)[:, None, None, None]
    ).astype(np.float32),
    "one frame": lambda: scene_of(1)[:1],
    "black": lambda: np.zeros((TIME, *SIZE, 3), np.float32),
}


@pytest.mark.parametrize("name", UNFADED)
def test_other_light_is_no_fade(name: str) -> None:
    assert flat_fades(frame_quantiles(UNFADED[name]())) == ()


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("length", [3, 6, 12])
@pytest.mark.parametrize("kind", ["ends", "through"])
def test_a_steady_film_with_fades_stays_bit_for_bit(kind: str, length: int, colour: str) -> None:
    frames = np.rint(faded(kind, length, COLOURS[colour], seed=length) * 255).astype(np.uint8)
    assert np.array_equal(unflicker.deflicker(frames, fps=24, preset="fast"), frames)


@pytest.mark.parametrize("kind", ["ends", "through"])
def test_flicker_beside_fades_goes_and_fades_do_not_get_worse(kind: str) -> None:
    truth = faded(kind, 6, 0.0)
    made = faded(kind, 6, 0.0, strength=0.08)
    steady = np.stack(unflicker.deflicker(list(made), fps=24, preset="fast"))

    def off(frames: np.ndarray) -> np.ndarray:
        level = np.log((frames.mean((1, 2, 3)) + 0.01) / (truth.mean((1, 2, 3)) + 0.01))
        return np.abs(level - np.median(level))

    whole = shares(kind, 6) == 1
    assert off(steady)[whole].mean() < 0.2 * off(made)[whole].mean()
    assert off(steady)[~whole].max() < off(made).max() + 0.02


def test_paths_are_joined_at_one_level() -> None:
    path = np.concatenate([np.full(10, 1.0), np.linspace(0, -3, 5), np.full(10, 2.0)])[:, None]
    assert np.array_equal(bridged(path, [(10, 14)]), np.ones((25, 1)))
    assert np.array_equal(without(path, [(10, 14)]), np.ones((20, 1)))
    assert np.array_equal(without(path, [(0, 14)]), np.full((10, 1), 2.0))
    assert np.array_equal(without(path, []), path)
