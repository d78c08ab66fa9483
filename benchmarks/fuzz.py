"""Hostile inputs: damaged films, bombs, small machines, signals; nothing may break.

    python benchmarks/fuzz.py --seconds 600 --seed 1
    python benchmarks/fuzz.py --only 1234            one damaged film again, with what was said

Each film is given to `unflicker run` in a process of its own that is used again. A fault is a
traceback, an exit code that is not of the list, a hang of a minute, more than 1.5 GB of memory, a
result that cannot be read, or a file left over.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import av

from mutants import Mutant, mutants, samples

_LONGEST_SECONDS = 60.0
_MOST_MB = 1536
_CODES = (0, 2, 3, 4, 7)
"""Exit codes that a damaged film may have: see docs/conventions.md."""
_RENEWED_AFTER = 250
"""Films after which a worker is replaced."""


def main() -> None:
    """Run the fuzz from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--mutants", type=int, default=None, help="at most so many")
    parser.add_argument("--first", type=int, default=0, help="number of the first one")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, default=None, help="one by its number")
    parser.add_argument("--keep", type=Path, default=None, help="folder for films with a fault")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        work()
        return
    first = given.first if given.only is None else given.only
    count = given.mutants if given.only is None else 1
    every = islice(mutants(samples(), seed=given.seed), first, None)
    tally = Tally()
    ends = time.monotonic() + given.seconds
    with tempfile.TemporaryDirectory() as folder, contextlib.closing(Worker()) as worker:
        _warm_up(worker, Path(folder))
        for mutant in islice(every, count):
            if time.monotonic() > ends:
                break
            faults, said = checked(mutant, Path(folder), worker, tally)
            if faults or given.only is not None:
                _show(mutant, faults, said)
            if mutant.number % 100 == 99:
                sys.stderr.write(f"{tally}\n")
            if faults and given.keep is not None:
                given.keep.mkdir(parents=True, exist_ok=True)
                (given.keep / f"{mutant.number}.{mutant.suffix}").write_bytes(mutant.content)
    sys.stdout.write(f"{tally}\n")
    sys.exit(tally.faults > 0)


def _warm_up(worker: Worker, folder: Path) -> None:
    """Have the inner loops compiled, which is no film's fault."""
    film = folder / "film.mp4"
    film.write_bytes(samples()[0].content)
    worker.run(["run", str(film), "-o", str(folder / "steady.mp4"), "--preset", "fast"])


@dataclass(kw_only=True)
class Tally:
    """What came of all films so far."""

    codes: collections.Counter[int] = field(default_factory=collections.Counter)
    faults: int = 0
    slowest: float = 0.0
    most_mb: float = 0.0

    def __str__(self) -> str:
        """In one line."""
        codes = ", ".join(f"{code}: {count}" for code, count in sorted(self.codes.items()))
        return (
            f"{sum(self.codes.values())} films, {self.faults} faults; exit codes {codes}; "
            f"slowest {self.slowest:.1f} s, most memory {self.most_mb:.0f} MB"
        )


def checked(mutant: Mutant, folder: Path, worker: Worker, tally: Tally) -> tuple[list[str], str]:
    """The faults of a run on one film, and what it said.

    Args:
        mutant: The film.
        folder: For its file and its result.
        worker: Runs it.
        tally: Is added to.
    """
    film = folder / f"film.{mutant.suffix}"
    film.write_bytes(mutant.content)
    output = folder / "out"
    output.mkdir()
    target = output / f"result.{'mkv' if mutant.suffix == 'gif' else mutant.suffix}"
    options = ["--preset", "fast", "--jobs", "1", "--overwrite"]
    answer = worker.run(["run", str(film), "-o", str(target), *options])
    faults = list(_faults(answer, target))
    shutil.rmtree(output)
    tally.codes[answer.code] += 1
    tally.faults += bool(faults)
    tally.slowest = max(tally.slowest, answer.seconds)
    tally.most_mb = max(tally.most_mb, answer.peak_mb)
    return faults, answer.said


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came of one call of the program."""

    code: int
    """Exit code; below zero the signal that ended it, -99 for a hang."""
    peak_mb: float
    seconds: float
    said: str


def _faults(answer: Answer, target: Path) -> Iterator[str]:
    if answer.code not in _CODES:
        yield f"exit code {answer.code}"
    if "Traceback" in answer.said or "internal error" in answer.said:
        yield "a traceback"
    if answer.seconds > _LONGEST_SECONDS:
        yield f"took {answer.seconds:.0f} s"
    if answer.peak_mb > _MOST_MB:
        yield f"took {answer.peak_mb:.0f} MB"
    left = {file.name for file in target.parent.iterdir()} - {target.name}
    if left:
        yield f"left over: {', '.join(sorted(left))}"
    if answer.code in (0, 7) and target.exists() and not _readable(target):
        yield "the result cannot be read"
    if answer.code == 0 and not target.exists():
        yield "no result"


def _readable(path: Path) -> bool:
    try:
        with av.open(str(path), metadata_errors="replace") as film:
            return next(film.decode(video=0), None) is not None
    except av.FFmpegError:
        return False


def _show(mutant: Mutant, faults: list[str], said: str) -> None:
    lines = said.strip().splitlines()
    sys.stdout.write(
        f"{mutant.number} ({mutant.suffix}, {mutant.damage}): {'; '.join(faults) or 'well'}\n"
        + "".join(f"    {line}\n" for line in lines[-6:])
    )
    sys.stdout.flush()


class Worker:
    """A process that calls the program again and again; a dead one is replaced."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._calls = 0

    def run(self, arguments: list[str]) -> Answer:
        """Call the program.

        Args:
            arguments: Of the command line.
        """
        if self._process is None or self._calls >= _RENEWED_AFTER:
            self._start()
        assert self._process is not None
        assert self._process.stdin is not None
        self._calls += 1
        began = time.monotonic()
        with tempfile.NamedTemporaryFile() as log:
            self._process.stdin.write(json.dumps([log.name, arguments]).encode() + b"\n")
            self._process.stdin.flush()
            answer = self._answer()
            seconds = time.monotonic() - began
            said = Path(log.name).read_text(errors="replace")
        return Answer(seconds=seconds, said=said, code=answer[0], peak_mb=answer[1])

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _start(self) -> None:
        self.close()
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._calls = 0
        self._answer(seconds=300.0)

    def _answer(self, *, seconds: float = 2 * _LONGEST_SECONDS) -> tuple[int, float]:
        """Exit code and peak memory in MB of a call."""
        import select

        assert self._process is not None
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], seconds)
        line = self._process.stdout.readline() if ready else b""
        if line:
            code, peak = json.loads(line)
            return code, peak
        code = -99 if not ready else self._process.wait()
        self.close()
        return code, 0.0


def work() -> None:
    """Call the program with the arguments of each line of standard input."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    calls = os.fdopen(os.dup(0), "rb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    from unflicker.cli.main import exit_code

    answers.write(b"[0, 0]\n")
    for line in calls:
        log, arguments = json.loads(line)
        place = os.open(log, os.O_WRONLY | os.O_APPEND)
        os.dup2(place, 1)
        os.dup2(place, 2)
        os.close(place)
        # Linux counts the peak again from here on.
        Path("/proc/self/clear_refs").write_text("5")
        code = exit_code(arguments)
        sys.stdout.flush()
        sys.stderr.flush()
        answers.write(json.dumps([code, _peak_mb()]).encode() + b"\n")


def _peak_mb() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    main()
