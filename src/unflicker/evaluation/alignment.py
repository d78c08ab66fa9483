"""Alignment of a finished film with the video that it was made from: offset in time, crop, scale.

Other programs drop frames, crop to sizes that their networks take, or add bars. Both are compared
by their structure (light divided out), which flicker hardly changes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.errors import InputError
from unflicker.frames.clip import Clip, to_float
from unflicker.frames.structure import normalised

MOST_OFFSET_FRAMES = 30
_THUMB_PX, _SAMPLES, _REGISTERED = 96, 6, 3
_LEAST_CORRELATION = 0.35
"""Correlation of structure below which two films show different things."""
_SURELY_BETTER = 0.003
"""Gain of correlation that an offset in time needs over none."""
_FINELY_BETTER = 0.01
"""Gain of correlation at full size that another place needs over a crop in whole pixels."""
_CLEARLY = 0.8
"""Correlation below which films that show the middle alone are tried as well."""
_CUT_AWAY = (0.04, 0.08, 0.12, 0.16, 0.2)
_MOST_TURN, _MOST_STRETCH = 0.01, 0.1
_REFINEMENTS, _ROUNDS, _SETTLED, _SMOOTHING_PX = 2, 60, 1e-5, 5


@dataclass(frozen=True, kw_only=True)
class Box:
    """Part of the video that a finished film shows, in px of the video; beyond it with bars."""

    top: float
    left: float
    height: float
    width: float

    def distance_px(self, other: Box) -> float:
        """Largest distance of a side to that of another box."""
        ours, theirs = (
            np.array([one.top, one.left, one.top + one.height, one.left + one.width])
            for one in (self, other)
        )
        return float(np.abs(ours - theirs).max())


@dataclass(frozen=True, kw_only=True)
class Alignment:
    """Place and time of a finished film in its video."""

    offset_frames: int
    """Frame of the finished film that shows the video's first frame; negative where it begins
    later."""
    box: Box
    correlation: float
    """Mean correlation of structure, up to 1."""


def align(
    film: Clip, video: Clip, *, film_size: tuple[int, int], video_size: tuple[int, int]
) -> Alignment:
    """Find the place and time of a finished film in its video.

    Args:
        film: The finished film, resampled to the size of `video`.
        video: The video that it was made from.
        film_size: Height and width of the finished film as stored, in px.
        video_size: Height and width of the video as stored, in px.

    Raises:
        InputError: They show different things.
    """
    size = video.pixels.shape[1:3]
    whole = Box(top=0.0, left=0.0, height=float(size[0]), width=float(size[1]))
    crops = list(_crops(film_size, video_size, size))
    best = _best(film, video, [whole, *crops])
    if best.correlation < _CLEARLY:
        best = _best(film, video, [best.box, *_zooms(size)])
    box = best.box
    for _ in range(_REFINEMENTS):
        box = _registered(film, video, box, offset=best.offset_frames)
    exact = min([whole, *crops], key=box.distance_px)
    offset = best.offset_frames
    correlations = {
        each: _fine_correlation(film, video, each, offset=offset) for each in (exact, box)
    }
    # Films of the video's own size are hardly ever cropped and enlarged again.
    doubt = _FINELY_BETTER * (5.0 if film_size == video_size else 1.0)
    box = max(correlations, key=lambda each: correlations[each] + doubt * (each == exact))
    settled = _best(film, video, [box, best.box])
    if settled.correlation < _LEAST_CORRELATION:
        raise InputError(
            f"the finished film does not show this video: their structure correlates by "
            f"{settled.correlation:.2f}; check its name, and that it is upright and not retimed"
        )
    return settled


def _best(film: Clip, video: Clip, boxes: list[Box]) -> Alignment:
    """The place and time with the highest correlation; the first in doubt."""
    found = [_in_time(film, video, box) for box in boxes]
    return max(found, key=lambda each: each.correlation + _SURELY_BETTER * (each is found[0]))


def _fine_correlation(film: Clip, video: Clip, box: Box, *, offset: int) -> float:
    """Correlation of structure at the video's size, over some frames."""
    size = video.pixels.shape[1:3]
    known = _known(box, size, size)
    values = []
    for t in _shared(film, video, offset):
        ours = normalised(_laid(to_float(film.pixels[t + offset]), box, size))
        theirs = normalised(to_float(video.pixels[t]))
        values.append(_correlation(ours.astype(np.float32), theirs.astype(np.float32), known))
    return float(np.mean(values))


def _shared(film: Clip, video: Clip, offset: int) -> list[int]:
    """Some frames of the video that the film has as well, evenly."""
    frames = [t for t in range(len(video)) if 0 <= t + offset < len(film)]
    picked = np.linspace(0, len(frames) - 1, _REGISTERED).round().astype(int)
    return [frames[place] for place in np.unique(picked).tolist()]


def _zooms(size: tuple[int, int]) -> Iterable[Box]:
    """Films that show the middle of the video, by how much is cut away."""
    for share in _CUT_AWAY:
        yield Box(
            top=size[0] * share / 2,
            left=size[1] * share / 2,
            height=size[0] * (1 - share),
            width=size[1] * (1 - share),
        )


def _crops(film: tuple[int, int], video: tuple[int, int], size: tuple[int, int]) -> Iterable[Box]:
    """Films of another size whose pixels are the video's: cropped or padded, centred or not."""
    if film == video:
        return
    scale = size[0] / video[0], size[1] / video[1]
    for share in (0.5, 0.0):
        yield Box(
            top=(video[0] - film[0]) * share * scale[0],
            left=(video[1] - film[1]) * share * scale[1],
            height=film[0] * scale[0],
            width=film[1] * scale[1],
        )


def _in_time(film: Clip, video: Clip, box: Box) -> Alignment:
    """The best offset in time for a place, by small pictures."""
    size = video.pixels.shape[1:3]
    scale = min(1.0, _THUMB_PX / size[1])
    small = max(8, round(size[0] * scale)), max(8, round(size[1] * scale))
    ours = _structures(film, range(len(film)), small, box=box, size=size)
    shown = np.unique(np.linspace(0, len(video) - 1, _SAMPLES).round().astype(int)).tolist()
    theirs = _structures(video, shown, small)
    known = _known(box, size, small)
    correlations: dict[int, float] = {}
    for offset in range(-MOST_OFFSET_FRAMES, MOST_OFFSET_FRAMES + 1):
        pairs = [
            _correlation(ours[t + offset], theirs[place], known)
            for place, t in enumerate(shown)
            if 0 <= t + offset < len(film)
        ]
        if len(pairs) >= min(2, len(shown)):
            correlations[offset] = float(np.mean(pairs))
    if not correlations:
        return Alignment(offset_frames=0, box=box, correlation=-1.0)
    best = max(correlations, key=lambda offset: (correlations[offset], -abs(offset)))
    if correlations[best] - correlations.get(0, -1.0) < _SURELY_BETTER:
        best = 0
    return Alignment(offset_frames=best, box=box, correlation=correlations[best])


def _structures(
    clip: Clip,
    frames: Iterable[int],
    small: tuple[int, int],
    *,
    box: Box | None = None,
    size: tuple[int, int] | None = None,
) -> list[Float32[np.ndarray, "height width"]]:
    """The structure of frames at a small size; with a box, laid where they lie in the video."""
    found = []
    for index in frames:
        picture = to_float(clip.pixels[index])
        if box is not None and size is not None:
            picture = _laid(picture, box, size)
        picture = cv2.resize(picture, small[::-1], interpolation=cv2.INTER_AREA)
        found.append(normalised(picture).astype(np.float32) - 128.0)
    return found


def _laid(
    picture: Float32[np.ndarray, "height width 3"], box: Box, size: tuple[int, int]
) -> Float32[np.ndarray, "height width 3"]:
    """A picture of the film where it lies in the video."""
    if box == Box(top=0.0, left=0.0, height=float(size[0]), width=float(size[1])):
        return picture
    height, width = picture.shape[:2]
    down, across = height / box.height, width / box.width
    to_film = np.array(
        [
            [across, 0.0, (0.5 - box.left) * across - 0.5],
            [0.0, down, (0.5 - box.top) * down - 0.5],
        ]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(
        picture, to_film, size[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE
    )


def _known(box: Box, size: tuple[int, int], small: tuple[int, int]) -> np.ndarray:
    """Where a box covers small pictures of the video."""
    centres = [(np.arange(n) + 0.5) * side / n for n, side in zip(small, size, strict=True)]
    down = (centres[0] > box.top) & (centres[0] < box.top + box.height)
    across = (centres[1] > box.left) & (centres[1] < box.left + box.width)
    return down[:, None] & across


def _correlation(one: np.ndarray, other: np.ndarray, known: np.ndarray) -> float:
    a, b = one[known], other[known]
    if not a.size:
        return -1.0
    a, b = a - a.mean(), b - b.mean()
    return float((a @ b) / np.sqrt((a @ a) * (b @ b) + 1e-9))


def _registered(film: Clip, video: Clip, start: Box, *, offset: int) -> Box:
    """The box to a fraction of a pixel, by the median over some frames.

    Args:
        film: At the size of the video.
        video: The video.
        start: Where the film lies roughly.
        offset: In frames.

    Source: Evangelidis and Psarakis, Parametric image alignment using enhanced correlation
    coefficient maximization, IEEE TPAMI 2008.
    """
    size = video.pixels.shape[1:3]
    mask = _known(start, size, size).astype(np.uint8)
    found = []
    for t in _shared(film, video, offset):
        laid = _laid(to_float(film.pixels[t + offset]), start, size)
        turned = _affine(normalised(to_float(video.pixels[t])), normalised(laid), mask)
        if turned is not None:
            found.append(turned)
    if not found:
        return start
    # From pixels of the video to those of the film as laid; pixel centres are at integers.
    ways = np.median(found, axis=0)
    top, left, bottom, right = (
        (edge - 0.5 - ways[axis, 2]) / ways[axis, axis] + 0.5
        for edge, axis in (
            (start.top, 1),
            (start.left, 0),
            (start.top + start.height, 1),
            (start.left + start.width, 0),
        )
    )
    return Box(
        top=float(top), left=float(left), height=float(bottom - top), width=float(right - left)
    )


def _affine(template: np.ndarray, moving: np.ndarray, mask: np.ndarray) -> np.ndarray | None:
    """The affine map from one structure's pixels to another's; None if lost, or turned."""
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, _ROUNDS, _SETTLED)
    guess = np.eye(2, 3, dtype=np.float32)
    try:
        _, found = cv2.findTransformECC(
            template, moving, guess, cv2.MOTION_AFFINE, criteria, mask, _SMOOTHING_PX
        )
    except cv2.error:  # it did not converge: little structure
        return None
    found = np.asarray(found, np.float64)
    turned = max(abs(found[0, 1]), abs(found[1, 0])) > _MOST_TURN
    stretched = np.abs(np.diag(found) - 1.0).max() > _MOST_STRETCH
    return None if turned or stretched else found
