"""Laws of shots: cuts are found, flicker and flashes are none, and windows cover every frame."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import unflicker
from made_clips import panning
from unflicker.analysis.cuts import find_cuts
from unflicker.analysis.proxy import Proxy, light_of
from unflicker.analysis.windows import cut_into_windows
from unflicker.errors import UsageError
from unflicker.frames.clip import Clip, to_float
from unflicker.frames.colour import proxy_size
from unflicker.settings import WindowSettings
from unflicker.synthesis import KINDS, synthesise
from unflicker.video import open_video

DATA = os.environ.get("UNFLICKER_DATA")
SHOT = 16


def proxies(pixels: np.ndarray) -> list[Proxy]:
    return [Proxy(pixels=p, seconds=i / 24) for i, p in enumerate(to_float(pixels))]


def three_shots() -> np.ndarray:
    """Sixteen frames each of three scenes, the camera moving."""
    speeds = [(1.3, 0.4), (-2.0, 0.0), (0.0, 3.0)]
    return np.concatenate(
        [panning(time=SHOT, seed=seed, speed_px=speed).pixels for seed, speed in enumerate(speeds)]
    )


def level(value: float, *, frames: int) -> np.ndarray:
    return np.full((frames, 54, 96, 3), value, np.float32)


def test_cuts_are_found_where_they_are() -> None:
    assert find_cuts(proxies(three_shots())) == [SHOT, 2 * SHOT]


def test_a_moving_shot_has_no_cut() -> None:
    fast = panning(time=24, speed_px=(6.0, 2.0)).pixels
    assert find_cuts(proxies(fast)) == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("strength", [1.0, 2.0])
def test_flicker_hides_no_cut_and_makes_none(kind: str, strength: float) -> None:
    clip = Clip.at_rate(three_shots(), fps=24)
    made = synthesise(clip, kind=kind, seed=5, strength=strength)
    assert find_cuts(proxies(made.clip.pixels)) == [SHOT, 2 * SHOT]


@pytest.mark.parametrize("length", [1, 2, 3])
@pytest.mark.parametrize("white", [0.0, 1.0])
def test_a_flash_is_not_a_cut(length: int, white: float) -> None:
    frames = to_float(panning(time=24).pixels).copy()
    frames[10 : 10 + length] = white
    assert find_cuts(proxies(frames)) == []


def test_a_flash_that_leaves_the_picture_is_not_a_cut() -> None:
    frames = to_float(panning(time=24).pixels).copy()
    frames[10] = np.clip(frames[10] * 3.0, 0.0, 1.0)
    frames[15] = frames[15] * 0.2
    assert find_cuts(proxies(frames)) == []


def test_a_flash_beside_a_cut_hides_it_not() -> None:
    frames = to_float(three_shots()).copy()
    frames[SHOT - 5] = 1.0
    frames[2 * SHOT + 5] = 1.0
    assert find_cuts(proxies(frames)) == [SHOT, 2 * SHOT]


def test_a_fade_to_black_is_not_a_cut_within_its_picture() -> None:
    frames = to_float(panning(time=24).pixels)
    fading = frames * np.linspace(1.0, 0.3, 24, dtype=np.float32)[:, None, None, None]
    assert find_cuts(proxies(fading)) == []


def test_two_levels_joined_are_two_shots() -> None:
    frames = np.concatenate([level(60 / 255, frames=8), level(180 / 255, frames=8)])
    assert find_cuts(proxies(frames)) == [8]


def test_alternating_levels_are_one_shot() -> None:
    frames = np.concatenate([level(v, frames=1) for v in [90 / 255, 110 / 255] * 10])
    assert find_cuts(proxies(frames)) == []


def test_two_levels_joined_come_out_bit_equal() -> None:
    frames = np.full((16, 32, 48, 3), 60, np.uint8)
    frames[8:] = 180
    np.testing.assert_array_equal(unflicker.deflicker(frames), frames)


def test_a_damaged_frame_makes_no_cut() -> None:
    held = proxies(panning(time=20).pixels)
    grey = np.full_like(held[9].pixels, 0.5)
    held[9] = Proxy(pixels=grey, seconds=held[9].seconds, damaged=True)
    assert find_cuts(held) == []


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_few_frames_have_no_cut(count: int) -> None:
    assert find_cuts(proxies(panning(time=4).pixels[:count])) == []


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=4),
    window=st.integers(2, 16),
    data=st.data(),
)
def test_windows_cover_every_frame_once_and_none_crosses_a_cut(lengths, window, data) -> None:
    overlap = data.draw(st.integers(1, window // 2))
    least = data.draw(st.integers(0, window // 2))
    # Flat pictures three stops apart are told apart by their level alone.
    levels = np.repeat(np.resize([0.06, 0.5], len(lengths)), lengths)
    frames = [
        Proxy(pixels=np.full((6, 8, 3), value, np.float32), seconds=i / 24)
        for i, value in enumerate(levels)
    ]
    cuts = find_cuts(frames)
    windows = list(
        cut_into_windows(frames, window_frames=window, overlap_frames=overlap, least_frames=least)
    )
    seen: list[Proxy] = []
    for before, part in zip([None, *windows[:-1]], windows, strict=True):
        begins = before is None or before.ends_shot
        assert part.overlap == (0 if begins else overlap)
        assert part.start == len(seen) - part.overlap
        assert list(part.frames[: part.overlap]) == seen[part.start :]
        assert not begins or part.start in [0, *cuts]
        assert not any(part.start < cut < part.stop for cut in cuts)
        seen += part.frames[part.overlap :]
        assert len(part.frames) <= window + overlap
        assert len(part.frames) >= least or (begins and part.ends_shot)
    assert seen == frames
    assert windows[-1].ends_shot
    assert {part.stop for part in windows if part.ends_shot} == {*cuts, len(frames)}


@pytest.mark.parametrize(("window", "overlap"), [(8, 8), (8, 9), (0, 0), (8, -1)])
def test_an_overlap_that_is_not_shorter_than_the_window_is_refused(window, overlap) -> None:
    frames = proxies(level(0.4, frames=4))
    with pytest.raises(UsageError, match="overlap"):
        list(cut_into_windows(frames, window_frames=window, overlap_frames=overlap))


def test_a_short_shot_is_one_window() -> None:
    windows = list(cut_into_windows(proxies(three_shots()), window_frames=96, overlap_frames=32))
    assert [(w.start, w.stop, w.overlap, w.ends_shot) for w in windows] == [
        (0, SHOT, 0, True),
        (SHOT, 2 * SHOT, 0, True),
        (2 * SHOT, 3 * SHOT, 0, True),
    ]


@pytest.mark.parametrize("count", [8, 16])
def test_a_shot_ends_even_without_overlap(count: int) -> None:
    frames = proxies(level(0.4, frames=count))
    windows = list(cut_into_windows(frames, window_frames=8, overlap_frames=0))
    assert [window.ends_shot for window in windows] == [False] * (count // 8 - 1) + [True]


def test_no_window_of_a_long_shot_is_shorter_than_twice_its_overlap() -> None:
    for count in range(20, 60):
        frames = proxies(level(0.4, frames=count))
        windows = list(cut_into_windows(frames, window_frames=16, overlap_frames=6))
        assert min(len(window.frames) for window in windows) >= 12


def test_at_most_two_windows_of_frames_are_held() -> None:
    picture = to_float(panning(time=1).pixels)[0]
    read = 0

    def reading():
        nonlocal read
        for index in range(300):
            read = index + 1
            yield Proxy(pixels=picture, seconds=index / 24)

    stop = 0
    for window in cut_into_windows(reading(), window_frames=32, overlap_frames=8):
        assert read - window.start <= 64
        stop = window.stop
    assert stop == 300


def cuts_of(name: str) -> list[int]:
    film = open_video(Path(DATA or "") / name)
    size = proxy_size(film.size, 256)
    return find_cuts(
        Proxy(pixels=light_of(f.picture, size=size), seconds=f.seconds, damaged=f.damaged)
        for f in film.frames()
    )


@pytest.mark.skipif(not DATA, reason="UNFLICKER_DATA names no folder of shared clips")
@pytest.mark.parametrize(
    ("name", "cuts"),
    [
        ("flicker/oldfilm_with_cuts.mp4", [44, 134, 299]),
        ("flicker/oldfilm_winter_scenes.mp4", []),
        ("flicker/lamps_shooting_gallery.mp4", []),
        ("flicker/mains_rain.mp4", []),
        ("flicker/timelapse_plant.mp4", []),
    ],
)
def test_real_films_are_cut_where_people_cut_them(name: str, cuts: list[int]) -> None:
    assert cuts_of(name) == cuts


@pytest.mark.skipif(not DATA, reason="UNFLICKER_DATA names no folder of shared clips")
@pytest.mark.parametrize(
    ("name", "cuts"),
    [("cuts/testvideo.mp4", {30, 180}), ("cuts/goldeneye-vfr-drop3.mp4", {60, 140})],
)
def test_no_real_cut_is_missed(name: str, cuts: set[int]) -> None:
    assert cuts <= set(cuts_of(name))


def test_the_default_window_leaves_room_for_its_overlap() -> None:
    window = WindowSettings()
    assert window.overlap_frames < window.frames / 2
