"""What workers find amiss in a film is told, when a plan from a file is followed."""

import pytest
from made_films import make_film

import unflicker
from unflicker import RunOptions
from unflicker.plan import Plan
from unflicker.recording.recorder import _once

FRAMES = 300


@pytest.fixture(scope="module")
def cut(tmp_path_factory):
    """A film that lost its end, whose index promises more, and its plan."""
    folder = tmp_path_factory.mktemp("cut")
    whole = make_film(folder / "whole.mkv", times=range(0, 40 * FRAMES, 40), size=(48, 64))
    film = folder / "film.mkv"
    film.write_bytes(whole.read_bytes()[: int(0.93 * whole.stat().st_size)])
    unflicker.analyze(film, preset="fast", options=RunOptions(save_plan=folder / "film.plan"))
    return film, folder / "film.plan"


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_film_that_ends_early_is_incomplete_by_any_number_of_processes(cut, tmp_path, jobs):
    film, plan = cut
    assert 240 < len(Plan(plan)) < FRAMES
    options = RunOptions(plan=plan, jobs=jobs)
    record = unflicker.run(film, tmp_path / "result.mkv", preset="fast", options=options)
    assert record.incomplete
    assert len([note for note in record.notes if "cut off" in note]) == 1


@pytest.mark.parametrize(
    ("notes", "heard", "told"),
    [
        ((), ("3 frames", "5 frames"), ("5 frames",)),
        (("2 frames",), ("3 frames", "others"), ("2 frames", "others")),
        (("one",), (), ("one",)),
    ],
)
def test_notes_that_differ_in_numbers_are_told_once(notes, heard, told):
    assert _once(notes, heard) == told
