"""A film whose run is killed at random moments, again and again, against one that is not.

    python benchmarks/kills.py film.mp4 --preset fast --kills 20

Each kill is a SIGKILL after a random time (seeded), at most that of an uninterrupted run; the next
run continues. A film that is done begins again until there were so many kills. Says whether all
results have the same bytes, and what is left in their folder.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CODE = "from unflicker.cli import main; main()"


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("film", type=Path)
    parser.add_argument("--preset", default="fast")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--jobs", default="1")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole" / given.film.name
        killed = Path(folder) / "killed" / given.film.name
        for target in (whole, killed):
            target.parent.mkdir()
        began = time.monotonic()
        subprocess.run(_call(given, whole), check=True)
        seconds = time.monotonic() - began
        drawn = random.Random(given.seed)
        kills, films, same, left = 0, 0, True, []
        while kills < given.kills:
            kills += _killed(given, killed, drawn=drawn, seconds=seconds, most=given.kills - kills)
            films += 1
            same = same and _hash(whole) == _hash(killed)
            left += [path.name for path in killed.parent.iterdir() if path != killed]
            killed.unlink(missing_ok=True)
        sys.stdout.write(
            f"{given.film.name}, {given.preset}, {given.jobs} jobs: {kills} kills, {films} films, "
            f"uninterrupted {seconds:.1f} s, same bytes: {same}, left over: {left}\n"
        )
        sys.exit(not same or bool(left))


def _killed(
    given: argparse.Namespace, target: Path, *, drawn: random.Random, seconds: float, most: int
) -> int:
    """Run a film, killed again and again, until it is done; returns the number of kills."""
    kills = 0
    while True:
        process = subprocess.Popen(
            _call(given, target), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            process.wait(drawn.uniform(0.0, seconds) if kills < most else None)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            kills += 1
        else:
            return kills


def _call(given: argparse.Namespace, target: Path) -> list[str]:
    options = ["--preset", given.preset, "--jobs", given.jobs, "-q"]
    return [sys.executable, "-c", CODE, "run", str(given.film), "-o", str(target), *options]


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""


if __name__ == "__main__":
    main()
