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
from unflicker import RunOptions, batch, run
from unflicker.batch import Beside, FilmTask, films_of, outcomes, plan_jobs
from unflicker.errors import InputError, MissingError, UsageError
from unflicker.jobs import cluster
from unflicker.jobs.pool import WorkerDiedError
from unflicker.progress import silent
from unflicker.settings import Settings
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
        num_gpus=1,
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


def where(_):
    return os.getpid(), os.environ["CUDA_VISIBLE_DEVICES"]


def test_a_gpu_is_a_resource_and_its_worker_stays(pool):
    """Networks are loaded once a worker; Ray ends one with a GPU after each item by default."""
    with cluster.RayPool("local", on_gpu=True) as on_gpu:
        assert on_gpu.workers == 1
        found = {result for _, result in on_gpu.in_order(where, range(3))}
    assert [visible for _, visible in found] == ["0"]


def test_other_libraries_are_refused(pool):
    order = pool._order(squared, 2)
    order.versions["numpy"] = "0.1"
    with pytest.raises(MissingError, match=r"numpy .* \(yours is 0\.1\)"):
        pool._submitted(order).result()


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """A film of two segments and two short ones, and their results by one process."""
    sources, alone = (tmp_path_factory.mktemp(name) for name in ("films", "alone"))
    for name, frames in (("long", 250), ("one", 14), ("two", 20)):
        clip = panning(time=frames, size=(48, 64))
        film = ArraySource(synthesise(clip, kind="exposure", seed=frames).clip)
        with open_writer(film, sources / f"{name}.mkv") as writer:
            for frame in film.frames():
                writer.write(frame)
        options = RunOptions(jobs=1)
        run(sources / f"{name}.mkv", alone / f"{name}.mkv", preset="fast", options=options)
    return sources, {path.stem: path.read_bytes() for path in alone.iterdir()}


def test_a_film_is_the_same_by_a_cluster_in_which_a_worker_dies(pool, films, tmp_path):
    sources, alone = films
    ended = threading.Event()
    killed = threading.Thread(target=kill_a_worker, args=(ended,))
    killed.start()
    options = RunOptions(cluster="local")
    run(sources / "long.mkv", tmp_path / "long.mkv", preset="fast", options=options)
    assert ended.is_set()
    killed.join()
    assert (tmp_path / "long.mkv").read_bytes() == alone["long"]


@pytest.mark.parametrize("shared", [True, False])
def test_divided_and_whole_films_share_a_cluster(pool, films, tmp_path, monkeypatch, shared):
    """Where the results are not shared, all are divided, two at the same time."""
    sources, alone = films
    monkeypatch.setattr(batch.run, "_reached", lambda *_: shared)
    names = ["long", "one", "two"] if shared else ["one", "two"]
    found = films_of([str(sources / f"{name}.mkv") for name in names])
    jobs, _ = plan_jobs(found, output=f"{tmp_path}/", beside=Beside())
    settings, options = Settings.from_preset("fast"), RunOptions(cluster="local")
    driven, with_options = [], batch.run._with

    def seen(task, **options):
        driven.extend([task.job.source.stem] * (options["pool"] is not None))
        return with_options(task, **options)

    monkeypatch.setattr(batch.run, "_with", seen)
    tasks = [FilmTask(job=job, settings=settings, options=options) for job in jobs]
    done = list(outcomes(tasks, report_of=lambda _: contextlib.nullcontext(silent)))
    assert [outcome.fault for outcome in done] == [None] * len(names)
    assert sorted(driven) == (["long"] if shared else names)
    for name in names:
        assert (tmp_path / f"{name}_unflickered.mkv").read_bytes() == alone[name]


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
