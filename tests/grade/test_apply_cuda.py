"""A GPU gives the picture that the processor gives; torch's own cpu device stands in for one."""

import importlib.util
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from made_pictures import (
    LAYOUTS,
    apply_grade,
    equal,
    largest_difference,
    mixed,
    noise,
    nothing_but_work,
)
from unflicker.errors import MissingError
from unflicker.frames.picture import ColourMeaning, Picture
from unflicker.grade import Grade, apply_cuda
from unflicker.grade.apply_cuda import apply_grade_on
from unflicker.grade.grade import curve_inputs

needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="torch, of the extra 'neural', is missing"
)

MEANINGS = {
    "power": ColourMeaning(),
    "narrow range": ColourMeaning(matrix="bt601", full_range=False),
    "pq": ColourMeaning(matrix="bt2020", full_range=False, transfer="pq"),
    "hlg": ColourMeaning(matrix="bt2020", full_range=False, transfer="hlg"),
    "linear": ColourMeaning(transfer="linear"),
    "green and orange chroma": ColourMeaning(matrix="ycgco"),
}


def strong_grade(*, grid: tuple[int, int, int] = (5, 6, 4)) -> Grade:
    """A grade that changes curves, and gains by place, tone and channel."""
    powers = np.array([0.85, 1.0, 1.2], np.float32)[:, None]
    log_gain = 0.25 * np.random.default_rng(1).standard_normal((*grid, 3))
    return Grade(curves=curve_inputs()[None] ** powers, log_gain=log_gain.astype(np.float32))


def largest_allowed(picture: Picture) -> int:
    """A code value; above 12 bits, two entries of the kernel's table, which has so many.

    A sample between two entries may be taken for either, as its last bit is rounded.
    """
    return max(1, 2 * picture.layout.peak // 4095)


def assert_alike(one: Picture, other: Picture) -> None:
    """Alike within a code value but for a few samples in a thousand, at most as allowed."""
    assert largest_difference(one, other) <= largest_allowed(one)
    for mine, theirs in zip(one.planes, other.planes, strict=True):
        apart = np.abs(mine.astype(np.int32) - theirs.astype(np.int32))
        assert np.mean(apart > 1) <= 0.002


def bands_of_rows(monkeypatch: pytest.MonkeyPatch, *, rows_that_fit: int) -> list[int]:
    """Let a device have room for some rows; returns the rows of each band tried."""
    tried, graded = [], apply_cuda._graded

    def graded_in_little_memory(work, band):
        tried.append(band.last - band.first)
        if tried[-1] > rows_that_fit:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 MiB.")
        return graded(work, band)

    monkeypatch.setattr(apply_cuda, "_graded", graded_in_little_memory)
    return tried


@needs_torch
@pytest.mark.parametrize("meaning", MEANINGS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_both_devices_give_the_same_picture(layout, meaning):
    picture = noise(LAYOUTS[layout], meaning=MEANINGS[meaning])
    graded = apply_grade_on(picture, strong_grade(), device="cpu")
    assert_alike(graded, apply_grade(picture, strong_grade()))
    assert np.any(graded.planes[0] != picture.planes[0])


@needs_torch
@settings(max_examples=40, deadline=None)
@given(
    size=st.tuples(st.integers(1, 41), st.integers(1, 41)),
    layout=st.sampled_from(sorted(LAYOUTS)),
    grid=st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3)),
)
def test_both_devices_agree_at_any_size_and_grid(size, layout, grid):
    picture = noise(LAYOUTS[layout], size=size)
    grade = strong_grade(grid=grid)
    one, two = apply_grade_on(picture, grade, device="cpu"), apply_grade(picture, grade)
    assert largest_difference(one, two) <= largest_allowed(picture)


@needs_torch
@pytest.mark.parametrize("layout", ["yuv420p", "yuv422p12", "gbrp", "grey"])
def test_both_devices_agree_on_fine_grids_of_one_tone(layout):
    picture = noise(LAYOUTS[layout], size=(72, 128))
    grade = strong_grade(grid=(18, 32, 1))
    graded = apply_grade_on(picture, grade, device="cpu")
    assert_alike(graded, apply_grade(picture, grade))
    assert np.any(graded.planes[0] != picture.planes[0])


@needs_torch
@pytest.mark.parametrize("layout", ["yuv420p", "gbrp", "grey"])
def test_a_mask_limits_the_change(layout):
    picture = noise(LAYOUTS[layout])
    mask = np.zeros(picture.size, np.float32)
    mask[:, 20:] = np.linspace(0, 1, picture.size[1] - 20, dtype=np.float32)
    graded = apply_grade_on(picture, strong_grade(), device="cpu", mask=mask)
    assert_alike(graded, apply_grade(picture, strong_grade(), mask=mask))
    assert np.array_equal(graded.planes[0][:, :20], picture.planes[0][:, :20])


def test_a_mask_of_another_size_is_refused():
    picture, mask = noise(LAYOUTS["gbrp"]), np.ones((2, 2), np.float32)
    with pytest.raises(ValueError, match="resize it"):
        apply_grade_on(picture, strong_grade(), device="cpu", mask=mask)


def test_the_identity_gives_the_same_object_back():
    picture = noise(LAYOUTS["yuv420p"])
    assert apply_grade_on(picture, Grade.identity(), device="cuda:0") is picture


@needs_torch
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_gain_of_one_changes_no_sample(layout):
    picture = noise(LAYOUTS[layout], meaning=MEANINGS["narrow range"])
    assert equal(apply_grade_on(picture, nothing_but_work(), device="cpu"), picture)


@needs_torch
def test_transparency_is_not_touched():
    picture = noise(LAYOUTS["yuva420p"])
    graded = apply_grade_on(picture, strong_grade(), device="cpu")
    assert graded.planes[3] is picture.planes[3]


@needs_torch
def test_planes_that_may_not_be_written_are_read():
    picture = noise(LAYOUTS["gbrp"])
    upside_down = replace(picture, planes=tuple(plane[::-1] for plane in picture.planes))
    for plane in upside_down.planes:
        plane.flags.writeable = False
    mask = np.broadcast_to(np.float32(0.5), picture.size)
    graded = apply_grade_on(upside_down, strong_grade(), device="cpu", mask=mask)
    whole = replace(upside_down, planes=tuple(plane.copy() for plane in upside_down.planes))
    assert_alike(graded, apply_grade(whole, strong_grade(), mask=np.array(mask, order="C")))


@needs_torch
@pytest.mark.parametrize("layout", ["yuv420p", "yuv411p", "gbrp", "grey"])
def test_bands_leave_no_seam(monkeypatch, layout):
    picture = noise(LAYOUTS[layout], size=(47, 63))
    mask = np.linspace(0, 1, 47 * 63, dtype=np.float32).reshape(47, 63)
    whole = apply_grade_on(picture, strong_grade(), device="cpu", mask=mask)
    monkeypatch.setattr(apply_cuda, "MOST_PIXELS", 10 * 63)
    banded = apply_grade_on(picture, strong_grade(), device="cpu", mask=mask)
    assert equal(whole, banded)


@needs_torch
def test_bands_shrink_until_they_fit(monkeypatch):
    picture = noise(LAYOUTS["yuv420p"], size=(250, 63))
    tried = bands_of_rows(monkeypatch, rows_that_fit=70)
    graded = apply_grade_on(picture, strong_grade(), device="cpu")
    assert tried == [250, 124, 62, 62, 62, 62, 2]
    assert_alike(graded, apply_grade(picture, strong_grade()))


@needs_torch
def test_the_processor_takes_over_where_nothing_fits_and_says_so_once(monkeypatch, caplog):
    picture = noise(LAYOUTS["yuv420p"], size=(250, 63))
    bands_of_rows(monkeypatch, rows_that_fit=0)
    apply_cuda._tell_that_memory_ran_out.cache_clear()
    expected = apply_grade(picture, strong_grade())
    for _ in range(3):
        graded = apply_grade_on(picture, strong_grade(), device="cpu")
        assert equal(graded, expected)
    assert len([line for line in caplog.messages if "processor" in line]) == 1


@needs_torch
def test_other_faults_of_a_device_are_not_hidden(monkeypatch):
    def broken(work, band):
        raise RuntimeError("an illegal memory access was encountered")

    monkeypatch.setattr(apply_cuda, "_graded", broken)
    with pytest.raises(RuntimeError, match="illegal"):
        apply_grade_on(noise(LAYOUTS["gbrp"]), strong_grade(), device="cpu")


def test_without_torch_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingError, match=r"unflicker\[neural\]"):
        apply_grade_on(noise(LAYOUTS["gbrp"]), strong_grade(), device="cpu")


@needs_torch
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_gpu_gives_the_same_picture(layout):
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no GPU here")
    picture = noise(LAYOUTS[layout], meaning=MEANINGS["narrow range"])
    graded = apply_grade_on(picture, strong_grade(), device="cuda:0")
    assert_alike(graded, apply_grade(picture, strong_grade()))


@needs_torch
@pytest.mark.parametrize("meaning", MEANINGS)
@pytest.mark.parametrize("layout", ["yuv420p", "yuv422p12", "gbrp10", "grey"])
def test_both_devices_mix_channels_alike(layout, meaning):
    picture = noise(LAYOUTS[layout], meaning=MEANINGS[meaning])
    grade = mixed(0.2, -0.1, grade=strong_grade())
    graded = apply_grade_on(picture, grade, device="cpu")
    assert_alike(graded, apply_grade(picture, grade))
