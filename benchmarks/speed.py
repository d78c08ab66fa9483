"""How long the whole command takes for what a plain transcode takes, and how much memory.

    python benchmarks/speed.py -o OUT [--clip FILM] [--frames 300 3000] [--preset standard]

Both run as processes of their own, by turns, with the same encoder and settings, on one film in
H.264; times are medians. Aims: see `AIMS`; within 15 % the same memory whatever the length.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from transcode import encode

SIZES = {"1080p": (1080, 1920), "480p": (480, 854)}
AIMS = {
    "fast": {"1080p": 1.6, "480p": 2.5, "MiB": 1000},
    "standard": {"1080p": 4.0, "480p": 10.0, "MiB": 2000},
}
"""By preset: most times the transcode at each size, and most memory at 1080p."""
FPS = 25
CODEC = "libx264"
CRF = "18"
PRESET = "medium"
FLICKER_DEVIATION = 0.08
WATCHER = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[2:])
_, status, usage = os.wait4(process.pid, 0)
process.returncode = os.waitstatus_to_exitcode(status)
open(sys.argv[1], "w").write(str(usage.ru_maxrss))
sys.exit(process.returncode)
"""
"""A small process between: a child's peak begins with the memory of the one that started it."""
PLAIN = Path(__file__).with_name("transcode.py")


def main() -> None:
    """Run the benchmark from the command line."""
    options = _options()
    options.output.mkdir(parents=True, exist_ok=True)
    rows = []
    with tempfile.TemporaryDirectory() as name, (options.output / "speed.jsonl").open("w") as lines:
        folder = Path(name)
        for size in options.sizes:
            for frames in options.frames:
                source = folder / f"{size}_{frames}.mp4"
                print(f"making {source.name}", file=sys.stderr, flush=True)
                pictures = flickering(
                    SIZES[size], frames=frames, clip=options.clip, by_place=options.local
                )
                encode(pictures, source, size=SIZES[size], fps=FPS)
                row = {"size": size, "frames": frames, **measured(source, options)}
                rows.append(row)
                lines.write(json.dumps(row) + "\n")
                source.unlink()
    text = _table(rows, AIMS[options.preset])
    (options.output / "speed.md").write_text(text)
    print(text)


def measured(source: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Seconds and peak memory of both commands on a film, medians over runs by turns."""
    target = source.with_name("result.mp4")
    settings = ["--codec", CODEC, "-e", f"preset={PRESET}"]
    plain = [sys.executable, str(PLAIN), str(source), str(target), *settings, "-e", f"crf={CRF}"]
    program = str(Path(sys.executable).with_name("unflicker"))
    ours = [program, "run", str(source), "-o", str(target), "--overwrite"]
    ours += ["--preset", options.preset, *settings, "--crf", CRF, "--progress", "none", "-q"]
    found: dict[str, list[tuple[float, float]]] = {"plain": [], "unflicker": []}
    for turn in range(options.runs):
        for name, command in (("plain", plain), ("unflicker", ours)):
            found[name].append(watched(command))
            seconds, memory = found[name][-1]
            line = (
                f"{source.stem} {turn + 1}/{options.runs} {name} {seconds:.1f} s {memory:.0f} MiB"
            )
            print(line, file=sys.stderr, flush=True)
            target.unlink(missing_ok=True)
    row: dict[str, Any] = {}
    for name, values in found.items():
        row[f"{name}_seconds"] = statistics.median(seconds for seconds, _ in values)
        row[f"{name}_mebibytes"] = max(memory for _, memory in values)
    ratios = [o[0] / p[0] for o, p in zip(found["unflicker"], found["plain"], strict=True)]
    return row | {"ratio": statistics.median(ratios)}


def watched(command: list[str]) -> tuple[float, float]:
    """Seconds and peak resident memory in MiB of a process.

    Raises:
        SystemExit: It failed.
    """
    with tempfile.NamedTemporaryFile("r") as said:
        start = time.perf_counter()
        code = subprocess.call([sys.executable, "-c", WATCHER, said.name, *command])
        seconds = time.perf_counter() - start
        if code:
            raise SystemExit(f"exit code {code} of {' '.join(command)}; see its message")
        peak = int(said.read())
    # macOS counts bytes, Linux kibibytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return seconds, peak * unit / 2**20


def flickering(
    size: tuple[int, int], *, frames: int, clip: Path | None, by_place: bool
) -> Iterator[av.VideoFrame]:
    """Pictures that flicker, as a whole or by place: a film, to and fro, or a made-up landscape."""
    random = np.random.default_rng(0)
    pictures = _landscape(size, frames=frames) if clip is None else _to_and_fro(size, frames, clip)
    for picture in pictures:
        nodes = random.normal(0, FLICKER_DEVIATION, (4, 5) if by_place else (1, 1))
        gain = cv2.resize(np.exp(nodes).astype(np.float32), size[::-1])
        lit = np.clip(picture * gain[..., None], 0, 255).astype(np.uint8)
        yield av.VideoFrame.from_ndarray(lit, format="rgb24").reformat(format="yuv420p")


def _landscape(size: tuple[int, int], *, frames: int) -> Iterator[np.ndarray]:
    """A camera that wanders over a texture of many scales, and a disc that crosses it."""
    height, width = size
    texture = _texture((height + height // 4, width + width // 4))
    room = np.array([height // 4, width // 4]) // 2
    for index in range(frames):
        turn = 2 * np.pi * index / 250
        y, x = (room * (1 + 0.95 * np.array([np.sin(2 * turn), np.cos(turn)]))).astype(int)
        picture = texture[y : y + height, x : x + width].copy()
        centre = (int(width * (0.5 + 0.4 * np.sin(3 * turn))), height // 2)
        cv2.circle(picture, centre, height // 8, (200, 120, 60), -1, cv2.LINE_AA)
        yield picture


def _texture(size: tuple[int, int]) -> np.ndarray:
    """Noise of all scales, as much of each as in photographs; uint8 RGB."""
    random = np.random.default_rng(1)
    total = np.zeros((*size, 3), np.float32)
    for level in range(2, 11):
        coarse = random.normal(size=(2**level, 2**level, 3)).astype(np.float32)
        total += cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC) / 2 ** (level / 2)
    total = total.mean(axis=2, keepdims=True) + 0.4 * total
    return np.clip(115 + 60 * total, 0, 255).astype(np.uint8)


def _to_and_fro(size: tuple[int, int], frames: int, clip: Path) -> Iterator[np.ndarray]:
    """A film's first frames, scaled, forwards and backwards until there are enough."""
    height, width = size
    with av.open(str(clip)) as film:
        kept = []
        for frame in film.decode(video=0):
            kept.append(frame.to_ndarray(format="rgb24", width=width, height=height))
            if len(kept) == min(frames, 60):
                break
    there_and_back = [*range(len(kept)), *range(len(kept) - 2, 0, -1)]
    for index in range(frames):
        yield kept[there_and_back[index % len(there_and_back)]]


def _table(rows: list[dict[str, Any]], aims: dict[str, float]) -> str:
    lines = [
        f"Whole command against a plain transcode ({CODEC}, {PRESET}, crf {CRF}):",
        "",
        "| film | frames | transcode | unflicker | ratio | aim | memory | transcode's |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        most = aims[row["size"]]
        verdict = "met" if row["ratio"] <= most else "**not met**"
        times = f"{row['plain_seconds']:.1f} s | {row['unflicker_seconds']:.1f} s"
        memory = f"{row['unflicker_mebibytes']:.0f} MiB | {row['plain_mebibytes']:.0f} MiB"
        ratio = f"{row['ratio']:.2f} | ≤ {most}: {verdict}"
        lines.append(f"| {row['size']} | {row['frames']} | {times} | {ratio} | {memory} |")
    return "\n".join([*lines, "", *_memory_lines(rows, aims["MiB"])]) + "\n"


def _memory_lines(rows: list[dict[str, Any]], most: float) -> Iterator[str]:
    """Whether memory is small enough, and the same for short and long films."""
    for size in dict.fromkeys(row["size"] for row in rows):
        used = [row["unflicker_mebibytes"] for row in rows if row["size"] == size]
        if size == "1080p":
            word = "met" if max(used) <= most else "**not met**"
            yield f"- memory at {size}: {max(used):.0f} MiB (at most {most}): {word}"
        if len(used) > 1:
            growth = max(used) / min(used) - 1
            word = "met" if growth <= 0.15 else "**not met**"
            yield f"- growth with length at {size}: {100 * growth:.0f} % (at most 15 %): {word}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, default=Path("out/speed"))
    parser.add_argument("--clip", type=Path, help="a film to scale, else a made-up landscape")
    parser.add_argument("--frames", type=int, nargs="+", default=[300], help="lengths of the film")
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--preset", choices=AIMS, default="fast")
    parser.add_argument("--local", action="store_true", help="light flickers by place")
    return parser.parse_args()


if __name__ == "__main__":
    main()
