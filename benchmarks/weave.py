"""Gate weave measured and removed on steady clips to which it was added, and on clips as they are.

    python benchmarks/weave.py CLIPS [--seeds 1 2 3] [--frames 60] [--rms 1.5] [--films FILMS]

Each clip at 640 px with made weave of `--rms` px, white or correlated in time; measured and removed
as in a run, all frames as one window. Columns:

- as it is: weave (rms, px) that is found in the clip itself, for the camera's own jitter;
- before, after: rms of the truth, and of the rest after removal. A slow part is like the camera's
  path, so `fast` is the same without the mean of 25 frames around each;
- PSNR against the clip before it was moved, of the inner part, before and after; and of the clip
  moved and moved back by the truth, the limit of the interpolation;
- sharp: mean of the absolute gradient, relative to the clip's;
- path: how far the low-passed camera path (mean of 25 frames) is moved, at most, in px.

With `--films` the weave of films is measured, without a truth.
"""

from __future__ import annotations

import argparse
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from unflicker.analysis.proxy import proxies_of
from unflicker.frames.clip import Clip
from unflicker.frames.colour import proxy_size, small_rgb
from unflicker.frames.picture import as_array, as_picture
from unflicker.frames.shift import as_steps, shifted
from unflicker.motion import USUAL_PX, weave_of
from unflicker.synthesis.weave import gate_weave, moved
from unflicker.video import ArraySource, open_video
from unflicker.video.source import VideoSource

WIDTH_PX = 640
EDGE_PX = 24
SLOW_FRAMES = 25


def main() -> None:
    """Print a table of all clips of a folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--rms", type=float, default=1.5)
    parser.add_argument("--films", action="store_true")
    options = parser.parse_args()
    rows = []
    for path in sorted(options.clips.iterdir()):
        if path.suffix not in (".mp4", ".mkv", ".avi"):
            continue
        if options.films:
            film = open_video(path)
            told = " ".join(f"{n:.2f}" for n in rms_of(weave_in(film)) * max(film.size) / USUAL_PX)
            print(f"{path.stem[:26]:26s} {told}", flush=True)
            continue
        clip = read(path, options.frames)
        own = weave_in(source(clip))
        for seed in options.seeds:
            row = [float(rms_of(own).max()), *removed(clip, seed, options.rms, own)]
            rows.append(row)
            shown = " ".join(f"{n:6.3f}" if n < 10 else f"{n:6.2f}" for n in row)
            print(f"{path.stem[:26]:26s} {seed} {shown}", flush=True)
    if rows:
        print("mean", " ".join(f"{n:.3f}" for n in np.mean(rows, axis=0)))


def removed(clip: np.ndarray, seed: int, rms_px: float, own: np.ndarray) -> list[float]:
    """Numbers of a clip with made weave, before and after its removal."""
    random = np.random.default_rng(seed)
    truth = gate_weave(random, time=len(clip), rms_px=rms_px)
    weaving = np.stack([moved(one, shift) for one, shift in zip(clip, truth, strict=True)])
    found = weave_in(source(weaving))
    # What the clip itself is moved by is not an error of the made weave's removal.
    left = truth - (found - own if own.any() else found)
    left = left - left.mean(axis=0)
    steady, limit = (
        np.stack([back(one, shift) for one, shift in zip(weaving, shifts, strict=True)])
        for shifts in (found, truth)
    )
    return [
        float(rms_of(truth).mean()),
        float(rms_of(left).mean()),
        float(rms_of(fast(truth)).mean()),
        float(rms_of(fast(left)).mean()),
        psnr(weaving, clip),
        psnr(steady, clip),
        psnr(limit, clip),
        sharpness(steady) / sharpness(clip),
        float(np.abs(found - fast(found)).max()),
    ]


def read(path: Path, count: int) -> np.ndarray:
    """The first frames of a clip at 640 px, RGB."""
    film = open_video(path)
    size = proxy_size(film.size, WIDTH_PX)
    frames = islice(film.frames(), count)
    made = [np.clip(small_rgb(frame.picture, size=size), 0, 1) for frame in frames]
    return np.stack([np.rint(one * 255).astype(np.uint8) for one in made])


def source(pixels: np.ndarray) -> ArraySource:
    """A clip as a film."""
    return ArraySource(Clip.at_rate(pixels, fps=24.0))


def weave_in(film: VideoSource) -> np.ndarray:
    """The weave of each frame that the analysis finds, in px of the film."""
    shifts = [proxy.shifts for proxy in proxies_of(film, 32, measures_gate=True)]
    found = weave_of(shifts) * max(film.size) / USUAL_PX
    return np.array([as_steps(shift) for shift in found])


def back(pixels: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """A picture moved back as the rendering does."""
    picture = shifted(as_picture(pixels), (-float(shift[0]), -float(shift[1])))
    return as_array(picture, like=pixels)


def fast(path: np.ndarray) -> np.ndarray:
    """A path without its running mean."""
    wide = np.pad(path, ((SLOW_FRAMES // 2,) * 2, (0, 0)), mode="reflect")
    mean = np.stack([np.convolve(line, np.ones(SLOW_FRAMES) / SLOW_FRAMES, "valid")
                     for line in wide.T], axis=1)  # fmt: skip
    return path - mean


def rms_of(path: np.ndarray) -> np.ndarray:
    """Of either direction."""
    return np.sqrt((path**2).mean(axis=0))


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    """Of the inner part, in dB, the mean over the frames."""
    part = slice(EDGE_PX, -EDGE_PX)
    error = (one[:, part, part].astype(np.float32) - other[:, part, part]) ** 2
    each = error.mean(axis=(1, 2, 3))
    return float(np.mean(10 * np.log10(255**2 / np.maximum(each, 1e-3))))


def sharpness(clip: np.ndarray) -> float:
    """Mean absolute gradient of the inner part."""
    part = slice(EDGE_PX, -EDGE_PX)
    grey = [cv2.cvtColor(one, cv2.COLOR_RGB2GRAY)[part, part].astype(np.float32) for one in clip]
    return float(
        np.mean([np.abs(np.diff(one, axis=axis)).mean() for one in grey for axis in (0, 1)])
    )


if __name__ == "__main__":
    main()
