"""Hairs in the gate found and filled on steady clips with drawn ones, and changes to clean clips.

    python benchmarks/hairs.py CLIPS [--degree normal] [--frames 40] [--dirt]

Each clip at 640 px, in 4:2:0: as it is, then with six drawn hairs (1.2 to 4 px wide, 25 to 150 px
long, lasting 10 to 200 frames). True pixels are those whose luma a hair changes by 0.03 of the
range. Columns:

- moves: px by which the picture moves in 24 frames, the median of its places;
- clean: pixels of the clean clip that are changed, in per cent; with `--dirt`, also by its repair;
- recall: share of the true pixels that are filled; false: pixels filled of all that are not within
  2 px of a hair, in per cent;
- PSNR of the true pixels before and after, and of those that were filled.
"""

from __future__ import annotations

import argparse
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from dirt import light, picture, psnr, read
from unflicker.frames.picture import Frame, Picture
from unflicker.grade import Grade
from unflicker.plan import FramePlan
from unflicker.rendering.haired import Hairs
from unflicker.rendering.item import Item
from unflicker.rendering.repairing import Repair
from unflicker.repair.hairs import RULES
from unflicker.repair.looks import Look
from unflicker.repair.threads import Threads, moves, threads
from unflicker.synthesis.damage import SEEN, damaged
from unflicker.synthesis.hairs import drawn_hairs

COUNT = 6
EDGE = 4
"""First and last frames that are left out: what is seen for less than the rule's frames."""
NEAR = np.ones((5, 5), np.uint8)


def main() -> None:
    """Print a table of all clips of a folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path)
    parser.add_argument("--degree", default="normal", choices=RULES)
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--start", type=int, default=10)
    parser.add_argument("--seed", type=int, default=100)
    parser.add_argument("--dirt", action="store_true")
    parser.add_argument("--every", type=int, nargs=2, default=(0, 1), metavar=("FIRST", "STEP"))
    given = parser.parse_args()
    rows = []
    first, step = given.every
    for number, path in list(enumerate(sorted(given.clips.glob("*.mp4"))))[first::step]:
        pixels = read(path, start=given.start, frames=given.frames)
        row = measured(pixels, degree=given.degree, seed=given.seed + number, dirt=given.dirt)
        rows.append(row)
        print(f"{path.stem[:22]:22s}", *(f"{name} {n:.4f}" for name, n in row.items()), flush=True)
    for name, least in (("all", 0.0), ("moving", 5.0)):
        chosen = [row for row in rows if row["moves px"] >= least]
        means = {key: float(np.nanmean([row[key] for row in chosen])) for key in rows[0]}
        print(f"{name} ({len(chosen)})", *(f"{key} {n:.4f}" for key, n in means.items()))


def measured(pixels: np.ndarray, *, degree: str, seed: int, dirt: bool) -> dict[str, float]:
    """All numbers of one clip."""
    random, size = np.random.default_rng(seed), pixels.shape[1:3]
    clean = [picture(frame) for frame in pixels]
    touched = [
        np.mean(a.planes[0] != b.planes[0])
        for a, b in zip(clean, repaired(clean, degree, dirt=dirt), strict=True)
    ]
    found: list[Threads] = []
    for one in clean[:25]:
        found.append(threads(Look(picture=one), found))
    moved = np.cumsum([moves(a, b) for a, b in pairwise(found)], axis=0)
    drawn = list(drawn_hairs(random, size=size, time=len(pixels), count=COUNT))
    dirty = [picture(damaged(f, d).pixels) for f, d in zip(pixels, drawn, strict=True)]
    inner = slice(EDGE, len(pixels) - EDGE)
    luma = [
        np.stack([light(one) for one in many[inner]])
        for many in (clean, dirty, repaired(dirty, degree, dirt=False))
    ]
    truth = np.abs(luma[1] - luma[0]) >= SEEN
    near = np.stack([cv2.dilate((d != 0).astype(np.uint8), NEAR) for d in drawn[inner]]) > 0
    filled = luma[2] != luma[1]
    error = [one - luma[0] for one in luma]
    both = truth & filled
    return {
        "moves px": float(np.median(np.hypot(*np.moveaxis(np.ptp(moved, axis=0), -1, 0)))),
        "clean %": 100 * float(np.mean(touched)),
        "recall": float(filled[truth].mean()) if truth.any() else float("nan"),
        "false %": 100 * float((filled & ~near).mean()),
        "before dB": psnr(error[1][truth]),
        "after dB": psnr(error[2][truth]),
        "found before dB": psnr(error[1][both]),
        "found dB": psnr(error[2][both]),
        "filled dB": psnr(error[2][filled]),
    }


def repaired(pictures: list[Picture], degree: str, *, dirt: bool) -> list[Picture]:
    """The pictures of one shot with their hairs filled."""
    items = (
        Item(
            frame=Frame(picture=one, index=index, pts=index, time_base=Fraction(1, 24)),
            plan=FramePlan(index=index, grade=Grade.identity(), starts_shot=index == 0),
            picture=one,
        )
        for index, one in enumerate(pictures)
    )
    done = Hairs(degree=degree)(items)
    done = Repair(degree=degree)(done) if dirt else done
    return [item.picture for item in done]


if __name__ == "__main__":
    main()
