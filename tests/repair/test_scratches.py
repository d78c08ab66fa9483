"""Scratches are found and filled; upright lines of the scene stay as they are."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from made_clips import panning
from made_repairs import YUV, changed, pictures, through
from unflicker.frames.picture import Picture, PixelLayout, same_samples
from unflicker.rendering.scratched import Scratches
from unflicker.synthesis.damage import damaged

SIZE = (180, 320)
TIME = 22
LAYOUTS = {
    "4:2:0": YUV,
    "RGB with alpha": PixelLayout(family="rgb", depth=8, alpha=True),
    "4:2:2 of 10 bits": PixelLayout(family="yuv", depth=10, chroma_shift=(1, 0)),
}


def clip(*, speed_px: tuple[float, float] = (1.3, 0.4), time: int = TIME) -> np.ndarray:
    return panning(time=time, size=SIZE, speed_px=speed_px).pixels


def scratched(
    pixels: np.ndarray,
    *,
    x: float = 100.0,
    drift_px: float = 0.1,
    width: int = 2,
    opacity: float = 0.45,
    rows: tuple[int, int] = (0, 180),
) -> tuple[np.ndarray, np.ndarray]:
    made = []
    for index, frame in enumerate(pixels):
        density = np.zeros(SIZE, np.float32)
        at = round(x + drift_px * index)
        density[rows[0] : rows[1], at : at + width] = opacity
        made.append(damaged(frame, density))
    return np.stack([one.pixels for one in made]), np.stack([one.truth for one in made])


def repaired(given: Sequence[Picture], *, degree: str = "normal", **more) -> list[Picture]:
    return through(Scratches(degree=degree), given, **more)


@pytest.mark.parametrize(
    ("layout", "line"),
    [
        ("4:2:0", {}),
        ("4:2:0", {"opacity": -0.4, "width": 1, "x": 221.0}),
        ("RGB with alpha", {"rows": (40, 180), "drift_px": -0.2}),
        ("4:2:2 of 10 bits", {"width": 2, "opacity": 0.95}),
    ],
)
def test_a_scratch_goes_and_all_else_stays(layout: str, line: dict) -> None:
    clean = clip()
    dirty, truth = scratched(clean, **line)
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
        far = ~cv2.dilate(true.astype(np.uint8), np.ones((15, 7))).astype(bool)
        assert not changed(one, other)[far].any()
        assert other.layout == one.layout
        if one.layout.alpha:
            np.testing.assert_array_equal(other.planes[-1], one.planes[-1])


@pytest.mark.parametrize("speed_px", [(0.0, 0.0), (1.3, 0.4), (5.0, -2.0)])
def test_a_clean_film_comes_back(speed_px: tuple[float, float]) -> None:
    given = pictures(clip(speed_px=speed_px))
    assert all(map(same_samples, given, repaired(given)))


@pytest.mark.parametrize("speed_px", [0.0, 0.4, 2.0])
def test_a_lamp_post_moves_with_the_scene_and_stays(speed_px: float) -> None:
    dirty, _ = scratched(clip(speed_px=(speed_px, 0.0)), x=200.0, drift_px=-speed_px)
    given = pictures(dirty)
    assert all(map(same_samples, given, repaired(given)))


def test_where_nothing_moves_only_strong_takes_a_line_for_a_scratch() -> None:
    dirty, _ = scratched(clip(speed_px=(0.0, 0.0)), drift_px=0.0)
    given = pictures(dirty)
    assert all(map(same_samples, given, repaired(given)))
    assert not any(map(same_samples, given, repaired(given, degree="strong")))


@pytest.mark.parametrize("size", [(2, 2), (4, 30), (40, 16), (96, 60)])
def test_small_pictures_are_no_matter(size: tuple[int, int]) -> None:
    random = np.random.default_rng(1)
    pixels = random.integers(0, 255, (9, *size, 3), dtype=np.uint8)
    pixels[:, :, size[1] // 2] = 255
    for degree in ("normal", "strong"):
        assert len(repaired(pictures(pixels), degree=degree)) == 9


def test_lines_are_not_followed_across_a_cut() -> None:
    dirty, _ = scratched(clip(time=12))
    given = pictures(dirty)
    alone = repaired(given[:4]) + repaired(given[4:])
    together = repaired(given, cuts=(4,))
    assert all(map(same_samples, together, alone))
    assert not all(map(same_samples, together, repaired(given)))


def test_a_repeat_is_repaired_as_the_picture_that_it_repeats() -> None:
    dirty, _ = scratched(clip())
    shown = [index for index in range(TIME) for _ in range(1 + index % 2)]
    repeats = [at for at in range(1, len(shown)) if shown[at] == shown[at - 1]]
    given = pictures(dirty[shown])
    out = repaired(given, repeats=repeats)
    assert any(not same_samples(a, b) for a, b in zip(given, out, strict=True))
    assert all(same_samples(out[at - 1], out[at]) for at in repeats)


def test_at_no_strength_and_out_of_the_mask_no_scratch_is_filled() -> None:
    dirty, truth = scratched(clip())
    given = pictures(dirty)
    assert all(map(same_samples, given, repaired(given, strength=0.0)))
    share = np.zeros(SIZE, np.float32)
    share[90:] = 1.0
    out = repaired(given, share=share)
    assert not any(changed(a, b)[:90].any() for a, b in zip(given, out, strict=True))
    assert any(changed(a, b)[90:].any() for a, b in zip(given, out, strict=True))
    assert truth[:, :90].any()


def test_a_repair_depends_on_no_more_frames_than_it_says() -> None:
    stage = Scratches(degree="normal")
    start, ahead = stage.burn_in_frames, stage.look_ahead_frames
    # A repeat right before the part that is rendered alone, and one at its start.
    shown = sorted([*range(start + 2), 5, start - 2, start - 1])
    repeats = [at for at in range(1, len(shown)) if shown[at] == shown[at - 1]]
    dirty, _ = scratched(clip(time=start + 2))
    given = pictures(dirty[shown])
    whole = repaired(given, repeats=repeats)
    assert not any(map(same_samples, whole[start:], given[start:]))
    low = 3
    part = repaired(given[low:], repeats=[at - low for at in repeats if at > low])
    assert all(map(same_samples, whole[start + low :], part[start:]))
    cut = repaired(given[:-3], repeats=[at for at in repeats if at < len(given) - 3])
    assert all(map(same_samples, whole[: -3 - ahead], cut[:-ahead]))


@pytest.mark.parametrize(("left", "right"), [(50, 40), (70, 0), (0, 24)])
def test_the_rim_of_a_picture_between_bars_is_no_scratch(left: int, right: int) -> None:
    pixels = clip(speed_px=(2.0, 0.0)).copy()
    for index, frame in enumerate(pixels):
        weave = index % 2
        frame[:, : left + weave] = 0
        frame[:, SIZE[1] - right - weave :] = 0
        if left:
            frame[:, left + weave : left + weave + 2] = 250
        if right:
            frame[:, SIZE[1] - right - weave - 2 : SIZE[1] - right - weave] = 250
    given = pictures(pixels)
    for one, other in zip(given, repaired(given), strict=True):
        assert same_samples(one, other)
