"""Which preset is taken where none is asked for."""

import cv2
import pytest

import unflicker
from made_clips import panning
from unflicker import pipeline, settings
from unflicker.errors import UsageError
from unflicker.settings import PRESET_VARIABLE, PRESETS, of_preset, usual_preset, usual_settings
from unflicker.synthesis import synthesise


def with_libraries(monkeypatch: pytest.MonkeyPatch, *found: str) -> None:
    monkeypatch.setattr(settings, "find_spec", lambda name: name in found or None)


def test_the_usual_preset_is_the_best_that_what_is_installed_allows(monkeypatch) -> None:
    monkeypatch.delenv(PRESET_VARIABLE)
    with_libraries(monkeypatch, "torch", "safetensors")
    assert usual_preset() == "standard"
    assert usual_settings() == of_preset("standard")
    for found in ([], ["torch"], ["safetensors"]):
        with_libraries(monkeypatch, *found)
        assert usual_preset() == "fast"
        assert usual_preset(guided=True) == "standard"


@pytest.mark.parametrize("preset", PRESETS)
def test_the_environment_may_name_another(monkeypatch, preset: str) -> None:
    monkeypatch.setenv(PRESET_VARIABLE, preset)
    assert usual_preset() == preset


def test_a_preset_in_the_environment_that_nobody_knows_is_refused_by_the_variables_name(
    monkeypatch,
) -> None:
    monkeypatch.setenv(PRESET_VARIABLE, "slow")
    with pytest.raises(UsageError, match=r"UNFLICKER_PRESET is slow; pass one of fast, "):
        usual_preset()


def test_without_settings_films_and_pictures_in_memory_take_the_usual_ones(
    monkeypatch, tmp_path
) -> None:
    pytest.importorskip("torch")
    monkeypatch.delenv(PRESET_VARIABLE)
    frames = synthesise(panning(time=10, size=(36, 64)), kind="local", seed=1).clip.pixels
    taken = []

    def steadied(_pixels, _film, asked, _progress):
        taken.append(asked)
        return iter(())

    monkeypatch.setattr(pipeline, "steady_in_place", steadied)
    unflicker.deflicker(frames)
    assert taken == [of_preset("standard")]
    for index, picture in enumerate(frames):
        cv2.imwrite(str(tmp_path / f"{index:03}.png"), picture)
    assert unflicker.analyze(tmp_path).settings["preset"] == "standard"
    assert unflicker.run(tmp_path).settings["preset"] == "standard"
