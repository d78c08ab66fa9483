"""What PSNR without the level means: a constant level costs nothing, flicker costs what it is."""

import cv2
import numpy as np
import pytest

from made_clips import panning
from unflicker.frames.clip import Clip, from_float
from unflicker.metrics import level_free_psnr, level_free_psnr_of, pooled_psnr
from unflicker.metrics.level import LevelFit
from unflicker.metrics.pictures import pairs_of_frames

TRUTH = panning(time=12, size=(72, 128)).as_float()
ROWS, COLUMNS = np.mgrid[-1:1:72j, -1:1:128j]
VIGNETTE = np.exp(-0.4 * (ROWS**2 + COLUMNS**2))[..., None]
LEVELS = {
    "none": lambda light: light,
    "gain": lambda light: 0.8 * light,
    "gamma": lambda light: light**1.4,
    "tint": lambda light: light * np.array([0.8, 1.03, 0.9]),
    "vignette": lambda light: light * VIGNETTE,
    "gamma and vignette": lambda light: light**1.3 * VIGNETTE,
    "vignette and gamma": lambda light: (light * VIGNETTE) ** 1.3,
}


def stored(light: np.ndarray) -> np.ndarray:
    return from_float(np.clip(light, 0, 1).astype(np.float32), dtype=np.uint8)


def flickering(*, deviation: float, by_place: bool = False) -> np.ndarray:
    """The truth under gains that change with each frame, and are 1 on average."""
    gains = np.exp(np.random.default_rng(1).normal(0, deviation, (len(TRUTH), 1, 1, 1)))
    gains /= gains.mean()
    if by_place:
        gains = 1 + (gains - 1) * np.cos(3 * COLUMNS)[..., None]
    return TRUTH * gains


def free(light: np.ndarray) -> float:
    return level_free_psnr(stored(light), stored(TRUTH))


def plain(light: np.ndarray) -> float:
    return pooled_psnr(stored(light), stored(TRUTH))


@pytest.mark.parametrize("level", LEVELS)
def test_a_constant_level_costs_nothing(level):
    assert free(LEVELS[level](TRUTH)) > 48
    assert level == "none" or plain(LEVELS[level](TRUTH)) < 27


@pytest.mark.parametrize("by_place", [False, True])
@pytest.mark.parametrize("level", LEVELS)
def test_flicker_costs_the_same_under_any_level(level, by_place):
    flicker = flickering(deviation=0.06, by_place=by_place)
    assert free(LEVELS[level](flicker)) == pytest.approx(free(flicker), abs=0.2)


@pytest.mark.parametrize("deviation", [0.02, 0.06, 0.15])
def test_flicker_is_not_hidden(deviation):
    flicker = flickering(deviation=deviation)
    assert free(flicker) == pytest.approx(plain(flicker), abs=0.2)


def test_flicker_is_not_hidden_in_a_flat_picture():
    """A fit of the truth to the result would make all of it grey, and gain some decibels."""
    gains = flickering(deviation=0.06) / TRUTH
    flat = (0.4 + 0.1 * (TRUTH - 0.5)).astype(np.float32)
    given = stored(flat * gains), stored(flat)
    assert level_free_psnr(*given) == pytest.approx(pooled_psnr(*given), abs=0.2)


def test_what_changes_with_time_is_no_level():
    held = TRUTH.copy()
    held[len(held) // 2 :] *= 0.8
    assert free(held) < plain(held) + 7
    assert free(held) < 30


def test_without_error_a_clip_scores_a_hundred():
    assert free(TRUTH) == 100.0


@pytest.mark.parametrize("seed", range(3))
def test_it_is_never_below_the_plain_ratio(seed):
    noise = np.random.default_rng(seed).random(TRUTH.shape)
    blurred = np.stack([cv2.GaussianBlur(frame, (0, 0), 1.0 + seed) for frame in TRUTH])
    for result in (noise, blurred, TRUTH + 0.05 * (noise - 0.5), np.ones_like(TRUTH)):
        assert free(result) >= plain(result) - 1e-9


def test_one_bad_frame_does_not_move_the_level():
    result = TRUTH**1.4
    result[5] = 0.05
    fit = LevelFit()
    for one, truth in pairs_of_frames(result.astype(np.float32), TRUTH):
        fit.saw(one, truth)
    curve = fit.level().curves[1]
    assert np.interp([0.3, 0.5, 0.7], *curve) == pytest.approx([0.185, 0.379, 0.607], rel=0.03)


def test_sizes_and_lengths_that_are_sampled_give_the_same(monkeypatch):
    light = flickering(deviation=0.06) ** 1.4
    every = free(light)
    monkeypatch.setattr("unflicker.metrics.level._MOST_POINTS", 20_000)
    assert free(light) == pytest.approx(every, abs=0.3)


def test_films_are_read_twice_and_give_what_clips_do():
    light, reads = stored(flickering(deviation=0.06) ** 1.4), []

    def read():
        reads.append(True)
        return pairs_of_frames(light, stored(TRUTH))

    assert level_free_psnr_of(read) == level_free_psnr(light, stored(TRUTH))
    assert len(reads) == 2


@pytest.mark.parametrize("shape", [(1, 1, 1, 3), (2, 3, 5, 3), (3, 8, 8, 3)])
def test_tiny_and_plain_clips_have_a_level_too(shape):
    truth = np.full(shape, 0.4, np.float32)
    assert level_free_psnr(truth * np.float32(1.2), truth) > 45
    assert level_free_psnr(np.zeros_like(truth), truth) >= pooled_psnr(np.zeros_like(truth), truth)


def test_clips_of_another_size_are_refused():
    with pytest.raises(ValueError, match="pass two alike"):
        level_free_psnr(Clip.at_rate(TRUTH[:2], fps=24), TRUTH)
