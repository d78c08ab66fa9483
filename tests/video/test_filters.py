"""FFmpeg's filters on clips: as many frames as given, in order, and clear words when not."""

import numpy as np
import pytest

from unflicker.errors import MissingError, UsageError
from unflicker.frames.clip import Clip
from unflicker.video.filters import run_filter


def noise(frames: int, seed: int = 0) -> Clip:
    pixels = np.random.default_rng(seed).integers(0, 256, (frames, 48, 64, 3), np.uint8)
    return Clip.at_rate(pixels, fps=25)


@pytest.mark.parametrize("graph", ["deflicker=size=5", "tmidequalizer", "null"])
@pytest.mark.parametrize("frames", [1, 2, 12, 40])
def test_as_many_frames_come_out_as_went_in(graph, frames):
    result = run_filter(noise(frames), graph)
    assert result.pixels.shape == (frames, 48, 64, 3)
    assert result.pixels.dtype == np.uint8


def test_a_filter_that_does_nothing_changes_nothing():
    clip = noise(5)
    assert np.array_equal(run_filter(clip, "null").pixels, clip.pixels)


def test_frames_stay_in_order():
    ramp = np.stack([np.full((48, 64, 3), 10 * index, np.uint8) for index in range(20)])
    result = run_filter(Clip.at_rate(ramp, fps=25), "hue=h=0")
    assert np.all(np.diff(result.pixels.mean((1, 2, 3))) > 8)


def test_deflicker_evens_out_alternating_light():
    light = np.where(np.arange(40) % 2, 140, 100).astype(np.uint8)
    clip = Clip.at_rate(np.tile(light[:, None, None, None], (1, 48, 64, 3)), fps=25)
    after = run_filter(clip, "deflicker=size=10").pixels[5:-10].mean((1, 2, 3))
    assert after.std() < 0.25 * light.std()


def test_colours_survive_a_filter_that_works_in_yuv():
    smooth = np.linspace(0, 255, 64, dtype=np.uint8)[None, None, :, None]
    pixels = np.ascontiguousarray(np.tile(smooth, (12, 48, 1, 3)))
    pixels[..., 1] //= 2
    result = run_filter(Clip.at_rate(pixels, fps=25), "deflicker=size=5:bypass=1")
    assert np.abs(result.pixels.astype(int) - pixels).max() <= 3


def test_floats_and_16_bit_are_taken():
    clip = noise(4)
    for other in (clip.as_float(), (clip.pixels.astype(np.uint16) * 257)):
        result = run_filter(Clip(pixels=other, seconds=clip.seconds), "null")
        assert np.array_equal(result.pixels, clip.pixels)


def test_a_filter_that_drops_frames_is_refused():
    with pytest.raises(UsageError, match="12 went in, 10 came out"):
        run_filter(noise(12), "tmedian")


def test_an_unknown_filter_and_unknown_arguments_are_named():
    with pytest.raises(MissingError, match="unflickerer"):
        run_filter(noise(2), "unflickerer")
    with pytest.raises(UsageError, match="sise=5"):
        run_filter(noise(2), "deflicker=sise=5")
