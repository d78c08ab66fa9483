"""Work done by a Ray cluster of this machine; where Ray is installed."""

import contextlib
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from made_clips import panning
from unflicker import RunOptions, run
from unflicker.errors import InputError, MissingError, UsageError
from unflicker.jobs import cluster
from unflicker.jobs.pool import WorkerDiedError
from unflicker.synthesis import synthesise
from unflicker.video import ArraySource, open_writer


def squared(number):
    return number * number


def array_of(number):
    import numpy as np

    return np.full(200_000, number)


def refused(number):
    raise InputError(f"no {number} here; pass another")


def dying_once(place):
    """Kills its worker the first time."""
    if not Path(place).exists():
        Path(place).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return place


def dying(_):
    os.kill(os.getpid(), signal.SIGKILL)


def telling(number, tell):
    tell(number)
    time.sleep(1.5)
    return number


@pytest.fixture(scope="module")
def pool():
    ray = pytest.importorskip("ray")
    # Two workers on any machine.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    ray.init(
        address="local",
        num_cpus=4,
        include_dashboard=False,
        log_to_driver=False,
        runtime_env={"env_vars": {"PYTHONPATH": path}},
    )
    try:
        with cluster.RayPool("local") as pool:
            yield pool
    finally:
        ray.shutdown()


def test_results_come_in_order(pool):
    assert pool.workers == 2
    assert list(pool.in_order(squared, range(5))) == [(n, n * n) for n in range(5)]


def test_arrays_that_come_back_can_be_changed(pool):
    array = pool.submit(array_of, 3).result()
    array += 1
    assert array[0] == 4


def test_a_fault_of_the_work_is_raised_as_it_was(pool):
    with pytest.raises(InputError, match="no 7 here"):
        pool.submit(refused, 7).result()


def test_a_worker_that_dies_loses_nothing(pool, tmp_path):
    places = [str(tmp_path / name) for name in "ab"]
    assert [result for _, result in pool.in_order(dying_once, places)] == places


def test_work_that_always_kills_its_worker_is_given_up(pool):
    with pytest.raises(WorkerDiedError, match="died 3 times"):
        pool.submit(dying, 1).result()


def test_news_are_heard(pool):
    heard = []
    assert pool.submit_telling(telling, 5, heard.append).result() == 5
    assert heard == [5]


def test_other_libraries_are_refused(pool):
    order = pool._order(squared, 2)
    order.versions["numpy"] = "0.1"
    with pytest.raises(MissingError, match=r"numpy .* \(yours is 0\.1\)"):
        pool._submitted(order).result()


def test_a_film_is_the_same_by_a_cluster_in_which_a_worker_dies(pool, tmp_path):
    film = ArraySource(synthesise(panning(time=250, size=(48, 64)), kind="exposure", seed=1).clip)
    source = tmp_path / "film.mkv"
    with open_writer(film, source) as writer:
        for frame in film.frames():
            writer.write(frame)
    run(source, tmp_path / "alone.mkv", preset="fast", options=RunOptions(jobs=1))

    ended = threading.Event()
    killed = threading.Thread(target=kill_a_worker, args=(ended,))
    killed.start()
    options = RunOptions(cluster="local")
    run(source, tmp_path / "cluster.mkv", preset="fast", options=options)
    assert ended.is_set()
    killed.join()
    assert (tmp_path / "cluster.mkv").read_bytes() == (tmp_path / "alone.mkv").read_bytes()


def kill_a_worker(ended):
    """Kill the first worker that is in the middle of its work."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if (entry / "cmdline").read_bytes().startswith(b"ray::_done"):
                    os.kill(int(entry.name), signal.SIGKILL)
                    ended.set()
                    return
        time.sleep(0.01)


@pytest.mark.parametrize("address", ["here", "ray://", "host", "ray://host", "host:port", ""])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(UsageError, match="no address"):
        cluster.check_address(address)


def test_a_cluster_that_does_not_answer_is_one_clear_line(monkeypatch):
    class Ray:
        def is_initialized(self):
            return False

        def init(self, **_):
            raise ConnectionError("nobody there\nand more")

    monkeypatch.setattr(cluster, "ray_library", Ray)
    with pytest.raises(MissingError, match=r"no cluster answers at auto: nobody there; start"):
        cluster.RayPool("auto").__enter__()


def test_without_ray_the_extra_is_named(monkeypatch):
    def missing(_):
        raise ImportError("No module named 'ray'")

    monkeypatch.setattr(cluster, "import_module", missing)
    with pytest.raises(MissingError, match=r"unflicker\[cluster\]"):
        cluster.ray_library()
