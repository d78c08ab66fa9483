"""Scratches found and filled on steady clips with drawn ones, and changes to clean clips.

    python benchmarks/scratches.py CLIPS [--degree normal] [--frames 40]

Each clip at 640 px, in 4:2:0: as it is, then with six drawn scratches (1 to 4 px wide, lasting 10
to 200 frames, drifting). Columns:

- moves: px by which the picture moves sideways in 24 frames, the median of its places;
- clean: pixels of the clean clip that are changed, in per cent;
- found: share of the length of scratches that is filled, where they change luma by 0.03 or more;
  false: share of the filled length that is no scratch's;
- PSNR of the scratched pixels before and after, and of those that were filled.
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
from unflicker.rendering.item import Item
from unflicker.rendering.scratched import Scratches
from unflicker.repair.looks import Look
from unflicker.repair.scratches import RULES, sideways
from unflicker.synthesis.damage import SEEN, damaged, drawn_scratches

COUNT = 6
EDGE = 4
"""First and last frames that are left out: what is seen for less than the rule's frames."""


def main() -> None:
    """Print a table of all clips of a folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path)
    parser.add_argument("--degree", default="normal", choices=RULES)
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--start", type=int, default=10)
    parser.add_argument("--seed", type=int, default=100)
    given = parser.parse_args()
    rows = []
    for number, path in enumerate(sorted(given.clips.glob("*.mp4"))):
        pixels = read(path, start=given.start, frames=given.frames)
        row = measured(pixels, degree=given.degree, seed=given.seed + number)
        rows.append(row)
        print(f"{path.stem[:22]:22s}", *(f"{name} {n:.3f}" for name, n in row.items()), flush=True)
    for name, least in (("all", 0.0), ("moving", 3.0)):
        chosen = [row for row in rows if row["moves px"] >= least]
        means = {key: float(np.nanmean([row[key] for row in chosen])) for key in rows[0]}
        print(f"{name} ({len(chosen)})", *(f"{key} {n:.4f}" for key, n in means.items()))


def measured(pixels: np.ndarray, *, degree: str, seed: int) -> dict[str, float]:
    """All numbers of one clip."""
    random, size = np.random.default_rng(seed), pixels.shape[1:3]
    clean = [picture(frame) for frame in pixels]
    touched = [
        np.mean(a.planes[0] != b.planes[0])
        for a, b in zip(clean, repaired(clean, degree), strict=True)
    ]
    looks = [Look(picture=one) for one in clean[:25]]
    moves = np.cumsum([sideways(a, b).grid for a, b in pairwise(looks)], axis=0)
    drawn = list(drawn_scratches(random, size=size, time=len(pixels), count=COUNT))
    dirty = [picture(damaged(f, d).pixels) for f, d in zip(pixels, drawn, strict=True)]
    inner = slice(EDGE, len(pixels) - EDGE)
    luma = [
        np.stack([light(one) for one in many[inner]])
        for many in (clean, dirty, repaired(dirty, degree))
    ]
    truth = np.abs(luma[1] - luma[0]) >= SEEN
    filled = luma[2] != luma[1]
    found, false = lengths(truth, np.stack(drawn[inner]) != 0, filled)
    error = [one - luma[0] for one in luma]
    both = truth & filled
    return {
        "moves px": float(np.median(np.ptp(moves, axis=0))),
        "clean %": 100 * float(np.mean(touched)),
        "found": found,
        "false": false,
        "before dB": psnr(error[1][truth]),
        "after dB": psnr(error[2][truth]),
        "found before dB": psnr(error[1][both]),
        "found dB": psnr(error[2][both]),
    }


def lengths(truth: np.ndarray, drawn: np.ndarray, filled: np.ndarray) -> tuple[float, float]:
    """Share of the length of scratches that is filled; share of the filled length that is false."""
    near = np.ones((1, 9), np.uint8)
    length = found = whole = false = 0
    masks = (mask.astype(np.uint8) for mask in (truth, drawn, filled))
    for true, there, fill in zip(*masks, strict=True):
        # Runs of a row: a scratch is one, though grain may hide a pixel of it.
        joined = cv2.morphologyEx(true, cv2.MORPH_CLOSE, near)
        mended = cv2.morphologyEx(fill, cv2.MORPH_CLOSE, near)
        rows, columns = starts(joined)
        length += len(rows)
        found += int(cv2.dilate(mended, near)[rows, columns].sum())
        rows, columns = starts(mended)
        whole += len(rows)
        false += int((cv2.dilate(there, near)[rows, columns] == 0).sum())
    return found / max(length, 1), false / max(whole, 1)


def starts(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where runs of a row start."""
    before = np.pad(mask, ((0, 0), (1, 0)))[:, :-1]
    return np.nonzero((mask > 0) & (before == 0))


def repaired(pictures: list[Picture], degree: str) -> list[Picture]:
    """The pictures of one shot with their scratches filled."""
    items = (
        Item(
            frame=Frame(picture=one, index=index, pts=index, time_base=Fraction(1, 24)),
            plan=FramePlan(index=index, grade=Grade.identity(), starts_shot=index == 0),
            picture=one,
        )
        for index, one in enumerate(pictures)
    )
    return [item.picture for item in Scratches(degree=degree)(items)]


if __name__ == "__main__":
    main()
