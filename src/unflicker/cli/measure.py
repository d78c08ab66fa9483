"""Distance of a film to its steady reference, a few frames of both at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32

from unflicker.errors import UsageError

if TYPE_CHECKING:
    from unflicker.frames.picture import Frame
    from unflicker.video import VideoSource

Pictures = Float32[np.ndarray, "time height width 3"]

_STRETCH_FRAMES = 12


def nearness(result: VideoSource, reference: VideoSource) -> dict[str, float | int]:
    """PSNR (dB), SSIM, sharpness and warping error of a film against its steady reference.

    Args:
        result: The film, compared from its beginning to the end of the shorter of the two.
        reference: Of the same size.

    Raises:
        UsageError: Their pictures differ in size.
    """
    from unflicker import metrics
    from unflicker.motion import estimate_motion

    if result.size != reference.size:
        raise UsageError(
            f"{result.name} is {result.size} and {reference.name} {reference.size} (height, width);"
            " scale one of them first"
        )
    scores, warping, lengths = [], [], []
    for one, other in _stretches(result.frames(), reference.frames()):
        full, small = (_pixels(one, other, longest=px) for px in (None, metrics.PROXY_PX))
        scores.append([measure(*full) for measure in (metrics.psnr, metrics.ssim)])
        scores[-1].append(metrics.sharpness_ratio(*full))
        lengths.append(len(one))
        if len(one) > 1:
            motion = estimate_motion(small[1])
            along = {"flows": motion.backward, "visible": motion.visible_backward}
            warping.append([metrics.warping_error(pictures, **along) for pictures in small])
    if not lengths:
        raise UsageError(f"{result.name} and {reference.name} have no frame in common; see -v")
    psnr, ssim, sharpness = np.average(scores, axis=0, weights=lengths)
    error, clean = np.mean(warping, axis=0) if warping else (0.0, 0.0)
    return {
        "frames_compared": sum(lengths),
        "psnr_db": round(float(psnr), 3),
        "ssim": round(float(ssim), 5),
        "sharpness_ratio": round(float(sharpness), 4),
        "warping_error": round(float(error), 6),
        "warping_error_of_reference": round(float(clean), 6),
    }


def _stretches(
    result: Iterable[Frame], reference: Iterable[Frame]
) -> Iterator[tuple[list[Frame], list[Frame]]]:
    both = zip(result, reference, strict=False)
    while pairs := list(islice(both, _STRETCH_FRAMES)):
        yield [one for one, _ in pairs], [other for _, other in pairs]


def _pixels(
    result: list[Frame], reference: list[Frame], *, longest: int | None
) -> tuple[Pictures, Pictures]:
    """The frames of both as RGB, downscaled if a longest side is given."""
    from unflicker.frames.colour import proxy_size, small_rgb

    size = result[0].picture.size
    if longest is not None:
        size = proxy_size(size, longest)
    one, other = (
        np.stack([small_rgb(frame.picture, size=size) for frame in frames])
        for frames in (result, reference)
    )
    return one, other
