"""Arrays, streams and analysis give the same with several processes."""

import numpy as np
import pytest

import unflicker
from made_clips import panning
from unflicker import RunOptions
from unflicker.settings import Settings
from unflicker.synthesis import synthesise

SETTINGS = Settings.from_preset("standard", window__frames=16)


@pytest.fixture(scope="module")
def pictures():
    return synthesise(panning(time=40, size=(48, 80)), kind="exposure", seed=4).clip.pixels


@pytest.fixture(scope="module")
def alone(pictures):
    return unflicker.deflicker(pictures, settings=SETTINGS)


def test_an_array_is_the_same(pictures, alone):
    assert (alone != pictures).any()
    np.testing.assert_array_equal(unflicker.deflicker(pictures, settings=SETTINGS, jobs=2), alone)


def test_a_stream_is_the_same(pictures, alone):
    streamed = list(unflicker.stream(iter(pictures), settings=SETTINGS, jobs=2))
    np.testing.assert_array_equal(np.stack(streamed), alone)


def test_a_stream_that_is_left_early_ends_its_processes(pictures):
    streamed = unflicker.stream(iter(pictures), settings=SETTINGS, jobs=2)
    next(streamed)
    streamed.close()


def test_analysis_finds_the_same(pictures, tmp_path):
    from unflicker.frames.clip import Clip
    from unflicker.video import ArraySource, open_writer

    film = ArraySource(Clip.at_rate(pictures, fps=24))
    with open_writer(film, tmp_path / "film.mkv") as writer:
        for frame in film.frames():
            writer.write(frame)
    plans = []
    for jobs in (1, 2):
        place = tmp_path / f"{jobs}.npz"
        options = RunOptions(save_plan=place, jobs=jobs)
        unflicker.analyze(tmp_path / "film.mkv", settings=SETTINGS, options=options)
        plans.append(place.read_bytes())
    assert plans[0] == plans[1]
