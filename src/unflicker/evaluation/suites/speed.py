"""Suite `speed`: how long the whole command takes for what a plain transcode takes, and its memory.

Both run as processes of their own, by turns, with the same encoder and settings, on one film in
H.264; times are medians.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from unflicker.errors import MissingError, UnflickerError, UsageError
from unflicker.evaluation.suites.landscape import FPS, flickering
from unflicker.evaluation.suites.suite import Options, Row, Suite, presets
from unflicker.evaluation.suites.tables import markdown, verdict
from unflicker.progress import Progress
from unflicker.video.transcode import encode

SIZES = {"1080p": (1080, 1920), "480p": (480, 854)}
_AIMS = {
    "fast": {"1080p": 1.6, "480p": 2.5, "MiB": 1000},
    "standard": {"1080p": 4.0, "480p": 10.0, "MiB": 2000},
}
"""By preset: most times the transcode at each size, and most memory at 1080p."""
_MOST_GROWTH = 0.15
"""Of memory from the shortest to the longest film."""
_CODEC, _CRF, _PRESET = "libx264", "18", "medium"
_PROGRAM = "from unflicker.cli import main; main()"
_WATCHER = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[2:])
_, status, usage = os.wait4(process.pid, 0)
process.returncode = os.waitstatus_to_exitcode(status)
open(sys.argv[1], "w").write(str(usage.ru_maxrss))
sys.exit(process.returncode)
"""
"""A small process between: a child's peak begins with the memory of the one that started it."""


def _rows(_: Path, options: Options) -> Iterator[Row]:
    preset = _preset(options)
    films = [(size, length) for size in _sizes(options) for length in _lengths(options)]
    with tempfile.TemporaryDirectory() as name:
        for done, (size, frames) in enumerate(films):
            options.progress(Progress(stage="speed", done=done, total=len(films)))
            source = Path(name) / f"{size}_{frames}.mp4"
            options.tell(f"making {source.name}")
            pictures = flickering(
                SIZES[size], frames=frames, film=options.film, by_place=options.by_place
            )
            encode(pictures, source, size=SIZES[size], fps=FPS)
            yield {
                "size": size,
                "frames": frames,
                "preset": preset,
                **_measured(source, preset, options),
            }
            source.unlink()
        options.progress(Progress(stage="speed", done=len(films), total=len(films)))


def _preset(options: Options) -> str:
    """The one preset that is measured."""
    names = list(presets(options, usual=("fast",)))
    if len(names) > 1 or names[0] not in _AIMS:
        raise UsageError(
            f"speed is measured of one preset with aims, {' or '.join(_AIMS)}; "
            f"got {', '.join(names)}"
        )
    return names[0]


def _sizes(options: Options) -> tuple[str, ...]:
    for size in options.sizes:
        if size not in SIZES:
            raise UsageError(f"no size is named {size}; there are {', '.join(SIZES)}")
    return options.sizes


def _lengths(options: Options) -> tuple[int, ...]:
    return (options.frames,) if options.frames else options.lengths


def _measured(source: Path, preset: str, options: Options) -> Row:
    """Seconds and peak memory of both commands on a film, medians over runs by turns."""
    target = source.with_name("result.mp4")
    commands = _commands(source, target, preset=preset)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for turn in range(options.runs):
        for name, command in commands.items():
            found[name].append(watched(command))
            seconds, memory = found[name][-1]
            options.tell(
                f"{source.stem} {turn + 1}/{options.runs} {name} {seconds:.1f} s {memory:.0f} MiB"
            )
            target.unlink(missing_ok=True)
    row: Row = {}
    for name, values in found.items():
        row[f"{name}_seconds"] = statistics.median(seconds for seconds, _ in values)
        row[f"{name}_mebibytes"] = max(memory for _, memory in values)
    ratios = [o[0] / p[0] for o, p in zip(found["unflicker"], found["plain"], strict=True)]
    return row | {"ratio": statistics.median(ratios)}


def _commands(source: Path, target: Path, *, preset: str) -> dict[str, list[str]]:
    """The plain transcode and the whole program, with the same encoder and settings."""
    # Run as a file: as a module of the package it would load what the package loads.
    file = str(getattr(find_spec("unflicker.video.transcode"), "origin", ""))
    films, settings = [str(source), str(target)], ["--codec", _CODEC, "-e", f"preset={_PRESET}"]
    return {
        "plain": [sys.executable, "-P", file, *films, *settings, "-e", f"crf={_CRF}"],
        "unflicker": [
            *(sys.executable, "-c", _PROGRAM, "run", films[0], "-o", films[1], "--overwrite"),
            *("--preset", preset, *settings, "--crf", _CRF, "--progress", "none", "-q"),
        ],
    }


def watched(command: Sequence[str]) -> tuple[float, float]:
    """Seconds and peak resident memory in MiB of a process.

    Raises:
        MissingError: The system cannot tell (Windows).
        UnflickerError: It failed.
    """
    if sys.platform == "win32":
        raise MissingError("this system does not tell a process's memory; run on Linux or macOS")
    with tempfile.NamedTemporaryFile("r") as said:
        start = time.perf_counter()
        watcher = [sys.executable, "-c", _WATCHER, said.name, *command]
        code = subprocess.call(watcher, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - start
        if code:
            raise UnflickerError(f"exit code {code} of {' '.join(command)}; see its message")
        peak = int(said.read())
    # macOS counts bytes, Linux kibibytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return seconds, peak * unit / 2**20


def _table(rows: Sequence[Row], _: Options) -> str:
    body = []
    for row in rows:
        most = _AIMS[row["preset"]][row["size"]]
        ratio, word = f"{row['ratio']:.2f}", verdict(met=row["ratio"] <= most)
        times = [f"{row['plain_seconds']:.1f} s", f"{row['unflicker_seconds']:.1f} s"]
        memory = [f"{row['unflicker_mebibytes']:.0f} MiB", f"{row['plain_mebibytes']:.0f} MiB"]
        body.append([row["size"], str(row["frames"]), *times, ratio, f"≤ {most}: {word}", *memory])
    head = [
        "film", "frames", "transcode", "unflicker", "ratio", "aim", "memory", "transcode's",
    ]  # fmt: skip
    title = f"Whole command against a plain transcode ({_CODEC}, {_PRESET}, crf {_CRF})"
    return "\n".join([markdown(title=title, head=head, body=body), *_memory_lines(rows)]) + "\n"


def _memory_lines(rows: Sequence[Row]) -> Iterator[str]:
    """Whether memory is small enough, and the same for short and long films."""
    for size in dict.fromkeys(row["size"] for row in rows):
        of_size = [row for row in rows if row["size"] == size]
        used = [row["unflicker_mebibytes"] for row in of_size]
        most = _AIMS[of_size[0]["preset"]]["MiB"]
        if size == "1080p":
            word = verdict(met=max(used) <= most)
            yield f"- memory at {size}: {max(used):.0f} MiB (at most {most}): {word}"
        if len(used) > 1:
            growth = max(used) / min(used) - 1
            word = verdict(met=growth <= _MOST_GROWTH)
            yield f"- growth with length at {size}: {100 * growth:.0f} % (at most 15 %): {word}"


SPEED = Suite(
    name="speed",
    about="the whole command against a plain transcode: time and memory",
    takes=("methods", "frames", "film", "sizes", "lengths", "runs", "by_place"),
    rows=_rows,
    table=_table,
    needs_folder=False,
)
