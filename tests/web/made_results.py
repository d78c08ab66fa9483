"""A folder of results as `unflicker evaluate` leaves it, made small."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np

from made_clips import FPS, panning
from unflicker.frames.clip import Clip
from unflicker.settings import Settings, replaced
from unflicker.video import open_writer
from unflicker.video.source import ArraySource

FLICKER = {"truth": 0.0, "quince": 0.03, "medlar": 0.1, "sloe": 0.2, "input": 0.35}
"""How much each result flickers; names that stand nowhere by chance."""
METHODS = ("medlar", "quince", "sloe")
EXAMPLES = {"bridge/bands": "synthetic", "old street": "old movie"}
FOLDERS = ("bridge__bands", "old-street")


def write_video(path: Path, *, depth: float, seed: int, size: tuple[int, int] = (120, 208)) -> None:
    """Two seconds of H.264 whose light goes up and down by a share of itself."""
    clip = panning(time=round(2 * FPS), size=size, seed=seed)
    light = 1 + depth * np.random.default_rng(seed).uniform(-1, 1, (len(clip), 1, 1, 1))
    pixels = np.clip(np.rint(clip.pixels * light), 0, 255).astype(np.uint8)
    film = ArraySource(Clip.at_rate(pixels, fps=FPS))
    changes = {"encoding.codec": "libx264", "encoding.pix_fmt": "yuv420p"}
    path.parent.mkdir(parents=True, exist_ok=True)
    with open_writer(
        film, path, encoding=replaced(Settings.from_preset("fast"), changes).encoding
    ) as writer:
        for frame in film.frames():
            writer.write(frame)


def make_results(folder: Path) -> Path:
    """Two examples with three methods each; one with its truth."""
    for seed, (example, name) in enumerate(zip(EXAMPLES, FOLDERS, strict=True)):
        for method, depth in FLICKER.items():
            if method != "truth" or example == "bridge/bands":
                write_video(folder / "videos" / name / f"{method}.mp4", depth=depth, seed=seed)
    row = {"method": "quince", "set": "visible", "values": {}}
    lines = [
        json.dumps({**row, "example": example, "category": category})
        for example, category in EXAMPLES.items()
    ]
    (folder / "scores.jsonl").write_text("\n".join([*lines, '{"method": "torn']), encoding="utf-8")
    return folder


def copy_results(folder: Path, target: Path) -> Path:
    """A copy to answer about."""
    shutil.copytree(folder, target, dirs_exist_ok=True)
    return target
