"""Laws of the roles of frames: repeats get what they repeat, flashes keep their light."""

import numpy as np
import pytest

from made_clips import panning
from unflicker.analysis.flashes import find_flashes
from unflicker.analysis.repeats import find_repeats
from unflicker.analysis.roles import Roles

TIME = 60


def pictures(*, seed: int = 0, time: int = TIME) -> list[np.ndarray]:
    clip = panning(time=time, size=(54, 96), seed=seed, speed_px=(0.9, 0.2))
    return list(clip.as_float() * np.float32(0.6))


def lit(frames: list[np.ndarray], light: np.ndarray) -> list[np.ndarray]:
    return [frame * np.float32(factor) for frame, factor in zip(frames, light, strict=True)]


def flat(light: np.ndarray) -> list[np.ndarray]:
    """Pictures of nothing but a level: the quickest film there is."""
    return [np.full((24, 32, 3), 0.3 * factor, np.float32) for factor in light]


def of(frames: list[np.ndarray], **changes) -> Roles:
    told = {"fps": 25.0, "keep_flashes": True} | changes
    return Roles.of(frames, np.zeros(len(frames), bool), **told)


@pytest.mark.parametrize(("film", "video"), [(18, 24), (16, 25), (20, 24), (12, 25), (10, 24)])
@pytest.mark.parametrize("seed", [1, 2])
def test_repeats_are_found_in_any_pattern(film: int, video: int, seed: int) -> None:
    gain = np.exp(np.random.default_rng(seed).normal(0, 0.1, TIME))
    shown = np.arange(TIME) * film // video
    frames = lit(pictures(seed=seed), gain)
    group = find_repeats([frames[k] for k in shown])
    first = np.searchsorted(shown, shown)
    np.testing.assert_array_equal(group, first)


@pytest.mark.parametrize("noise", [0.0005, 0.001])
def test_a_repeat_that_was_coded_again_is_one(noise: float) -> None:
    random = np.random.default_rng(3)
    frames = lit(pictures(), np.exp(random.normal(0, 0.1, TIME)))
    shown = np.arange(TIME) * 18 // 24
    coded = [frames[k] + random.normal(0, noise, frames[k].shape).astype(np.float32) for k in shown]
    assert len(set(find_repeats(coded))) == len(set(shown))


def test_a_film_without_repeats_has_none() -> None:
    frames = pictures()
    np.testing.assert_array_equal(find_repeats(frames), np.arange(TIME))
    still = lit([frames[0]] * TIME, np.exp(np.random.default_rng(4).normal(0, 0.05, TIME)))
    assert len(set(find_repeats(still))) > 0.85 * TIME


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("flicker", [0.0, 0.02])
def test_strokes_of_lightning_are_flashes_until_they_die_away(seed: int, flicker: float) -> None:
    random = np.random.default_rng(seed)
    light = np.ones(TIME)
    for start in (7, 22, 39):
        light[start + int(random.integers(0, 4)) :] += 0.0
        at = start + int(random.integers(0, 4))
        light[at:] += random.uniform(0.6, 0.9) * 0.6 ** np.arange(TIME - at)
    frames = lit(pictures(seed=seed), light * np.exp(random.normal(0, flicker, TIME)))
    found = find_flashes(frames, fps=25.0)
    assert found[light > 1.25].all()
    assert not found[light < 1.002].any()


LIGHTS = {
    "white": lambda random: random.normal(0, 0.1, TIME),
    "heavy tails": lambda random: random.laplace(0, 0.07, TIME),
    "one side": lambda random: np.abs(random.normal(0, 0.15, TIME)),
    "held": lambda random: np.repeat(random.normal(0, 0.15, 10), 6),
    "every other frame": lambda random: 0.3 * (np.arange(TIME) % 2) + random.normal(0, 0.02, TIME),
    "a wave": lambda random: 0.2 * np.sin(np.arange(TIME) * random.uniform(0.2, 3.0)),
    "switched on": lambda random: 0.5 * (np.arange(TIME) > 25) + random.normal(0, 0.005, TIME),
}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("every", [7, 9])
def test_strobes_are_found_where_flicker_rises_before_them(seed: int, every: int) -> None:
    light = np.exp(np.random.default_rng(seed).uniform(-0.15, 0.15, TIME))
    fired = np.arange(20, 48, every)
    light[fired], light[fired - 1] = 2.4, 1.5
    found = np.flatnonzero(find_flashes(lit(pictures(seed=seed), light), fps=24))
    assert set(fired) <= set(found)
    assert set(found) <= set(fired) | set(fired - 1) | set(fired + 1)


@pytest.mark.parametrize("kind", LIGHTS)
def test_flicker_is_no_flash(kind: str) -> None:
    films = [flat(np.exp(LIGHTS[kind](np.random.default_rng(seed)))) for seed in range(12)]
    wrong = [find_flashes(film, fps=24.0).any() for film in films]
    assert sum(wrong) <= 1


def test_frames_in_a_flash_keep_their_light_and_repeats_get_that_of_the_first() -> None:
    light = np.ones(TIME)
    light[20:22] = 1.9
    frames = lit(pictures(), light)
    shown = [frames[k] for k in np.repeat(np.arange(TIME), 2)]
    roles = of(shown)
    assert roles.keep_light[40:44].all()
    assert roles.keep_light.sum() == 4
    values = roles.spread(np.arange(1.0, len(roles.votes) + 1.0))
    np.testing.assert_array_equal(values[::2], values[1::2])
    assert not values[40:44].any()


def test_flashes_that_are_to_be_repaired_have_no_role() -> None:
    light = np.ones(TIME)
    light[20] = 2.0
    assert of(lit(pictures(), light)).keep_light.any()
    assert not of(lit(pictures(), light), keep_flashes=False).keep_light.any()


def test_a_blank_frame_is_no_repeat_of_what_stands_in_for_it() -> None:
    frames = pictures(time=12)
    blank = np.zeros(12, bool)
    blank[[0, 5]] = True
    frames[0], frames[5] = frames[1], frames[4]
    roles = Roles.of(frames, blank, fps=25.0, keep_flashes=True)
    assert list(np.nonzero(roles.keep_light)[0]) == [0, 5]
    np.testing.assert_array_equal(roles.repeats, np.arange(12))


@pytest.mark.parametrize("time", [24, 40, 60])
@pytest.mark.parametrize("scale", [0.02, 0.03, 0.045])
def test_flicker_that_only_adds_light_is_rarely_taken_for_flashes(time: int, scale: float) -> None:
    found = 0
    for seed in range(40):
        light = np.exp(np.random.default_rng(seed).exponential(scale, time))
        found += bool(find_flashes(flat(light), fps=24.0).any())
    assert found <= 4


@pytest.mark.parametrize("strength", [0.6, 0.9])
@pytest.mark.parametrize("scale", [0.0, 0.03])
def test_strokes_are_found_in_short_clips_and_long_ones(strength: float, scale: float) -> None:
    for seed, (time, strokes) in enumerate([(24, [9]), (40, [8, 25]), (66, [8, 23, 38, 52])]):
        light = np.exp(np.random.default_rng(seed).normal(0, scale, time))
        for at in strokes:
            light[at:] *= 1.0 + strength * 0.62 ** np.arange(time - at)
        assert find_flashes(flat(light), fps=25.0)[strokes].all()


@pytest.mark.parametrize("decay", [0.6, 0.7, 0.8])
def test_the_end_of_a_decay_belongs_to_its_stroke(decay: float) -> None:
    for seed in range(8):
        random = np.random.default_rng(seed)
        light = np.ones(66)
        for at in (8, 23, 38, 52):
            begins = at + int(random.integers(0, 5))
            light[begins:] += random.uniform(0.55, 0.9) * decay ** np.arange(66 - begins)
        found = find_flashes(flat(light), fps=30.0)
        assert found[light > 1.05].mean() > 0.95
        assert not found[light < 1.005].any()


@pytest.mark.parametrize(("deviation", "keeps"), [(0.0, True), (0.06, False)])
def test_a_long_flash_is_measured_among_flicker_and_kept_in_a_steady_film(
    deviation: float, keeps: bool
) -> None:
    random, late = np.random.default_rng(8), np.arange(TIME) - 22
    dies = np.where(late >= 0, 1.2 * np.exp(-np.maximum(late, 0) / 5.0), 0.0)
    gain = (1.0 + dies) * np.exp(random.normal(0, deviation, TIME))
    assert find_flashes(flat(gain), fps=25.0)[22:28].all() == keeps
