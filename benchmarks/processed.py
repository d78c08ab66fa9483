"""What the refinement does to processed and generated video: the stage off and on.

    python benchmarks/processed.py DATA_FOLDER -o OUT

DATA_FOLDER holds `processed` (pairs `NAME_processed`, `NAME_original`) and `flicker` (`ai_*`). Of a
pair: the masked L1 warping error to the frame before, motion from the steady original; "left" is
the part above the original's own error, of what the processed video has of it. Of all: visible
flicker, sharpness and contrast, beside the input's. Writes a Markdown table and, for each film, a
sheet of frames: input above, off, on.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import cv2
import numpy as np

from clips import NamedClip, load, video_files
from real import small_frames
from unflicker import deflicker
from unflicker.frames.clip import Clip
from unflicker.frames.flow import Motion
from unflicker.metrics import sharpness_ratio, visible_flicker, warping_error
from unflicker.motion import estimate_motion
from unflicker.settings import Settings, replaced

WIDTH_PX = 1280
LEFT_AIM, FALL_AIM = 0.55, 0.5
SHEET_FRAMES, SHEET_PX = 5, 320


def main() -> None:
    """Run the benchmark from the command line."""
    options = _options()
    options.output.mkdir(parents=True, exist_ok=True)
    base = Settings.from_preset(options.preset)
    settings = {
        name: replaced(base, {"refinement.used": used}) for name, used in (("off", 0), ("on", 1))
    }
    lines = [
        "| film | stage | warping error | left | visible flicker | less by | sharpness | contrast "
        "| ms a frame |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for clip, original in _films(options):
        print(clip.name, file=sys.stderr, flush=True)
        lines += measured(clip, original, settings=settings, folder=options.output)
    text = (
        "\n".join(lines) + f"\n\nAims: {LEFT_AIM} left of a pair; generated {FALL_AIM:.0%} less.\n"
    )
    (options.output / "processed.md").write_text(text)
    print(text)


def measured(
    clip: NamedClip, original: Clip | None, *, settings: dict[str, Settings], folder: Path
) -> list[str]:
    """The rows of a film."""
    motion = estimate_motion(original.as_float()) if original is not None else None
    given = clip.clip
    own, raw = _error(original, motion), _error(given, motion)
    rows, results = [], [given]
    for name, one in settings.items():
        start = time.perf_counter()
        result = Clip(
            pixels=deflicker(given.pixels, fps=clip.fps, settings=one), seconds=given.seconds
        )
        spent = 1000 * (time.perf_counter() - start) / len(given)
        error = _error(result, motion)
        left = f"{(error - own) / (raw - own):.2f}" if motion is not None else "–"
        before, after = _visible(given, result, clip.fps)
        numbers = f"{before:.2f} → {after:.2f} | {1 - after / before:.0%}"
        kept = f"{sharpness_ratio(result, given):.3f} | {_contrast(result, given):.3f}"
        shown = f"{raw:.4f} → {error:.4f} ({own:.4f})" if motion is not None else "–"
        rows.append(
            f"| {clip.name} | {name} | {shown} | {left} | {numbers} | {kept} | {spent:.0f} |"
        )
        results.append(result)
    _write_sheet(folder / f"{clip.name}.png", results)
    return rows


def _error(clip: Clip | None, motion: Motion | None) -> float:
    if clip is None or motion is None:
        return 0.0
    return warping_error(clip, flows=motion.backward, visible=motion.visible_backward)


def _visible(before: Clip, after: Clip, fps: float) -> tuple[float, float]:
    """Visible flicker of both along the result's motion, where it is easiest to find."""
    small = small_frames(after)
    motion = estimate_motion(small)
    first = visible_flicker(small_frames(before), motion=motion, fps=fps)
    return first, visible_flicker(small, motion=motion, fps=fps)


def _contrast(result: Clip, given: Clip) -> float:
    spread = [np.mean([frame.std() for frame in clip.pixels]) for clip in (result, given)]
    return float(spread[0] / spread[1])


def _write_sheet(path: Path, clips: list[Clip]) -> None:
    first = max(0, len(clips[0]) // 2 - SHEET_FRAMES // 2)
    height, width = clips[0].pixels.shape[1:3]
    size = (SHEET_PX, round(SHEET_PX * height / width))
    rows = [
        np.hstack(
            [
                cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
                for frame in clip.pixels[first : first + SHEET_FRAMES]
            ]
        )
        for clip in clips
    ]
    cv2.imwrite(str(path), cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR))


def _films(options: argparse.Namespace):
    for path in video_files(options.folder / "processed"):
        if path.stem.endswith("_processed") and _wanted(path, options):
            clip = load(path, width_px=WIDTH_PX, most_frames=options.frames)
            beside = path.with_name(path.name.replace("_processed", "_original"))
            steady = load(beside, width_px=WIDTH_PX, most_frames=options.frames).clip
            frames = min(len(clip.clip), len(steady))
            yield _cut(clip, frames), Clip.at_rate(steady.pixels[:frames], fps=clip.fps)
    for path in video_files(options.folder / "flicker"):
        if path.stem.startswith("ai_") and _wanted(path, options):
            yield load(path, width_px=WIDTH_PX, most_frames=options.frames), None


def _wanted(path: Path, options: argparse.Namespace) -> bool:
    return not options.clips or any(path.stem.startswith(name) for name in options.clips)


def _cut(clip: NamedClip, frames: int) -> NamedClip:
    part = Clip.at_rate(clip.clip.pixels[:frames], fps=clip.fps)
    return NamedClip(name=clip.name, clip=part, fps=clip.fps, split=clip.split)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder with `processed` and `flicker`")
    parser.add_argument("-o", "--output", type=Path, default=Path("out/processed"))
    parser.add_argument("--preset", default="fast", help="what the stage is added to")
    parser.add_argument("--clips", nargs="+", help="only these, by the beginning of their names")
    parser.add_argument("--frames", type=int, default=150, help="at most so many of each film")
    return parser.parse_args()


if __name__ == "__main__":
    main()
