"""The baselines on processed video with its steady original: warping errors, what is left, cost.

    python benchmarks/baselines.py DATA_FOLDER -o OUT

DATA_FOLDER holds `processed`, pairs `NAME_processed`, `NAME_original`. Warping error, of neighbours
along the original's motion: masked L1 and squared; visible flicker; sharpness over the input's and
PSNR to the input, which say what was given up. Time is the processor's, of one frame. Writes a
Markdown table, and a sheet of frames for each film: original, processed, then each method.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from clips import load, video_files
from unflicker.baselines import BASELINES, EFFORTS, GUIDED, video_prior
from unflicker.frames.clip import Clip
from unflicker.frames.flow import Motion, warp
from unflicker.metrics import psnr, sharpness_ratio, visible_flicker, warping_error
from unflicker.motion import estimate_motion

SHEET_FRAMES = 4
METHODS: dict[str, Callable[[Clip, Clip], Clip]] = {
    "input": lambda clip, _: clip,
    "original": lambda _, original: original,
    **{name: lambda clip, _, method=method: method(clip) for name, method in BASELINES.items()},
    **{name: method for name, method in GUIDED.items() if name != "video_prior"},
    **{f"video_prior, {name}": partial(video_prior, effort=EFFORTS[name]) for name in EFFORTS},
}


def main() -> None:
    """Run the benchmark from the command line."""
    options = _options()
    options.output.mkdir(parents=True, exist_ok=True)
    lines = [
        "| film | method | L1 | squared | visible | sharpness | dB to input | s a frame |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, clip, original in _pairs(options):
        motion, sheet = estimate_motion(original.as_float()), []
        for method in options.methods or METHODS:
            start = time.process_time()
            result = METHODS[method](clip, original)
            spent = (time.process_time() - start) / len(clip)
            numbers = _numbers(result, clip, motion)
            lines.append(f"| {name} | {method} | {numbers} | {spent:.3f} |")
            print(lines[-1], flush=True)
            sheet.append(_strip(result))
        shown = cv2.cvtColor(np.vstack(sheet), cv2.COLOR_RGB2BGR)
        cv2.imwrite(str(options.output / f"{name}.png"), shown)
    (options.output / "baselines.md").write_text("\n".join(lines) + "\n")


def _numbers(result: Clip, given: Clip, motion: Motion) -> str:
    """All but the time, as cells of the table."""
    fps = 1.0 / float(np.diff(given.seconds).mean())
    error = warping_error(result, flows=motion.backward, visible=motion.visible_backward)
    seen = visible_flicker(result.as_float(), motion=motion, fps=fps)
    near = psnr(result, given)
    return (
        f"{error:.4f} | {_squared(result, motion):.6f} | {seen:.2f} "
        f"| {sharpness_ratio(result, given):.3f} | {near:.1f}"
    )


def _squared(clip: Clip, motion: Motion) -> float:
    """Mean squared change of a point's colour between neighbours (Lai et al., ECCV 2018)."""
    light, change = clip.as_float(), 0.0
    for index, (flow, seen) in enumerate(
        zip(motion.backward, motion.visible_backward, strict=True), start=1
    ):
        difference = light[index] - warp(light[index - 1], flow)
        change += float(np.sum((difference**2).mean(axis=2) * seen))
    return change / float(motion.visible_backward.sum())


def _strip(clip: Clip) -> np.ndarray:
    at = np.linspace(0, len(clip) - 1, SHEET_FRAMES).round().astype(int)
    return np.hstack([clip.pixels[index] for index in at])


def _pairs(options: argparse.Namespace) -> Iterator[tuple[str, Clip, Clip]]:
    for path in video_files(options.folder / "processed"):
        if path.stem.endswith("_processed"):
            name = path.stem.removesuffix("_processed")
            beside = path.with_name(path.name.replace("_processed", "_original"))
            one, other = (
                load(each, width_px=options.width, most_frames=options.frames)
                for each in (path, beside)
            )
            frames = min(len(one.clip), len(other.clip))
            clips = (Clip.at_rate(each.clip.pixels[:frames], fps=one.fps) for each in (one, other))
            yield name, *clips


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder with `processed`")
    parser.add_argument("-o", "--output", type=Path, default=Path("out/baselines"))
    parser.add_argument("--methods", nargs="+", choices=[*METHODS], help="only these")
    parser.add_argument("--width", type=int, default=320)
    parser.add_argument("--frames", type=int, default=24)
    return parser.parse_args()


if __name__ == "__main__":
    main()
