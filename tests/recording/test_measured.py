"""What a record says is measured on what was written."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

import unflicker
from made_clips import panning
from unflicker import RunOptions
from unflicker.frames.clip import to_float
from unflicker.frames.colour import to_rgb
from unflicker.metrics import visible_flicker
from unflicker.motion import estimate_motion
from unflicker.settings import EncodingSettings, Settings
from unflicker.synthesis import synthesise
from unflicker.video import ArraySource, open_video, open_writer

EXACT = EncodingSettings(codec="ffv1", pix_fmt="bgr0")
FAST = Settings.from_preset("fast", encoding=EXACT)


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    clip = synthesise(panning(time=24, size=(72, 128)), kind="exposure", seed=4).clip
    path = tmp_path_factory.mktemp("film") / "film.mkv"
    source = ArraySource(clip, name=path.name)
    with open_writer(source, path, encoding=EXACT) as writer:
        for frame in source.frames():
            writer.write(frame)
    return path


def seen_in(path) -> float:
    frames = np.stack([to_rgb(frame.picture) for frame in open_video(path).frames()])
    return visible_flicker(frames, motion=estimate_motion(frames), fps=24.0)


@pytest.mark.parametrize("strength", [1.0, 0.5, 0.0])
def test_visible_flicker_is_that_of_the_written_film(film, tmp_path, strength: float) -> None:
    settings = replace(FAST, strength=strength)
    record = unflicker.run(film, tmp_path / "out.mkv", settings=settings)
    assert record.visible_flicker_before == pytest.approx(seen_in(film), rel=0.1)
    assert record.visible_flicker_after == pytest.approx(seen_in(tmp_path / "out.mkv"), rel=0.1)
    if strength == 0.0:
        assert record.visible_flicker_after == record.visible_flicker_before


def test_a_mask_is_part_of_what_is_measured(film, tmp_path) -> None:
    mask = np.zeros((72, 128), np.uint8)
    cv2.imwrite(str(tmp_path / "mask.png"), mask)
    options = RunOptions(mask=tmp_path / "mask.png")
    record = unflicker.run(film, tmp_path / "out.mkv", settings=FAST, options=options)
    assert record.visible_flicker_after == record.visible_flicker_before
    assert not record.correction_stops.any()
    np.testing.assert_array_equal(record.mean_after, record.mean_before)


def test_levels_are_those_of_the_frames(film, tmp_path) -> None:
    record = unflicker.run(film, tmp_path / "out.mkv", settings=FAST)
    for path, told in ((film, record.mean_before), (tmp_path / "out.mkv", record.mean_after)):
        means = [to_float(to_rgb(f.picture)).mean(axis=(0, 1)) for f in open_video(path).frames()]
        np.testing.assert_allclose(told, means, atol=0.01)


def test_what_is_only_analysed_is_expected(film) -> None:
    record = unflicker.analyze(film, settings=FAST)
    assert 0.0 < record.visible_flicker_after < record.visible_flicker_before
