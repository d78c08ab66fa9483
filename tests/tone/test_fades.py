"""Laws of fades: told at other tones a path says the same, and a fade through white has a shape."""

import numpy as np
import pytest

from unflicker.tone.fades import exact_fade, tones_moved, tones_without, usual_brightness
from unflicker.tone.illumination import IlluminationModel

TIME = 60
FIELD = IlluminationModel(height=4, width=6, waves_across=1, waves_down=1, contrast_waves=0)


def test_a_path_told_at_other_tones_and_back_is_itself() -> None:
    random = np.random.default_rng(1)
    path = random.normal(0, 0.1, (TIME, 3 * FIELD.size))
    moved = random.normal(-0.5, 0.5, TIME)
    there = tones_without(path, moved, FIELD)
    np.testing.assert_allclose(tones_without(there, -moved, FIELD), path, atol=1e-9)


def test_told_at_other_tones_its_curve_has_the_value_of_those_tones() -> None:
    random = np.random.default_rng(2)
    path, moved = random.normal(0, 0.1, (TIME, 3 * FIELD.size)), random.normal(0, 0.7, TIME)
    first = path.reshape(TIME, 3, -1)[:, 0, FIELD.whole]
    there = tones_without(path, moved, FIELD).reshape(TIME, 3, -1)[:, 0, FIELD.whole]
    powers = moved[:, None] ** np.arange(FIELD.powers + 1)
    np.testing.assert_allclose(there[:, 0], (first * powers).sum(axis=1), atol=1e-9)


def test_without_fades_through_black_or_white_tones_stay_where_they_are() -> None:
    brightness = np.full(TIME, 0.4)
    assert not tones_moved([], [], brightness).any()
    assert not tones_moved([], [(20, 30)], brightness).any()  # a picture on both sides
    assert usual_brightness((20, 30), brightness) is None


@pytest.mark.parametrize("seed", range(4))
def test_a_fade_to_white_is_known_by_the_brightness_it_left(seed: int) -> None:
    random = np.random.default_rng(seed)
    start, usual = TIME - 14, float(random.uniform(0.25, 0.55))
    white = np.clip((np.arange(TIME) - start) / 14.0, 0.0, 1.0)
    light = np.log(1.0 - white + white / usual)
    by_tone = np.stack([2.0 * light, light, 0.5 * light], axis=1)
    levels = by_tone + random.normal(0, 0.05, (TIME, 1))
    fade = exact_fade(
        (start + 2, TIME - 2),
        levels,
        general=by_tone,
        deviation=np.full(3, 0.05),
        weigh=np.eye(TIME) - 1.0 / TIME,
        usual=usual,
    )
    assert fade is not None
    assert fade.is_of_middle
    assert abs(fade.ramp[0] - start) <= 2
    np.testing.assert_allclose(fade.light, light, atol=0.12)
