"""Which preset is taken where none is asked for."""

from dataclasses import replace

import cv2
import pytest

import unflicker
from made_clips import panning
from unflicker import pipeline
from unflicker.settings import (
    PRESETS,
    STAGES,
    Settings,
    choosing,
    preset_of,
    replaced,
    to_dict,
    usual_settings,
)
from unflicker.synthesis import synthesise


def test_the_usual_preset_is_standard_and_needs_no_torch() -> None:
    assert usual_settings() == Settings() == Settings.from_preset("standard")
    assert not Settings().atlas.used
    assert Settings().fine_light.used
    assert Settings().refinement.used


def test_each_preset_adds_stages_to_the_one_before() -> None:
    def used(preset: str) -> set[str]:
        settings = to_dict(Settings.from_preset(preset))
        return {stage for stage, name in STAGES.items() if settings[name]}

    assert used("fast") < used("standard") < used("best") == set(STAGES)
    assert "fine-light" in used("fast")
    assert "fine-light" not in used("paper")


@pytest.mark.parametrize("preset", PRESETS)
def test_settings_know_the_preset_that_they_follow(preset: str) -> None:
    settings = Settings.from_preset(preset)
    assert preset_of(settings) == preset
    assert preset_of(replace(settings, strength=0.5, threads=2)) == preset
    assert preset_of(replaced(settings, {"proxy.width_px": 128})) == "custom"


def test_without_settings_films_and_pictures_in_memory_take_the_usual_ones(
    monkeypatch, tmp_path
) -> None:
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


def test_the_atlas_command_and_the_best_preset_choose_the_number_of_layers() -> None:
    """`unflicker atlas` takes the settings of `fast`, 0 layers being "what explains more"."""
    from unflicker.cli.options import settings_from

    assert settings_from({}, preset="fast").atlas.layers == 0
    assert Settings.from_preset("best").atlas.layers == 0
