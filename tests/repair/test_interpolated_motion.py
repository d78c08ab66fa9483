"""Motion between the neighbours of a picture does not see its blots, and follows its weave."""

from __future__ import annotations

import cv2
import numpy as np

from made_clips import scene
from unflicker.frames.colour import from_rgb
from unflicker.frames.picture import ColourMeaning, PixelLayout
from unflicker.repair.dirt import Link, first_link
from unflicker.repair.interpolated_motion import followed, interpolated, seen_again
from unflicker.repair.links import Way, scale_of
from unflicker.repair.looks import Look
from unflicker.repair.spots import Spots

SIZE = (180, 320)
GREY = PixelLayout(family="grey", depth=8)


def picture_at(x: int, y: int) -> np.ndarray:
    """A part of a scene with a dark disc, grey in [0, 1]."""
    whole = scene(seed=4, size=(240, 400)).mean(axis=-1).copy()
    cv2.circle(whole, (170, 130), 14, 0.04, -1, cv2.LINE_AA)
    return whole[y : y + SIZE[0], x : x + SIZE[1]]


def looks(*pictures: np.ndarray) -> list[Look]:
    return [
        Look(
            picture=from_rgb(np.repeat(one[..., None], 3, -1), layout=GREY, meaning=ColourMeaning())
        )
        for one in pictures
    ]


def links(three: list[Look]) -> tuple[Link, Link]:
    return first_link(three[0], three[1]), first_link(three[1], three[2])


def error_px(way: Way, true: tuple[float, float], where: np.ndarray) -> float:
    """The mean distance of a way from a true motion, in px of the picture, x first."""
    flow = way.flow * scale_of(way.flow, SIZE)
    large = cv2.resize(flow, SIZE[::-1])
    return float(np.linalg.norm(large - np.array(true), axis=-1)[where].mean())


def blotted(one: np.ndarray, place: tuple[int, int], radius: int) -> tuple[np.ndarray, np.ndarray]:
    """A picture with a dark blot, and where it is."""
    dirty = one.copy()
    cv2.circle(dirty, place, radius, 0.04, -1, cv2.LINE_AA)
    return dirty, np.abs(dirty - one) > 0.03


def test_a_blot_does_not_bend_the_motion_between_the_neighbours() -> None:
    before, now, after = picture_at(20, 20), picture_at(24, 18), picture_at(28, 16)
    dirty, where = blotted(now, (178, 104), 20)
    three = looks(before, dirty, after)
    both = links(three)
    ways = interpolated(three[1].fine, (three[0].fine, three[2].fine), both)
    bent = both[0].back, both[1].forth
    for way, other, true in zip(ways, bent, ((4.0, -2.0), (-4.0, 2.0)), strict=True):
        assert error_px(way, true, where) < 0.5
        assert error_px(other, true, where) > 1.5


def test_a_picture_off_the_middle_of_the_way_is_where_it_is() -> None:
    """Weave: five px to the one neighbour, one px to the other."""
    before, now, after = picture_at(20, 20), picture_at(25, 17), picture_at(24, 16)
    three = looks(before, blotted(now, (186, 112), 14)[0], after)
    ways = interpolated(three[1].fine, (three[0].fine, three[2].fine), links(three))
    inner = np.zeros(SIZE, bool)
    inner[20:-20, 20:-20] = True
    assert error_px(ways[0], (5.0, -3.0), inner) < 0.7
    assert error_px(ways[1], (1.0, 1.0), inner) < 0.7


def test_what_moves_is_seen_again_and_a_blot_is_not() -> None:
    pictures = [picture_at(20, 20).copy() for _ in range(3)]
    labels = np.zeros(SIZE, np.int32)
    for t, one in enumerate(pictures):
        cv2.circle(one, (60 + 5 * t, 60), 9, 0.95, -1, cv2.LINE_AA)
    cv2.circle(labels, (65, 60), 8, 1, -1)
    pictures[1], where = blotted(pictures[1], (250, 60), 9)
    labels[where] = 2
    three = looks(*pictures)
    again = seen_again(three[1].fine, (three[0].fine, three[2].fine), links(three))
    assert again.shape == SIZE
    spots = Spots(
        labels=labels, count=2, contrast=np.array([0.0, 0.5, -0.4]),
        unrest=np.zeros(3), wide_unrest=np.zeros(3),
    )  # fmt: skip
    share = followed(spots, again)
    assert share[1] > 0.8
    assert share[2] < 0.3
