"""Laws of made flicker: repeatable, undone by its own truth, and nothing at strength 0."""

import numpy as np
import pytest

from unflicker.errors import UsageError
from unflicker.frames.clip import Clip, from_float, to_float
from unflicker.synthesis import (
    ADDED_KINDS,
    KINDS,
    MIXED_KINDS,
    graded,
    mean_grade,
    sunset,
    synthesise,
    ungraded,
)
from unflicker.synthesis.recipes import HELD_FRAMES

SIZE = (36, 64)
FRAMES = 12


def soft_clip(*, dtype: type = np.uint8, time: int = FRAMES) -> Clip:
    """A moving, coloured picture between a fifth and three fifths of white."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float32)
    frames = [
        np.stack([np.sin((x + shift + 9 * c) / 7) * np.cos(y / (5 + c)) for c in range(3)], axis=2)
        for shift in range(time)
    ]
    pixels = 0.4 + 0.2 * np.stack(frames)
    return Clip.at_rate(from_float(pixels.astype(np.float32), dtype=dtype), fps=24)


@pytest.mark.parametrize("kind", [*KINDS, *MIXED_KINDS])
def test_the_same_seed_gives_the_same_flicker_and_another_seed_another(kind: str) -> None:
    clip = soft_clip()
    first, again, other = (synthesise(clip, kind=kind, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.clip.pixels, again.clip.pixels)
    assert (first.clip.pixels != other.clip.pixels).any()


@pytest.mark.parametrize("kind", [*KINDS, *MIXED_KINDS])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_no_strength_makes_no_flicker(kind: str, dtype: type) -> None:
    clip = soft_clip(dtype=dtype)
    made = synthesise(clip, kind=kind, seed=0, strength=0.0)
    assert made.clip.pixels.dtype == dtype
    tolerance = 2e-6 if dtype is np.float32 else 0
    np.testing.assert_allclose(made.clip.pixels, clip.pixels, atol=tolerance)


@pytest.mark.parametrize("kind", [*KINDS, *MIXED_KINDS])
def test_the_clip_keeps_its_size_and_times(kind: str) -> None:
    clip = soft_clip(dtype=np.uint16)
    made = synthesise(clip, kind=kind, seed=1)
    assert made.clip.pixels.shape == clip.pixels.shape
    assert made.clipped.shape == clip.pixels.shape[:3]
    assert len(made.grades) == len(clip)
    np.testing.assert_array_equal(made.clip.seconds, clip.seconds)


@pytest.mark.parametrize("kind", [kind for kind in (*KINDS, *MIXED_KINDS) if kind != "film"])
def test_the_true_grades_undo_the_flicker_where_nothing_clipped(kind: str) -> None:
    clip = soft_clip(dtype=np.float32)
    made = synthesise(clip, kind=kind, seed=2)
    back = np.stack([ungraded(f, g) for f, g in zip(made.clip.pixels, made.grades, strict=True)])
    difference = np.abs(back - clip.pixels).max(axis=3)
    assert difference[~made.clipped].max() < 1e-4
    least = 0.002 if kind in MIXED_KINDS else 0.005
    assert np.abs(made.clip.pixels - clip.pixels).mean() > least


def test_the_light_of_film_is_in_its_grades_and_its_dirt_is_not() -> None:
    clip = soft_clip(dtype=np.float32)
    made = synthesise(clip, kind="film", seed=2)
    lit = np.stack([graded(f, g) for f, g in zip(clip.pixels, made.grades, strict=True)])
    left = np.abs(made.clip.pixels - lit)
    assert 0.002 < np.median(left) < 0.03
    assert np.abs(left.mean(axis=(1, 2, 3))).max() < 0.03


@pytest.mark.parametrize("kind", ["gamma", "exposure", "local tint"])
def test_putting_back_its_own_grade_gives_the_flickering_frame(kind: str) -> None:
    made = synthesise(soft_clip(dtype=np.float32), kind=kind, seed=5, strength=0.5)
    frame, grade = made.clip.pixels[4], made.grades[4]
    np.testing.assert_allclose(ungraded(frame, grade, keep=grade), frame, atol=1e-4)


def test_the_mean_of_one_grade_is_that_grade() -> None:
    grade = synthesise(soft_clip(), kind="local tint", seed=1).grades[0]
    mean = mean_grade((grade, grade))
    np.testing.assert_allclose(mean.log_gain, grade.log_gain, rtol=1e-6)
    np.testing.assert_allclose(mean.curves, grade.curves, rtol=1e-6)


def test_lost_pixels_are_just_those_beyond_white() -> None:
    pixels = np.full((8, *SIZE, 3), 0.99, np.float32)
    made = synthesise(Clip.at_rate(pixels, fps=24), kind="exposure", seed=0)
    brightened = np.array([grade.log_gain.max() > 0.0101 for grade in made.grades])
    assert 0 < brightened.sum() < 8
    np.testing.assert_array_equal(made.clipped.all(axis=(1, 2)), brightened)
    np.testing.assert_array_equal(made.clipped.any(axis=(1, 2)), brightened)


def test_exposure_is_one_gain_for_the_whole_picture_and_all_channels() -> None:
    clip = soft_clip(dtype=np.float32)
    made = synthesise(clip, kind="exposure", seed=0)
    ratio = made.clip.pixels / clip.pixels
    assert np.ptp(ratio, axis=(1, 2, 3)).max() < 1e-4


def test_gamma_leaves_black_and_white_alone() -> None:
    pixels = np.zeros((5, *SIZE, 3), np.uint8)
    pixels[:, :, 32:] = 255
    clip = Clip.at_rate(pixels, fps=24)
    np.testing.assert_array_equal(synthesise(clip, kind="gamma", seed=0).clip.pixels, pixels)


def test_held_flicker_keeps_a_level_for_ten_frames() -> None:
    pixels = np.full((25, *SIZE, 3), 0.4, np.float32)
    made = synthesise(Clip.at_rate(pixels, fps=24), kind="held", seed=0).clip.pixels
    steps = np.abs(np.diff(made, axis=0)).max(axis=(1, 2, 3))
    changed = np.flatnonzero(steps)
    np.testing.assert_array_equal(changed, [HELD_FRAMES - 1, 2 * HELD_FRAMES - 1])


def test_bands_lie_across_the_picture() -> None:
    pixels = np.full((6, *SIZE, 3), 0.4, np.float32)
    made = synthesise(Clip.at_rate(pixels, fps=24), kind="bands", seed=0).clip.pixels
    assert np.ptp(made, axis=2).max() < 1e-6
    assert np.ptp(made, axis=1).max() > 0.02


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("time", [0, 1, 2])
def test_the_shortest_clips_work(kind: str, time: int) -> None:
    assert len(synthesise(soft_clip(time=2), kind=kind, seed=0).clip) == 2
    pixels = soft_clip(time=2).pixels[:time]
    assert len(synthesise(Clip.at_rate(pixels, fps=24), kind=kind, seed=0).clip) == time


def test_a_misspelt_kind_is_refused_with_a_suggestion() -> None:
    with pytest.raises(UsageError, match="did you mean 'exposure'"):
        synthesise(soft_clip(), kind="exposur", seed=0)


def test_a_negative_strength_is_refused() -> None:
    with pytest.raises(UsageError, match="negative strength"):
        synthesise(soft_clip(), kind="tint", seed=0, strength=-1.0)


def test_a_sunset_begins_as_it_was_and_ends_dim_and_red() -> None:
    clip = soft_clip()
    dusk = sunset(clip)
    np.testing.assert_array_equal(dusk.pixels[0], clip.pixels[0])
    ratio = to_float(dusk.pixels[-1]).mean(axis=(0, 1)) / to_float(clip.pixels[-1]).mean(
        axis=(0, 1)
    )
    np.testing.assert_allclose(ratio, [0.75, 0.55, 0.45], atol=0.01)


@pytest.mark.parametrize("kind", ADDED_KINDS)
def test_an_added_offset_is_held_for_as_many_frames_as_its_name_says(kind: str) -> None:
    frames = int(kind[1:])
    pixels = np.full((2 * frames + 1, *SIZE, 3), 0.5, np.float32)
    made = synthesise(Clip.at_rate(pixels, fps=24), kind=kind, seed=0).clip.pixels
    steps = np.abs(np.diff(made, axis=0)).max(axis=(1, 2, 3))
    np.testing.assert_array_equal(np.flatnonzero(steps), [frames - 1, 2 * frames - 1])


def test_an_added_offset_does_not_depend_on_the_picture() -> None:
    offsets = []
    for level in (0.4, 0.6):
        pixels = np.full((4, *SIZE, 3), level, np.float32)
        made = synthesise(Clip.at_rate(pixels, fps=24), kind="w1", seed=1)
        offsets.append(made.clip.pixels - np.float32(level))
    np.testing.assert_allclose(*offsets, atol=1e-6)
    assert made.grades == ()


def test_an_added_offset_deviates_as_much_as_the_paper_s_numbers_say() -> None:
    pixels = np.full((400, *SIZE, 3), 0.5, np.float32)
    made = [
        synthesise(Clip.at_rate(pixels, fps=24), kind="w1", seed=seed).clip.pixels - 0.5
        for seed in range(3)
    ]
    assert np.std(made) == pytest.approx(0.055, rel=0.12)


@pytest.mark.parametrize("kind", ADDED_KINDS)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_no_strength_adds_nothing(kind: str, dtype: type) -> None:
    clip = soft_clip(dtype=dtype)
    made = synthesise(clip, kind=kind, seed=0, strength=0.0)
    np.testing.assert_allclose(made.clip.pixels, clip.pixels, atol=1e-6)


@pytest.mark.parametrize("kind", MIXED_KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_kinds_that_mix_channels_leave_grey_alone_and_change_colour(kind: str, seed: int) -> None:
    clip = soft_clip(dtype=np.float32)
    grey = np.repeat(clip.pixels.mean(axis=3, keepdims=True), 3, axis=3)
    made = synthesise(Clip(pixels=grey, seconds=clip.seconds), kind=kind, seed=seed)
    np.testing.assert_allclose(made.clip.pixels, grey, atol=1e-6)
    coloured = synthesise(clip, kind=kind, seed=seed).clip.pixels
    np.testing.assert_allclose(coloured.mean(axis=3), clip.pixels.mean(axis=3), atol=1e-3)
    assert np.abs(coloured - clip.pixels).max() > 0.01
