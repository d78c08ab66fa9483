"""Computes all metrics of a result, in sets (docs/metrics.md explains each)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from unflicker import metrics
from unflicker.datasets.load import Loaded
from unflicker.datasets.motion_cache import shot_starts
from unflicker.frames.clip import Clip
from unflicker.frames.flow import BackwardMotion, resized
from unflicker.metrics import Paths
from unflicker.motion import estimate_motion

SETS = ("fidelity", "consistency", "visible", "perceptual")
"""The sets of metrics."""

Scores = dict[str, dict[str, float]]
"""Metric set, then metric, then value."""


def scores(
    result: Clip, loaded: Loaded, *, paths: Paths | None = None, sets: Sequence[str] = SETS
) -> Scores:
    """All metrics of a result that can be computed, by set.

    Args:
        result: Result of a method for `loaded.video`: as many frames, of the same size.
        loaded: The example.
        paths: Motion of its steady video; estimated if None.
        sets: The sets of metrics to compute.

    Returns:
        "fidelity" with ground truth, "consistency" with a steady video, "visible" always,
        "perceptual" with ground truth and if its libraries are installed.

    Raises:
        ValueError: The result has another size or number of frames, or a set does not exist.
    """
    _refuse_unlike(result, loaded.video)
    unknown = sorted(set(sets) - set(SETS))
    if unknown:
        raise ValueError(f"no set of metrics is named {unknown[0]}; there are {', '.join(SETS)}")
    if paths is None and {"consistency", "visible"} & set(sets):
        paths = loaded.paths
    found: Scores = {}
    for name in sets:
        values = _measured(name, result, loaded, paths=paths)
        if values:
            found[name] = values
    return found


def _measured(name: str, result: Clip, loaded: Loaded, *, paths: Paths | None) -> dict[str, float]:
    """The values of a set; empty if they need ground truth or an original that is missing."""
    truth = loaded.truth
    if name == "visible":
        return _visible(result, loaded, paths=paths)
    if name == "consistency":
        return {} if paths is None else _consistency(result, loaded, paths=paths)
    if truth is None:
        return {}
    return (
        _fidelity(result, truth)
        if name == "fidelity"
        else metrics.perceptual_measures(result, truth)
    )


def _fidelity(result: Clip, truth: Clip) -> dict[str, float]:
    return {
        "psnr": metrics.psnr(result, truth),
        "pooled_psnr": metrics.pooled_psnr(result, truth),
        "worst_psnr": metrics.worst_psnr(result, truth),
        "level_free_psnr": metrics.level_free_psnr(result, truth),
        "ssim": metrics.ssim(result, truth),
        "sharpness": metrics.sharpness_ratio(result, truth),
        "delta_e": metrics.delta_e(result, truth),
    }


def _consistency(result: Clip, loaded: Loaded, *, paths: Paths) -> dict[str, float]:
    assert loaded.steady is not None
    found = _errors(result, loaded, paths=paths)
    own = _errors(loaded.steady, loaded, paths=paths)
    ratios = {f"{name}_ratio": metrics.over_own(found[name], own[name]) for name in found}
    return found | ratios


def _errors(clip: Clip, loaded: Loaded, *, paths: Paths) -> dict[str, float]:
    """Both published warping errors of a clip, along the motion of the steady video."""
    along = {"paths": paths, "valid": loaded.valid}
    return {
        "e_warp": metrics.e_warp(clip, **along),
        "lai_warp": metrics.lai_warp(clip, **along),
    }


def _visible(result: Clip, loaded: Loaded, *, paths: Paths | None) -> dict[str, float]:
    """Visible flicker of the result, and its reduction, along one motion."""
    after, before = _seen_flicker(result, loaded, paths=paths)
    flashes = metrics.flashes_in(result, fps=loaded.fps)
    return {
        "visible_flicker": after.mean,
        "visible_flicker_less": 1 - after.mean / before.mean if before.mean > 1e-9 else 0.0,
        "worst_tenth_flicker": after.worst_tenth,
        "vbench_flickering_gain": metrics.vbench_flickering_gain(result, loaded.video),
        "sharpness_to_input": metrics.sharpness_ratio(result, loaded.video),
        "contrast_to_input": metrics.contrast_ratio(result, loaded.video),
        "flashes_a_second": flashes.field,
        "unsafe_seconds": flashes.unsafe_seconds,
    }


def _seen_flicker(
    result: Clip, loaded: Loaded, *, paths: Paths | None
) -> tuple[metrics.VisibleStrength, metrics.VisibleStrength]:
    """Visible flicker of result and input, shot by shot, weighted by their lengths.

    Along the steady video's motion; without one, along the result's, in which motion is easiest to
    estimate.
    """
    small = [metrics.on_proxies(clip) for clip in (result, loaded.video)]
    starts = shot_starts(loaded.steady or loaded.video)
    shots = list(zip(starts, [*starts[1:], len(result)], strict=True))
    seen: tuple[list[metrics.VisibleStrength], ...] = ([], [])
    for start, stop in shots:
        if paths is None:
            motion = motion_back(small[0][start:stop])
        else:
            motion = _motion(paths, start, stop, size=small[0].shape[1:3])
        for found, frames in zip(seen, small, strict=True):
            found.append(
                metrics.visible_strength(frames[start:stop], motion=motion, fps=loaded.fps)
            )
    lengths = [stop - start for start, stop in shots]
    after, before = (metrics.mean_strength(found, frames=lengths) for found in seen)
    return after, before


def motion_back(frames: Float32[np.ndarray, "time height width 3"]) -> BackwardMotion:
    """The motion of one shot, RGB in [0, 1], from each frame but the first to the one before."""
    return estimate_motion(frames).back(0, len(frames) - 1, size=frames.shape[1:3])


def _motion(paths: Paths, start: int, stop: int, *, size: tuple[int, int]) -> BackwardMotion:
    """The backward motion within a shot, resampled."""
    part = slice(start, max(stop - 1, start))
    height, width = paths.back.shape[1:3]
    scale = np.array([size[1] / width, size[0] / height], np.float32)
    return BackwardMotion(
        backward=resized(paths.back[part], size) * scale,
        visible_backward=resized(paths.seen[part].astype(np.float32), size),
    )


def _refuse_unlike(result: Clip, video: Clip) -> None:
    if result.pixels.shape != video.pixels.shape:
        raise ValueError(
            f"a result of {result.pixels.shape} for a video of {video.pixels.shape}; "
            "methods keep size and number of frames"
        )
