"""Suite `long`: error against time, on clips of a thousand frames.

Short clips hide what builds up: levels that wander from window to window, colours that fade,
recurrent networks that drift. Clean clips are played forward and backward until they are long
enough, which keeps motion smooth, and get synthetic flicker.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from unflicker.datasets.build import seed_of
from unflicker.evaluation.intervals import estimated, signed
from unflicker.evaluation.suites.films import NamedClip, chosen_films, each, half_of, read
from unflicker.evaluation.suites.suite import (
    Blind,
    Options,
    Row,
    Suite,
    asked_kinds,
    blind_methods,
)
from unflicker.evaluation.suites.tables import markdown
from unflicker.frames.clip import Clip
from unflicker.metrics import psnr_by_frame
from unflicker.synthesis import ADDED_KINDS, KINDS, synthesise

_WIDTH_PX, _FRAMES = 192, 1000
_TAKEN_FRAMES = 120
"""Frames of each clip, which are repeated."""
_KINDS = ("exposure", "local")
_PARTS = 10
_DARK_CODES = 20.0


def _rows(folder: Path, options: Options) -> Iterator[Row]:
    methods = blind_methods(options, usual=("input", "histogram", "fast"))
    kinds = asked_kinds(options, known=(*KINDS, *ADDED_KINDS), usual=_KINDS)
    films = chosen_films(folder, options)
    for path in each(films, options, stage="long"):
        clip = read(path, width_px=options.width_px or _WIDTH_PX, frames=_TAKEN_FRAMES)
        for row in _measured(clip, methods, kinds=kinds, frames=options.frames or _FRAMES):
            yield {"clip": clip.name, "split": half_of(options.split_file, clip.name), **row}


def _measured(
    clip: NamedClip, methods: dict[str, Blind], *, kinds: Sequence[str], frames: int
) -> Iterator[Row]:
    """Each method on each kind of flicker: PSNR and level in each part of the time."""
    steady = lengthened(clip.clip, frames=frames, fps=clip.fps)
    for kind in kinds:
        made = synthesise(steady, kind=kind, seed=seed_of(clip.name)).clip
        for name, method in methods.items():
            start = time.perf_counter()
            result = method(made)
            spent = 1000 * (time.perf_counter() - start) / frames
            parts = np.array_split(np.arange(frames), min(_PARTS, frames))
            decibels, off = psnr_by_frame(result, steady), _levels(result, steady)
            yield {
                "kind": kind,
                "method": name,
                "frames": frames,
                "psnr": [round(float(decibels[part].mean()), 3) for part in parts],
                "level": [round(float(off[part].mean()), 5) for part in parts],
                "milliseconds_a_frame": round(spent, 2),
            }


def lengthened(clip: Clip, *, frames: int, fps: float) -> Clip:
    """A clip played forward and backward until it has a number of frames.

    Args:
        clip: Of any length.
        frames: Of the result.
        fps: Frames a second of the result.
    """
    there = np.arange(len(clip))
    way = np.concatenate([there, there[-2:0:-1]])
    return Clip.at_rate(clip.pixels[way[np.arange(frames) % len(way)]], fps=fps)


def _levels(clip: Clip, truth: Clip) -> np.ndarray:
    """Mean light of each frame beyond the truth's, in shares of it."""
    ours, true = (part.pixels.mean(axis=(1, 2, 3), dtype=float) for part in (clip, truth))
    return (ours - true) / np.maximum(true, _DARK_CODES)


def _table(rows: Sequence[Row], _: Options) -> str:
    """PSNR in each part of the time, and what the last part has less than the first."""
    parts = max(len(row["psnr"]) for row in rows)
    body = []
    for kind in dict.fromkeys(row["kind"] for row in rows):
        for method in dict.fromkeys(row["method"] for row in rows):
            some = [row for row in rows if (row["kind"], row["method"]) == (kind, method)]
            if not some:
                continue
            means = np.mean([row["psnr"] for row in some], axis=0)
            change, wander = (
                estimated({row["clip"]: value(row) for row in some}, clip_of=str)
                for value in (
                    lambda row: row["psnr"][-1] - row["psnr"][0],
                    lambda row: 100 * float(np.ptp(row["level"])),
                )
            )
            cells = [f"{value:.1f}" for value in means]
            wandering = "–" if wander is None else f"{wander.mean:.1f} %"
            body.append([f"{kind}, {method}", *cells, signed(change), wandering])
    heads = [f"{k + 1}/{parts}" for k in range(parts)]
    head = ["", *heads, "last less first (95 %)", "level wanders by"]
    clips, frames = len({row["clip"] for row in rows}), rows[0]["frames"]
    title = f"PSNR in dB by part of the time, {clips} clips of {frames} frames"
    return markdown(title=title, head=head, body=body)


LONG = Suite(
    name="long",
    about="clips of a thousand frames: error against time",
    takes=("methods", "own", "weights", "clips", "split", "kinds", "width_px", "frames"),
    rows=_rows,
    table=_table,
)
