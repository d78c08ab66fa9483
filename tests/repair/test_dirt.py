"""Dirt is found and filled; what moves, what repeats and what is clean stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import pytest

import unflicker
from made_clips import panning, scene
from made_repairs import changed, pictures, through
from unflicker.frames.picture import Picture, PixelLayout, same_samples
from unflicker.rendering.repairing import Repair
from unflicker.settings import Settings
from unflicker.synthesis.damage import damaged, drawn_spots

SIZE = (180, 320)
LAYOUTS = {
    "4:2:0": PixelLayout(family="yuv", depth=8, chroma_shift=(1, 1)),
    "4:2:2 of 10 bits": PixelLayout(family="yuv", depth=10, chroma_shift=(1, 0)),
    "RGB with alpha": PixelLayout(family="rgb", depth=8, alpha=True),
    "grey of 16 bits": PixelLayout(family="grey", depth=16),
}


def clip(*, time: int = 7, speed_px: tuple[float, float] = (1.3, 0.4)) -> np.ndarray:
    return panning(time=time, size=SIZE, speed_px=speed_px).pixels


def with_spots(pixels: np.ndarray, *, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    made = [damaged(frame, drawn_spots(random, size=SIZE)) for frame in pixels]
    return np.stack([one.pixels for one in made]), np.stack([one.truth for one in made])


def repaired(given: Sequence[Picture], **more) -> list[Picture]:
    return through(Repair(degree="normal"), given, **more)


@pytest.mark.parametrize("name", LAYOUTS)
def test_most_dirt_goes_and_nearly_nothing_else_changes(name: str) -> None:
    clean = clip()
    dirty, truth = with_spots(clean)
    given, wanted = pictures(dirty, LAYOUTS[name]), pictures(clean, LAYOUTS[name])
    out = repaired(given)
    inner = range(2, len(clean) - 2)
    peak = LAYOUTS[name].peak
    found = np.concatenate([changed(given[t], out[t])[truth[t]] for t in inner])
    assert found.mean() > 0.8
    before, after = (
        np.concatenate([(many[t].planes[0][truth[t]] / peak) for t in inner])
        for many in (given, out)
    )
    right = np.concatenate([wanted[t].planes[0][truth[t]] / peak for t in inner])
    assert np.mean((after - right) ** 2) < 0.1 * np.mean((before - right) ** 2)
    for t in inner:
        far = ~cv2.dilate(truth[t].astype(np.uint8), np.ones((9, 9))).astype(bool)
        assert changed(given[t], out[t])[far].mean() < 0.002
        assert out[t].layout == given[t].layout
        if given[t].layout.alpha:
            np.testing.assert_array_equal(out[t].planes[-1], given[t].planes[-1])


@pytest.mark.parametrize("speed_px", [(0.0, 0.0), (1.3, 0.4), (6.0, -2.0)])
def test_a_clean_film_comes_back(speed_px: tuple[float, float]) -> None:
    given = pictures(clip(speed_px=speed_px))
    for before, after in zip(given, repaired(given), strict=True):
        assert same_samples(before, after)


def test_a_ball_that_flies_by_stays() -> None:
    pixels = clip(time=9, speed_px=(0.0, 0.0)).copy()
    for t, frame in enumerate(pixels):
        cv2.circle(frame, (40 + 14 * t, 60 + 5 * t), 4, (250, 250, 250), -1, cv2.LINE_AA)
    given = pictures(pixels)
    for before, after in zip(given, repaired(given), strict=True):
        assert same_samples(before, after)


def test_one_spot_of_one_frame_goes() -> None:
    """The twin of the ball: the same circle, once."""
    pixels = clip(time=9, speed_px=(0.0, 0.0)).copy()
    cv2.circle(pixels[4], (96, 80), 4, (250, 250, 250), -1, cv2.LINE_AA)
    given = pictures(pixels)
    out = repaired(given)
    assert changed(given[4], out[4])[78:83, 94:99].all()
    assert all(same_samples(given[t], out[t]) for t in range(9) if t != 4)


def test_a_spot_that_one_neighbour_does_not_show_goes() -> None:
    """A flat rim of a picture that moves: one neighbour ends where the spot lies."""
    pixels = clip(time=7, speed_px=(9.0, 0.0)).copy()
    pixels[:, :40] = 200
    spotted = pixels.copy()
    cv2.circle(spotted[3], (SIZE[1] // 2, 2), 5, (20, 20, 20), -1, cv2.LINE_AA)
    cv2.circle(spotted[3], (3, 20), 5, (20, 20, 20), -1, cv2.LINE_AA)
    given = pictures(spotted)
    out = repaired(given)
    where = spotted[3, ..., 0] < 100
    where[40:] = False
    assert changed(given[3], out[3])[where].mean() > 0.9
    right = pictures(pixels)[3].planes[0][where].astype(int)
    assert np.abs(out[3].planes[0][where] - right).mean() < 6


def test_a_dark_spot_on_the_way_between_larger_ones_goes() -> None:
    """It lies on a line with them as a thing that flies, but it is not as large."""
    pixels = clip(time=9, speed_px=(0.0, 0.0)).copy()
    for t, radius in ((3, 9), (4, 4), (5, 9)):
        cv2.circle(pixels[t], (96 + 14 * (t - 4), 80), radius, (5, 5, 5), -1, cv2.LINE_AA)
    given = pictures(pixels)
    out = repaired(given)
    assert changed(given[4], out[4])[78:83, 94:99].all()


@pytest.mark.parametrize(("place", "radius"), [((200, 112), 12), ((172, 98), 11)])
def test_a_large_blot_that_is_taken_for_something_dark_goes(
    place: tuple[int, int], radius: int
) -> None:
    """Motion estimated on the blot leads to the disc; that between the neighbours does not."""
    whole = scene(seed=4, size=(240, 400)).copy()
    cv2.circle(whole, (170, 130), 14, (0.04,) * 3, -1, cv2.LINE_AA)
    corners = [(20 + 4 * t, 30 - 2 * t) for t in range(7)]
    pixels = np.stack([whole[y : y + SIZE[0], x : x + SIZE[1]] for x, y in corners])
    spotted = pixels.copy()
    cv2.circle(spotted[3], place, radius, (0.04,) * 3, -1, cv2.LINE_AA)
    given, wanted = pictures(255 * spotted), pictures(255 * pixels)
    out = repaired(given)
    where = changed(given[3], wanted[3])
    assert changed(given[3], out[3])[where].mean() > 0.95
    error = out[3].planes[0].astype(int) - wanted[3].planes[0]
    assert np.abs(error)[where].mean() < 1.5


def test_much_dirt_of_one_frame_goes() -> None:
    """More than dust: a twentieth of a picture."""
    clean = clip(time=7, speed_px=(0.0, 0.0))
    pixels = clean.copy()
    for row in range(6):
        for column in range(8):
            place = (22 + 39 * column, 20 + 28 * row)
            cv2.circle(pixels[3], place, 4, (250, 250, 250), -1, cv2.LINE_AA)
    dirty = np.abs(pixels[3].astype(int) - clean[3]).max(axis=-1) > 40
    assert dirty.mean() > 0.04
    given = pictures(pixels)
    assert changed(given[3], repaired(given)[3])[dirty].mean() > 0.8


def test_a_repeated_picture_is_repaired_alike_and_from_other_pictures() -> None:
    dirty, truth = with_spots(clip(time=6))
    shown = [0, 1, 2, 2, 3, 4, 4, 4, 5]
    given = pictures(dirty[shown])
    out = repaired(given, repeats=(3, 6, 7))
    once = repaired(pictures(dirty))
    assert truth[2].any()
    for place, picture in enumerate(shown):
        assert same_samples(out[place], once[picture])


def test_no_picture_is_compared_across_a_cut() -> None:
    dirty, _ = with_spots(clip(time=6))
    given = pictures(dirty)
    alone = repaired(given[:3]) + repaired(given[3:])
    for one, other in zip(repaired(given, cuts=(3,)), alone, strict=True):
        assert same_samples(one, other)
    assert not all(map(same_samples, repaired(given), alone))


def test_at_no_strength_and_out_of_the_mask_nothing_is_repaired() -> None:
    dirty, _ = with_spots(clip(time=5))
    given = pictures(dirty)
    for before, after in zip(given, repaired(given, strength=0.0), strict=True):
        assert same_samples(before, after)
    share = np.zeros(SIZE, np.float32)
    share[:, 160:] = 1.0
    out = repaired(given, share=share)
    assert not any(changed(a, b)[:, :160].any() for a, b in zip(given, out, strict=True))
    assert any(changed(a, b)[:, 160:].any() for a, b in zip(given, out, strict=True))


def test_a_repair_depends_on_no_more_frames_than_it_says() -> None:
    dirty, _ = with_spots(clip(time=5))
    shown = [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 4]
    given = pictures(dirty[shown])
    repeats = [at for at in range(1, 16) if shown[at] == shown[at - 1]]
    whole, reach = repaired(given, repeats=repeats), Repair(degree="normal").burn_in_frames
    part = repaired(
        given[8 - reach :], repeats=[at - 8 + reach for at in repeats if at > 8 - reach]
    )
    for one, other in zip(whole[8:], part[reach:], strict=True):
        assert same_samples(one, other)


def test_deflicker_repairs_arrays() -> None:
    dirty, truth = with_spots(clip(time=9))
    settings = Settings.from_preset("fast", repair__dirt=True)
    out = unflicker.deflicker(dirty, settings=settings)
    inner = truth[2:-2]
    assert (out != dirty)[2:-2][inner].any(axis=-1).mean() > 0.7
    assert (out != dirty)[2:-2][~inner].any(axis=-1).mean() < 0.06
    plain = unflicker.deflicker(dirty, settings=replace(settings, repair=Settings().repair))
    np.testing.assert_array_equal(out[0], plain[0])
