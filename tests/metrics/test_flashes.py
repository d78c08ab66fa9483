"""General flashes are counted as the guidelines define them: by strength, darkness, area, rate."""

import numpy as np
import pytest

from made_clips import panning
from unflicker.metrics import FlashCounter, flashes_in
from unflicker.metrics.flashes import GRID, Flashes, joined, linear_srgb

FPS = 24.0
DARK, BRIGHT = 0.3, 0.5
"""Relative luminance of both levels; their difference is above a tenth."""


def counted(light: np.ndarray, *, fps: float = FPS, share: float = 1.0, rest: float = DARK):
    """The flashes of cells that show a luminance by frame, in a share of the columns."""
    counter, columns = FlashCounter(), round(share * GRID[1])
    for index, value in enumerate(light):
        cells = np.full(GRID, rest, np.float32)
        cells[:, :columns] = value
        counter.saw(cells, seconds=index / fps)
    return counter.found()


def blinking(period: int, *, frames: int = 72, low: float = DARK, high: float = BRIGHT):
    return np.where(np.arange(frames) // (period // 2) % 2, high, low)


@pytest.mark.parametrize(("period", "a_second"), [(2, 12), (4, 6), (8, 3), (12, 2)])
def test_flashes_are_pairs_of_opposing_changes_in_a_second(period, a_second):
    found = counted(blinking(period))
    assert found.picture == found.field == a_second
    assert found.safe is (a_second <= 3)


@pytest.mark.parametrize("fps", [12.0, 50.0])
def test_the_rate_is_a_second_of_the_film_and_not_a_number_of_frames(fps):
    assert counted(blinking(4), fps=fps).field == fps // 4


@pytest.mark.parametrize(
    ("low", "high", "flashes"),
    [(0.30, 0.41, True), (0.30, 0.39, False), (0.79, 0.95, True), (0.81, 0.99, False)],
)
def test_small_changes_and_bright_ones_are_no_flashes(low, high, flashes):
    found = counted(blinking(2, low=low, high=high), rest=low)
    assert (found.field > 3) is flashes


def test_a_change_may_be_spread_over_frames():
    triangle = 0.3 + 0.12 * np.abs((np.arange(72) % 6) - 3) / 3
    assert counted(triangle).field == 4
    fade = np.linspace(0.1, 0.9, 72)
    assert counted(fade).field == 0


@pytest.mark.parametrize(
    ("share", "picture", "field"), [(0.5, 12, 12), (0.24, 0, 12), (0.06, 0, 0)]
)
def test_flashes_of_a_quarter_of_the_picture_or_of_a_field_count(share, picture, field):
    found = counted(blinking(2), share=share)
    assert (found.picture, found.field) == (picture, field)


def test_unsafe_time_is_that_of_seconds_with_more_than_three_flashes():
    steady = np.full(96, DARK)
    burst = np.concatenate([steady, blinking(2, frames=48), steady])
    assert counted(burst).unsafe_seconds == pytest.approx(2.0, abs=0.15)
    assert counted(steady).unsafe_seconds == 0.0


def test_a_steady_clip_that_moves_is_safe_and_its_strobed_copy_is_not():
    clip = panning(time=36, size=(72, 128)).pixels
    assert flashes_in(clip, fps=FPS).safe
    strobed = clip.copy()
    strobed[::2] //= 2
    assert flashes_in(strobed, fps=FPS).picture >= 8


def test_parts_join_to_the_worst_of_them():
    one = Flashes(picture=2, field=5, unsafe_seconds=1.5)
    other = Flashes(picture=4, field=4, unsafe_seconds=0.5)
    assert joined([one, other]) == Flashes(picture=4, field=5, unsafe_seconds=2.0)
    assert joined([]).safe


def test_relative_luminance_is_that_of_srgb():
    values = np.array([0.0, 0.04045, 0.5, 1.0], np.float32)
    assert linear_srgb(values) == pytest.approx([0.0, 0.04045 / 12.92, 0.21404, 1.0], abs=1e-4)
