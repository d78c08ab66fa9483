"""Suite `wanted`: how much of intended light a method keeps, alone and under flicker.

Clean clips get lightning, flashes, strobes, fades, dissolves and fire (`synthesis.events`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from unflicker.errors import InputError
from unflicker.evaluation.intervals import estimated, signed
from unflicker.evaluation.suites.films import NamedClip, chosen_films, each, half_of, read
from unflicker.evaluation.suites.suite import Blind, Options, Row, Suite, blind_methods
from unflicker.evaluation.suites.tables import markdown
from unflicker.frames.clip import Clip, from_float
from unflicker.metrics import psnr
from unflicker.synthesis.events import EVENTS

_WIDTH_PX, _FRAMES, _SEEDS = 256, 64, 2
_FLICKER = 0.06
"""Deviation of log light from frame to frame, where the event happens under flicker."""
_HEADROOM = np.float32(0.8)
_LEAST_FRAMES = 24
"""For every event to have room."""
_DARK_CODES = 40.0
"""Light is compared in shares of the true light, of this at least."""


def _rows(folder: Path, options: Options) -> Iterator[Row]:
    methods = blind_methods(options, usual=("fast",))
    films = chosen_films(folder, options)
    width_px, frames = options.width_px or _WIDTH_PX, options.frames or _FRAMES
    for path in each(films, options, stage="wanted"):
        clip = read(path, width_px=width_px, frames=frames)
        if len(clip.clip) < _LEAST_FRAMES:
            raise InputError(
                f"{path} has {len(clip.clip)} frames, the events need {_LEAST_FRAMES}; "
                "leave it out with --examples, or allow more with --frames"
            )
        split = half_of(options.split_file, clip.name)
        for name, method in methods.items():
            for row in _measured(clip, method, seeds=options.seeds or _SEEDS):
                yield {"method": name, "clip": clip.name, "split": split, **row}


def _measured(clip: NamedClip, method: Blind, *, seeds: int) -> Iterator[Row]:
    """Each event on a clip, alone and under flicker."""
    scene = clip.clip.as_float() * _HEADROOM
    for event, draw in EVENTS.items():
        for seed in range(seeds):
            random = np.random.default_rng(seed)
            happening = draw(random, len(scene), clip.fps)
            gain = np.exp(random.normal(0, _FLICKER, len(scene))).astype(np.float32)
            given = (scene, np.clip(scene * gain[:, None, None, None], 0, 1))
            alone, flickering = (_clip(happening.show(part), like=clip.clip) for part in given)
            kept, steady = method(alone), method(flickering)
            left, before = _levels(steady, alone), _levels(flickering, alone)
            yield {
                "event": event,
                "seed": seed,
                "alone_same": bool(np.array_equal(kept.pixels, alone.pixels)),
                "alone_psnr": psnr(kept, alone),
                "psnr_before": psnr(flickering, alone),
                "psnr_after": psnr(steady, alone),
                "event_rms": float(left[happening.frames].std()),
                "event_rms_before": float(before[happening.frames].std()),
            }


def _clip(light: np.ndarray, *, like: Clip) -> Clip:
    return Clip(pixels=from_float(np.clip(light, 0, 1), dtype=np.uint8), seconds=like.seconds)


def _levels(clip: Clip, truth: Clip) -> np.ndarray:
    """Mean light of each frame beyond the truth's, in shares of it."""
    ours, true = (part.pixels.mean(axis=(1, 2, 3), dtype=float) for part in (clip, truth))
    off = (ours - true) / np.maximum(true, _DARK_CODES)
    return off - np.median(off)


def _table(rows: Sequence[Row], _: Options) -> str:
    methods = list(dict.fromkeys(row["method"] for row in rows))
    body = []
    for method in methods:
        for event in dict.fromkeys(row["event"] for row in rows):
            part = [row for row in rows if (row["method"], row["event"]) == (method, event)]
            name = event if len(methods) == 1 else f"{event}, {method}"
            body.append([name, *_cells(part)])
    head = [
        "event", "alone: the same", "alone, dB", "under flicker, dB", "gain in dB (95 %)",
        "light of the event off by",
    ]  # fmt: skip
    return markdown(head=head, body=body)


def _cells(rows: Sequence[Row]) -> list[str]:
    same = sum(row["alone_same"] for row in rows)
    before, after = _mean(rows, "psnr_before"), _mean(rows, "psnr_after")
    gains = {(row["clip"], row["seed"]): row["psnr_after"] - row["psnr_before"] for row in rows}
    gain = estimated(gains, clip_of=lambda key: str(key[0]))
    off, left = 100 * _mean(rows, "event_rms_before"), 100 * _mean(rows, "event_rms")
    return [
        f"{same} of {len(rows)}",
        f"{min(row['alone_psnr'] for row in rows):.1f} at least",
        f"{before:.1f} → {after:.1f}",
        signed(gain),
        f"{off:.1f} → {left:.1f} %",
    ]


def _mean(rows: Sequence[Row], key: str) -> float:
    return float(np.mean([row[key] for row in rows]))


WANTED = Suite(
    name="wanted",
    about="lightning, flashes, fades, fire on steady clips: what is kept of them",
    takes=("methods", "own", "weights", "clips", "split", "width_px", "frames", "seeds"),
    rows=_rows,
    table=_table,
)
