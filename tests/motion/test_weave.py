"""Gate weave: found to a fraction of a pixel, told from what a camera does, and removed."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from made_clips import scene
from unflicker.frames.picture import as_array, as_picture
from unflicker.frames.shift import STEP_PX, inside_bars, shifted
from unflicker.motion import USUAL_PX, Registered, Shifts, weave_of
from unflicker.synthesis.weave import gate_weave, moved

SIZE = (180, 320)


def luma(seed: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    return np.rint(scene(seed=seed, size=size).mean(axis=-1) * 255).astype(np.uint8)


def measured(pictures: list[np.ndarray]) -> list[Shifts | None]:
    registered = [Registered(one) for one in pictures]
    steps = zip(registered[1:], registered[:-1], strict=True)
    return [None, *(now.shifts_from(before) for now, before in steps)]


def in_px(weave: np.ndarray, size: tuple[int, int] = SIZE) -> np.ndarray:
    return weave * max(size) / USUAL_PX


@settings(deadline=None, max_examples=12)
@given(
    seed=st.integers(0, 40),
    shift=st.tuples(st.floats(-9, 9), st.floats(-9, 9)),
    gain=st.floats(0.6, 1.3),
)
def test_a_shift_is_measured_to_a_fraction_of_a_pixel_under_flicker(seed, shift, gain) -> None:
    before = luma(seed)
    light = np.linspace(0.8, 1.1, SIZE[1]) * gain
    now = np.clip(moved(before, np.array(shift, np.float32)) * light, 0, 255).astype(np.uint8)
    found = Registered(now).shifts_from(Registered(before))
    middle = np.median(found.by_block[found.coherent], axis=0) * max(SIZE) / USUAL_PX
    assert found.coherent.mean() > 0.6
    np.testing.assert_allclose(middle, shift, atol=0.12)


def test_pictures_that_have_nothing_in_common_have_no_shift() -> None:
    random = np.random.default_rng(4)
    one, other = (random.integers(0, 255, SIZE, np.uint8) for _ in range(2))
    assert Registered(one).shifts_from(Registered(other)).coherent.mean() < 0.2


def still(t: int) -> tuple[float, float]:
    return 0.0, 0.0


def pan(t: int) -> tuple[float, float]:
    return 1.7 * t, -0.4 * t


def pan_that_starts(t: int) -> tuple[float, float]:
    return 2.0 * max(t - 20, 0), 0.0


def sway(t: int) -> tuple[float, float]:
    """A camera held by hand."""
    return 6 * np.sin(t / 6) + 3 * np.sin(t / 3.1 + 1), 5 * np.cos(t / 7.3) + 0.4 * t


def filmed(
    camera: Callable[[int], tuple[float, float]], weave: np.ndarray, *, seed: int
) -> list[np.ndarray]:
    """A scene seen by a camera, with an object that moves for itself, each frame weaving."""
    height, width = SIZE
    wide = luma(seed, (height + 80, width + 200))
    thing = 255 - luma(seed + 1, (60, 90))
    frames = []
    for t, jump in enumerate(weave):
        x, y = camera(t)
        at = np.array([[1, 0, 40 + x], [0, 1, 40 + y]], np.float32)
        how = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        one = cv2.warpAffine(wide, at, (width, height), flags=how, borderMode=cv2.BORDER_REFLECT)
        left = (20 + 4 * t) % (width - 90)
        one[70:130, left : left + 90] = thing
        frames.append(moved(one, jump))
    return frames


@pytest.mark.parametrize("camera", [still, pan, pan_that_starts])
@pytest.mark.parametrize("seed", [1, 5])
def test_weave_is_found_and_the_camera_is_kept(camera, seed: int) -> None:
    truth = gate_weave(np.random.default_rng(seed), time=44, rms_px=1.2)
    found = in_px(weave_of(measured(filmed(camera, truth, seed=seed))))
    # Weave that drifts slowly cannot be told from a camera that does, so jumps are compared.
    left, jumps = np.diff(truth - found, axis=0), np.diff(truth, axis=0)
    assert np.sqrt((left**2).mean()) < 0.3 * np.sqrt((jumps**2).mean())


@pytest.mark.parametrize("camera", [still, pan, pan_that_starts, sway])
def test_what_does_not_weave_has_none_not_even_a_little(camera) -> None:
    frames = filmed(camera, np.zeros((40, 2), np.float32), seed=3)
    assert not weave_of(measured(frames)).any()


def test_frames_that_cannot_be_compared_have_none_and_do_not_spoil_the_others() -> None:
    truth = gate_weave(np.random.default_rng(2), time=40, rms_px=1.5)
    frames = filmed(still, truth, seed=8)
    frames[20] = np.full(SIZE, 16, np.uint8)
    found = in_px(weave_of(measured(frames)))
    assert not found[20].any()
    for part in (slice(0, 20), slice(21, 40)):
        left = truth[part] - found[part]
        left = left - left.mean(axis=0)
        assert np.sqrt((left**2).mean()) < 0.3 * np.sqrt((truth**2).mean())


def test_too_few_frames_and_none_at_all_have_no_weave() -> None:
    truth = gate_weave(np.random.default_rng(2), time=5, rms_px=3.0)
    assert not weave_of(measured(filmed(still, truth, seed=8))).any()
    assert weave_of([None]).shape == (1, 2)
    assert weave_of([]).shape == (0, 2)


@settings(deadline=None, max_examples=12)
@given(
    seed=st.integers(0, 20),
    depth=st.sampled_from([np.uint8, np.uint16]),
    shift=st.tuples(st.floats(-5, 5), st.floats(-5, 5)),
)
def test_a_moved_picture_is_as_sharp_and_moves_back(seed, depth, shift) -> None:
    most = np.iinfo(depth).max
    pixels = np.rint(scene(seed=seed, size=SIZE) * most).astype(depth)
    there = shifted(as_picture(pixels), shift)
    back = as_array(shifted(there, (-shift[0], -shift[1])), like=pixels)
    inner = (slice(16, -16), slice(16, -16))
    error = back[inner].astype(float) - pixels[inner]
    assert np.sqrt((error**2).mean()) / most < 0.004
    there = as_array(there, like=pixels)
    sharp = [np.abs(np.diff(one[inner].astype(float), axis=1)).mean() for one in (there, pixels)]
    assert sharp[0] > 0.98 * sharp[1]
    assert there.dtype == depth


def test_a_picture_is_moved_to_the_right_and_down_and_its_edge_is_repeated() -> None:
    pixels = np.rint(scene(seed=2, size=SIZE) * 255).astype(np.uint8)
    made = as_array(shifted(as_picture(pixels), (3.0, 2.0)), like=pixels)
    np.testing.assert_array_equal(made[2:, 3:], pixels[:-2, :-3])
    np.testing.assert_array_equal(made[2:, 0], pixels[:-2, 0])
    np.testing.assert_array_equal(made[0, 3:], pixels[0, :-3])


def test_a_picture_in_its_place_is_the_same_object() -> None:
    picture = as_picture(np.zeros((40, 60, 3), np.uint8))
    assert shifted(picture, (0.4 * STEP_PX, -0.4 * STEP_PX)) is picture


@pytest.mark.parametrize("level", [0, 16, 235])
def test_bars_stay_and_the_scene_between_them_moves(level: int) -> None:
    pixels = np.rint(scene(seed=6, size=SIZE) * 200 + 20).astype(np.uint8)
    pixels[:24] = pixels[-20:] = level
    pixels[:, :10] = level
    picture = as_picture(pixels)
    assert inside_bars(picture) == (slice(24, 160), slice(10, 320))
    made = as_array(shifted(picture, (-1.5, 2.25)), like=pixels)
    np.testing.assert_array_equal(made[:24], pixels[:24])
    np.testing.assert_array_equal(made[-20:], pixels[-20:])
    np.testing.assert_array_equal(made[:, :10], pixels[:, :10])
    assert (made[24:160, 10:] != pixels[24:160, 10:]).mean() > 0.5
    assert inside_bars(as_picture(made)) == (slice(24, 160), slice(10, 320))


def test_a_picture_of_one_level_has_no_bars() -> None:
    flat = as_picture(np.full((40, 60, 3), 90, np.uint8))
    assert inside_bars(flat) == (slice(0, 40), slice(0, 60))
