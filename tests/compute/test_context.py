"""One context for a run: progress from every thread, and an end within a second."""

import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
import pytest

import unflicker
from made_clips import panning
from unflicker.compute.context import RunContext, run_context
from unflicker.compute.threads import check_stopped, in_parallel, running_ahead, thread_count
from unflicker.errors import Cancelled, UsageError
from unflicker.motion import estimate_motion
from unflicker.progress import Progress
from unflicker.settings import Settings, replaced
from unflicker.synthesis import synthesise


def test_device_and_threads_are_resolved_once() -> None:
    with run_context(device="cpu", threads=3) as context:
        assert context.device == "cpu"
        assert thread_count() == 3
    with pytest.raises(UsageError, match="unknown device"), run_context(device="tpu", threads=0):
        pass


def test_progress_is_told_by_one_thread_at_a_time() -> None:
    inside, most = 0, 0

    def report(_: Progress) -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        time.sleep(0.001)
        inside -= 1

    context = RunContext(report=report)
    threads = [
        threading.Thread(target=lambda: context.tell("fit", done=1, total=2)) for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_work_that_nobody_waits_for_ends_in_the_middle_of_an_item() -> None:
    ended = threading.Event()

    def endless() -> Iterator[int]:
        yield 1
        try:
            while True:
                check_stopped()
                time.sleep(0.001)
        finally:
            ended.set()

    with running_ahead(endless(), most=1) as items:
        assert next(items) == 1
    assert ended.is_set()


def test_so_does_work_of_the_threads_that_it_started() -> None:
    done: list[int] = []

    def slowly(number: int) -> None:
        time.sleep(0.01)
        done.append(number)

    def parallel() -> Iterator[int]:
        yield 1
        for _ in in_parallel(slowly, range(4_000)):
            pass

    with running_ahead(parallel(), most=1) as items:
        next(items)
    assert len(done) < 2_000


def until_abandoned() -> None:
    with suppress(Cancelled):
        while True:
            check_stopped()
            time.sleep(0.001)


def test_who_is_abandoned_takes_no_more_of_what_others_computed() -> None:
    taken: list[int] = []
    waits = threading.Event()

    def gathering() -> Iterator[int]:
        with running_ahead(iter(range(1000)), most=1) as inner:
            for number in inner:
                taken.append(number)
                if number == 1:
                    waits.set()
                    until_abandoned()
        yield 1

    with running_ahead(gathering(), most=1):
        assert waits.wait(60)
    assert taken == [0, 1]


def test_motion_that_nobody_waits_for_is_not_estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[np.ndarray] = []
    begun = threading.Event()

    def normalised(picture: np.ndarray) -> np.ndarray:
        looked_at.append(picture)
        begun.set()
        until_abandoned()
        return picture[..., 0].astype(np.uint8)

    def estimates() -> Iterator[int]:
        estimate_motion(np.zeros((6, 32, 32, 3), np.float32))
        yield 1

    monkeypatch.setattr("unflicker.motion.flow.normalised", normalised)
    with running_ahead(estimates(), most=1):
        assert begun.wait(60)
    assert len(looked_at) == 1


def test_work_that_somebody_waits_for_goes_on() -> None:
    check_stopped()
    with running_ahead(iter(range(3)), most=1) as items:
        assert list(items) == [0, 1, 2]
    check_stopped()


@pytest.mark.parametrize("kind", ["grid", "mlp"])
def test_a_run_ends_while_an_atlas_is_fitted(kind: str) -> None:
    made = synthesise(panning(time=8, size=(32, 48)), kind="local", seed=1).clip.pixels
    settings = Settings.from_preset("best", atlas__layers=1)
    settings = replaced(settings, {"atlas.kind": kind, "atlas.steps": 100_000, "atlas.points": 300})
    fitted: list[int] = []

    def stop(progress: Progress) -> None:
        if progress.stage == "fit atlas":
            fitted.append(progress.done)
        if progress.stage == "fit atlas" and progress.done > 3:
            raise Cancelled("enough")

    with pytest.raises(Cancelled, match="enough"):
        unflicker.deflicker(np.asarray(made), settings=settings, progress=stop)
    assert fitted[-1] < 50_000
