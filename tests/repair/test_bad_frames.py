"""Frames that are bad as a whole are rebuilt; light, motion, cuts and repeats are not damage."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from made_films import read, same_samples

import unflicker
from made_clips import panning
from made_nature import KINDS, natural
from unflicker import RunOptions
from unflicker.frames.clip import Clip
from unflicker.frames.picture import Frame, as_array, as_picture
from unflicker.grade import Grade
from unflicker.plan import FramePlan
from unflicker.rendering.item import Item
from unflicker.rendering.rebuilt import Rebuilding
from unflicker.settings import EncodingSettings, Settings
from unflicker.synthesis import events
from unflicker.synthesis.damage import LOST, lost_frame
from unflicker.video import ArraySource, open_writer

SIZE = (108, 192)
EVENTS = (
    events.lightning,
    events.flash,
    events.strobe,
    events.fade_in,
    events.fade_out,
    events.fade_to_white,
    events.dissolve,
    events.fire,
)


def items(pixels: np.ndarray, **plans) -> list[Item]:
    found = []
    for index, picture in enumerate(map(as_picture, pixels)):
        told = {name: value for name, (at, value) in plans.items() if at == index}
        frame = Frame(picture=picture, index=index, pts=index, time_base=Fraction(1, 24))
        plan = FramePlan(index=index, grade=Grade.identity(), **told)
        found.append(Item(frame=frame, plan=plan, picture=picture))
    return found


def bad_in(given: list[Item]) -> list[int]:
    done = list(Rebuilding()(iter(given)))
    assert [item.plan.index for item in done] == [item.plan.index for item in given]
    changed = [i for i, (a, b) in enumerate(zip(done, given, strict=True))
               if a.picture is not b.picture]  # fmt: skip
    assert changed == [i for i, item in enumerate(done) if item.repairs.boxes]
    return changed


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("kind", LOST)
def test_a_bad_frame_is_rebuilt_from_both_sides(kind: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    truth = panning(time=14, size=SIZE, seed=seed, speed_px=(1.0 + seed, -0.6)).pixels
    pixels, at = truth.copy(), int(random.integers(2, 12))
    pixels[at] = lost_frame(random, truth[at], kind=kind)
    given = items(pixels)
    assert bad_in(given) == [at]
    picture = list(Rebuilding()(iter(given)))[at].picture
    made = as_array(picture, like=truth[at])[8:-8, 8:-8].astype(float)
    error = np.sqrt(((made - truth[at, 8:-8, 8:-8]) ** 2).mean())
    assert 20 * np.log10(255 / error) > 30


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("seed", [3, 4])
def test_light_is_not_damage(event: events.Draw, seed: int) -> None:
    clip = panning(time=36, size=SIZE, seed=seed).as_float()
    shown = event(np.random.default_rng(seed), len(clip), 24.0).show(clip)
    assert bad_in(items(np.rint(shown * 255).astype(np.uint8))) == []


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_what_moves_in_nature_is_not_damage(kind: str) -> None:
    assert bad_in(items(natural(kind, seed=2, time=14, size=SIZE).pixels)) == []


def test_cuts_and_repeats_and_the_ends_of_a_shot_are_not_damage() -> None:
    shots = [panning(time=8, size=SIZE, seed=s).pixels for s in (1, 2)]
    pixels = np.concatenate(shots)
    pixels[4] = pixels[3]
    assert bad_in(items(pixels, starts_shot=(8, True))) == []
    pixels[7] = pixels[8] = 16
    pixels[0] = pixels[-1] = 16
    assert bad_in(items(pixels, starts_shot=(8, True))) == []


@pytest.mark.parametrize("every", [2, 3])
def test_what_comes_again_and_again_is_kept(every: int) -> None:
    pixels = panning(time=20, size=SIZE).pixels.copy()
    pixels[2::every] = 16
    assert bad_in(items(pixels)) == []


def test_strength_zero_and_a_damaged_neighbour_leave_a_frame_as_it_is() -> None:
    pixels = panning(time=12, size=SIZE).pixels.copy()
    pixels[6] = 16
    assert bad_in(items(pixels)) == [6]
    assert bad_in([replace(item, strength=0.0) for item in items(pixels)]) == []
    assert bad_in(items(pixels, damaged=(7, True))) == []
    assert bad_in(items(pixels, damaged=(6, True))) == [6]


def test_a_plan_says_whether_bad_frames_are_rebuilt(tmp_path) -> None:
    truth = panning(time=20, size=SIZE, seed=4).pixels
    pixels = truth.copy()
    pixels[9] = lost_frame(np.random.default_rng(1), truth[9], kind="torn")
    film, source = tmp_path / "film.mkv", ArraySource(Clip.at_rate(pixels, fps=24.0))
    with open_writer(source, film, encoding=EncodingSettings(codec="ffv1")) as writer:
        for frame in source.frames():
            writer.write(frame)
    settings, plan = Settings.from_preset("fast", repair__frames=True), tmp_path / "film.plan"
    record = unflicker.run(film, tmp_path / "run.mkv", settings=settings)
    assert [i for i, count in enumerate(record.repaired.counts) if count] == [9]
    unflicker.analyze(film, settings=settings, options=RunOptions(save_plan=plan))
    applied = unflicker.run(
        film,
        tmp_path / "applied.mkv",
        settings=Settings.from_preset("fast"),
        options=RunOptions(plan=plan),
    )
    assert applied.repaired.counts == record.repaired.counts
    assert same_samples(read(tmp_path / "run.mkv"), read(tmp_path / "applied.mkv"))


def test_segments_do_not_change_what_is_found() -> None:
    pixels = panning(time=30, size=SIZE, seed=6).pixels.copy()
    for at in (8, 20):
        pixels[at] = lost_frame(np.random.default_rng(at), pixels[at], kind="torn")
    whole = [item.picture for item in Rebuilding()(iter(items(pixels)))]
    stage = Rebuilding()
    for start in (6, 8, 9, 12, 19, 20, 21):
        first = start - stage.burn_in_frames
        stop = start + 6 + stage.look_ahead_frames
        part = list(Rebuilding()(iter(items(pixels)[first:stop])))[start - first :][:6]
        for item, picture in zip(part, whole[start:], strict=False):
            np.testing.assert_array_equal(item.picture.planes[0], picture.planes[0])
