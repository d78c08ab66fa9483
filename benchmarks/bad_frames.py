"""Bad frames found and rebuilt on steady clips, and false finds on the clips as they are.

    python benchmarks/bad_frames.py CLIPS [--seeds 1 2] [--frames 60] [--false-only]

Each clip at 640 px; every 12th frame is made bad in one of five ways (`synthesis.damage`).
Columns: false finds in the clip as it is; bad frames, found; other finds; PSNR of the
found ones before and after.
"""

from __future__ import annotations

import argparse
from fractions import Fraction
from pathlib import Path

import numpy as np

from unflicker.frames.picture import Frame, as_array, as_picture
from unflicker.grade import Grade
from unflicker.metrics import psnr
from unflicker.plan import FramePlan
from unflicker.rendering.item import Item
from unflicker.rendering.rebuilt import Rebuilding
from unflicker.synthesis.damage import LOST, lost_frame
from weave import read

APART, FIRST = 12, 6


def main() -> None:
    """Print a table of all clips of a folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--false-only", action="store_true")
    options = parser.parse_args()
    for path in sorted(options.clips.glob("*.mp4")):
        clip = read(path, options.frames)
        wrong = len(repaired(clip)[1])
        if options.false_only:
            print(f"{path.stem[:26]:26s} {wrong} of {len(clip)}", flush=True)
            continue
        for seed in options.seeds:
            random, bad = np.random.default_rng(seed), clip.copy()
            places = range(FIRST, len(clip) - 2, APART)
            for number, at in enumerate(places):
                bad[at] = lost_frame(random, clip[at], kind=LOST[number % len(LOST)])
            made, found = repaired(bad)
            right = sorted(set(found) & set(places))
            values = [psnr(which[right], clip[right]) if right else np.nan for which in (bad, made)]
            print(
                f"{path.stem[:26]:26s} {seed} {wrong} {len(right)}/{len(places)} "
                f"{len(set(found) - set(places))} {values[0]:.1f} {values[1]:.1f}",
                flush=True,
            )


def repaired(clip: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """A clip with its bad frames rebuilt, and their numbers."""
    items = (
        Item(
            frame=Frame(picture=picture, index=index, pts=index, time_base=Fraction(1, 24)),
            plan=FramePlan(index=index, grade=Grade.identity()),
            picture=picture,
        )
        for index, picture in enumerate(map(as_picture, clip))
    )
    done = list(Rebuilding()(items))
    pixels = np.stack([as_array(item.picture, like=clip[0]) for item in done])
    return pixels, [item.plan.index for item in done if item.repairs.boxes]


if __name__ == "__main__":
    main()
