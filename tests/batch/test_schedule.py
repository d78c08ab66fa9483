"""Which films are divided."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unflicker.batch.schedule import SERIAL, Work, divided_time, expected_time, schedule

FILMS = st.lists(
    st.builds(lambda length: Work(length=length, parts=1 + int(length)), st.floats(0.0, 1000.0)),
    min_size=1,
    max_size=40,
)


def works(*lengths):
    return [Work(length=float(length), parts=length) for length in lengths]


def test_films_of_one_segment_are_not_divided():
    films = [Work(length=80.0), Work(length=40.0)]
    assert schedule(films, workers=2).divided == ()


@given(FILMS, st.integers(1, 70))
def test_each_film_is_done_once(films, workers):
    plan = schedule(films, workers=workers)
    assert sorted((*plan.divided, *plan.whole)) == list(range(len(films)))


@given(FILMS, st.integers(2, 70))
def test_no_film_that_is_given_away_is_longer_than_a_divided_one(films, workers):
    plan = schedule(films, workers=workers)
    whole = [films[place].length for place in plan.whole]
    assert all(films[place].length >= max(whole, default=0.0) for place in plan.divided)
    assert whole == sorted(whole, reverse=True)


@settings(deadline=None)
@given(FILMS, st.integers(2, 70), st.integers(1, 8))
def test_more_drivers_never_make_it_later(films, workers, drivers):
    def end(drivers):
        plan = schedule(films, workers=workers, drivers=drivers)
        divided, whole = ([films[at] for at in part] for part in (plan.divided, plan.whole))
        return expected_time(divided, whole, workers=workers, drivers=drivers)

    assert end(drivers + 1) <= end(drivers) + 1e-6
    assert end(drivers) >= sum(film.length for film in films) / workers - 1e-6


def test_one_worker_takes_films_as_they_come():
    assert schedule(works(3, 9, 1), workers=1).whole == (0, 1, 2)


def test_many_films_are_not_divided():
    assert schedule(works(*[10] * 64), workers=8).divided == ()


@pytest.mark.parametrize("workers", [2, 4, 16])
def test_a_film_much_longer_than_all_others_is(workers):
    assert schedule(works(5, 1000, 7, 6), workers=workers).divided[0] == 1


def test_a_divided_film_is_never_faster_than_it_is_decoded():
    times = [divided_time(works(100)[0], workers=workers) for workers in (1, 2, 4, 8, 64, 256)]
    assert (np.diff(times) <= 0).all()
    assert times[-1] == times[-2] == pytest.approx(100.0 * SERIAL)
