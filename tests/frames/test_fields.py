"""Fields of interlaced pictures: taken apart and put together again."""

import numpy as np
import pytest

from unflicker.frames.fields import LOWER, UPPER, can_be_split, field_of, levelled_field, woven
from unflicker.frames.picture import ColourMeaning, Picture, PixelLayout, same_samples
from unflicker.grade import Grade
from unflicker.grade.apply import apply_grade
from unflicker.grade.fields import apply_grades


def picture(height, *, width=24, depth=8, chroma=(1, 1), seed=1):
    drawn = np.random.default_rng(seed)
    sample = np.uint8 if depth == 8 else np.uint16
    small = (-(-height >> chroma[1]), -(-width >> chroma[0]))
    planes = tuple(
        drawn.integers(16 << (depth - 8), 235 << (depth - 8), size, sample)
        for size in ((height, width), small, small)
    )
    layout = PixelLayout(family="yuv", depth=depth, chroma_shift=chroma)
    return Picture(planes=planes, layout=layout, meaning=ColourMeaning(full_range=False))


@pytest.mark.parametrize(("height", "depth", "chroma"), [(32, 8, (1, 1)), (30, 10, (1, 0))])
def test_woven_fields_are_the_picture(height, depth, chroma):
    whole = picture(height, depth=depth, chroma=chroma)
    assert can_be_split(whole)
    fields = [field_of(whole, which) for which in (UPPER, LOWER)]
    assert fields[0].size == (height // 2, 24)
    assert same_samples(woven(*fields), whole)


def test_odd_fields_are_not_split():
    assert not can_be_split(picture(31, chroma=(0, 0)))
    assert not can_be_split(picture(30, chroma=(1, 1)))


def test_levelled_fields_of_a_slope_lie_on_each_other():
    rows = np.repeat(np.arange(40, 200, 4, dtype=np.uint8)[:, None], 8, axis=1)
    slope = Picture(
        planes=(rows,), layout=PixelLayout(family="grey", depth=8), meaning=ColourMeaning()
    )
    upper, lower = (levelled_field(slope, which).planes[0] for which in (UPPER, LOWER))
    assert np.array_equal(upper[1:-1], lower[1:-1])
    plain = [field_of(slope, which).planes[0].astype(int) for which in (UPPER, LOWER)]
    assert np.abs(plain[0] - plain[1]).max() == 4


def gain(factor):
    grade = Grade.identity()
    return Grade(curves=np.minimum(grade.curves * factor, 1.0), log_gain=grade.log_gain)


@pytest.mark.parametrize("share", [None, 0.5])
def test_each_field_gets_its_own_grade(share):
    whole = picture(32)
    mask = None if share is None else np.full(whole.size, share, np.float32)
    half = None if mask is None else mask[::2]
    both = apply_grades(whole, gain(1.1), gain(0.8), mask=mask)
    for which, factor in ((UPPER, 1.1), (LOWER, 0.8)):
        alone = apply_grade(field_of(whole, which), gain(factor), mask=half)
        assert same_samples(field_of(both, which), alone)
    assert apply_grades(whole, Grade.identity(), Grade.identity()) is whole
    assert same_samples(apply_grades(whole, gain(1.1), None), apply_grade(whole, gain(1.1)))
