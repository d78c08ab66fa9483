"""Laws of running ahead: the same items in the same order, and no thread left behind."""

import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unflicker.compute.threads import in_parallel, limited_to, running_ahead, thread_count


def threads_ahead() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "unflicker-ahead"]


@settings(max_examples=30, deadline=None)
@given(items=st.lists(st.integers(), max_size=40), most=st.integers(1, 8))
def test_items_come_in_order(items: list[int], most: int) -> None:
    with running_ahead(items, most=most) as ahead:
        assert list(ahead) == items
    assert threads_ahead() == []


def test_what_the_thread_raises_arrives_where_the_item_would_have() -> None:
    def failing():
        yield 1
        yield 2
        raise RuntimeError("third")

    with running_ahead(failing(), most=8) as ahead:
        assert next(ahead) == 1
        assert next(ahead) == 2
        with pytest.raises(RuntimeError, match="third"):
            next(ahead)
    assert threads_ahead() == []


def test_leaving_early_stops_the_thread() -> None:
    made = []

    def endless():
        while True:
            made.append(0)
            yield len(made)

    with running_ahead(endless(), most=3) as ahead:
        assert next(ahead) == 1
    assert threads_ahead() == []
    count = len(made)
    time.sleep(0.05)
    assert len(made) == count


def test_an_exception_in_the_block_stops_the_thread_and_is_not_hidden() -> None:
    def endless():
        while True:
            yield 0

    with pytest.raises(KeyError, match="mine"), running_ahead(endless(), most=2):
        raise KeyError("mine")
    assert threads_ahead() == []


def test_no_more_items_are_held_than_asked_for() -> None:
    made = 0

    def counted():
        nonlocal made
        for index in range(100):
            made = index + 1
            yield index

    with running_ahead(counted(), most=5) as ahead:
        for taken in ahead:
            time.sleep(0.001)
            # One waits outside the queue, and one is being handed over.
            assert made <= taken + 1 + 5 + 2
    assert made == 100


def test_the_work_is_done_in_another_thread_while_the_user_works() -> None:
    names = []

    def naming():
        for _ in range(3):
            names.append(threading.current_thread().name)
            yield None

    with running_ahead(naming(), most=3) as ahead:
        list(ahead)
    assert set(names) == {"unflicker-ahead"}


def test_after_the_last_item_there_is_none() -> None:
    with running_ahead([1], most=1) as ahead:
        assert list(ahead) == [1]
        assert next(ahead, None) is None


def at_once(items: int) -> int:
    """How many threads were seen to work at the same time."""
    working, most, lock = 0, 0, threading.Lock()

    def work(_: int) -> None:
        nonlocal working, most
        with lock:
            working += 1
            most = max(most, working)
        time.sleep(0.02)
        with lock:
            working -= 1

    list(in_parallel(work, range(items)))
    return most


@pytest.mark.parametrize("threads", [1, 3])
def test_no_more_threads_work_than_are_allowed(threads: int) -> None:
    with limited_to(threads):
        assert at_once(8) == threads


def test_limits_hold_in_a_thread_that_runs_ahead_and_end_with_their_block() -> None:
    def counts():
        while True:
            yield thread_count()

    free = thread_count()
    with limited_to(free + 2), running_ahead(counts(), most=2) as ahead:
        assert next(ahead) == free + 2
    assert thread_count() == free


def test_without_a_limit_there_are_as_many_as_cores_for_this_process(monkeypatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 2, 5}, raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 64)
    assert thread_count() == 3
    with limited_to(0) as count:
        assert count == 3
