"""Whether a film is said to be dirty, or to have hairs in the gate."""

from pathlib import Path

import cv2
import numpy as np
import pytest

import unflicker
from made_clips import panning
from unflicker.frames.clip import Clip
from unflicker.settings import EncodingSettings
from unflicker.synthesis import synthesise
from unflicker.synthesis.damage import damaged, drawn_spots
from unflicker.video import ArraySource, open_writer


def write(path: Path, clip: Clip) -> Path:
    film = ArraySource(clip)
    encoding = EncodingSettings(codec="ffv1", pix_fmt="bgr0")
    with open_writer(film, path, encoding=encoding) as writer:
        for frame in film.frames():
            writer.write(frame)
    return path


@pytest.mark.parametrize("seed", [3, 11])
def test_analysis_names_dirt_where_there_is_some(tmp_path, seed: int) -> None:
    clip = synthesise(panning(time=52, size=(120, 160)), kind="exposure", seed=seed).clip
    random = np.random.default_rng(seed)
    spotted = clip.pixels.copy()
    for picture in spotted:
        picture[:] = damaged(picture, drawn_spots(random, size=picture.shape[:2])).pixels
    for pixels, is_dirty in ((clip.pixels, False), (spotted, True)):
        film = write(tmp_path / f"{is_dirty}.mkv", Clip.at_rate(pixels, fps=25))
        record = unflicker.analyze(film, preset="fast")
        assert record.spots is not None
        assert any("--clean dirt" in note for note in record.notes) == is_dirty
        assert (record.spots >= 5.0) == is_dirty


def test_analysis_names_hairs_where_there_are_some(tmp_path) -> None:
    pixels = panning(time=52, size=(180, 320), speed_px=(1.6, 1.0)).pixels.copy()
    for picture in pixels:
        places = np.array([[0, 80], [12, 88], [26, 92], [46, 90]], np.int32)
        cv2.polylines(picture, [places], isClosed=False, color=(10, 10, 10), thickness=2)
    clean = panning(time=52, size=(180, 320), speed_px=(1.6, 1.0)).pixels
    for shown, has_hair in ((clean, False), (pixels, True)):
        film = write(tmp_path / f"{has_hair}.mkv", Clip.at_rate(shown, fps=25))
        record = unflicker.analyze(film, preset="fast")
        assert record.hairs is not None
        assert any("--clean hairs" in note for note in record.notes) == has_hair


def test_nothing_is_looked_for_where_it_is_repaired_or_too_short(tmp_path) -> None:
    clip = synthesise(panning(time=20, size=(64, 80)), kind="exposure", seed=1).clip
    film = write(tmp_path / "short.mkv", clip)
    record = unflicker.analyze(film, preset="fast")
    assert record.spots is None
    assert record.hairs is None
