"""What trained models say, where they can be had; nothing where they cannot."""

import cv2
import numpy as np
import pytest

from unflicker.errors import MissingError
from unflicker.metrics import lpips, perceptual, perceptual_measures, vmaf


def textured(time: int = 4) -> np.ndarray:
    noise = np.random.default_rng(0).random((time, 72, 96, 3), np.float32)
    return np.stack([0.2 + 0.5 * cv2.GaussianBlur(frame, (0, 0), 1.2) for frame in noise])


def blurred(clip: np.ndarray) -> np.ndarray:
    return np.stack([cv2.GaussianBlur(frame, (0, 0), 2) for frame in clip])


@pytest.fixture
def nothing_installed(monkeypatch):
    def missing(name):
        raise ImportError(f"no module named {name}")

    for found in (perceptual._ffmpeg_with_vmaf, perceptual._lpips_model):
        found.cache_clear()
    monkeypatch.setattr(perceptual, "import_module", missing)
    yield
    for found in (perceptual._ffmpeg_with_vmaf, perceptual._lpips_model):
        found.cache_clear()


def test_without_their_libraries_there_is_no_number_and_the_message_says_what_to_install(
    nothing_installed,
):
    clip = textured()
    assert perceptual_measures(clip, clip) == {}
    with pytest.raises(MissingError, match="pip install imageio-ffmpeg"):
        vmaf(clip, clip)
    with pytest.raises(MissingError, match="pip install lpips"):
        lpips(clip, clip)


def needs(measure):
    try:
        measure(textured()[:1], textured()[:1])
    except MissingError as missing:
        pytest.skip(str(missing))


def test_vmaf_is_highest_for_the_true_clip_and_blur_lowers_it():
    needs(vmaf)
    clean = textured()
    assert vmaf(clean, clean) > 95
    assert vmaf(blurred(clean), clean) < 80


def test_lpips_is_nothing_for_the_true_clip_and_blur_raises_it():
    needs(lpips)
    clean = textured()
    assert lpips(clean, clean) == pytest.approx(0, abs=1e-6)
    assert lpips(blurred(clean), clean) > 0.05
