"""What an atlas adds to tone: nothing worse, nothing where nothing flickers."""

import numpy as np
import pytest

import unflicker
from made_clips import photograph, psnr
from unflicker.compute import weights
from unflicker.errors import MissingError, UsageError
from unflicker.frames.clip import to_float
from unflicker.settings import Settings, replaced, without
from unflicker.synthesis import synthesise

BEST = replaced(
    Settings.from_preset("best"), {"atlas.layers": 1, "atlas.steps": 50, "atlas.points": 2000}
)


@pytest.fixture(scope="module")
def clip():
    return photograph(time=16)


@pytest.mark.parametrize("kind", ["exposure", "local", "film"])
def test_an_atlas_makes_no_film_worse(clip, kind):
    made = synthesise(clip, kind=kind, seed=3).clip.pixels
    truth = to_float(clip.pixels)
    plain, best = (
        psnr(to_float(unflicker.deflicker(made, settings=settings)), truth)
        for settings in (Settings.from_preset("standard"), BEST)
    )
    assert best > plain - 0.1


def test_a_steady_clip_is_untouched_and_no_atlas_is_made(clip, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("an atlas was made")

    monkeypatch.setattr("unflicker.analysis.findings.guided_gain", refuse)
    assert np.array_equal(unflicker.deflicker(clip.pixels, settings=BEST), clip.pixels)


def test_a_gain_that_is_won_reaches_the_frames(clip, monkeypatch):
    def brighter(window, *_):
        return np.full((len(window.light), 24, 32, 6, 3), np.log(1.1), np.float32), 0.0

    made = synthesise(clip, kind="exposure", seed=3).clip.pixels
    plain = to_float(unflicker.deflicker(made, settings=Settings.from_preset("standard")))
    monkeypatch.setattr("unflicker.analysis.findings.guided_gain", brighter)
    guided = to_float(unflicker.deflicker(made, settings=BEST))
    middle = (plain > 0.2) & (plain < 0.8)
    assert (guided[middle] / plain[middle]).mean() == pytest.approx(1.1, abs=0.01)


def test_without_torch_the_extra_is_named_before_any_work(clip, monkeypatch):
    monkeypatch.setattr(weights, "find_spec", lambda name: None)
    with pytest.raises(MissingError, match=r"unflicker\[neural\]"):
        unflicker.deflicker(clip.pixels, settings=BEST)


def test_stages_are_left_out_one_by_one(clip):
    made = synthesise(clip, kind="exposure", seed=3).clip.pixels
    none = unflicker.deflicker(made, settings=without(BEST, ("tone", "atlas", "refinement")))
    assert np.array_equal(none, made)
    alone = unflicker.deflicker(made, settings=without(BEST, ("atlas", "refinement")))
    assert np.array_equal(alone, unflicker.deflicker(made, settings=Settings.from_preset("fast")))
    truth = to_float(clip.pixels)
    untoned = unflicker.deflicker(made, settings=without(BEST, ("tone",)))
    assert psnr(to_float(untoned), truth) > psnr(to_float(made), truth) + 3.0
    with pytest.raises(UsageError, match="did you mean neural-filter"):
        without(BEST, ("neural-fliter",))


def test_weights_that_are_not_there_are_noticed_before_any_work(clip, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("work began")

    monkeypatch.setattr("unflicker.rendering.planned.analyse_film", refuse)
    settings = replaced(BEST, {"neural_filter.weights": "nowhere.safetensors"})
    with pytest.raises(MissingError, match="unflicker train"):
        unflicker.deflicker(clip.pixels, settings=settings)
