"""A film whose run is killed at random moments, again and again, against one that is not.

    python benchmarks/kills.py film.mp4 --preset fast --kills 20
    python benchmarks/kills.py                  films of its own: MP4 with sound, VFR Matroska

Each kill is a SIGKILL after a random time (seeded), at most that of an uninterrupted run; the next
run continues. A film that is done begins again until there were so many kills. Says whether all
results have the same bytes, and what is left in their folder.

Films of its own are small and short, with segments and windows of 40 frames, and their runs are
forked from a process that has loaded the program, so that all kills fall into the work.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import os
import random
import signal
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from unflicker.cli.main import exit_code
from unflicker.rendering import segments as rendered
from unflicker.video import segments

SIZE, FRAMES, CUT, UNIT = (48, 80), 110, 60, Fraction(1, 1000)
RATE, BLOCK, SEGMENT = 48_000, 960, 40
DRAWN = ("sound.mp4", "variable.mkv")


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("film", nargs="?", type=Path)
    parser.add_argument("--preset", default="fast")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--jobs", default="1")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if not given.film:
            rendered.SEGMENT_FRAMES = segments.SEGMENT_FRAMES = SEGMENT
        films = [given.film] if given.film else [drawn(Path(folder), name) for name in DRAWN]
        same = [_is_same(given, film) for film in films]
    sys.exit(not all(same))


def drawn(folder: Path, name: str) -> Path:
    """A flickering film of two shots: MP4 with sound, or Matroska with variable frame times.

    Args:
        folder: Where it is written.
        name: One of `DRAWN`.
    """
    path, made = folder / name, np.random.default_rng(1)
    shots = made.uniform(40, 215, (2, 6, 10, 3)).repeat(8, axis=1).repeat(8, axis=2)
    steps = made.integers(25, 60, FRAMES) if name.endswith("mkv") else np.full(FRAMES, 40)
    with av.open(path, "w") as file:
        film = file.add_stream("libx264", rate=25)
        film.height, film.width, film.pix_fmt = *SIZE, "yuv420p"
        film.codec_context.time_base = UNIT
        sound = file.add_stream("aac", rate=RATE, layout="mono") if name.endswith("mp4") else None
        for index, pts in enumerate(np.cumsum(steps) - steps[0]):
            moved = np.roll(shots[int(index >= CUT)], index // 4, axis=1)
            picture = (moved * made.uniform(0.75, 1.0)).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = int(pts), UNIT
            file.mux(film.encode(frame))
        file.mux(film.encode(None))
        if sound is not None:
            for start in range(0, FRAMES * RATE // 25, BLOCK):
                tone = np.sin(2 * math.pi * 440 / RATE * np.arange(start, start + BLOCK))
                block = av.AudioFrame.from_ndarray(
                    tone[None].astype(np.float32), format="fltp", layout="mono"
                )
                block.sample_rate, block.pts = RATE, start
                file.mux(sound.encode(block))
            file.mux(sound.encode(None))
    return path


def _is_same(given: argparse.Namespace, film: Path) -> bool:
    """Kill the runs of a film; returns whether all results were the same and alone."""
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole" / film.name
        killed = Path(folder) / "killed" / film.name
        for target in (whole, killed):
            target.parent.mkdir()
        began = time.monotonic()
        _killed(_started(given, film, whole), after=None)
        if not given.film:  # once more, now that loops are compiled
            whole.unlink()
            began = time.monotonic()
            _killed(_started(given, film, whole), after=None)
        seconds = time.monotonic() - began
        moments = random.Random(given.seed)
        kills, films, same, left = 0, 0, True, list[str]()
        while kills < given.kills:
            while _killed(
                _started(given, film, killed),
                after=moments.uniform(0.0, seconds) if kills < given.kills else None,
            ):
                kills += 1
            films += 1
            same = same and _hash(whole) == _hash(killed)
            left += [path.name for path in killed.parent.iterdir() if path != killed]
            killed.unlink(missing_ok=True)
        sys.stdout.write(
            f"{film.name}, {given.preset}, {given.jobs} jobs: {kills} kills, {films} films, "
            f"uninterrupted {seconds:.1f} s, same bytes: {same}, left over: {left}\n"
        )
        sys.stdout.flush()
        return same and not left


def _started(given: argparse.Namespace, film: Path, target: Path) -> int:
    """Start the run of a film; returns its process."""
    call = ["run", str(film), "-o", str(target), "-q"]
    call += ["--preset", given.preset, "--jobs", given.jobs]
    process = os.fork()
    if not process:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if given.film:
            os.execv(sys.executable, [sys.executable, "-m", "unflicker", *call])
        os._exit(exit_code([*call, "--set", f"window.frames={SEGMENT}"]))
    return process


def _killed(process: int, *, after: float | None) -> bool:
    """Wait for a process, and kill it if it takes longer; returns whether it was killed."""
    until = math.inf if after is None else time.monotonic() + after
    while time.monotonic() < until:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            if status:
                raise SystemExit(f"a run ended with {os.waitstatus_to_exitcode(status)}")
            return False
        time.sleep(0.01)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    return True


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""


if __name__ == "__main__":
    main()
