"""Bonneel 2015: the equation is solved, gradients stay, and the original's motion is followed."""

from dataclasses import replace

import numpy as np
import pytest

from made_clips import panning, psnr
from unflicker.baselines import bonneel
from unflicker.baselines.screened_poisson import solved
from unflicker.errors import UsageError
from unflicker.frames.clip import Clip
from unflicker.metrics import sharpness_ratio, warping_error
from unflicker.motion import estimate_motion


def dense(target: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The same equation with its matrix written out."""
    height, width = weight.shape
    matrix = np.diag(weight.astype(float).ravel())
    for row in range(height):
        for column in range(width):
            here = row * width + column
            for there in [here + width] * (row + 1 < height) + [here + 1] * (column + 1 < width):
                matrix[here, here] += 1
                matrix[there, there] += 1
                matrix[here, there] = matrix[there, here] = -1
    right = (weight[..., None] * target).reshape(-1, 3).astype(float)
    return np.linalg.solve(matrix, right).reshape(target.shape)


def processed(clip: Clip, *, seed: int = 0) -> Clip:
    """The clip with levels that change from frame to frame and, smoothly, from place to place."""
    random = np.random.default_rng(seed)
    slope = np.linspace(-1, 1, clip.pixels.shape[2], dtype=np.float32)[:, None]
    frames = [
        frame * np.float32(random.uniform(0.8, 1.0)) + np.float32(random.uniform(0, 0.08)) * slope
        for frame in clip.as_float()
    ]
    return Clip(pixels=np.clip(np.stack(frames), 0, 1), seconds=clip.seconds)


@pytest.mark.parametrize("size", [(9, 13), (1, 1), (1, 7), (16, 12), (3, 20)])
@pytest.mark.parametrize("scale", [0.05, 100.0])
def test_the_equation_is_solved_at_any_size(size, scale):
    random = np.random.default_rng(0)
    target = random.normal(size=(*size, 3)).astype(np.float32)
    weight = (scale * random.random(size)).astype(np.float32)
    weight[:, : size[1] // 2] = 0
    found, _ = solved(target, weight, tolerance=1e-6, most_steps=100)
    np.testing.assert_allclose(found, dense(target, weight), atol=1e-4)


def test_a_picture_four_times_as_wide_takes_hardly_more_steps():
    steps = []
    for size in ((45, 80), (180, 320)):
        random = np.random.default_rng(1)
        target = random.normal(size=(*size, 3)).astype(np.float32)
        weight = np.where(random.random(size) < 0.5, 0.05, 0).astype(np.float32)
        weight[: size[0] // 2] = 0
        steps.append(solved(target, weight, tolerance=1e-4, most_steps=100)[1])
    assert steps[1] <= steps[0] + 3
    assert max(steps) <= 15


def test_where_nothing_weighs_nothing_changes():
    found, steps = solved(
        np.ones((8, 9, 3), np.float32), np.zeros((8, 9), np.float32), tolerance=1e-4, most_steps=9
    )
    assert steps == 0
    assert not found.any()


def test_a_flickering_clip_gets_steadier_and_keeps_its_gradients():
    steady = panning(time=10, size=(96, 144))
    clip, motion = processed(steady), estimate_motion(steady.as_float())
    result = bonneel(clip, steady)
    given, left, own = (
        warping_error(each, flows=motion.backward, visible=motion.visible_backward)
        for each in (clip, result, steady)
    )
    assert left - own < 0.35 * (given - own)
    assert sharpness_ratio(result, clip) == pytest.approx(1.0, abs=0.05)


def test_the_first_frame_stays_and_so_does_all_where_lambda_is_nothing():
    steady = panning(time=4, size=(48, 64))
    clip = processed(steady)
    np.testing.assert_array_equal(bonneel(clip, steady).pixels[0], clip.pixels[0])
    np.testing.assert_array_equal(bonneel(clip, steady, consistency=0).pixels, clip.pixels)


def test_a_large_lambda_moves_the_first_frame_along_the_originals_motion():
    steady = panning(time=6, size=(96, 144), dtype=np.float32)
    dim = replace(steady, pixels=0.6 * steady.pixels)
    clip = replace(dim, pixels=np.concatenate([dim.pixels[:1], processed(steady).pixels[1:]]))
    result = bonneel(clip, steady, consistency=1e4).pixels[:, 12:-12, 12:-12]
    want = dim.pixels[:, 12:-12, 12:-12]
    assert psnr(result[-1], want[-1]) > 26
    assert psnr(result[-1], want[-1]) > psnr(clip.pixels[-1, 12:-12, 12:-12], want[-1]) + 6


def test_what_the_original_does_not_carry_over_is_left_as_processed():
    one, other = panning(time=3, size=(64, 96)), panning(time=3, size=(64, 96), seed=7)
    steady = Clip.at_rate(np.concatenate([one.pixels // 3, 170 + other.pixels // 3]), fps=24)
    clip = processed(steady)
    result = bonneel(clip, steady)
    np.testing.assert_allclose(result.pixels[3], clip.pixels[3], atol=1e-3)


def test_clips_that_do_not_belong_together_and_a_negative_lambda_are_refused():
    clip = panning(time=3, size=(32, 48))
    with pytest.raises(UsageError, match="3 frames of 48×32 and an original of 2 frames"):
        bonneel(clip, Clip(pixels=clip.pixels[:2], seconds=clip.seconds[:2]))
    with pytest.raises(UsageError, match="negative consistency"):
        bonneel(clip, clip, consistency=-1)
