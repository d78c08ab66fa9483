"""The period of flicker is told in frames of the film, repeats among them."""

import numpy as np
import pytest

import unflicker
from made_clips import panning
from unflicker.frames.clip import Clip
from unflicker.settings import EncodingSettings
from unflicker.video import ArraySource, open_writer


@pytest.mark.parametrize("twice", [0, 2, 3])
def test_period_and_frequency_agree_where_frames_repeat(tmp_path, twice: int) -> None:
    still = panning(time=40, size=(54, 96)).pixels.astype(np.float32)
    light = np.exp(0.12 * np.sin(2 * np.pi * np.arange(40) / 5.0))[:, None, None, None]
    pixels = np.clip(0.8 * still * light, 0, 255).astype(np.uint8)
    if twice:
        pixels = np.concatenate(
            [pixels[k : k + 1].repeat(1 + (k % twice == 0), 0) for k in range(40)]
        )
    film = tmp_path / "film.mkv"
    source = ArraySource(Clip.at_rate(pixels, fps=24.0))
    with open_writer(source, film, encoding=EncodingSettings(codec="ffv1")) as writer:
        for frame in source.frames():
            writer.write(frame)
    found = unflicker.analyze(film, preset="fast").shots[0].diagnosis
    assert found.period_frames == pytest.approx(5.0 * len(pixels) / 40, rel=0.1)
    assert found.period_frames * found.frequency_hz == pytest.approx(24.0, rel=0.01)
