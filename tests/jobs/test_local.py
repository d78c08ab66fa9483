"""Jobs in processes: in order, side by side, and none takes another down."""

import os
import signal
import time
from contextlib import closing
from pathlib import Path

from unflicker.jobs.job import Batch, Done, Failed, Tell, Unfit
from unflicker.jobs.local import carried_out


def squared(jobs: tuple[int, ...], tell: Tell) -> None:
    """Squares numbers; dies at 13, sleeps at 99."""
    for place, job in enumerate(jobs):
        tell(("begun", place))
        if job == 13:
            os.kill(os.getpid(), signal.SIGKILL)
        if job == 99:
            time.sleep(60)
        tell(("done", place, job * job))
    tell(("end",))


def unfit(_: tuple[int, ...], tell: Tell) -> None:
    tell(("unfit", "no library"))


def touched(jobs: tuple[str, ...], tell: Tell) -> None:
    for place, job in enumerate(jobs):
        tell(("begun", place))
        Path(job).touch()
        time.sleep(0.05)
        tell(("done", place, None))
    tell(("end",))


def events(*batches: Batch, limit_seconds: float = 30.0):
    return list(carried_out(batches, at_once=2, limit_seconds=limit_seconds, threads=1))


def test_each_job_is_done_once() -> None:
    found = events(
        Batch(name="a", jobs=(1, 2, 3), work=squared), Batch(name="b", jobs=(4,), work=squared)
    )
    assert sorted((event.job, event.result) for event in found if isinstance(event, Done)) == [
        (1, 1), (2, 4), (3, 9), (4, 16),
    ]  # fmt: skip
    assert len(found) == 4


def test_a_process_that_dies_fails_one_job_and_another_does_the_rest() -> None:
    found = events(Batch(name="a", jobs=(1, 13, 3), work=squared))
    assert [type(event) for event in found] == [Done, Failed, Done]
    assert found[1].job == 13
    assert "signal 9" in found[1].why
    assert not found[1].late
    assert found[2].result == 9


def test_a_job_that_takes_too_long_fails() -> None:
    found = events(Batch(name="a", jobs=(99, 2), work=squared), limit_seconds=1.0)
    assert [type(event) for event in found] == [Failed, Done]
    assert found[0].late


def test_no_batch_of_an_unfit_name_is_started_again() -> None:
    batches = [Batch(name="a", jobs=(1,), work=unfit) for _ in range(6)]
    found = list(carried_out(batches, at_once=1, limit_seconds=30.0, threads=0))
    assert found == [Unfit(name="a", why="no library")]


def test_closing_early_ends_the_processes(tmp_path) -> None:
    jobs = tuple(str(tmp_path / f"{number:03}") for number in range(200))
    batch = Batch(name="a", jobs=jobs, work=touched)
    with closing(carried_out([batch], at_once=1, limit_seconds=30.0, threads=0)) as running:
        next(running)
    count = len(list(tmp_path.iterdir()))
    time.sleep(0.3)
    assert len(list(tmp_path.iterdir())) == count < 200
