"""Warping error: change of a point's colour along the motion.

The flow comes from the clean clip, so that all methods are judged along the same paths. A low error
alone is not enough: a blurred or frozen clip has one too, so read it with fidelity, and take an
error below the clean clip's own as a warning.

Two are published, and not comparable: `e_warp` of Lei et al., and `lai_warp` of Lai et al.
`warping_error` and its variants weight pairs by visibility, for our own use.

Source: Lei, Ren, Zhang and Chen, Blind video deflickering by neural filtering with a flawed atlas,
CVPR 2023 (pairs of neighbours, and of each frame with the first, masked L1); Lai, Huang, Wang,
Shechtman, Yumer and Yang, Learning blind video temporal consistency, ECCV 2018 (neighbours only,
squared).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32

from unflicker.frames.clip import to_float
from unflicker.frames.flow import warp
from unflicker.metrics.pictures import Pictures, as_pixels, pairs_of_frames


@dataclass(frozen=True, kw_only=True, eq=False)
class Paths:
    """Motion of each point of a clip: to the frame before, and to the first frame of its shot."""

    back: Float32[np.ndarray, "pairs height width 2"]
    """From each frame but the first to the one before, in px, x first."""
    seen: Bool[np.ndarray, "pairs height width"]
    """Pixels that are visible there too: neither hidden nor across a cut."""
    to_first: Float32[np.ndarray, "pairs height width 2"]
    """From each frame but the first to the first one of its shot."""
    seen_in_first: Bool[np.ndarray, "pairs height width"]
    """Pixels that are visible there too."""
    first: tuple[int, ...]
    """Index of that first frame; all zeros without cuts, as in the paper."""


def e_warp(
    pictures: Pictures,
    *,
    paths: Paths,
    valid: Bool[np.ndarray, "time height width"] | None = None,
) -> float:
    """The paper's warping error, 0 to 2; lower is steadier, or blurred, or frozen.

    E_pair(t, s) is the mean, over the pixels of frame t that are visible in frame s, of the
    absolute difference between the two along the motion, averaged over the channels (values in [0,
    1]). E_warp is the mean over all frames but the first of E_pair(t, t - 1) + E_pair(t, first).
    Pairs without common pixels are excluded.

    Args:
        pictures: Frames to assess.
        paths: Motion of the steady video, never of the flickering one.
        valid: Pixels that count; None for all, as in the paper.

    Source: Lei et al., CVPR 2023, equations 7 and 8.
    """
    near = _pair_errors(pictures, paths, valid=valid, to_first=False)
    far = _pair_errors(pictures, paths, valid=valid, to_first=True)
    return _mean([error.mean() for error in near]) + _mean([error.mean() for error in far])


def lai_warp(
    pictures: Pictures,
    *,
    paths: Paths,
    valid: Bool[np.ndarray, "time height width"] | None = None,
) -> float:
    """The warping error of Lai et al., 0 to 1; lower is steadier, or blurred, or frozen.

    As `e_warp`, but of squared differences and of neighbours only. They warp the next frame, we the
    previous one.

    Args:
        pictures: Frames to assess.
        paths: Motion of the steady clip.
        valid: Pixels that count; all if None.

    Source: Lai et al., ECCV 2018, section 4.2, and their published evaluation.
    """
    near = _pair_errors(pictures, paths, valid=valid, to_first=False)
    return _mean([np.square(error).mean() for error in near])


def vbench_flickering_gain(result: Pictures, given: Pictures) -> float:
    """VBench's temporal flickering of the result minus that of its input, in points of 100.

    The score is 100 less the mean absolute difference of neighbouring frames, in per cent of white.
    Motion lowers it as flicker does, so scores of different clips are not comparable; the
    difference on one clip is. Above 0 is steadier, or blurred, or frozen.

    Args:
        result: Frames to assess.
        given: The input, of the same size and length.

    Source: Huang et al., VBench: comprehensive benchmark suite for video generative models, CVPR
    2024, temporal flickering.
    """
    changes = np.zeros(2)
    before = None
    for pair in pairs_of_frames(result, given):
        if before is not None:
            changes += [
                np.abs(a - b).mean(dtype=np.float64) for a, b in zip(pair, before, strict=True)
            ]
        before = pair
    after, own = 100 * changes / max(len(as_pixels(result)) - 1, 1)
    return float(own - after)


def over_own(error: float, own: float) -> float:
    """An error relative to the steady clip's own; 1 is equally steady, below 1 a warning.

    Args:
        error: Of the result.
        own: Of the steady clip; where it is 0 (a still), the ratio is infinite, or 1 if both are.
    """
    if own < 1e-9:
        return 1.0 if error < 1e-9 else float("inf")
    return error / own


def warping_error(
    pictures: Pictures,
    *,
    flows: Float32[np.ndarray, "pairs height width 2"],
    visible: Float32[np.ndarray, "pairs height width"],
    valid: Bool[np.ndarray, "time height width"] | None = None,
) -> float:
    """Mean change of a point's colour from one frame to the next, 0 to 1; lower is steadier.

    Args:
        pictures: Frames to assess.
        flows: From each frame but the first back to the frame before it, in px, x first.
        visible: Visibility of each pixel of frame t in frame t-1, 0 to 1.
        valid: Pixels that count; exclude clipped ones.
    """
    pixels = as_pixels(pictures)
    return _mean_change(
        pixels, earlier=range(len(pixels)), flows=flows, visible=visible, valid=valid
    )


def squared_warping_error(
    pictures: Pictures,
    *,
    flows: Float32[np.ndarray, "pairs height width 2"],
    visible: Float32[np.ndarray, "pairs height width"],
) -> float:
    """Mean squared change of a point's colour from one frame to the next, 0 to 1.

    As `warping_error`, but of squared differences, so large ones weigh more. `lai_warp` is the
    published measure: it weights pairs equally and visibility is 0 or 1.

    Args:
        pictures: Frames to assess.
        flows: From each frame but the first back to the frame before it, in px, x first.
        visible: Visibility of each pixel of frame t in frame t-1, 0 to 1.
    """
    pixels = as_pixels(pictures)
    earlier = range(len(pixels))
    return _mean_change(pixels, earlier=earlier, flows=flows, visible=visible, power=2)


def warping_error_to_first(
    pictures: Pictures,
    *,
    flows: Float32[np.ndarray, "pairs height width 2"],
    visible: Float32[np.ndarray, "pairs height width"],
    valid: Bool[np.ndarray, "time height width"] | None = None,
) -> float:
    """Mean change of a point's colour since the first frame, 0 to 1; lower is steadier.

    Args:
        pictures: Frames to assess.
        flows: From each frame back to frame 0, in px, x first.
        visible: Visibility in frame 0, 0 to 1.
        valid: Pixels that count; all if None.
    """
    pixels = as_pixels(pictures)
    first = [0] * len(pixels)
    return _mean_change(pixels, earlier=first, flows=flows, visible=visible, valid=valid)


def warping_error_ratio(
    result: Pictures,
    clean: Pictures,
    *,
    flows: Float32[np.ndarray, "pairs height width 2"],
    visible: Float32[np.ndarray, "pairs height width"],
    valid: Bool[np.ndarray, "time height width"] | None = None,
) -> float:
    """The result's warping error relative to the clean clip's own; 1 is equally steady.

    Below 1 is a warning: real change was removed. A clean clip without any error (a still) gives
    infinity, or 1 where the result has none either.

    Args:
        result: Frames to assess.
        clean: The clean clip, of the same size and length.
        flows: From each frame to the one before, in px, x first.
        visible: Visibility in that frame, 0 to 1.
        valid: Pixels that count; all if None.
    """
    error, own = (
        warping_error(clip, flows=flows, visible=visible, valid=valid) for clip in (result, clean)
    )
    return over_own(error, own)


def _pair_errors(
    pictures: Pictures, paths: Paths, *, valid: np.ndarray | None, to_first: bool
) -> Iterator[np.ndarray]:
    """For each frame but the first, the differences of its valid pixels along the motion.

    An array of (pixels, channels) for each, but none for a frame without valid pixels.
    """
    pixels = as_pixels(pictures)
    if len(paths.back) != max(len(pixels) - 1, 0):
        raise ValueError(
            f"paths of {len(paths.back)} pairs for {len(pixels)} frames; pass one less than frames"
        )
    flows, seen = (paths.to_first, paths.seen_in_first) if to_first else (paths.back, paths.seen)
    for pair, (flow, mask) in enumerate(zip(flows, seen, strict=True)):
        now, before = pair + 1, paths.first[pair] if to_first else pair
        if valid is not None:
            mask = mask & valid[now] & (warp(valid[before].astype(np.float32), flow) > 0.999)
        error = np.abs(to_float(pixels[now]) - warp(to_float(pixels[before]), flow))[mask]
        if error.size:
            yield error


def _mean(errors: list[np.floating]) -> float:
    return float(np.mean(errors)) if errors else 0.0


def _mean_change(
    pixels: np.ndarray,
    *,
    earlier: range | list[int],
    flows: np.ndarray,
    visible: np.ndarray,
    valid: np.ndarray | None = None,
    power: int = 1,
) -> float:
    """The weighted mean over all pairs of each frame t+1 and the frame `earlier[t]`.

    Args:
        pixels: The clip to assess.
        earlier: For each pair, the frame with which the later one is compared.
        flows: From each later frame to that one, in px, x first.
        visible: Visibility of each pixel there, 0 to 1.
        valid: Pixels that count; all if None.
        power: Exponent of absolute differences, before channels are averaged.
    """
    if len(flows) != max(len(pixels) - 1, 0) or len(visible) != len(flows):
        raise ValueError(f"{len(flows)} flows for {len(pixels)} frames; pass one less than frames")
    change, weight = 0.0, 0.0
    for index, (flow, seen) in enumerate(zip(flows, visible, strict=True)):
        now, before = index + 1, earlier[index]
        laid_over = warp(to_float(pixels[before]), flow)
        difference = (np.abs(to_float(pixels[now]) - laid_over) ** power).mean(axis=2)
        if valid is not None:
            # A pixel interpolated from an invalid one is invalid too.
            known = warp(valid[before].astype(np.float32), flow) > 0.999
            seen = seen * (known & valid[now])
        change += float(np.sum(difference * seen, dtype=np.float64))
        weight += float(np.sum(seen, dtype=np.float64))
    return change / weight if weight > 0 else 0.0
