"""Visible flicker of a film, and its distance to a steady reference, a few frames at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32

from unflicker.errors import UsageError

if TYPE_CHECKING:
    from unflicker.compute.context import RunContext
    from unflicker.frames.picture import Frame
    from unflicker.metrics import VisibleStrength
    from unflicker.video import VideoSource

Picture = Float32[np.ndarray, "height width 3"]
Pictures = Float32[np.ndarray, "time height width 3"]

_STRETCH_FRAMES = 12
_TRACKED_FRAMES = 120
"""Most frames of a shot in which visible flicker is measured at once."""


def nearness(result: VideoSource, reference: VideoSource) -> dict[str, float | int]:
    """PSNR, level-free PSNR (dB), SSIM, sharpness and warping error against a steady reference.

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
        scores.append([metrics.psnr(*full), metrics.ssim(*full), metrics.sharpness_ratio(*full)])
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
        "level_free_psnr_db": round(_level_free_psnr(result, reference), 3),
        "ssim": round(float(ssim), 5),
        "sharpness_ratio": round(float(sharpness), 4),
        "warping_error": round(float(error), 6),
        "warping_error_of_reference": round(float(clean), 6),
    }


def measured(film: VideoSource, context: RunContext) -> dict[str, float | int]:
    """Frames, visible flicker and flashes of a film, by the names of `metrics`.

    Args:
        film: Read three times.
        context: Receives the progress of the first reading.
    """
    starts, frames = shots_of(film, context)
    visible = visible_in(film, starts=starts)
    return {
        "frames": frames,
        "visible_flicker_delta_e": round(visible.mean, 4),
        "visible_flicker_worst_tenth_delta_e": round(visible.worst_tenth, 4),
        **flashes_of(film),
    }


def shots_of(film: VideoSource, context: RunContext) -> tuple[list[int], int]:
    """The first frame of each shot of a film, and how many frames it has.

    Args:
        film: Read once.
        context: Receives the progress.
    """
    from unflicker.analysis.cuts import with_cuts
    from unflicker.analysis.proxy import proxies_of
    from unflicker.settings import Settings

    starts, frames = [0], 0
    for _, is_cut in with_cuts(proxies_of(film, Settings().proxy.width_px)):
        if is_cut:
            starts.append(frames)
        frames += 1
        context.tell("find cuts", done=frames, total=film.estimated_frames)
    return starts, frames


def visible_in(film: VideoSource, *, starts: Iterable[int]) -> VisibleStrength:
    """Visible flicker of all frames of a film, along its own motion; no shot reaches into another.

    Args:
        film: Any.
        starts: Index of the first frame of each shot.
    """
    from unflicker import metrics
    from unflicker.motion import estimate_motion

    strengths, lengths = [], []
    for seconds, pictures in _tracked(film, cuts=set(starts)):
        fps = (len(seconds) - 1) / max(seconds[-1] - seconds[0], 1e-6)
        motion = estimate_motion(pictures).back(0, len(pictures) - 1, size=pictures.shape[1:3])
        strengths.append(metrics.visible_strength(pictures, motion=motion, fps=fps))
        lengths.append(len(seconds))
    return metrics.mean_strength(strengths, frames=lengths)


def flashes_of(film: VideoSource) -> dict[str, float | int]:
    """General flashes of all frames of a film, by the names of `metrics`."""
    from unflicker.frames.colour import small_rgb
    from unflicker.metrics.flashes import GRID, FlashCounter, luminance_of

    counter = FlashCounter()
    for frame in film.frames():
        light = luminance_of(small_rgb(frame.picture, size=GRID))
        counter.saw(light, seconds=frame.seconds)
    found = counter.found()
    return {
        "general_flashes_a_second": found.picture,
        "general_flashes_a_second_in_a_field": found.field,
        "unsafe_flashes_seconds": found.unsafe_seconds,
    }


def _tracked(film: VideoSource, *, cuts: set[int]) -> Iterator[tuple[list[float], Pictures]]:
    """Times and proxies of consecutive frames of one shot, at least three."""
    from unflicker.frames.colour import proxy_size, small_rgb
    from unflicker.metrics import PROXY_PX

    size = proxy_size(film.size, PROXY_PX)
    seconds: list[float] = []
    pictures: list[np.ndarray] = []
    for index, frame in enumerate(film.frames()):
        if index in cuts or len(seconds) == _TRACKED_FRAMES:
            if len(seconds) > 2:
                yield seconds, np.stack(pictures)
            seconds, pictures = [], []
        seconds.append(frame.seconds)
        pictures.append(small_rgb(frame.picture, size=size))
    if len(seconds) > 2:
        yield seconds, np.stack(pictures)


def _level_free_psnr(result: VideoSource, reference: VideoSource) -> float:
    """The level-free PSNR of full-size frames, to the end of the shorter film."""
    from unflicker.frames.colour import to_rgb
    from unflicker.metrics import level_free_psnr_of

    def pairs() -> Iterator[tuple[Picture, Picture]]:
        for one, other in zip(result.frames(), reference.frames(), strict=False):
            yield np.clip(to_rgb(one.picture), 0, 1), np.clip(to_rgb(other.picture), 0, 1)

    return level_free_psnr_of(pairs)


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
