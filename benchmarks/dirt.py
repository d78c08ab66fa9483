"""Dirt found and filled on steady clips with drawn damage, and changes to clean ones.

    python benchmarks/dirt.py CLIPS [--degree normal] [--textures FOLDER] [--frames 14]

Each clip at 640 px, in 4:2:0: as it is, then with drawn spots (5 to 40 a frame, 2 to 30 px, dark
and bright) or textures. True pixels are those whose luma the damage changes by 0.03 of the range.
The two first and last frames are left out. Columns:

- clean: pixels of the clean clip that are changed, in per cent;
- recall: share of the true pixels in the detector's mask; false: other pixels in it, in per cent;
  beyond: those not next to a pixel that the damage changed;
- PSNR of the true pixels before and after, the same of those that were filled, and of all filled;
- SDIp at 0.1 and 1 % of false pixels: recall of the smaller difference to both neighbours along
  the same motion, by one threshold for the clip; median: PSNR of the true pixels after a temporal
  median of three along the motion, which changes every pixel.
"""

from __future__ import annotations

import argparse
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from unflicker.frames.clip import from_float
from unflicker.frames.colour import from_rgb, proxy_size, small_rgb
from unflicker.frames.picture import ColourMeaning, Frame, Picture, PixelLayout
from unflicker.grade import Grade
from unflicker.plan import FramePlan
from unflicker.rendering import repairing
from unflicker.rendering.item import Item
from unflicker.repair.dirt import DEGREES, Trio, compared_with, find_dirt
from unflicker.repair.looks import Mask
from unflicker.synthesis.damage import (
    SEEN,
    damaged,
    drawn_spots,
    texture_densities,
    texture_spots,
)
from unflicker.video import open_video

LAYOUT = PixelLayout(family="yuv", depth=8, chroma_shift=(1, 1))
MEANING = ColourMeaning(matrix="bt709", full_range=False)
EDGE = 2
TEXTURES_A_FRAME = 4


def main() -> None:
    """Print a table of all clips of a folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path)
    parser.add_argument("--degree", default="normal", choices=DEGREES)
    parser.add_argument("--textures", type=Path)
    parser.add_argument("--frames", type=int, default=14)
    parser.add_argument("--start", type=int, default=24)
    given = parser.parse_args()
    textures = texture_densities(given.textures) if given.textures else []
    rows = []
    for number, path in enumerate(sorted(given.clips.glob("*.mp4"))):
        pixels = read(path, start=given.start, frames=given.frames)
        row = measured(pixels, textures, degree=given.degree, seed=number)
        rows.append(list(row.values()))
        print(f"{path.stem[:22]:22s}", *(f"{name} {n:.4g}" for name, n in row.items()), flush=True)
    names = list(row)
    for name, start, step in (("even", 0, 2), ("odd", 1, 2), ("all", 0, 1)):
        mean = np.mean(rows[start::step], axis=0)
        print(f"{name:22s}", *(f"{n} {v:.4g}" for n, v in zip(names, mean, strict=True)))


def read(path: Path, *, start: int, frames: int) -> np.ndarray:
    """Frames of a film as RGB of 8 bits, at most 640 px wide; its last ones if it is short."""
    found = []
    for frame in open_video(path).frames():
        size = proxy_size(frame.picture.size, 640)
        size = size[0] // 2 * 2, size[1] // 2 * 2
        found.append(from_float(small_rgb(frame.picture, size=size), dtype=np.uint8))
        if len(found) == start + frames:
            break
    return np.stack(found[-frames:])


def measured(
    pixels: np.ndarray, textures: list[np.ndarray], *, degree: str, seed: int
) -> dict[str, float]:
    """All numbers of one clip."""
    random, size = np.random.default_rng(seed), pixels.shape[1:3]
    clean = [picture(frame) for frame in pixels]
    inner = slice(EDGE, len(clean) - EDGE)
    touched = [
        np.mean(a.planes[0] != b.planes[0])
        for a, b in zip(clean[inner], repaired(clean, degree)[0][inner], strict=True)
    ]
    spots = (
        texture_spots(random, textures, size=size, count=TEXTURES_A_FRAME)
        if textures
        else drawn_spots(random, size=size)
        for _ in pixels
    )
    dirty = [picture(damaged(f, s).pixels) for f, s in zip(pixels, spots, strict=True)]
    out, masks, trios = repaired(dirty, degree)
    luma = [np.stack([light(p) for p in many[inner]]) for many in (clean, dirty, out)]
    truth = np.abs(luma[1] - luma[0]) >= SEEN
    mask = np.stack([full(masks.get(id(p), np.zeros(size, bool)), size) for p in dirty[inner]])
    near = np.stack(
        [
            cv2.dilate((a != b).astype(np.uint8), np.ones((3, 3)))
            for a, b in zip(luma[1], luma[0], strict=True)
        ]
    ).astype(bool)
    filled = luma[2] != luma[1]
    error = [one - luma[0] for one in luma]
    least, median = simple([trios[id(p)] for p in dirty[inner] if id(p) in trios], luma[1])
    return {
        "clean %": 100 * float(np.mean(touched)),
        "recall": float(mask[truth].mean()),
        "false %": 100 * float((mask & ~truth).mean()),
        "beyond %": 100 * float((mask & ~near).mean()),
        "before dB": psnr(error[1][truth]),
        "after dB": psnr(error[2][truth]),
        "found before dB": psnr(error[1][truth & filled]),
        "found dB": psnr(error[2][truth & filled]),
        "filled dB": psnr(error[2][filled]),
        "SDIp at 0.1 %": float((least[truth] > np.quantile(least[~truth], 0.999)).mean()),
        "SDIp at 1 %": float((least[truth] > np.quantile(least[~truth], 0.99)).mean()),
        "median dB": psnr((median - luma[0])[truth]),
        "median elsewhere dB": psnr((median - luma[0])[~truth]),
    }


def repaired(
    pictures: list[Picture], degree: str
) -> tuple[list[Picture], dict[int, Mask], dict[int, Trio]]:
    """Repaired pictures; masks of the detector, and what it compared, by picture."""
    masks: dict[int, Mask] = {}
    trios: dict[int, Trio] = {}

    def listened(trio: Trio, tests: object) -> Mask | None:
        mask = find_dirt(trio, tests)
        trios[id(trio.now.look.picture)] = trio
        if mask is not None:
            masks[id(trio.now.look.picture)] = mask
        return mask

    repairing.find_dirt = listened
    items = (
        Item(
            frame=Frame(picture=one, index=index, pts=index, time_base=Fraction(1, 24)),
            plan=FramePlan(index=index, grade=Grade.identity(), starts_shot=index == 0),
            picture=one,
        )
        for index, one in enumerate(pictures)
    )
    return [item.picture for item in repairing.Repair(degree=degree)(items)], masks, trios


def full(mask: Mask, size: tuple[int, int]) -> Mask:
    """A mask of the detector at the size of the picture."""
    if mask.shape == size:
        return mask
    return cv2.resize(mask.astype(np.uint8), size[::-1], interpolation=cv2.INTER_NEAREST) > 0


def simple(trios: list[Trio], luma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The smaller difference to both neighbours, and the median of three along the motion."""
    least, median = np.zeros_like(luma), luma.copy()
    for place, trio in enumerate(trios):
        compared = compared_with(trio)
        least[place] = np.abs(compared.least)
        median[place] -= compared.least * np.float32(255.0 / 219.0)
    return least, median


def picture(rgb: np.ndarray) -> Picture:
    """RGB as 4:2:0."""
    return from_rgb(rgb.astype(np.float32) / 255.0, layout=LAYOUT, meaning=MEANING)


def light(one: Picture) -> np.ndarray:
    """Luma, 0 to 1."""
    return (one.planes[0].astype(np.float32) - 16.0) / 219.0


def psnr(error: np.ndarray) -> float:
    """PSNR in dB of errors."""
    return float(10.0 * np.log10(1.0 / np.mean(error**2))) if error.size else float("nan")


if __name__ == "__main__":
    main()
