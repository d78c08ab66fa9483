"""What FFmpeg's filters and smoothed histograms are known to do."""

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
