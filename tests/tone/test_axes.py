"""Principal axes of global light: gamma is one number a frame, and white stays."""

import numpy as np
import pytest

from unflicker.tone.axes import principal_axes
from unflicker.tone.flicker import Pace, separate
from unflicker.tone.illumination import IlluminationModel, tone_of
from unflicker.tone.trajectory import IlluminationTrajectory

FIELD = IlluminationModel(height=90, width=160, waves_across=3, waves_down=4, contrast_waves=0)
TIME = 48
TONES = np.linspace(0.03, 0.9, 24)
WHITE = tone_of(np.ones(1))[:, None] ** np.arange(FIELD.powers + 1)


def gamma(seed: int) -> np.ndarray:
    """The light of random gamma in each frame, as coefficients."""
    random = np.random.default_rng(seed)
    powers = tone_of(TONES)[:, None] ** np.arange(FIELD.powers + 1)
    shape = np.linalg.lstsq(powers, np.log(TONES), rcond=None)[0]
    values = np.zeros((TIME, 3, FIELD.size))
    values[..., FIELD.whole] = (random.normal(0.0, 0.25, TIME)[:, None] * shape)[:, None]
    return values


def found(values: np.ndarray, *, turned: bool = True) -> np.ndarray:
    path = IlluminationTrajectory(light=values, free=values)
    quantiles = np.tile(TONES[None, :, None], (TIME, 1, 3)) if turned else None
    pace = Pace(keep_slower_frames=75.0)
    return separate(path, FIELD, pace=pace, quantiles=quantiles).coefficients


def at_white(values: np.ndarray) -> float:
    """Change of white, root mean square over frames, in log light."""
    return float(np.sqrt(((values[..., FIELD.whole] @ WHITE.T) ** 2).mean()))


@pytest.mark.parametrize("seed", range(8))
def test_errors_that_add_up_in_each_coefficient_bend_the_curve_less(seed: int) -> None:
    """A path is a sum of differences, each with an error."""
    truth, random = gamma(seed), np.random.default_rng([seed, 1])
    values = truth.copy()
    steps = random.normal(0.0, 0.005, (TIME, 3, len(FIELD.whole)))
    values[..., FIELD.whole] += np.cumsum(steps, axis=0)
    wrong, alone = found(values) - truth, found(values, turned=False) - truth
    assert at_white(wrong - wrong.mean(axis=0)) < at_white(alone - alone.mean(axis=0))


@pytest.mark.parametrize("seed", range(5))
def test_the_first_axis_of_gamma_has_nearly_all_change(seed: int) -> None:
    path = gamma(seed).mean(axis=1)
    path += np.random.default_rng([seed, 1]).normal(0.0, 1e-3, path.shape)
    all_of_it = np.concatenate([path, np.zeros_like(path), np.zeros_like(path)], axis=1)
    along = all_of_it @ principal_axes(all_of_it, FIELD, TONES)
    power = np.diff(along, axis=0)[:, FIELD.whole].var(axis=0)
    assert power[0] > 0.999 * power.sum()


@pytest.mark.parametrize("seed", range(5))
def test_axes_can_be_inverted_and_leave_light_by_place(seed: int) -> None:
    random = np.random.default_rng(seed)
    path = random.normal(size=(random.integers(4, 60), 3 * FIELD.size))
    for tones in (TONES, np.full(24, random.uniform(0.05, 1.0))):
        axes = principal_axes(path, FIELD, tones)
        back = path @ axes @ np.linalg.inv(axes)
        np.testing.assert_allclose(back, path, atol=1e-6)
        places = np.setdiff1d(np.arange(FIELD.size), FIELD.whole)
        np.testing.assert_array_equal(axes[np.ix_(places, places)], np.eye(len(places)))
