"""Compiled steps of grading: however planes lie in memory, and by whatever instructions."""

from typing import Any

import numpy as np
import pytest

from made_pictures import LAYOUTS, apply, equal, noise, smooth
from unflicker.compute.compiling import compiled
from unflicker.frames.picture import Picture
from unflicker.grade import kernels
from unflicker.grade.four_gains import CHANNELS, PIXELS, multiplied, multiply_by_gains


def lying(plane: np.ndarray, how: str) -> np.ndarray:
    """A plane of the same samples, elsewhere in memory."""
    height, width = plane.shape
    if how == "padded":
        return np.pad(plane, ((0, 0), (0, 11)))[:, :width]
    if how == "upside down":
        return plane[::-1].copy()[::-1]
    if how == "mirrored":
        return plane[:, ::-1].copy()[:, ::-1]
    if how == "between others":
        return np.repeat(plane, 2, axis=1)[:, ::2]
    raw = np.zeros((height, width * plane.itemsize + 1), np.uint8)
    raw[:, :-1] = np.ascontiguousarray(plane).view(np.uint8)
    return np.ndarray(plane.shape, plane.dtype, raw.data, strides=(raw.strides[0], plane.itemsize))


@pytest.mark.parametrize(
    "how", ["padded", "upside down", "mirrored", "between others", "at odd bytes"]
)
@pytest.mark.parametrize("name", ["yuv420p", "yuv420p10", "gbrp", "grey16"])
def test_planes_are_graded_alike_however_they_lie(name: str, how: str) -> None:
    picture = noise(LAYOUTS[name])
    moved = Picture(
        planes=tuple(lying(plane, how) for plane in picture.planes),
        layout=picture.layout,
        meaning=picture.meaning,
    )
    assert equal(moved, picture)
    graded = apply.apply_grade(moved, smooth())
    assert equal(graded, apply.apply_grade(picture, smooth()))
    assert all(plane.flags.c_contiguous for plane in graded.planes)


def test_a_loop_is_compiled_once_for_each_type_of_sample() -> None:
    picture = noise(LAYOUTS["yuv420p"])
    apply.apply_grade(picture, smooth())
    before = len(kernels.grade_yuv.signatures)
    for how in ("padded", "upside down"):
        planes = tuple(lying(plane, how) for plane in picture.planes)
        planes[0].setflags(write=how == "padded")
        other = Picture(planes=planes, layout=picture.layout, meaning=picture.meaning)
        apply.apply_grade(other, smooth(bins=1))
    assert len(kernels.grade_yuv.signatures) == before


@compiled()
def _by_instructions(colour: Any, row: Any, at: Any, weights: Any, onward: Any) -> None:
    for x in range(0, at.shape[0], PIXELS):
        multiply_by_gains(colour, row, at, weights, onward, x)


def test_instructions_for_four_pixels_do_what_numpy_does() -> None:
    random, bins, columns = np.random.default_rng(7), 3, 5
    row = random.uniform(0.5, 2.0, columns * bins * CHANNELS).astype(np.float32)
    cells = random.integers(0, columns - 1, 12) * bins + random.integers(0, bins - 1, 12)
    at = (cells * CHANNELS).astype(np.int32)
    lines = random.uniform(0.0, 1.0, (9, 12)).astype(np.float32)
    onward, there, here = np.uint32(bins * CHANNELS), lines[2:5].copy(), lines[2:5].copy()
    _by_instructions(there, row, at, lines[5:9], onward)
    for x in range(0, 12, PIXELS):
        multiplied(here, row, at, lines[5:9], onward, x)
    np.testing.assert_array_equal(there, here)
    assert not np.array_equal(here, lines[2:5])
