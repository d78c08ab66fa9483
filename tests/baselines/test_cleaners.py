"""Cleaners: medians take single spots out, keep steady clips nearly as they are, and all sizes."""

import numpy as np
import pytest

from made_clips import panning
from unflicker.baselines.cleaners import CLEANERS
from unflicker.frames.clip import Clip
from unflicker.metrics import psnr


@pytest.mark.parametrize("name", CLEANERS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_spots_of_one_pixel_go_and_the_clip_stays(name: str, dtype: type) -> None:
    clean = panning(time=5, size=(48, 80), seed=2, dtype=dtype)
    pixels, random = clean.pixels.copy(), np.random.default_rng(3)
    white = 1.0 if dtype is np.float32 else np.iinfo(dtype).max
    places = random.integers(4, (44, 76), (6, 2))
    for t in (1, 3):
        pixels[t, places[:, 0], places[:, 1]] = white
    made = CLEANERS[name](Clip(pixels=pixels, seconds=clean.seconds))
    assert made.pixels.dtype == dtype
    assert made.pixels.shape == pixels.shape
    for t in (1, 3):
        spots = made.pixels[t, places[:, 0], places[:, 1]].astype(float)
        assert np.abs(spots / white - 1).min() > 0.02
    assert psnr(CLEANERS[name](clean), clean) > 25


@pytest.mark.parametrize("name", CLEANERS)
@pytest.mark.parametrize("time", [0, 1, 2])
def test_the_shortest_clips_come_back(name: str, time: int) -> None:
    clip = Clip.at_rate(panning(time=4, size=(32, 48)).pixels[:time], fps=24)
    assert CLEANERS[name](clip).pixels.shape == clip.pixels.shape
