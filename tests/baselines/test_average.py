"""The moving average along the motion: what it takes out, and that it follows."""

import numpy as np
import pytest

from made_clips import panning, psnr
from unflicker.baselines import average
from unflicker.errors import UsageError
from unflicker.frames.clip import Clip


def lit(clip: Clip, *, seed: int = 0) -> Clip:
    """The clip under light that changes by chance, each frame by itself."""
    gain = np.random.default_rng(seed).normal(1.0, 0.05, len(clip)).astype(np.float32)
    return Clip(pixels=0.7 * clip.as_float() * gain[:, None, None, None], seconds=clip.seconds)


@pytest.mark.parametrize("reach", [1, 2])
def test_on_a_still_scene_chance_falls_by_the_root_of_the_frames_averaged(reach):
    still = panning(time=40, size=(40, 56), speed_px=(0.0, 0.0))
    clip = lit(still)
    light = [
        each.as_float()[reach:-reach].mean(axis=(1, 2, 3)).std()
        for each in (clip, average(clip, reach_frames=reach))
    ]
    gain = clip.as_float().mean(axis=(1, 2, 3))
    window = np.convolve(gain, np.full(2 * reach + 1, 1 / (2 * reach + 1)), "valid")
    assert light[1] == pytest.approx(window.std(), rel=0.05)
    assert light[1] / light[0] == pytest.approx((2 * reach + 1) ** -0.5, rel=0.35)


def test_it_follows_the_motion_where_a_plain_average_smears():
    clip = panning(time=7, size=(80, 120), speed_px=(3.0, 1.0))
    followed = average(clip).pixels[3]
    smeared = np.rint(clip.pixels[1:6].mean(axis=0)).astype(np.uint8)
    assert psnr(followed, clip.pixels[3]) > psnr(smeared, clip.pixels[3]) + 6


def test_what_is_not_seen_is_not_mixed_in():
    one, other = panning(time=4, size=(80, 120)), panning(time=4, size=(80, 120), seed=5)
    cut = Clip.at_rate(np.concatenate([one.pixels, other.pixels]), fps=24)
    mixed = 0.8 * one.pixels[3].astype(float) + 0.2 * other.pixels[0]
    near = psnr(average(cut, reach_frames=1).pixels[3], one.pixels[3])
    assert near > psnr(np.rint(mixed).astype(np.uint8), one.pixels[3]) + 3


def test_no_reach_is_no_change_and_a_negative_one_is_refused():
    clip = panning(time=3, size=(32, 48))
    np.testing.assert_array_equal(average(clip, reach_frames=0).pixels, clip.pixels)
    with pytest.raises(UsageError, match="reach of -1"):
        average(clip, reach_frames=-1)
