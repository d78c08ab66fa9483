"""What every baseline keeps, and what each is known to do."""

import cv2
import numpy as np
import pytest

from unflicker.baselines import BASELINES, histogram
from unflicker.frames.clip import Clip, from_float
from unflicker.metrics import psnr
from unflicker.synthesis import synthesise


def textured(*, time: int, dtype: type = np.uint8) -> Clip:
    noise = np.random.default_rng(0).random((48, 64, 3), np.float32)
    picture = 0.2 + 0.5 * cv2.GaussianBlur(noise, (0, 0), 1.5)
    return Clip.at_rate(from_float(np.stack([picture] * time), dtype=dtype), fps=25)


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("time", [0, 1, 2, 16])
def test_a_baseline_keeps_count_size_samples_and_times(name, dtype, time):
    clip = textured(time=16, dtype=dtype)
    clip = Clip(pixels=clip.pixels[:time], seconds=clip.seconds[:time] ** 1.1)
    result = BASELINES[name](clip)
    assert result.pixels.shape == clip.pixels.shape
    assert result.pixels.dtype == clip.pixels.dtype
    np.testing.assert_array_equal(result.seconds, clip.seconds)
    if dtype is np.float32 and time:
        assert 0 <= result.pixels.min() <= result.pixels.max() <= 1


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_baseline_takes_a_constant_clip(name, level):
    pixels = np.full((12, 32, 48, 3), level, np.uint8)
    result = BASELINES[name](Clip.at_rate(pixels, fps=25)).pixels
    assert np.ptp(result[6].astype(int)) <= 1


@pytest.mark.parametrize("name", BASELINES)
def test_a_baseline_leaves_its_input_alone(name):
    clip = textured(time=8)
    before = clip.pixels.copy()
    BASELINES[name](clip)
    np.testing.assert_array_equal(clip.pixels, before)


@pytest.mark.parametrize("name", BASELINES)
def test_a_baseline_lessens_exposure_flicker(name):
    clean = textured(time=32)
    made = synthesise(clean, kind="exposure", seed=0).clip
    inner = slice(6, -6)
    light = [c.pixels[inner].mean(axis=(1, 2, 3)).std() for c in (made, BASELINES[name](made))]
    assert light[1] < 0.7 * light[0]


@pytest.mark.parametrize("kind", ["exposure", "gamma", "tint"])
def test_smoothed_histograms_nearly_undo_flicker_of_whole_frames(kind):
    clean = textured(time=32)
    made = synthesise(clean, kind=kind, seed=0, strength=0.5)
    steadied = histogram(made.clip)
    assert psnr(steadied, clean) > psnr(made.clip, clean) + 6


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_smoothed_histograms_keep_a_steady_clip(dtype):
    clip = textured(time=9, dtype=dtype)
    assert psnr(histogram(clip), clip) > 55


def test_ffmpegs_deflicker_darkens_a_short_clip_and_ours_does_not():
    clip = Clip.at_rate(np.full((1, 32, 48, 3), 128, np.uint8), fps=25)
    assert BASELINES["ffmpeg-deflicker"](clip).pixels.mean() < 60
    np.testing.assert_array_equal(histogram(clip).pixels, clip.pixels)
