"""Whether a film is said to be dirty."""

from pathlib import Path

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


def test_nothing_is_looked_for_where_it_is_repaired_or_too_short(tmp_path) -> None:
    clip = synthesise(panning(time=20, size=(64, 80)), kind="exposure", seed=1).clip
    film = write(tmp_path / "short.mkv", clip)
    assert unflicker.analyze(film, preset="fast").spots is None
