"""What PSNR without the level means: a constant level costs nothing, flicker costs what it is."""

import cv2
import numpy as np
import pytest

from made_clips import panning
from unflicker.frames.clip import Clip, from_float
from unflicker.metrics import level_free_psnr, level_free_psnr_of, psnr
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


def stored(light: np.ndarray, *, dtype: type = np.uint8) -> np.ndarray:
    return from_float(np.clip(light, 0, 1).astype(np.float32), dtype=dtype)


def flickering(*, deviation: float, by_place: bool = False, alternates: bool = False) -> np.ndarray:
    """The truth under gains that change with each frame, at random or up and down."""
    gains = np.exp(np.random.default_rng(1).normal(0, deviation, (len(TRUTH), 1, 1, 1)))
    if alternates:
        gains = (1 + deviation * (-1.0) ** np.arange(len(TRUTH)))[:, None, None, None]
    if by_place:
        gains = 1 + (gains - 1) * np.cos(3 * COLUMNS)[..., None]
    return TRUTH * gains


def free(light: np.ndarray, *, dtype: type = np.uint8) -> float:
    return level_free_psnr(stored(light, dtype=dtype), stored(TRUTH, dtype=dtype))


def plain(light: np.ndarray) -> float:
    return psnr(stored(light), stored(TRUTH))


@pytest.mark.parametrize("level", LEVELS)
def test_a_constant_level_costs_nothing(level):
    assert free(LEVELS[level](TRUTH)) > 48
    assert level == "none" or plain(LEVELS[level](TRUTH)) < 27


@pytest.mark.parametrize("by_place", [False, True])
@pytest.mark.parametrize("level", LEVELS)
def test_flicker_costs_the_same_under_any_level(level, by_place):
    # In 16 bits: 8 bits under another level are rounded otherwise, which shows above 45 dB.
    flicker = flickering(deviation=0.12, by_place=by_place)
    other = free(LEVELS[level](flicker), dtype=np.uint16)
    assert other == pytest.approx(free(flicker, dtype=np.uint16), abs=0.2)


@pytest.mark.parametrize("deviation", [0.02, 0.05, 0.1])
def test_flicker_is_not_hidden(deviation):
    flicker = flickering(deviation=deviation, alternates=True)
    assert free(flicker) == pytest.approx(plain(flicker), abs=0.2)


def test_flicker_is_not_hidden_in_a_flat_picture():
    """A fit of the truth to the result would make all of it grey, and gain some decibels."""
    gains = flickering(deviation=0.06, alternates=True) / TRUTH
    flat = (0.4 + 0.1 * (TRUTH - 0.5)).astype(np.float32)
    given = stored(flat * gains), stored(flat)
    assert level_free_psnr(*given) == pytest.approx(psnr(*given), abs=0.2)


def test_what_changes_with_time_is_no_level():
    held = TRUTH.copy()
    held[: len(held) // 2] *= 0.9
    held[len(held) // 2 :] *= 0.7
    assert plain(held) < 22
    assert free(held) == pytest.approx(free(flickering(deviation=0.125, alternates=True)), abs=1)


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


def test_long_clips_are_sampled_without_regard_to_their_rhythm(monkeypatch):
    truth = np.concatenate([TRUTH] * 4)
    gains = (1 + 0.1 * (-1.0) ** np.arange(len(truth)))[:, None, None, None]
    given = stored(0.8 * truth * gains), stored(truth)
    every = level_free_psnr(*given)
    monkeypatch.setattr("unflicker.metrics.level._MOST_POINTS", 2304 * 20)
    # Every second frame alone would show one level of the two, and give some 7 dB more.
    assert level_free_psnr(*given) == pytest.approx(every, abs=0.5)


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
    assert level_free_psnr(np.zeros_like(truth), truth) >= psnr(np.zeros_like(truth), truth)


def test_clips_of_another_size_are_refused():
    with pytest.raises(ValueError, match="pass two alike"):
        level_free_psnr(Clip.at_rate(TRUTH[:2], fps=24), TRUTH)
