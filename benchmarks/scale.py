"""How work scales: one film by more and more processes, and a simulated archive on many machines.

    python benchmarks/scale.py film.mp4 --workers 1,2          the same film by 1 and 2 processes
    python benchmarks/scale.py film.mp4 --workers 1 --segments 240,100000    what segments cost
    python benchmarks/scale.py --archive 1000 --cpu-ms 60      hours on 1, 16 and 256 machines

The first part measures. The second one computes: films of lengths drawn from a log-normal
distribution (median 20 minutes, standard deviation of the logarithm 1, at most 4 hours; seed 1),
24 frames a second, each frame at a cost of processor time that the first part measured, through
the scheduler of `unflicker.batch`. A machine has 16 cores, that is 8 workers of two. Processor time
is measured besides time, as other programs on the machine change it less.
"""

from __future__ import annotations

import argparse
import hashlib
import heapq
import json
import resource
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import product
from math import ceil
from pathlib import Path

import numpy as np

import unflicker
from unflicker.batch.schedule import SERIAL, Work, expected_time, schedule
from unflicker.rendering import segments as rendered
from unflicker.video import segments
from unflicker.video.segments import SEGMENT_FRAMES

FPS, WORKERS_A_MACHINE, CORES_A_WORKER = 24, 8, 2
MEDIAN_MINUTES, SPREAD, MOST_HOURS, SEED = 20.0, 1.0, 4.0, 1
DISPATCH_SECONDS = 0.005
"""Of the process that hands films over: a Ray task takes 0.5 ms, a report of progress as much."""


@dataclass(frozen=True, kw_only=True)
class Hours:
    """What a simulated archive takes."""

    machines: int
    total: float
    busy: float
    """Share of the workers' time in which they work."""
    divided: int
    """Films."""
    lost: float
    """Hours more if one machine is lost in the middle."""


def measured(film: Path, workers: int, preset: str, segment: int) -> dict[str, object]:
    """Run a film; returns times, and the hash of the result.

    Args:
        film: The source.
        workers: Number of processes.
        preset: Its name.
        segment: Frames of a segment; other than the usual number for one process only.
    """
    for module in (segments, rendered):
        vars(module)["SEGMENT_FRAMES"] = segment
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / f"result{film.suffix}"
        own, others = _cpu(resource.RUSAGE_SELF), _cpu(resource.RUSAGE_CHILDREN)
        began = time.monotonic()
        options = unflicker.RunOptions(jobs=workers)
        record = unflicker.run(film, result, preset=preset, options=options)
        return {
            "workers": workers,
            "seconds": round(time.monotonic() - began, 2),
            "cpu_here": round(_cpu(resource.RUSAGE_SELF) - own, 2),
            "cpu_workers": round(_cpu(resource.RUSAGE_CHILDREN) - others, 2),
            "frames": len(record.seconds),
            "segment": segment,
            "bytes": result.stat().st_size,
            "sha256": hashlib.sha256(result.read_bytes()).hexdigest()[:16],
        }


def archive(count: int, *, cpu_ms: float) -> list[Work]:
    """Films of an archive, in seconds of one worker's time.

    Args:
        count: Number of films.
        cpu_ms: Processor time of a frame.
    """
    drawn = np.random.default_rng(SEED).normal(np.log(MEDIAN_MINUTES), SPREAD, count)
    minutes = np.minimum(np.exp(drawn), 60 * MOST_HOURS)
    frames = np.ceil(minutes * 60 * FPS).astype(int)
    seconds = frames * cpu_ms / 1000 / CORES_A_WORKER
    return [
        Work(length=float(length), parts=-(-int(each) // SEGMENT_FRAMES))
        for length, each in zip(seconds, frames, strict=True)
    ]


def simulated(films: list[Work], machines: int) -> Hours:
    """The hours that an archive takes.

    Args:
        films: All films.
        machines: Of eight workers each.
    """
    workers = machines * WORKERS_A_MACHINE
    drivers = drivers_of(workers)
    plan = schedule(films, workers=workers, drivers=drivers)
    divided, whole = ([films[at] for at in places] for places in (plan.divided, plan.whole))
    lengths = [film.length for film in whole]
    shared = expected_time(divided, whole, workers=workers, drivers=drivers)
    total = max(shared, _whole(lengths, workers))
    work = sum(film.length for film in films)
    fewer = workers - WORKERS_A_MACHINE
    lost = float("nan")
    if fewer:
        without = _with_loss(lengths, workers, at=total / 2)
        lost = max(without, shared + total / 2 * WORKERS_A_MACHINE / fewer) - total
    return Hours(
        machines=machines,
        total=total / 3600,
        busy=work / (total * workers),
        divided=len(plan.divided),
        lost=lost / 3600,
    )


def drivers_of(workers: int) -> int:
    """Divided films in progress, of which the machine that the command runs on has the drivers."""
    return max(2, min(ceil(SERIAL * workers), WORKERS_A_MACHINE))


def _whole(lengths: list[float], workers: int) -> float:
    ends = [0.0] * workers
    handed = 0.0
    for length in lengths:
        handed += DISPATCH_SECONDS
        heapq.heapreplace(ends, max(ends[0], handed) + length)
    return max(ends)


def _with_loss(lengths: list[float], workers: int, *, at: float) -> float:
    """As `_whole`, if a machine is lost: its films go back into the queue from their last segment,
    as their workspaces lie where all machines see them."""
    ends = [(0.0, worker) for worker in range(workers)]
    heapq.heapify(ends)
    last = 0.0
    waiting = list(reversed(lengths))
    while waiting:
        free, worker = heapq.heappop(ends)
        if free >= at and worker < WORKERS_A_MACHINE:
            continue
        length = waiting.pop()
        end = free + length
        if worker < WORKERS_A_MACHINE and free < at < end:
            waiting.append(end - at)
            continue
        last = max(last, end)
        heapq.heappush(ends, (end, worker))
    return last


def _cpu(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure a film, or compute an archive, as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("film", nargs="?", type=Path)
    parser.add_argument("--workers", default="1,2", help="numbers of processes, in turn")
    parser.add_argument("--preset", default="fast")
    parser.add_argument("--segments", default=str(SEGMENT_FRAMES), help="frames of a segment")
    parser.add_argument("--rounds", type=int, default=1, help="repetitions, in turn")
    parser.add_argument("--archive", type=int, help="number of films to simulate")
    parser.add_argument("--cpu-ms", type=float, default=60.0, help="processor time of a frame")
    given = parser.parse_args()
    if given.film is not None:
        for _ in range(given.rounds):
            for workers, segment in product(given.workers.split(","), given.segments.split(",")):
                found = measured(given.film, int(workers), given.preset, int(segment))
                sys.stdout.write(json.dumps(found) + "\n")
                sys.stdout.flush()
    if given.archive:
        films = archive(given.archive, cpu_ms=given.cpu_ms)
        hours = sum(film.length for film in films) / 3600
        sys.stdout.write(f"{given.archive} films, {hours:.0f} hours of one worker\n")
        for machines in (1, 16, 256):
            found = simulated(films, machines)
            sys.stdout.write(
                f"{machines} machines: {found.total:.2f} h, workers busy {found.busy:.0%}, "
                f"{found.divided} films divided, a lost machine {found.lost:+.2f} h\n"
            )


if __name__ == "__main__":
    main()
