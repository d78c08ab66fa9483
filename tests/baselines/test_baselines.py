"""What FFmpeg's filters and smoothed histograms are known to do."""

import cv2
import numpy as np
import pytest

from made_clips import panning
from unflicker.baselines import (
    BASELINES,
    ffmpeg_minterpolate,
    ffmpeg_tmix,
    histogram,
    local_stabilization,
    singular_frames,
)
from unflicker.frames.clip import Clip, from_float
from unflicker.metrics import psnr
from unflicker.synthesis import synthesise


def textured(*, time: int, dtype: type = np.uint8) -> Clip:
    noise = np.random.default_rng(0).random((48, 64, 3), np.float32)
    picture = 0.2 + 0.5 * cv2.GaussianBlur(noise, (0, 0), 1.5)
    return Clip.at_rate(from_float(np.stack([picture] * time), dtype=dtype), fps=25)


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


def test_local_stabilisation_removes_flicker_of_places_that_a_histogram_cannot():
    steady = panning(time=12, size=(72, 120))
    made = synthesise(steady, kind="local", seed=3).clip
    given, whole, local = (
        psnr(each, steady) for each in (made, histogram(made), local_stabilization(made))
    )
    assert whole < given + 1.5
    assert local > given + 2.5


def test_frames_that_are_not_singular_stay_as_they_are():
    steady = panning(time=17, size=(40, 64), speed_px=(0.1, 0.0))
    pixels = steady.pixels.copy()
    pixels[4] = (pixels[4] * 0.8).astype(np.uint8)
    flashed = Clip(pixels=pixels, seconds=steady.seconds)
    result = singular_frames(flashed).pixels
    changed = (result != pixels).any(axis=(1, 2, 3))
    assert changed[4]
    assert not changed[12:].any()
    assert psnr(result[4:5], steady.pixels[4:5]) > psnr(pixels[4:5], steady.pixels[4:5]) + 3


def test_chains_of_ffmpeg_have_no_lag():
    steady = panning(time=12, size=(48, 96), speed_px=(3.0, 0.0))
    for chain in (ffmpeg_tmix, ffmpeg_minterpolate):
        result = chain(steady).pixels[3:-3]
        near = [psnr(result, steady.pixels[3 + lag : 9 + lag]) for lag in (-1, 0, 1)]
        assert near[1] > max(near[0], near[2]) + 3
