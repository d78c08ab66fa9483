"""Work that several processes share."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from unflicker.errors import InputError
from unflicker.jobs.pool import WorkerDiedError
from unflicker.jobs.processes import LocalPool


def squared(number: int) -> int:
    time.sleep(0.02 * (number % 3))
    return number * number


def refused(number: int) -> int:
    if number == 3:
        raise InputError(f"no {number} here; pass another")
    return number


def dying_once(place: str) -> str:
    """Kills its process the first time."""
    if not Path(place).exists():
        Path(place).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return place


def dying(_: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture(scope="module")
def pool():
    with LocalPool(workers=2) as pool:
        yield pool


def test_results_come_in_order(pool) -> None:
    assert list(pool.in_order(squared, range(9))) == [(n, n * n) for n in range(9)]


def test_no_more_is_taken_ahead_than_it_says(pool) -> None:
    taken = []

    def numbers():
        for number in range(20):
            taken.append(number)
            yield number

    for done, _ in enumerate(pool.in_order(squared, numbers())):
        assert len(taken) <= done + pool.workers + 1


def test_what_is_known_is_not_done(pool) -> None:
    results = pool.in_order(refused, range(5), known=lambda number: -1 if number == 3 else None)
    assert [result for _, result in results] == [0, 1, 2, -1, 4]


def test_a_fault_of_the_work_is_raised_in_its_place(pool) -> None:
    results = pool.in_order(refused, range(6))
    assert [next(results)[1] for _ in range(3)] == [0, 1, 2]
    with pytest.raises(InputError, match="no 3 here"):
        next(results)


def test_a_process_that_dies_loses_nothing(pool, tmp_path) -> None:
    places = [str(tmp_path / name) for name in "abc"]
    assert [result for _, result in pool.in_order(dying_once, places)] == places


def test_work_that_always_kills_its_process_is_given_up(pool) -> None:
    with pytest.raises(WorkerDiedError, match="three times"):
        list(pool.in_order(dying, [1]))


def test_leaving_ends_all_processes() -> None:
    with LocalPool(workers=2) as pool:
        results = pool.in_order(os_pid, range(100))
        pids = {next(results)[1] for _ in range(4)}
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def library_threads(_: int) -> list[str | None]:
    return [os.environ.get(f"{name}_NUM_THREADS") for name in ("OMP", "OPENBLAS", "MKL")]


def test_libraries_of_a_process_use_its_part_of_the_cores(pool) -> None:
    assert pool.submit(library_threads, 0).result() == ["1"] * 3


def os_pid(_: int) -> int:
    return os.getpid()


def test_a_script_without_a_guard_may_use_processes(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from unflicker.jobs.processes import LocalPool\n"
        "with LocalPool(workers=2) as pool:\n"
        "    print([result for _, result in pool.in_order(abs, [-1, 2, -3])])\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert done.stdout == "[1, 2, 3]\n"


def told(number: int, tell) -> int:
    sys.stdout.write("what libraries print is no message")
    tell(number)
    return number


def test_work_tells_of_its_progress(pool):
    heard = []
    assert pool.submit_telling(told, 7, heard.append).result() == 7
    assert heard == [7]


def unsendable(_: int):
    return lambda: None


def test_results_that_cannot_be_sent_are_a_fault_of_their_item_alone(pool):
    with pytest.raises(RuntimeError, match="lambda"):
        pool.submit(unsendable, 1).result()
    assert pool.submit(squared, 3).result() == 9


def slow(place: str) -> None:
    try:
        time.sleep(60)
    finally:
        Path(place).touch()


def test_work_that_is_abandoned_cleans_up(tmp_path):
    place = tmp_path / "cleaned"
    with LocalPool(workers=1) as pool:
        pool.submit(slow, str(place))
        pool.submit(squared, 1)
        time.sleep(2.0)
    assert place.exists()


def test_abandoned_workers_end_silently(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import time\n"
        "from unflicker.jobs.processes import LocalPool\n"
        "with LocalPool(workers=1) as pool:\n"
        "    pool.submit(abs, 1).result()\n"
        "    pool.submit(time.sleep, 60)\n"
        "    time.sleep(0.5)\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
