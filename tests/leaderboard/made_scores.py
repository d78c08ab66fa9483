"""Scores of a comparison that never was, with means that everybody can check, and tiny videos."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from unflicker.frames.clip import Clip
from unflicker.settings import EncodingSettings
from unflicker.video import ArraySource, open_writer

CLIPS = ("apple", "blocks", "dance")
KINDS = ("exposure", "bands")
DECIBELS = {"input": 26.0, "ffmpeg-deflicker": 28.0, "histogram": 31.0, "fast": 36.0}
SECONDS = {"ffmpeg-deflicker": 0.01, "histogram": 0.05, "fast": 0.08}
WARP = {"input": 8.0, "ffmpeg-deflicker": 5.5, "histogram": 3.4, "fast": 1.25}


def line(method: str, example: str, of: str, values: dict, **changes) -> dict:
    """One line of scores; `example` is "clip/kind"."""
    given = {
        "method": method,
        "example": example,
        "clip": example.split("/")[0],
        "category": "synthetic",
        "kind": example.split("/")[1] if "/" in example else "",
        "set": of,
        "values": values,
        "frames": 24,
        "width": 256,
        "effort": "",
        "date": "2026-11-25T21:00:00",
        "version": "0.1.0",
        "machine": "two cores",
    }
    return {**given, **changes}


def made_lines(decibels: dict[str, float] | None = None) -> list[dict]:
    """Each method on three clips with two kinds; PSNR is 1 dB more on each clip than before.

    So a method's mean is what `DECIBELS` says and 1, of bands another 2 less, of exposure 2 more.
    """
    lines = []
    for method, base in (DECIBELS if decibels is None else decibels).items():
        for step, clip in enumerate(CLIPS):
            for kind, more in zip(KINDS, (2.0, -2.0), strict=True):
                example = f"{clip}/{kind}"
                psnr = base + step + more
                warp = WARP.get(method, 4.0)
                lines += [
                    line(method, example, "fidelity", {"psnr": psnr, "sharpness": 0.99}),
                    line(method, example, "consistency", {"e_warp_ratio": warp}),
                    line(
                        method,
                        example,
                        "visible",
                        {"visible_flicker_less": 1 - warp / 8, "sharpness_to_input": 0.98},
                    ),
                ]
                if method in SECONDS:
                    values = {"seconds_a_frame": SECONDS[method], "peak_mb": 300.0}
                    lines.append(line(method, example, "cost", values))
    return lines


def write_lines(folder: Path, lines: Iterable[dict], *, name: str = "scores.jsonl") -> Path:
    """A folder with scores in it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("".join(f"{json.dumps(entry)}\n" for entry in lines))
    return folder


def flickering(*, frames: int = 8, jump_at: int | None = None, size: tuple[int, int] = (36, 64)):
    """A still scene as uint8; at one frame its light jumps, or nowhere."""
    down, across = np.mgrid[0 : size[0], 0 : size[1]]
    scene = 110 + 50 * np.sin(across / 9.0) * np.cos(down / 7.0)
    pixels = np.repeat(scene[None, ..., None], frames, axis=0).repeat(3, axis=3)
    if jump_at is not None:
        pixels[jump_at] *= 1.4
    return np.clip(pixels, 0, 255).astype(np.uint8)


def write_video(pixels: np.ndarray, target: Path) -> Path:
    """The pixels as a viewing copy."""
    target.parent.mkdir(parents=True, exist_ok=True)
    film = ArraySource(Clip.at_rate(pixels, fps=24.0))
    settings = EncodingSettings(codec="libx264", crf=16.0, pix_fmt="yuv420p")
    with open_writer(film, target, encoding=settings) as writer:
        for frame in film.frames():
            writer.write(frame)
    return target
