"""Scenes of kinds that nothing was tuned on: steady ones must stay, flickering ones must not lose.

    python benchmarks/strangers.py PHOTOS [--seeds 1] [--kinds none exposure film]
        [--presets fast] [--only through_black]

Each scene (`scenes.py`) has 90 frames at 24 a second, 320 px wide. Columns: scene; seed; preset;
kind; without flicker the largest difference from the input ("same": bit for bit), else PSNR after
one gain a channel for all frames (the level is unknown), mean and worst frame, before > after.
"""

from __future__ import annotations

import argparse
from itertools import product
from pathlib import Path

import numpy as np

import unflicker
from dissolves import errors_of
from scenes import FPS, SCENES, rendered
from scenes.drawing import photos_in
from unflicker.frames.clip import Clip
from unflicker.synthesis import KINDS, synthesise


def main() -> None:
    """Print a line for each scene, preset and kind, then how many steady ones moved."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--presets", nargs="+", default=["fast"])
    parser.add_argument("--kinds", nargs="+", default=["none"], choices=["none", *KINDS])
    parser.add_argument("--only", nargs="+", default=[""], help="how a scene's name begins")
    options = parser.parse_args()
    photos = photos_in(options.photos)
    names = [name for name in SCENES if name.startswith(tuple(options.only))]
    moved = lost = 0
    for seed, name in product(options.seeds, names):
        truth = rendered(name, photos, seed=seed)
        for kind, preset in product(options.kinds, options.presets):
            clip = Clip.at_rate(truth, fps=FPS)
            made = clip if kind == "none" else synthesise(clip, kind=kind, seed=seed).clip
            steady = unflicker.deflicker(made.pixels, fps=FPS, preset=preset)
            if kind == "none":
                most = np.abs(steady.astype(int) - truth).max()
                told = f"moved {most}" if most else "same"
                moved += most > 0
            else:
                before, after = (errors_of(x.astype(float), truth) for x in (made.pixels, steady))
                mean = f"{before.mean():.1f} > {after.mean():.1f}"
                told = f"{mean}, {before.min():.1f} > {after.min():.1f}"
                lost += after.mean() < before.mean()
            print(f"{name} {seed} {preset} {kind}: {told}", flush=True)
    print(f"{moved} steady scenes moved, {lost} flickering ones came back worse")


if __name__ == "__main__":
    main()
