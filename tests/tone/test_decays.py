"""Laws of light that rises at once and dies away: kept, and told from flicker by its direction."""

import numpy as np
import pytest

from unflicker.tone.changes import find_changes
from unflicker.tone.decays import find_decays
from unflicker.tone.whittaker import stiffness

TIME = 80
SMOOTH = stiffness(np.full(TIME - 2, 48.0))


def event(start: int, pace: float, *, adds: float) -> np.ndarray:
    late = np.arange(TIME) - start
    return np.log1p(np.where(late >= 0, adds * np.exp(-np.maximum(late, 0) / pace), 0.0))


def path(light: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Of tones, and of other parts of the picture."""
    tones = light[:, None] * np.array([1.05, 1.0, 0.95]) + random.normal(0, 0.004, (TIME, 3))
    return tones, random.normal(0, 0.004, (TIME, 4))


def starts(light: np.ndarray, random: np.random.Generator) -> list[int]:
    tones, others = path(light, random)
    found = find_decays(tones, others, smoothness=SMOOTH)
    return sorted(int(one.argmax()) for one in found.T)


@pytest.mark.parametrize("pace", [3.0, 8.0, 20.0])
@pytest.mark.parametrize("deviation", [0.0, 0.05, 0.12])
def test_light_that_dies_away_is_found_at_any_pace(pace: float, deviation: float) -> None:
    right = 0
    for seed in range(8):
        random = np.random.default_rng(seed)
        start = int(random.integers(15, 55))
        light = event(start, pace, adds=random.uniform(0.8, 1.5))
        found = starts(light + random.normal(0, deviation, TIME), random)
        right += len(found) >= 1 and all(abs(one - start) <= 1 for one in found)
    assert right >= 7


def test_all_of_several_are_found() -> None:
    random = np.random.default_rng(1)
    light = event(12, 3.0, adds=0.9) + event(30, 9.0, adds=1.2) + event(60, 5.0, adds=0.8)
    assert starts(light + random.normal(0, 0.06, TIME), random) == [12, 30, 60]


@pytest.mark.parametrize("shape", ["turned around", "upside down", "held", "a single frame"])
@pytest.mark.parametrize("deviation", [0.02, 0.1])
def test_other_changes_are_no_such_light(shape: str, deviation: float) -> None:
    random = np.random.default_rng(3)
    light = {
        "turned around": event(30, 8.0, adds=1.2)[::-1],
        "upside down": -event(30, 8.0, adds=1.2),
        "held": 0.6 * (np.arange(TIME) >= 30),
        "a single frame": 0.6 * (np.arange(TIME) == 30),
    }[shape]
    assert starts(light + random.normal(0, deviation, TIME), random) == []


@pytest.mark.parametrize("kind", ["white", "heavy tails", "remembered", "held", "every other"])
def test_flicker_is_no_such_light(kind: str) -> None:
    def flicker(random: np.random.Generator) -> np.ndarray:
        light = random.normal(0, 0.12, TIME)
        if kind == "heavy tails":
            light = 0.06 * random.standard_t(3, TIME)
        elif kind == "remembered":
            for t in range(1, TIME):
                light[t] += 0.5 * light[t - 1]
        elif kind == "held":
            light = np.repeat(random.normal(0, 0.2, TIME // 10), 10)
        elif kind == "every other":
            light = 0.3 * (np.arange(TIME) % 2) + 0.1 * light
        return light

    seeds = [np.random.default_rng(seed) for seed in range(10)]
    # Of levels that are held one often leaps up from one that falls.
    most = 2 if kind == "held" else 1
    assert sum(bool(starts(flicker(random), random)) for random in seeds) <= most


def test_changes_hold_it_whole_and_leave_the_flicker() -> None:
    random = np.random.default_rng(5)
    light, flicker = event(30, 9.0, adds=1.2), random.normal(0, 0.08, TIME)
    tones, others = path(light + flicker, random)
    changes = find_changes(tones, others, smoothness=SMOOTH)
    stairs, kept = changes.parted(tones)
    error = (stairs + kept)[:, 1] - light
    assert np.abs(error - error.mean()).max() < 0.1
    assert len(changes.steps) == 0
