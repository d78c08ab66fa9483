"""How much of wanted light a method keeps, alone and under flicker.

    python benchmarks/wanted.py CLEAN_FOLDER -o OUT --split development

Lightning, flashes, strobes, fades, dissolves and fire (`synthesis.events`) are put on steady clips.
Writes one JSON line for each clip, event and seed, and a table in Markdown.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from clips import SPLITS, NamedClip, load, video_files
from methods import Method, chosen
from unflicker.frames.clip import Clip, from_float
from unflicker.metrics import psnr
from unflicker.synthesis.events import EVENTS

WIDTH_PX = 256
FRAMES = 64
FLICKER = 0.06
"""Deviation of log light from frame to frame, where the event happens under flicker."""
_HEADROOM = np.float32(0.8)


def main() -> None:
    """Run the benchmark from the command line."""
    options = _options()
    options.output.mkdir(parents=True, exist_ok=True)
    ((name, method),) = chosen(options.method).items()
    if method is None:
        raise SystemExit("nobody knows what is wanted but the maker; pass another method")
    rows: list[dict[str, Any]] = []
    with (options.output / "wanted.jsonl").open("w") as lines:
        for path in video_files(options.folder, names=options.clips, split=options.split):
            clip = load(path, width_px=WIDTH_PX, most_frames=FRAMES)
            print(clip.name, file=sys.stderr, flush=True)
            for row in measured(clip, method=method, seeds=options.seeds):
                rows.append({"method": name, **row})
                lines.write(json.dumps(rows[-1]) + "\n")
                lines.flush()
    text = _table(rows)
    (options.output / "wanted.md").write_text(text)
    print(text)


def measured(clip: NamedClip, *, method: Method, seeds: int) -> Iterator[dict[str, Any]]:
    """Each event on a clip, alone and under flicker."""
    scene = clip.clip.as_float() * _HEADROOM
    for event, draw in EVENTS.items():
        for seed in range(seeds):
            random = np.random.default_rng(seed)
            happening = draw(random, len(scene), clip.fps)
            gain = np.exp(random.normal(0, FLICKER, len(scene))).astype(np.float32)
            given = (scene, np.clip(scene * gain[:, None, None, None], 0, 1))
            alone, flickering = (_clip(happening.show(part), like=clip.clip) for part in given)
            kept, steady = method(alone), method(flickering)
            left = _levels(steady, alone)
            yield {
                "clip": clip.name,
                "event": event,
                "seed": seed,
                "alone_same": bool(np.array_equal(kept.pixels, alone.pixels)),
                "alone_psnr": psnr(kept, alone),
                "psnr_before": psnr(flickering, alone),
                "psnr_after": psnr(steady, alone),
                "event_rms": float(left[happening.frames].std()),
                "event_rms_before": float(_levels(flickering, alone)[happening.frames].std()),
            }


def _clip(light: np.ndarray, *, like: Clip) -> Clip:
    return Clip(pixels=from_float(np.clip(light, 0, 1), dtype=np.uint8), seconds=like.seconds)


def _levels(clip: Clip, truth: Clip) -> np.ndarray:
    """Mean light of each frame beyond the truth's, in shares of it (of 40 codes at least)."""
    ours, true = (part.pixels.mean(axis=(1, 2, 3), dtype=float) for part in (clip, truth))
    off = (ours - true) / np.maximum(true, 40.0)
    return off - np.median(off)


def _table(rows: list[dict[str, Any]]) -> str:
    lines = [
        "| event | alone: the same | alone, dB | under flicker, dB | light of the event off by |",
        "|---|---|---|---|---|",
    ]
    for event in dict.fromkeys(row["event"] for row in rows):
        part = [row for row in rows if row["event"] == event]
        same = sum(row["alone_same"] for row in part)
        before, after = _mean(part, "psnr_before"), _mean(part, "psnr_after")
        off, left = 100 * _mean(part, "event_rms_before"), 100 * _mean(part, "event_rms")
        lines.append(
            f"| {event} | {same} of {len(part)} "
            f"| {min(row['alone_psnr'] for row in part):.1f} at least "
            f"| {before:.1f} → {after:.1f} | {off:.1f} → {left:.1f} % |"
        )
    return "\n".join(lines) + "\n"


def _mean(rows: list[dict[str, Any]], key: str) -> float:
    return float(np.mean([row[key] for row in rows]))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder of steady clips")
    parser.add_argument("-o", "--output", type=Path, default=Path("out/wanted"))
    parser.add_argument("--split", choices=SPLITS, default="", help="only one half of the clips")
    parser.add_argument("--clips", nargs="+", help="only these, by file name without its ending")
    parser.add_argument("--method", default="fast", help="a name, or name=module:function")
    parser.add_argument("--seeds", type=int, default=2, help="of each event")
    return parser.parse_args()


if __name__ == "__main__":
    main()
