"""Hairs in the gate are found and filled; thin things of the scene stay as they are."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from made_clips import panning
from made_repairs import YUV, changed, pictures, through
from unflicker.frames.picture import Picture, PixelLayout, same_samples
from unflicker.rendering.haired import Hairs
from unflicker.synthesis.damage import damaged
from unflicker.synthesis.hairs import drawn_hairs

SIZE = (180, 320)
TIME = 22
LAYOUTS = {
    "4:2:0": YUV,
    "RGB with alpha": PixelLayout(family="rgb", depth=8, alpha=True),
    "4:2:2 of 10 bits": PixelLayout(family="yuv", depth=10, chroma_shift=(1, 0)),
}
ROOTS = {"left": (-2, 80), "right": (321, 60), "top": (150, -2), "bottom": (120, 181)}


def clip(*, speed_px: tuple[float, float] = (1.6, 1.0), time: int = TIME) -> np.ndarray:
    return panning(time=time, size=SIZE, speed_px=speed_px).pixels


def curve(root: tuple[float, float], *, length: float = 45.0) -> np.ndarray:
    """A curved thing from a place at the border inward."""
    along = np.linspace(0.0, 1.0, 24)
    to = np.array([160.0, 90.0]) - root
    ahead = to / np.hypot(*to)
    aside = np.array([-ahead[1], ahead[0]])
    bent = 9.0 * np.sin(2.5 * along)
    return root + length * along[:, None] * ahead + bent[:, None] * aside


def haired(
    pixels: np.ndarray,
    *,
    root: str = "left",
    opacity: float = -0.8,
    frames: Sequence[int] = range(TIME),
    drift: tuple[float, float] = (0.0, 0.0),
) -> tuple[np.ndarray, np.ndarray]:
    made = []
    for index, frame in enumerate(pixels):
        canvas = np.zeros(SIZE, np.uint8)
        if index in frames:
            places = curve(ROOTS[root]) + index * np.array(drift)
            points = np.rint(places * 16).astype(np.int32).reshape(-1, 1, 2)
            cv2.polylines(
                canvas,
                [points],
                isClosed=False,
                color=255,
                thickness=2,
                lineType=cv2.LINE_AA,
                shift=4,
            )
        density = canvas.astype(np.float32) * np.float32(opacity / 255.0)
        made.append(damaged(frame, density))
    return np.stack([one.pixels for one in made]), np.stack([one.truth for one in made])


def repaired(given: Sequence[Picture], *, degree: str = "normal", **more) -> list[Picture]:
    return through(Hairs(degree=degree), given, **more)


@pytest.mark.parametrize(
    ("layout", "hair"),
    [
        ("4:2:0", {}),
        ("4:2:0", {"root": "top", "opacity": 0.7}),
        ("RGB with alpha", {"root": "right"}),
        ("4:2:2 of 10 bits", {"root": "bottom", "frames": range(4, 18)}),
    ],
)
def test_a_hair_goes_and_all_else_stays(layout: str, hair: dict) -> None:
    clean = clip()
    dirty, truth = haired(clean, **hair)
    given, wanted = pictures(dirty, LAYOUTS[layout]), pictures(clean, LAYOUTS[layout])
    out, peak = repaired(given), LAYOUTS[layout].peak
    found = np.concatenate([changed(a, b)[t] for a, b, t in zip(given, out, truth, strict=True)])
    assert found.mean() > 0.8
    before, after = (
        np.concatenate(
            [
                (a.planes[0].astype(float) - b.planes[0])[t] / peak
                for a, b, t in zip(many, wanted, truth, strict=True)
            ]
        )
        for many in (given, out)
    )
    assert np.mean(after**2) < 0.15 * np.mean(before**2)
    for one, other, true in zip(given, out, truth, strict=True):
        far = ~cv2.dilate(true.astype(np.uint8), np.ones((21, 21))).astype(bool)
        assert not changed(one, other)[far].any()
        assert other.layout == one.layout
        if one.layout.alpha:
            np.testing.assert_array_equal(other.planes[-1], one.planes[-1])


@pytest.mark.parametrize("speed_px", [(0.0, 0.0), (1.6, 0.7), (5.0, -2.0)])
def test_a_clean_film_comes_back(speed_px: tuple[float, float]) -> None:
    given = pictures(clip(speed_px=speed_px))
    assert all(map(same_samples, given, repaired(given)))


@pytest.mark.parametrize("speed_px", [0.4, 1.0, 2.0])
def test_a_branch_moves_with_the_scene_and_stays(speed_px: float) -> None:
    dirty, _ = haired(clip(speed_px=(speed_px, 0.0)), root="top", drift=(-speed_px, 0.0))
    given = pictures(dirty)
    assert all(map(same_samples, given, repaired(given)))


def test_where_nothing_moves_there_is_no_evidence() -> None:
    dirty, _ = haired(clip(speed_px=(0.0, 0.0)))
    given = pictures(dirty)
    assert all(map(same_samples, given, repaired(given, degree="strong")))


@pytest.mark.parametrize("place", [(20, 15), (150, 250)])
def test_titles_that_touch_no_border_stay(place: tuple[int, int]) -> None:
    pixels = clip().copy()
    for frame in pixels:
        where = place[1], place[0]
        cv2.putText(frame, "LOGO", where, cv2.FONT_HERSHEY_SIMPLEX, 0.5, (250, 250, 250), 2)
    given = pictures(pixels)
    assert all(map(same_samples, given, repaired(given)))


def test_the_rim_of_a_picture_between_bars_is_no_hair() -> None:
    pixels = clip(speed_px=(2.0, 0.7)).copy()
    for frame in pixels:
        frame[:20], frame[-20:] = 0, 0
        frame[20:22], frame[-22:-20] = 250, 250
    given = pictures(pixels)
    assert all(map(same_samples, given, repaired(given)))


@pytest.mark.parametrize("size", [(2, 2), (4, 30), (40, 16), (96, 60)])
def test_small_pictures_are_no_matter(size: tuple[int, int]) -> None:
    random = np.random.default_rng(1)
    pixels = random.integers(0, 255, (9, *size, 3), dtype=np.uint8)
    pixels[:, : size[0] // 2, size[1] // 2] = 255
    assert len(repaired(pictures(pixels), degree="strong")) == 9


def test_hairs_are_not_followed_across_a_cut() -> None:
    dirty, _ = haired(clip(time=12))
    given = pictures(dirty)
    alone = repaired(given[:4]) + repaired(given[4:])
    together = repaired(given, cuts=(4,))
    assert all(map(same_samples, together, alone))
    assert not all(map(same_samples, together, repaired(given)))


def test_a_repeat_is_repaired_as_the_picture_that_it_repeats() -> None:
    dirty, _ = haired(clip())
    shown = [index for index in range(TIME) for _ in range(1 + index % 2)]
    repeats = [at for at in range(1, len(shown)) if shown[at] == shown[at - 1]]
    given = pictures(dirty[shown])
    out = repaired(given, repeats=repeats)
    assert any(not same_samples(a, b) for a, b in zip(given, out, strict=True))
    assert all(same_samples(out[at - 1], out[at]) for at in repeats)


def test_at_no_strength_and_out_of_the_mask_no_hair_is_filled() -> None:
    dirty, _ = haired(clip())
    given = pictures(dirty)
    assert all(map(same_samples, given, repaired(given, strength=0.0)))
    share = np.zeros(SIZE, np.float32)
    share[:, 20:] = 1.0
    out = repaired(given, share=share)
    assert not any(changed(a, b)[:, :20].any() for a, b in zip(given, out, strict=True))
    assert any(changed(a, b)[:, 20:].any() for a, b in zip(given, out, strict=True))


def test_a_repair_depends_on_no_more_frames_than_it_says() -> None:
    stage = Hairs(degree="normal")
    start, ahead = stage.burn_in_frames, stage.look_ahead_frames
    # A repeat right before the part that is rendered alone, and one at its start.
    shown = sorted([*range(start + 2), 5, start - 2, start - 1])
    repeats = [at for at in range(1, len(shown)) if shown[at] == shown[at - 1]]
    dirty, _ = haired(clip(time=start + 2), frames=range(start + 2))
    given = pictures(dirty[shown])
    whole = repaired(given, repeats=repeats)
    assert not any(map(same_samples, whole[start:], given[start:]))
    low = 3
    part = repaired(given[low:], repeats=[at - low for at in repeats if at > low])
    assert all(map(same_samples, whole[start + low :], part[start:]))
    cut = repaired(given[:-3], repeats=[at for at in repeats if at < len(given) - 3])
    assert all(map(same_samples, whole[: -3 - ahead], cut[:-ahead]))


def test_drawn_hairs_are_thin_begin_at_the_border_and_stay() -> None:
    size = (90, 160)
    lines = list(drawn_hairs(np.random.default_rng(2), size=size, time=12, count=4))
    assert len(lines) == 12
    shown = np.stack(lines) != 0
    assert shown.any()
    assert shown.mean() < 0.1
    for frame in shown:
        _, labels = cv2.connectedComponents(frame.astype(np.uint8), connectivity=8)
        edges = [labels[0], labels[-1], labels[:, 0], labels[:, -1]]
        assert set(np.unique(labels)) == {0, *np.unique(np.concatenate(edges))}
    again = list(drawn_hairs(np.random.default_rng(2), size=size, time=12, count=4))
    assert all(np.array_equal(a, b) for a, b in zip(lines, again, strict=True))
