"""What the report is told of repairs."""

from fractions import Fraction

import numpy as np
import pytest

from made_pictures import LAYOUTS, noise
from unflicker.frames.picture import Frame
from unflicker.recording.repaired import KEPT, RepairsSeen
from unflicker.repair.places import NONE, Repairs


def seen_in(pictures, boxes_of, layout: str):
    seen = RepairsSeen()
    for index in range(pictures):
        before, after = (noise(LAYOUTS[layout], seed=2 * index + k) for k in (0, 1))
        frame = Frame(picture=before, index=index, pts=index, time_base=Fraction(1))
        boxes = boxes_of(index)
        seen.saw(frame, after, Repairs(boxes=boxes, before=before) if boxes else NONE)
    return seen.seen()


def box(top: int, left: int, side: int):
    return slice(top, top + side), slice(left, left + side)


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
def test_the_largest_are_shown_before_and_after_in_every_layout(layout: str) -> None:
    made = seen_in(5, lambda index: (box(2 * index, 9 * index, 3 + index),), layout)
    assert made.counts == (1,) * 5
    assert [still.index for still in made.stills] == [4, 3, 2, 1, 0]
    for still in made.stills:
        assert still.before.dtype == still.after.dtype == np.uint8
        assert still.before.shape == still.after.shape == (37, 53, 3)
        assert not np.array_equal(still.before, still.after)
    assert made.places.sum() == 5.0


def test_of_a_scratch_that_lasts_the_largest_part_is_shown_once() -> None:
    made = seen_in(3, lambda index: (box(0, 20, 4 + index % 2), box(0, 45, 2)), "yuv420p")
    assert [(still.index, still.area) for still in made.stills] == [(1, 25), (0, 4)]


def test_two_parts_of_a_film_are_as_one() -> None:
    random = np.random.default_rng(3)
    drawn = [
        [box(int(random.integers(20)), int(random.integers(40)), 2 + int(random.integers(12)))]
        for _ in range(60)
    ]
    whole = seen_in(60, lambda index: tuple(drawn[index]), "yuv420p")
    assert 0 < len(whole.stills) <= KEPT
    areas = [still.area for still in whole.stills]
    assert areas == sorted(areas, reverse=True)
    twice = whole.followed_by(seen_in(0, lambda _: (), "yuv420p"))
    assert (twice.counts, len(twice.stills)) == (whole.counts, len(whole.stills))
