"""How well a point keeps its colour along the motion: warping errors.

The flow comes from the clean clip, so that all methods are judged along the same paths. A low
error alone says little: a blurred or frozen clip has one too, so read it beside fidelity, and take
an error below the clean clip's own as a warning.

Source: Lei, Ren, Zhang and Chen, Blind video deflickering by neural filtering with a flawed atlas,
CVPR 2023 (pairs of neighbours, and of each frame with the first, masked L1); after Lai et al.,
Learning blind video temporal consistency, ECCV 2018.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float32

from unflicker.frames.clip import to_float
from unflicker.frames.flow import warp
from unflicker.metrics.pictures import Pictures, as_pixels


def warping_error(
    pictures: Pictures,
    *,
    flows: Float32[np.ndarray, "pairs height width 2"],
    visible: Float32[np.ndarray, "pairs height width"],
    valid: Bool[np.ndarray, "time height width"] | None = None,
) -> float:
    """Mean change of a point's colour from one frame to the next, 0 to 1; lower is steadier.

    Args:
        pictures: The clip to judge.
        flows: From each frame but the first back to the frame before it, in px, x first.
        visible: How far each pixel of frame t is seen in frame t-1, 0 to 1.
        valid: Pixels to judge; leave out those whose value was lost, such as clipped ones.
    """
    pixels = as_pixels(pictures)
    return _mean_change(
        pixels, earlier=range(len(pixels)), flows=flows, visible=visible, valid=valid
    )


def warping_error_to_first(
    pictures: Pictures,
    *,
    flows: Float32[np.ndarray, "pairs height width 2"],
    visible: Float32[np.ndarray, "pairs height width"],
    valid: Bool[np.ndarray, "time height width"] | None = None,
) -> float:
    """Mean change of a point's colour since the first frame, 0 to 1; lower is steadier.

    As `warping_error`, but `flows` and `visible` lead from each frame back to frame 0.
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
    """The result's warping error over the clean clip's own on the same pixels; 1 is as steady.

    Below 1 is a warning: no method can know less change than there is. A clean clip without any
    error (a still) gives infinity, or 1 where the result has none either.
    """
    error, own = (
        warping_error(clip, flows=flows, visible=visible, valid=valid) for clip in (result, clean)
    )
    if own < 1e-9:
        return 1.0 if error < 1e-9 else float("inf")
    return error / own


def _mean_change(
    pixels: np.ndarray,
    *,
    earlier: range | list[int],
    flows: np.ndarray,
    visible: np.ndarray,
    valid: np.ndarray | None,
) -> float:
    """The weighted mean over all pairs of each frame t+1 and the frame `earlier[t]`."""
    if len(flows) != max(len(pixels) - 1, 0) or len(visible) != len(flows):
        raise ValueError(f"{len(flows)} flows for {len(pixels)} frames; pass one less than frames")
    change, weight = 0.0, 0.0
    for index, (flow, seen) in enumerate(zip(flows, visible, strict=True)):
        now, before = index + 1, earlier[index]
        laid_over = warp(to_float(pixels[before]), flow)
        difference = np.abs(to_float(pixels[now]) - laid_over).mean(axis=2)
        if valid is not None:
            # A pixel that mixes in a lost one is lost too.
            known = warp(valid[before].astype(np.float32), flow) > 0.999
            seen = seen * (known & valid[now])
        change += float(np.sum(difference * seen, dtype=np.float64))
        weight += float(np.sum(seen, dtype=np.float64))
    return change / weight if weight > 0 else 0.0
