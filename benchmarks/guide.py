"""What a guide is worth: processed video without and with its steady original.

    python benchmarks/guide.py DATA_FOLDER -o OUT

DATA_FOLDER holds `processed` (pairs `NAME_processed`, `NAME_original`) and `clean` (steady clips,
of which the development half gets made processed flicker). Of each: warping errors along the
original's motion to the frame before and to the first frame (masked L1, in 1/10000), the squared
one to the frame before (in 1/10000), sharpness and contrast beside the processed video. The rows
`original` and `processed` say where things stand: an error is to be read beside the original's own
times how much sharper the processed video is. Writes a Markdown table and a sheet for each film.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clips import NamedClip, load, video_files
from processed import _contrast, _write_sheet
from unflicker import deflicker
from unflicker.frames.clip import Clip, to_float
from unflicker.frames.flow import visibility, warp
from unflicker.frames.structure import normalised
from unflicker.metrics import sharpness_ratio, warping_error, warping_error_to_first
from unflicker.motion import estimate_motion
from unflicker.motion.flow import estimate_flow
from unflicker.settings import Settings, replaced
from unflicker.synthesis import processing_flicker as processed


@dataclass(frozen=True, kw_only=True, eq=False)
class Ways:
    """Along which errors are measured: back to the frame before, and to the first."""

    before: tuple[np.ndarray, np.ndarray]
    """Flow and how far it is seen."""
    first: tuple[np.ndarray, np.ndarray]

    @classmethod
    def of(cls, original: Clip) -> Ways:
        """Those of a steady clip."""
        light = to_float(original.pixels)
        motion = estimate_motion(light)
        structure = [normalised(frame) for frame in light]
        there = [estimate_flow(later, structure[0]) for later in structure[1:]]
        seen = [
            visibility(flow, estimate_flow(structure[0], later))
            for flow, later in zip(there, structure[1:], strict=True)
        ]
        return cls(
            before=(motion.backward, motion.visible_backward),
            first=(np.stack(there), np.stack(seen)),
        )


def main() -> None:
    """Run the benchmark from the command line."""
    options = _options()
    options.output.mkdir(parents=True, exist_ok=True)
    lines = [
        "| film | method | to before | to first | squared | sharpness | contrast |",
        "|---|---|---|---|---|---|---|",
    ]
    for clip, original in _pairs(options):
        results = {"original": original, "processed": clip.clip}
        for preset in options.presets:
            base = Settings.from_preset(preset)
            if preset == "standard" and options.without_atlas:
                base = replaced(base, {"atlas.used": False})
            for guide in (None, original.pixels):
                name = preset if guide is None else f"{preset} + guide"
                print(clip.name, name, file=sys.stderr, flush=True)
                pixels = deflicker(clip.clip.pixels, fps=clip.fps, settings=base, guide=guide)
                results[name] = Clip.at_rate(pixels, fps=clip.fps)
        ways = Ways.of(original)
        rows = [_row(clip, name, result, ways) for name, result in results.items()]
        print("\n".join(rows), file=sys.stderr, flush=True)
        lines += rows
        _write_sheet(options.output / f"{clip.name}.png", list(results.values()))
    (options.output / "guide.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


def _row(clip: NamedClip, name: str, result: Clip, ways: Ways) -> str:
    before, first = ({"flows": flow, "visible": seen} for flow, seen in (ways.before, ways.first))
    errors = warping_error(result, **before), warping_error_to_first(result, **first)
    numbers = " | ".join(f"{1e4 * error:.1f}" for error in errors)
    squared = f"{1e4 * _squared(result.pixels, *ways.before):.2f}"
    kept = f"{sharpness_ratio(result, clip.clip):.3f} | {_contrast(result, clip.clip):.3f}"
    return f"| {clip.name} | {name} | {numbers} | {squared} | {kept} |"


def _squared(pixels: np.ndarray, flows: np.ndarray, visible: np.ndarray) -> float:
    """Mean squared change of a point's colour from one frame to the next."""
    change, weight = 0.0, 0.0
    for index, (flow, seen) in enumerate(zip(flows, visible, strict=True)):
        moved = warp(to_float(pixels[index]), flow)
        square = ((to_float(pixels[index + 1]) - moved) ** 2).mean(axis=2)
        change += float((square * seen).sum(dtype=np.float64))
        weight += float(seen.sum(dtype=np.float64))
    return change / max(weight, 1.0)


def _pairs(options: argparse.Namespace) -> Iterator[tuple[NamedClip, Clip]]:
    how = {"width_px": options.width, "most_frames": options.frames}
    for path in video_files(options.folder / "processed"):
        name = path.stem.removesuffix("_processed")
        if name != path.stem and _wanted(name, options):
            clip = load(path, first=options.first, **how)
            beside = path.with_name(path.name.replace("_processed", "_original"))
            steady = load(beside, first=options.first, **how).clip
            frames = min(len(clip.clip), len(steady))
            parts = [Clip.at_rate(c.pixels[:frames], fps=clip.fps) for c in (clip.clip, steady)]
            yield _named(clip, name, parts[0]), parts[1]
    for seed, path in enumerate(video_files(options.folder / "clean", split="development")):
        if _wanted(path.stem, options):
            clean = load(path, **how)
            yield _named(clean, path.stem, processed(clean.clip, seed=seed)), clean.clip


def _named(clip: NamedClip, name: str, pixels: Clip) -> NamedClip:
    return NamedClip(name=name, clip=pixels, fps=clip.fps, split=clip.split)


def _wanted(name: str, options: argparse.Namespace) -> bool:
    return not options.clips or any(name.startswith(wanted) for wanted in options.clips)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder with `processed` and `clean`")
    parser.add_argument("-o", "--output", type=Path, default=Path("out/guide"))
    parser.add_argument("--presets", nargs="+", default=["fast", "standard"])
    parser.add_argument("--clips", nargs="+", help="only these, by the beginning of their names")
    parser.add_argument("--width", type=int, default=640, help="px at most")
    parser.add_argument("--frames", type=int, default=24, help="at most so many of each film")
    parser.add_argument("--first", type=int, default=0, help="first frame of the pairs")
    parser.add_argument("--without-atlas", action="store_true", help="standard, quicker")
    return parser.parse_args()


if __name__ == "__main__":
    main()
