"""Motion between neighbours, refined at nearly the film's own size.

A pixel of a proxy is seven of a 1080p film: motion that is accurate to a fifth of it would still
blur. It is therefore refined by least squares on larger pictures, a step of Lucas and Kanade for
each pixel of the proxy, over a neighbourhood of about twenty pixels of the film.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.compute.bands import in_bands
from unflicker.frames.colour import proxy_size
from unflicker.frames.picture import Picture
from unflicker.refinement import kernels

FINE_PX = 960
"""Longest side of the pictures on which motion is refined."""
_NEIGHBOURHOOD_PX, _LEAST_CELLS = 4.5, 1.2
"""Standard deviation of a step's neighbourhood, in px of the larger pictures, and at least in
cells."""
_DOUBT = 1.0 / 64.0
"""Share of the squared difference that is added to the gradient energy: flicker is no motion."""
_FARTHEST_PX = 1.5
"""Largest step, in px of the larger pictures."""
_LEAST_CONTRAST = 0.004**2
"""Variance of the gradient below which the motion of a place is unreliable."""


def fine_luma(picture: Picture) -> Float32[np.ndarray, "height width"]:
    """A picture's luma (green, of RGB) in [0, 1], its longest side at most `FINE_PX`."""
    plane = picture.planes[1 if picture.layout.family == "rgb" else 0]
    rows, columns = proxy_size((plane.shape[0], plane.shape[1]), FINE_PX)
    whole = plane.shape == (rows, columns)
    small = plane if whole else cv2.resize(plane, (columns, rows), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32) * np.float32(1.0 / picture.layout.peak)


def refined_flow(
    flow: Float32[np.ndarray, "rows columns 2"],
    first: Float32[np.ndarray, "height width"],
    second: Float32[np.ndarray, "height width"],
) -> Float32[np.ndarray, "rows columns 2"]:
    """The flow between proxies, in their px, refined on larger pictures of the same frames.

    A first step that increases the difference of the pictures is undone.

    Args:
        flow: Between the proxies, in px, x first.
        first: Luma of the first frame, larger than the proxy.
        second: Luma of the second frame.
    """
    rows, columns = flow.shape[:2]
    height, width = first.shape
    scale = np.array([width / columns, height / rows], np.float32)
    start = flow * scale
    step, error = _step(start, first, second)
    once = start + step
    step, left = _step(once, first, second)
    worse = (left > error)[..., None]
    return np.where(worse, start, once + step) / scale


def _step(
    flow: Float32[np.ndarray, "rows columns 2"],
    first: Float32[np.ndarray, "height width"],
    second: Float32[np.ndarray, "height width"],
) -> tuple[Float32[np.ndarray, "rows columns 2"], Float32[np.ndarray, "rows columns"]]:
    """A least-squares step of the flow, in px, and the squared difference before it.

    Means are removed, so that a difference of light between the pictures has no effect.
    """
    sums = np.empty((*flow.shape[:2], 9), np.float32)
    in_bands(
        lambda start, stop: kernels.normal_equations(first, second, flow, sums, (start, stop)),
        rows=len(flow),
        pixels=first.size,
    )
    around = max(_LEAST_CELLS, _NEIGHBOURHOOD_PX * flow.shape[1] / first.shape[1])
    side = 2 * round(2 * around) + 1
    sums = cv2.GaussianBlur(sums, (side, side), around)
    xx, xy, yy, xd, yd, x, y, d, dd = np.moveaxis(sums, -1, 0)
    stay = _LEAST_CONTRAST + _DOUBT * np.maximum(dd - d * d, 0.0)
    xx, xy, yy = xx - x * x + stay, xy - x * y, yy - y * y + stay
    xd, yd = xd - x * d, yd - y * d
    determinant = xx * yy - xy * xy
    step = np.stack([xy * yd - yy * xd, xy * xd - xx * yd], axis=-1) / determinant[..., None]
    return np.clip(step, -_FARTHEST_PX, _FARTHEST_PX, dtype=np.float32), dd - d * d
