"""A thing has a counterpart in both neighbours: near, about as large, about as bright."""

from __future__ import annotations

import numpy as np
import pytest

from unflicker.repair.counterparts import NO_THINGS, Things, has_counterparts, things_of
from unflicker.repair.spots import Spots


def things(*rows: tuple[float, float, float, float]) -> Things:
    """Row, column, area and luma of each."""
    table = np.array(rows, float).reshape(-1, 4)
    return Things(places=table[:, :2], area=table[:, 2], luma=table[:, 3])


WING = (100.0, 200.0, 400.0, 0.8)


@pytest.mark.parametrize(
    ("other", "wanted"),
    [
        ((130.0, 240.0, 300.0, 0.85), True),
        ((130.0, 300.0, 300.0, 0.85), False),
        ((130.0, 240.0, 60.0, 0.85), False),
        ((130.0, 240.0, 2200.0, 0.85), False),
        ((130.0, 240.0, 300.0, 0.6), False),
    ],
    ids=["near and alike", "far", "small", "large", "darker"],
)
def test_a_counterpart_is_near_and_alike(other: tuple, wanted: bool) -> None:
    found = has_counterparts(things(WING), before=things(other), after=things(WING))
    assert found.tolist() == [wanted]


def test_one_in_one_neighbour_is_not_enough() -> None:
    one = things(WING, (10.0, 10.0, 30.0, 0.2))
    assert has_counterparts(one, before=one, after=one).all()
    assert not has_counterparts(one, before=one, after=NO_THINGS).any()
    assert len(has_counterparts(NO_THINGS, before=one, after=one)) == 0


def test_things_are_measured_in_px_of_a_picture_640_px_wide() -> None:
    labels = np.zeros((180, 320), np.int32)
    labels[40:50, 100:120] = 1
    labels[160:, 300:] = 2
    now = np.full((180, 320), 0.25, np.float32)
    now[labels == 2] = 0.75
    nothing = np.zeros(3)
    spots = Spots(labels=labels, count=2, contrast=nothing, unrest=nothing, wide_unrest=nothing)
    found = things_of(spots, now)
    np.testing.assert_allclose(found.places, [[89.0, 219.0], [339.0, 619.0]])
    np.testing.assert_allclose(found.area, [800.0, 1600.0])
    np.testing.assert_allclose(found.luma, [0.25, 0.75])


def test_a_picture_without_spots_has_no_things() -> None:
    labels = np.zeros((18, 32), np.int32)
    spots = Spots(
        labels=labels, count=0, contrast=np.zeros(1), unrest=np.zeros(1), wide_unrest=np.zeros(1)
    )
    assert len(things_of(spots, np.zeros((18, 32), np.float32)).area) == 0
