"""Light whose right value is known: a folder of generators run through the command line's own path.

    python benchmarks/trials.py TRIALS [--presets fast standard] [--seeds 3 4] [--only fades]

TRIALS holds `made.py` and the generators (`repeated.py`, `fades.py`, ...), each with
`make(output, name=value, ...)` that returns what is true of its film. A line a film: what was made,
what was measured, whether it is right. *Level*: the logarithm of a frame's mean light over the
truth's. *dB*: PSNR a frame after the clip's mean level was aligned. `seed` 0: the generator's own.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from unflicker import Settings, run
from unflicker.metrics import psnr
from unflicker.settings import replaced

Truth = dict[str, np.ndarray]
Figures = dict[str, float]

DARK, BRIGHT = 12, 235  # codes between which a level is measured


@dataclass(frozen=True)
class Trial:
    """A film to make, what to measure on the result, and the limits of the right value."""

    generator: str
    how: dict[str, object]
    measure: Callable[[np.ndarray, np.ndarray, Truth], Figures]
    at_least: Figures
    at_most: Figures
    suffix: str = ".mkv"


def level(pictures: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """The level of each frame, (T,): the mean light where the truth is neither black nor white."""
    seen = (truth >= DARK) & (truth <= BRIGHT)
    ratio = [
        np.log(max(a[m].mean(dtype=float), 1e-3) / b[m].mean(dtype=float)) if m.any() else 0.0
        for a, b, m in zip(pictures, truth, seen, strict=True)
    ]
    return np.asarray(ratio)


def aligned_psnr(pictures: np.ndarray, truth: np.ndarray) -> float:
    """The mean PSNR of the frames in dB, after the clip's mean level was aligned."""
    gain = np.exp(-level(pictures, truth).mean())
    aligned = np.clip(pictures * (gain / 255.0), 0.0, 1.0).astype(np.float32)
    return psnr(aligned, truth)


def steady(given: np.ndarray, made: np.ndarray, _: Truth) -> Figures:
    """The greatest difference from the film as it was."""
    return {"moved": float(np.abs(given.astype(int) - made).max())}


def whole(given: np.ndarray, made: np.ndarray, truth: Truth) -> Figures:
    """Fidelity and steadiness, and what they gained."""
    true = truth["truth"]
    return {
        "dB": aligned_psnr(made, true),
        "gained": aligned_psnr(made, true) - aligned_psnr(given, true),
        "level": float(level(made, true).std()),
        "calmer": float(level(given, true).std() - level(made, true).std()),
    }


def repeats(given: np.ndarray, made: np.ndarray, truth: Truth) -> Figures:
    """As `whole`; and the greatest difference of frames that were equal."""
    equal = [t for t in range(1, len(given)) if np.array_equal(given[t], given[t - 1])]
    apart = [np.abs(made[t].astype(int) - made[t - 1]).max() for t in equal]
    return whole(given, made, truth) | {"twins": float(max(apart, default=0))}


def fading(given: np.ndarray, made: np.ndarray, truth: Truth) -> Figures:
    """The mean light of the frames that fade, relative to the truth's (of 40 codes at least)."""
    true = truth["truth"]
    wide = tuple(range(1, true.ndim))
    off = (made.mean(wide) - true.mean(wide)) / np.maximum(true.mean(wide), 40)
    off = off[truth["fading"]]
    return whole(given, made, truth) | {
        "rms": float(np.sqrt((off**2).mean())),
        "worst": float(np.abs(off).max()),
    }


def joins(each: int) -> Callable[[np.ndarray, np.ndarray, Truth], Figures]:
    """The greatest step at a join: channels' levels, contrast, saturation, over the truth's."""

    def measure(_: np.ndarray, made: np.ndarray, truth: Truth) -> Figures:
        def looks(clip: np.ndarray) -> np.ndarray:
            clip = clip.astype(float)
            grey = clip.mean(-1)
            looks = [*np.moveaxis(clip.mean((1, 2)), -1, 0), grey.std((1, 2))]
            return np.log(np.stack([*looks, (clip - grey[..., None]).std((1, 2, 3))], 1))

        off = looks(made) - looks(truth["truth"])
        steps = [
            np.abs(off[at : at + 3].mean(0) - off[at - 3 : at].mean(0)).max()
            for at in range(each, len(made), each)
        ]
        return {"join": float(max(steps))}

    return measure


def counts(given: np.ndarray, made: np.ndarray, truth: Truth) -> Figures:
    """The share of the flicker that is gone, in percent."""
    true = truth["truth"].mean((1, 2))

    def spread(clip: np.ndarray) -> float:
        return float(np.log(clip.mean((1, 2)) / true).std())

    return {"gone": 100 * (1 - spread(made) / spread(given))}


def figure(given: np.ndarray, made: np.ndarray, truth: Truth) -> Figures:
    """The level of what alpha shows, and whether alpha is as it was."""
    levels = []
    for old, new, gain in zip(given, made, truth["gain"], strict=True):
        seen = (old[..., 3] > 250) & (old[..., :3].max(-1) < 250)
        levels.append(np.log(new[seen][:, :3].mean() / (old[seen][:, :3].mean() / gain)))
    return {
        "level": float(np.std(levels)),
        "alpha": float(np.abs(given[..., 3].astype(int) - made[..., 3]).max()),
    }


def overlays(_: np.ndarray, made: np.ndarray, truth: Truth) -> Figures:
    """The film's level, and the spread of each overlay's light, in codes."""
    true = truth["truth"]
    found = {"level": float(level(made[:, 60:140], true[:, 60:140]).std())}
    for name in ("timecode", "logo", "subtitle"):
        off = [
            a[m].mean(dtype=float) - b[m].mean(dtype=float)
            for a, b, m in zip(made, true, truth[name], strict=True)
        ]
        found[name] = float(np.std(off))
    return found


def trials() -> Iterator[Trial]:
    """All films, with the limits that README of the trials (and issue 16) names."""
    calm = {"level": 0.02}
    for film, video in ((18, 24), (18, 25), (16, 25), (20, 24), (12, 25)):
        for blend in (0, 1):
            how: dict[str, object] = {"film": film, "video": video, "blend": blend}
            yield Trial("repeated", how, repeats, {"dB": 40}, calm | {"twins": 0})
    yield Trial("lightning", {}, steady, {}, {"moved": 0})
    yield Trial("lightning", {"decay": 0.7, "fps": 30}, steady, {}, {"moved": 0})
    never_worse = {"gained": 0.0, "calmer": 0.0}
    yield Trial("lightning", {"flicker": 0.06}, whole, never_worse, {})
    yield Trial("fades", {}, steady, {}, {"moved": 0})
    limits = {"rms": 0.03, "worst": 0.07}
    yield Trial("fades", {"flicker": 0.08}, fading, {"gained": 0.0}, limits)
    for kind, each, frames in (("contrast", 25, 75), ("tint", 25, 75), ("exposure", 49, 98)):
        how = {"kind": kind, "each": each, "frames": frames}
        yield Trial("ai_windows", how, joins(each), {}, {"join": 0.02}, ".mp4")
    yield Trial("slow_timelapse", {}, whole, {}, calm)
    yield Trial("slow_timelapse", {"fps": Fraction(1, 2)}, whole, {}, calm)
    for bits, shift in ((12, 0), (12, 4), (10, 0), (10, 6)):
        yield Trial("low_counts", {"bits": bits, "shift": shift}, counts, {"gone": 80}, {}, "")
    for junk in ("grey", "colour", "black"):
        yield Trial("sprite", {"junk": junk}, figure, {}, {"level": 0.01, "alpha": 0}, "")
    held = {"timecode": 1.5, "logo": 1.5, "subtitle": 1.5}
    for suffix in (".mp4", ".mkv"):
        yield Trial("burned_in", {}, overlays, {}, calm | held, suffix)


def pictures_of(path: Path, how: dict[str, object]) -> np.ndarray:
    """All pictures of a film or folder: (T, H, W, 3 or 4) RGB, or (T, H, W) counts, unshifted."""
    if path.is_dir():
        files = [str(file) for file in sorted(path.iterdir())]
        clip = np.stack([np.asarray(cv2.imread(f, cv2.IMREAD_UNCHANGED)) for f in files])
        if clip.ndim == 3:
            return clip >> int(str(how.get("shift", 0)))
        return clip
    with av.open(str(path)) as container:
        return np.stack([f.to_ndarray(format="rgb24") for f in container.decode(video=0)])


def outcome(trial: Trial, figures: Figures) -> str:
    """`right`, or which figures are beyond their limits."""
    low = [name for name, least in trial.at_least.items() if figures[name] < least]
    high = [name for name, most in trial.at_most.items() if figures[name] > most]
    return "right" if not low + high else "WRONG: " + ", ".join(low + high)


def tried(trial: Trial, seed: int, preset: str) -> Figures:
    """The film made, run, and measured, in a folder that is removed."""
    generator = importlib.import_module(trial.generator)
    how = dict(trial.how) | ({"seed": seed} if seed else {})
    with tempfile.TemporaryDirectory() as folder:
        source, target = (Path(folder) / f"{name}{trial.suffix}" for name in ("a", "out"))
        truth = generator.make(str(source), **how) or {}
        settings = Settings.from_preset(preset)
        if trial.suffix == ".mp4":
            settings = replaced(settings, {"encoding.crf": 4})
        run(source, target, settings=settings)
        given, made = pictures_of(source, how), pictures_of(target, how)
    return trial.measure(given, made, truth)


def main() -> None:
    """Print a line for each film, preset and seed."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--presets", nargs="+", default=["fast"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    sys.path.insert(0, str(options.folder))
    for preset in options.presets:
        for trial in trials():
            if options.only not in trial.generator:
                continue
            for seed in options.seeds:
                figures = tried(trial, seed, preset)
                what = " ".join(f"{name}={value}" for name, value in trial.how.items())
                numbers = "  ".join(f"{name} {value:.3g}" for name, value in figures.items())
                line = f"{preset} {trial.generator} {what} seed={seed}: {numbers}"
                print(f"{line}  {outcome(trial, figures)}", flush=True)


if __name__ == "__main__":
    main()
