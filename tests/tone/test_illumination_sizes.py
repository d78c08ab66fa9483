"""Every number of waves that settings allow gives a model that can be used."""

import numpy as np
import pytest

import unflicker
from made_clips import panning
from unflicker.settings import Settings, replaced
from unflicker.tone.illumination import IlluminationModel
from unflicker.tone.weighing import projector
from unflicker.tone.whittaker import stiffness


@pytest.mark.parametrize("across", [1, 2, 3, 32])
@pytest.mark.parametrize("down", [1, 2, 5])
@pytest.mark.parametrize("contrast", [0, 1, 3, 8])
def test_every_size_has_its_cosines(across, down, contrast):
    model = IlluminationModel(
        height=20, width=30, waves_across=across, waves_down=down, contrast_waves=contrast
    )
    light, by_contrast = model.at_places(np.array([[0.0, 0.0], [29.0, 19.0], [14.5, 9.5]]))
    assert light.shape == (len(model.waves), 3)
    assert by_contrast.shape == (len(model.contrasts), 3)
    assert np.abs(light).max() <= 1.001


@pytest.mark.parametrize(("across", "down"), [(1, 1), (2, 1), (1, 3)])
def test_light_of_few_waves_still_removes_flicker_of_the_whole_picture(across, down):
    clip = panning(time=20, size=(54, 96), seed=across + down).pixels
    gain = np.exp(np.random.default_rng(down).normal(0, 0.08, 20))[:, None, None, None]
    settings = replaced(
        Settings.from_preset("fast"), {"tone.waves_across": across, "tone.waves_down": down}
    )
    lit = np.clip(clip * gain, 0, 255).astype(np.uint8)
    steady = unflicker.deflicker(lit, settings=settings)
    spread = [
        np.std(np.log(clips.mean(axis=(1, 2, 3)) / clip.mean(axis=(1, 2, 3))))
        for clips in (lit, steady)
    ]
    assert spread[1] < 0.35 * spread[0], spread


@pytest.mark.parametrize("fps", [24.0, 2_810_368.0, 1e7])
@pytest.mark.parametrize("time", [9, 80])
@pytest.mark.parametrize("memory", [0.0, 0.5])
def test_a_smooth_curve_of_any_rate_can_be_computed(fps, time, memory):
    periods = np.full(time - 2, 2.0 * fps)
    weigh = projector(time, memory, stiffness(periods))
    assert np.isfinite(weigh).all()
    straight = np.linspace(-1, 1, time)
    assert abs(straight @ weigh @ straight) < 1e-2 * time
    bent = np.where(np.arange(time) % 2, 1.0, -1.0)
    assert bent @ weigh @ bent > 0.3 * time
