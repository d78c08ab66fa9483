"""Analysis that goes on where an earlier run stopped plans as one from the beginning."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from made_clips import panning
from unflicker.analysis.analyse_film import analyse_film
from unflicker.analysis.seen import Earlier
from unflicker.files.workspace import Workspace
from unflicker.frames.clip import Clip
from unflicker.frames.picture import Frame
from unflicker.jobs.resources import Resources
from unflicker.plan import FramePlan
from unflicker.settings import Settings, replaced
from unflicker.synthesis import synthesise
from unflicker.video import ArraySource

SETTINGS = replaced(Settings.from_preset("fast"), {"window.frames": 12, "window.overlap_frames": 4})


FRAMES = 44


class Film(ArraySource):
    """Three shots; it knows which of its frames were read."""

    mended = False

    def __init__(self, damaged=()) -> None:
        shots = [panning(time=time, size=(48, 64), seed=time) for time in (22, 7, 15)]
        steady = np.concatenate([shot.pixels for shot in shots])
        clip = synthesise(Clip.at_rate(steady, fps=24.0), kind="exposure", seed=2).clip
        super().__init__(clip)
        self.read: list[int] = []
        self._damaged = damaged

    def frames(self) -> Iterator[Frame]:
        return self.frames_from(0, 0)

    def frames_from(self, index: int, pts: int) -> Iterator[Frame]:
        for frame in super().frames():
            if frame.index < index:
                continue
            assert self.read or not index or frame.pts == pts
            self.read.append(frame.index)
            yield replace(frame, damaged=frame.index in self._damaged)


def plans(film: Film, work: Workspace, settings: Settings = SETTINGS) -> list[FramePlan]:
    found = analyse_film(film, settings, resources=Resources(work=work))
    return [item for item in found if isinstance(item, FramePlan)]


def seen(work: Workspace) -> list:
    return sorted((work.folder / "windows").glob("*.seen"))


def same(one: FramePlan, other: FramePlan) -> bool:
    facts = ("index", "seconds", "starts_shot", "repeats", "keeps_light", "damaged", "light_scale")
    arrays = (
        (plan.mean_before, plan.mean_after, *vars(plan.grade).values()) for plan in (one, other)
    )
    return all(getattr(one, name) == getattr(other, name) for name in facts) and all(
        np.array_equal(a, b) for a, b in zip(*arrays, strict=True)
    )


@pytest.fixture(scope="module", params=[(), (9, 14, 16, 17, 20, 21, 22, 33)])
def finished(request, tmp_path_factory):
    """A film, its workspace, and all its plans."""
    film = Film(request.param)
    with Workspace(tmp_path_factory.mktemp("work") / "work", {}, keep=True) as work:
        yield film, work, plans(film, work)


def test_wherever_it_stopped_the_plans_are_the_same(finished) -> None:
    film, work, whole = finished
    assert any(not plan.grade.is_identity for plan in whole)
    places = seen(work)
    assert len(places) >= 4
    for kept, place in reversed([*enumerate(places)]):
        place.unlink()
        film.read.clear()
        again = plans(film, work)
        assert [plan.index for plan in again] == list(range(FRAMES))
        assert all(same(one, other) for one, other in zip(whole, again, strict=True))
        assert (film.read[0] > 0) == (kept > 0)


def test_windows_that_are_whole_are_not_read_again(finished) -> None:
    film, work, _ = finished
    film.read.clear()
    plans(film, work)
    assert film.read == [FRAMES - 1]


@pytest.mark.parametrize("why", ["mended", "locked", "unknown"])
def test_where_it_matters_a_film_is_read_from_its_beginning(finished, why: str) -> None:
    _, work, _ = finished
    settings = replaced(SETTINGS, {"tone.lock_exposure": why == "locked"})
    last = f"windows/{seen(work)[-1].name}"
    kept, film = work.load(last), Film()
    film.mended = why == "unknown"
    work.store(last, replace(kept, mended=why == "mended"))
    assert not list(Earlier(film, settings, work).findings())
    work.store(last, kept)
