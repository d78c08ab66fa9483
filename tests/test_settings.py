"""Which preset is taken where none is asked for."""

from dataclasses import replace

import cv2
import pytest

import unflicker
from made_clips import panning
from unflicker import pipeline
from unflicker.settings import (
    PRESETS,
    Settings,
    choosing,
    preset_of,
    presets,
    replaced,
    to_dict,
    usual_preset,
    usual_settings,
)
from unflicker.synthesis import synthesise


def with_libraries(monkeypatch: pytest.MonkeyPatch, *found: str) -> None:
    monkeypatch.setattr(presets, "find_spec", lambda name: name in found or None)


def test_the_usual_preset_is_the_best_that_what_is_installed_allows(monkeypatch) -> None:
    with_libraries(monkeypatch, "torch", "safetensors")
    assert usual_preset() == "standard"
    assert usual_settings() == Settings.from_preset("standard")
    for found in ([], ["torch"], ["safetensors"]):
        with_libraries(monkeypatch, *found)
        assert usual_preset() == "fast"
        assert usual_preset(guided=True) == "standard"


@pytest.mark.parametrize("preset", PRESETS)
def test_settings_know_the_preset_that_they_follow(preset: str) -> None:
    settings = Settings.from_preset(preset)
    assert preset_of(settings) == preset
    assert preset_of(replace(settings, strength=0.5, threads=2)) == preset
    assert preset_of(replaced(settings, {"proxy.width_px": 128})) == "custom"


def test_settings_without_a_preset_are_the_usual_ones(monkeypatch) -> None:
    assert Settings() == usual_settings()
    with_libraries(monkeypatch)
    assert not Settings().atlas.used
    assert not Settings().refinement.used


def test_without_settings_films_and_pictures_in_memory_take_the_usual_ones(
    monkeypatch, tmp_path
) -> None:
    pytest.importorskip("torch")
    frames = synthesise(panning(time=10, size=(36, 64)), kind="local", seed=1).clip.pixels
    taken = []
    monkeypatch.setattr(choosing, "usual_settings", usual_settings)

    def rendered(_arrays, _film, asked, _context, **_):
        taken.append(asked)
        return iter(())

    monkeypatch.setattr(pipeline, "render_arrays", rendered)
    unflicker.deflicker(frames)
    assert taken == [Settings.from_preset("standard")]
    for index, picture in enumerate(frames):
        cv2.imwrite(str(tmp_path / f"{index:03}.png"), picture)
    assert unflicker.analyze(tmp_path).settings == to_dict(Settings.from_preset("standard"))
    assert unflicker.run(tmp_path).settings == to_dict(Settings.from_preset("standard"))
