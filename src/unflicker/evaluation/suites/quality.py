"""Suite `quality`: restoration of clean clips from synthetic flicker."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from unflicker.baselines import BASELINES
from unflicker.datasets.build import seed_of
from unflicker.evaluation.methods import INPUT
from unflicker.evaluation.suites.films import NamedClip, chosen_films, each, half_of, read
from unflicker.evaluation.suites.quality_tables import STEADY_CASES, quality_table
from unflicker.evaluation.suites.suite import (
    Blind,
    Options,
    Row,
    Suite,
    asked_kinds,
    blind_methods,
)
from unflicker.frames.clip import Clip, from_float
from unflicker.frames.flow import Motion
from unflicker.metrics import level_free_psnr, psnr, sharpness_ratio, ssim, warping_error
from unflicker.motion import estimate_motion
from unflicker.synthesis import KINDS, SyntheticFlicker, mean_grade, sunset, synthesise, ungraded

ORACLE = "known"
"""The oracle, which inverts the synthetic flicker: an upper limit for all methods."""
_WIDTH_PX, _FRAMES = 640, 48
_USUAL = (INPUT, *BASELINES, "fast", "standard")


def _rows(folder: Path, options: Options) -> Iterator[Row]:
    methods, oracle = _methods(options)
    kinds = asked_kinds(options, known=(*KINDS, *STEADY_CASES))
    films = chosen_films(folder, options)
    width_px, frames = options.width_px or _WIDTH_PX, options.frames or _FRAMES
    for path in each(films, options, stage="quality"):
        clip = read(path, width_px=width_px, frames=frames)
        split = half_of(options.split_file, clip.name)
        measured = _measured(
            clip, methods=methods, oracle=oracle, kinds=kinds, seeds=options.seeds or 1
        )
        for row in measured:
            yield {"clip": clip.name, "split": split, **row}


def _methods(options: Options) -> tuple[dict[str, Blind], bool]:
    """The methods, and whether the oracle runs too."""
    from dataclasses import replace

    told = tuple(name for name in options.methods if name != ORACLE)
    oracle = ORACLE in options.methods or not (options.methods or options.own)
    if oracle and options.methods and not told and not options.own:
        return {}, oracle
    return blind_methods(replace(options, methods=told), usual=_USUAL), oracle


def _measured(
    clip: NamedClip,
    *,
    methods: dict[str, Blind],
    oracle: bool,
    kinds: tuple[str, ...],
    seeds: int,
) -> Iterator[Row]:
    """All measurements on one clip: each kind of flicker, then the cases without flicker."""
    motion = estimate_motion(clip.clip.as_float())
    for draw in range(seeds):
        for kind in (kind for kind in kinds if kind in KINDS):
            made = synthesise(clip.clip, kind=kind, seed=seed_of(clip.name, draw=draw))
            yield from _made_rows(clip.clip, made, methods=methods, oracle=oracle, motion=motion)
    seed = seed_of(clip.name)
    for case in (case for case in STEADY_CASES if case in kinds):
        given, wanted = _steady_case(clip.clip, case=case, seed=seed)
        for name, method in methods.items():
            result, spent = _timed(method, given)
            yield {"kind": case, "method": name, **spent, "psnr": psnr(result, wanted)}


def _steady_case(clip: Clip, *, case: str, seed: int) -> tuple[Clip, Clip]:
    """The input of a method, and the ideal result."""
    if case == "clean":
        return clip, clip
    dusk = sunset(clip)
    if case == "sunset":
        return dusk, dusk
    return synthesise(dusk, kind="exposure", seed=seed).clip, dusk


def _made_rows(
    clip: Clip,
    made: SyntheticFlicker,
    *,
    methods: dict[str, Blind],
    oracle: bool,
    motion: Motion,
) -> Iterator[Row]:
    """The measurements of all methods on one synthetic flicker."""
    paths: dict[str, Any] = {
        "flows": motion.backward,
        "visible": motion.visible_backward,
        "valid": ~made.clipped,
    }
    own = max(warping_error(clip, **paths), 1e-9)
    told: dict[str, Blind] = {ORACLE: lambda _: undone(made)} if oracle else {}
    for name, method in {**methods, **told}.items():
        result, spent = _timed(method, made.clip)
        yield {
            "kind": made.kind,
            "method": name,
            **spent,
            "seed": made.seed,
            "psnr": psnr(result, clip),
            "level_free_psnr": level_free_psnr(result, clip),
            "ssim": ssim(result, clip),
            "warping_ratio": warping_error(result, **paths) / own,
            "warping_clean": own,
            "sharpness": sharpness_ratio(result, clip),
            "clipped": float(made.clipped.mean()),
        }


def undone(made: SyntheticFlicker) -> Clip:
    """The oracle's result: the true grades inverted, except their mean over the clip.

    No blind method can recover that mean.
    """
    keep = mean_grade(made.grades)
    dtype = made.clip.pixels.dtype
    pixels = [
        from_float(ungraded(frame, grade, keep=keep), dtype=dtype)
        for frame, grade in zip(made.clip.pixels, made.grades, strict=True)
    ]
    return Clip(pixels=np.stack(pixels), seconds=made.clip.seconds)


def _timed(method: Blind, clip: Clip) -> tuple[Clip, dict[str, float]]:
    start = time.perf_counter()
    result = method(clip)
    seconds = time.perf_counter() - start
    return result, {"milliseconds_a_frame": round(1000 * seconds / max(len(clip), 1), 2)}


QUALITY = Suite(
    name="quality",
    about="synthetic flicker on clean clips: PSNR, warping error, sharpness and SSIM by kind",
    takes=(
        "methods", "own", "weights", "clips", "split", "kinds", "width_px", "frames", "judge",
        "seeds",
    ),
    rows=_rows,
    table=lambda rows, options: quality_table(rows, judge=options.judge),
)  # fmt: skip
