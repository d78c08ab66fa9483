"""Batches of real films: side by side, broken ones among them, with their papers."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path

import pytest

from made_clips import panning
from unflicker import batch
from unflicker.batch import Beside, Film, FilmTask, make_film, outcomes, plan_jobs
from unflicker.batch.schedule import Schedule
from unflicker.progress import silent
from unflicker.rendering.options import RunOptions
from unflicker.settings import Settings
from unflicker.synthesis import synthesise
from unflicker.video import ArraySource, open_writer

FAST = Settings.from_preset("fast")
PAPERS, NO_PAPERS = Beside(checksums=True, events=True), Beside()


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """Three small films that flicker, and one that is none."""
    folder = tmp_path_factory.mktemp("films")
    for seed in range(3):
        clip = panning(time=12 + 4 * seed, size=(64, 96))
        film = ArraySource(synthesise(clip, kind="exposure", seed=seed).clip)
        with open_writer(film, folder / f"{seed}.mkv") as writer:
            for frame in film.frames():
                writer.write(frame)
    (folder / "bad.mkv").write_text("no film")
    return folder


def tasks_for(films: Path, out: Path, *, beside: Beside = NO_PAPERS, skips=False, **options):
    found = [Film(path=path) for path in sorted(films.iterdir())]
    jobs, _ = plan_jobs(found, output=f"{out}/", beside=beside)
    return [
        FilmTask(job=job, settings=FAST, options=RunOptions(**options), skips=skips) for job in jobs
    ]


def run(tasks):
    with closing(outcomes(tasks, report_of=lambda _: nullcontext(silent))) as found:
        return {outcome.job.source.name: outcome for outcome in found}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def alone(films, tmp_path_factory):
    """The results by one process."""
    folder = tmp_path_factory.mktemp("alone")
    run(tasks_for(films, folder, jobs=1))
    return contents(folder)


def test_films_side_by_side_are_the_same_and_a_broken_one_stops_none(films, alone, tmp_path):
    told = []

    @contextmanager
    def report_of(job):
        yield lambda progress: told.append((job.source.name, progress.stage))

    tasks = tasks_for(films, tmp_path, jobs=2)
    with closing(outcomes(tasks, report_of=report_of)) as found:
        states = {outcome.job.source.name: outcome.state for outcome in found}
    assert states == {"0.mkv": "done", "1.mkv": "done", "2.mkv": "done", "bad.mkv": "failed"}
    assert {(name, "render") for name in ("0.mkv", "1.mkv", "2.mkv")} <= set(told)
    assert contents(tmp_path) == alone


def test_divided_films_share_the_workers_with_whole_ones(films, alone, tmp_path, monkeypatch):
    plan = Schedule(divided=(2, 0, 3), whole=(1,))
    monkeypatch.setattr(batch.run, "schedule", lambda *_, **__: plan)
    monkeypatch.setattr(batch.run, "_drivers", lambda _: 2)
    states = {name: made.state for name, made in run(tasks_for(films, tmp_path, jobs=2)).items()}
    assert states == {"0.mkv": "done", "1.mkv": "done", "2.mkv": "done", "bad.mkv": "failed"}
    assert contents(tmp_path) == alone


def test_a_batch_that_is_closed_ends_divided_films_too(films, tmp_path, monkeypatch):
    plan = Schedule(divided=(2,), whole=(3,))
    monkeypatch.setattr(batch.run, "schedule", lambda *_, **__: plan)
    with closing(
        outcomes(tasks_for(films, tmp_path, jobs=2), report_of=lambda _: nullcontext(silent))
    ) as found:
        assert next(found).state == "failed"  # the one that is none
    # Threads for rows of pictures belong to the process, not to a film.
    ours = {thread.name for thread in threading.enumerate() if "unflicker" in thread.name}
    assert not [name for name in ours if not name.startswith("unflicker-bands")]
    assert contents(tmp_path) == {}


def test_checksums_and_events_tell_of_both_files(films, tmp_path):
    task = tasks_for(films, tmp_path, beside=PAPERS, jobs=1)[0]
    outcome = make_film(task, silent)
    source, result = task.job.source, task.job.target
    digest = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in (source, result)}
    lines = (tmp_path / "0_unflickered.mkv.sha256").read_text().splitlines()
    assert [line.split("  ") for line in lines] == [
        [digest[path], os.path.relpath(path, tmp_path)] for path in (source, result)
    ]
    frames = (tmp_path / "0_unflickered.mkv.framemd5").read_text().splitlines()
    assert len([line for line in frames if not line.startswith("#")]) == outcome.frames == 12
    events = json.loads((tmp_path / "0_unflickered.mkv.premis.json").read_text())
    kept = [each["objectCharacteristics"][0]["fixity"] for each in events["objects"]]
    assert [each["messageDigest"] for each in kept] == [digest[source], digest[result]]
    assert events["events"][0]["eventOutcome"] == "success"
    assert events["events"][0]["eventDetail"]["settings"]["strength"] == 1.0


def test_a_whole_result_is_skipped_and_a_broken_one_made_again(films, tmp_path):
    first = run(tasks_for(films, tmp_path, jobs=1))
    whole = contents(tmp_path)
    cut = first["1.mkv"].job.target
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    broken = cut.read_bytes()
    again = run(tasks_for(films, tmp_path, jobs=1, skips=True))
    assert {name: outcome.state for name, outcome in again.items()} == {
        "0.mkv": "skipped", "1.mkv": "done", "2.mkv": "skipped", "bad.mkv": "failed",
    }  # fmt: skip
    assert contents(tmp_path) == {**whole, "1_unflickered.broken.mkv": broken}
    assert "not whole" in again["1.mkv"].says[0]


def test_a_batch_that_is_killed_leaves_no_process_and_goes_on(films, alone, tmp_path):
    code = "from unflicker.cli import main; main()"
    names = [str(path) for path in sorted(films.glob("?.mkv"))]
    call = [sys.executable, "-c", code, "run", *names, "-o", f"{tmp_path}/", "--preset=fast"]
    process = subprocess.Popen([*call, "--jobs=2"], stderr=subprocess.PIPE)
    until = time.monotonic() + 60
    while not list(tmp_path.glob(".*")) and time.monotonic() < until:
        time.sleep(0.05)
    workers = children(process.pid)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.stderr is not None
    process.stderr.close()
    assert workers
    until = time.monotonic() + 60
    while any(is_there(pid) for pid in workers) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(is_there(pid) for pid in workers)
    done = subprocess.run([*call, "--skip-existing"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert contents(tmp_path) == alone


def children(pid: int) -> list[int]:
    return [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and parent_of(entry) == pid
    ]


def parent_of(entry: Path) -> int:
    try:
        return int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def is_there(pid: int) -> bool:
    """Whether a process runs; one that only waits to be noticed does not."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
