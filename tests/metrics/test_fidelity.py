"""What nearness means: known errors give known numbers, light is not sharpness."""

import cv2
import numpy as np
import pytest

from unflicker.frames.clip import Clip
from unflicker.metrics import (
    contrast_ratio,
    delta_e,
    pooled_psnr,
    psnr,
    psnr_by_frame,
    sharpness_ratio,
    ssim,
    worst_psnr,
)


def textured(time: int = 3) -> np.ndarray:
    noise = np.random.default_rng(0).random((time, 48, 64, 3), np.float32)
    return np.stack([0.2 + 0.5 * cv2.GaussianBlur(frame, (0, 0), 1.2) for frame in noise])


def test_an_error_of_a_tenth_of_white_is_twenty_decibels():
    clean = np.full((2, 8, 8, 3), 0.4, np.float32)
    assert psnr(clean + np.float32(0.1), clean) == pytest.approx(20.0, abs=1e-3)


def test_without_error_a_clip_scores_a_hundred():
    clean = textured()
    assert psnr(clean, clean) == 100.0
    assert pooled_psnr(clean, clean) == 100.0


def test_one_bad_frame_weighs_more_in_the_pooled_ratio():
    clean = np.full((4, 8, 8, 3), 0.4, np.float32)
    result = clean + np.float32(0.01)
    result[2] = 0.5
    np.testing.assert_allclose(psnr_by_frame(result, clean), [40, 40, 20, 40], atol=1e-2)
    assert psnr(result, clean) == pytest.approx(35.0, abs=1e-2)
    assert pooled_psnr(result, clean) == pytest.approx(25.9, abs=0.1)


def test_sample_types_mean_the_same_light():
    clean = textured()
    result = np.clip(clean * 1.1, 0, 1)
    eight = Clip.at_rate(np.rint(result * 255).astype(np.uint8), fps=24)
    sixteen = Clip.at_rate(np.rint(result * 65535).astype(np.uint16), fps=24)
    assert psnr(eight, clean) == pytest.approx(psnr(result, clean), abs=0.05)
    assert psnr(sixteen, clean) == pytest.approx(psnr(result, clean), abs=0.001)


def test_clips_of_another_size_are_refused():
    clean = textured()
    with pytest.raises(ValueError, match="pass two alike"):
        psnr(Clip.at_rate(clean[:2], fps=24), clean)


def test_a_clip_is_like_itself():
    assert ssim(textured(), textured()) == pytest.approx(1.0)


def test_blur_and_noise_lower_the_likeness():
    clean = textured()
    blurred = np.stack([cv2.GaussianBlur(frame, (0, 0), 2) for frame in clean])
    assert ssim(blurred, clean) < 0.9


def test_structural_similarity_agrees_with_another_implementation():
    metrics = pytest.importorskip("skimage.metrics")
    clean = textured(time=1)
    result = np.clip(clean * 0.8 + 0.3 * textured(time=2)[1:], 0, 1)
    one, other = (cv2.cvtColor(clip[0], cv2.COLOR_RGB2GRAY) for clip in (result, clean))
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    expected = metrics.structural_similarity(one, other, data_range=1.0, **options)
    assert ssim(result, clean) == pytest.approx(expected, abs=1e-5)


def test_the_smallest_pictures_have_a_likeness_too():
    tiny = np.full((1, 4, 4, 3), 0.5, np.float32)
    assert ssim(tiny, tiny) == pytest.approx(1.0)


@pytest.mark.parametrize("gain", [0.6, 1.0, 1.3])
def test_a_gain_is_not_sharpness(gain):
    clean = textured()
    assert sharpness_ratio(clean * np.float32(gain), clean) == pytest.approx(1.0, abs=0.01)


def test_a_smooth_local_gain_is_not_sharpness():
    clean = textured()
    slope = np.linspace(0.8, 1.2, 64, dtype=np.float32)[None, None, :, None]
    assert sharpness_ratio(clean * slope, clean) == pytest.approx(1.0, abs=0.02)


def test_a_blurred_clip_is_less_sharp_and_a_sharpened_one_more():
    clean = textured()
    blurred = np.stack([cv2.GaussianBlur(frame, (0, 0), 1.0) for frame in clean])
    assert sharpness_ratio(blurred, clean) < 0.85
    assert sharpness_ratio(clean + 0.5 * (clean - blurred), clean) > 1.1


def test_plain_pictures_are_equally_sharp():
    plain = np.full((2, 16, 16, 3), 0.5, np.float32)
    assert sharpness_ratio(plain, plain) == 1.0


def test_the_worst_frame_is_the_one_with_the_largest_error():
    clean = np.full((4, 8, 8, 3), 0.4, np.float32)
    result = clean + np.float32(0.01)
    result[2] = 0.5
    assert worst_psnr(result, clean) == pytest.approx(20.0, abs=1e-2)
    assert worst_psnr(clean, clean) == 100.0


@pytest.mark.parametrize("gain", [0.5, 1.0, 1.25])
def test_contrast_follows_a_gain(gain):
    clean = textured()
    assert contrast_ratio(clean * np.float32(gain), clean) == pytest.approx(gain, rel=1e-4)


def test_contrast_is_not_brightness_and_plain_pictures_have_as_much():
    clean = textured()
    assert contrast_ratio(clean + np.float32(0.1), clean) == pytest.approx(1.0, abs=1e-4)
    plain = np.full((2, 8, 8, 3), 0.3, np.float32)
    assert contrast_ratio(plain, plain) == 1.0


def test_greyed_colours_and_blur_lower_the_contrast():
    clean = textured()
    grey = np.repeat(clean.mean(axis=3, keepdims=True), 3, axis=3)
    blurred = np.stack([cv2.GaussianBlur(frame, (0, 0), 1.5) for frame in clean])
    assert contrast_ratio(grey, clean) < 0.95
    assert contrast_ratio(blurred, clean) < 0.95


@pytest.mark.parametrize("deviation", [0.8, 1.5, 3.0])
def test_blur_of_the_true_clip_raises_no_score(deviation):
    clean = textured()
    blurred = np.stack([cv2.GaussianBlur(frame, (0, 0), deviation) for frame in clean])
    for measure in (psnr, pooled_psnr, worst_psnr, ssim, sharpness_ratio, contrast_ratio):
        assert measure(blurred, clean) < measure(clean, clean)
    assert delta_e(blurred, clean) > 0


@pytest.mark.parametrize("strengths", [(0.02, 0.05), (0.05, 0.1)])
def test_stronger_flicker_scores_worse_in_every_measure_of_light(strengths):
    clean = textured(time=4)
    signs = np.array([1, -1, 1, -1], np.float32)[:, None, None, None]
    weak, strong = (clean * (1 + signs * np.float32(strength)) for strength in strengths)
    for measure in (psnr, pooled_psnr, worst_psnr, ssim):
        assert measure(strong, clean) < measure(weak, clean)
    assert delta_e(strong, clean) > delta_e(weak, clean)
