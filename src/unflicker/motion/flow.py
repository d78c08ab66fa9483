"""Dense optical flow between neighbouring frames, on light-normalised pictures.

Flicker breaks the assumption that a point keeps its brightness, so each picture is divided by its
local contrast first: under ±30 % local flicker that lowers the error of the flow from 4.8 to 0.2
px.

The search finds some 15 px of a 256-px proxy; where it loses its way, it starts again from the
shift of the whole picture (docs/decisions/0034-flow-from-the-whole-shift.md).

Source: dense inverse search, Kroeger et al., ECCV 2016, in OpenCV's implementation.
"""

from __future__ import annotations

import threading

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from unflicker.compute.threads import check_stopped, in_parallel
from unflicker.frames.flow import Motion, look_up, pixel_places, visibility, visibility_at
from unflicker.frames.structure import normalised
from unflicker.motion.phase_correlation import whole_shift

_REFINEMENTS = 5
"""Variational refinements at each scale, as in OpenCV's preset `medium`: half the cost of a flow.
"""
_LOST = 0.5
"""Share of a picture that is seen again at the other end of its flow, below which the flow may be
wrong: all but 2 of some 1,500 pairs of neighbours in clean clips show more (decision 34)."""
_FAR_PX = 6.0
"""A shift that the search finds without help."""
_ALIKE, _CLEARLY = 0.3, 0.1
"""Agreement along a second flow, at least, and beyond that along the first. Unrelated pictures came
to 0.21 at most (18 pairs of drawn scenes), those of real clips 4 and 12 frames apart to 0.4 to 0.8
where both show most (decision 34)."""
_CHECKED = slice(None, None, 6)
_SMALLEST_PX = 16
_BEYOND = 2.0
"""Lengths of a picture beyond which a flow is broken: the search divides by almost zero at times.
"""
_of_thread = threading.local()
BothWays = tuple[Float32[np.ndarray, "height width 2"], Float32[np.ndarray, "height width 2"]]
"""Flow from a first picture to a second, and back."""


def estimate_flow(
    first: UInt8[np.ndarray, "height width"],
    second: UInt8[np.ndarray, "height width"],
    *,
    refinements: int = _REFINEMENTS,
    shift: Float32[np.ndarray, " 2"] | None = None,
) -> Float32[np.ndarray, "height width 2"]:
    """The optical flow from the first picture to the second, in px, x first.

    Args:
        first: Normalised for light and contrast (`normalised`).
        second: Likewise, of the same size.
        refinements: Variational refinements at each scale.
        shift: Where the search starts everywhere, in px, x first; at rest if None.

    Source: Kroeger et al., Fast optical flow using dense inverse search, ECCV 2016.
    """
    if min(first.shape) < _SMALLEST_PX:
        return np.zeros((*first.shape, 2), np.float32)
    # Once given a start, a searcher keeps it, at one size: such a one is used once.
    searcher = _searcher() if shift is None else _new_searcher()
    searcher.setVariationalRefinementIterations(refinements)
    start = None if shift is None else np.tile(shift, (*first.shape, 1))
    return searcher.calc(first, second, start)  # pyright: ignore[reportCallIssue, reportArgumentType]


def flow_both_ways(
    first: UInt8[np.ndarray, "height width"],
    second: UInt8[np.ndarray, "height width"],
    *,
    refinements: int = _REFINEMENTS,
    leaps: bool = True,
) -> BothWays:
    """The optical flow from the first picture to the second, and back, in px, x first.

    Args:
        first: Normalised for light and contrast (`normalised`).
        second: Likewise, of the same size.
        refinements: Variational refinements at each scale.
        leaps: Whether leaps of the whole picture are followed.
    """

    def started(shift: Float32[np.ndarray, " 2"] | None = None) -> BothWays:
        there = estimate_flow(first, second, refinements=refinements, shift=shift)
        back = None if shift is None else -shift
        return there, estimate_flow(second, first, refinements=refinements, shift=back)

    near = started()
    if not leaps or min(first.shape) < _SMALLEST_PX or _seen(near).mean() >= _LOST:
        return near
    shift = whole_shift(first, second)
    if np.hypot(*shift) < _FAR_PX:
        return near
    far = started(shift)
    least = max(_ALIKE, _agreement(first, second, near) + _CLEARLY)
    return far if _agreement(first, second, far) > least else near


def _seen(ways: BothWays) -> Float32[np.ndarray, "rows columns"]:
    """How far some places of the first picture are seen again at the other end of their flow."""
    there, back = ways
    broken = not max(np.abs(way).max() for way in ways) < _BEYOND * max(back.shape)
    places = pixel_places(*back.shape[:2])[_CHECKED, _CHECKED]
    if broken:
        return np.zeros(places.shape[:2], np.float32)
    return visibility_at(places, there[_CHECKED, _CHECKED], back)


def _agreement(
    first: UInt8[np.ndarray, "height width"],
    second: UInt8[np.ndarray, "height width"],
    ways: BothWays,
) -> float:
    """How well structure agrees along a flow: a correlation to which places out of sight add 0."""
    seen = _seen(ways)
    places = pixel_places(*first.shape)[_CHECKED, _CHECKED] + ways[0][_CHECKED, _CHECKED]
    here = first[_CHECKED, _CHECKED].astype(np.float32) - 128.0
    other = look_up(second.astype(np.float32), places) - 128.0
    power = float((here * here).sum() * (other * other).sum())
    return float((seen * here * other).sum()) / max(np.sqrt(power), 1.0)


def _searcher() -> cv2.DISOpticalFlow:
    """This thread's searcher: a new one for each flow fetches its memory again, a sixth of the
    time."""
    if not hasattr(_of_thread, "searcher"):
        _of_thread.searcher = _new_searcher()
    return _of_thread.searcher


def _new_searcher() -> cv2.DISOpticalFlow:
    # As an attribute of the class: the stubs know no function of this name.
    return cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)


def estimate_motion(
    frames: Float32[np.ndarray, "time height width 3"],
    *,
    refinements: int = _REFINEMENTS,
    leaps: bool = True,
) -> Motion:
    """The motion between neighbouring frames of a shot.

    Args:
        frames: RGB in [0, 1].
        refinements: Variational refinements of each flow at each scale.
        leaps: Whether leaps of the whole picture are followed.
    """
    pairs, (height, width) = max(len(frames) - 1, 0), frames.shape[1:3]
    structure = []
    for frame in frames:
        check_stopped()
        structure.append(normalised(frame))
    motion = Motion(
        forward=np.empty((pairs, height, width, 2), np.float32),
        backward=np.empty((pairs, height, width, 2), np.float32),
    )

    def follow(t: int) -> None:
        one, next_one = structure[t], structure[t + 1]
        ways = flow_both_ways(one, next_one, refinements=refinements, leaps=leaps)
        motion.forward[t], motion.backward[t] = ways

    for _ in in_parallel(follow, range(pairs)):
        pass
    return motion


def match(
    first: Float32[np.ndarray, "height width 3"], second: Float32[np.ndarray, "height width 3"]
) -> tuple[Float32[np.ndarray, "height width 2"], Float32[np.ndarray, "height width"]]:
    """Motion and visibility of each pixel of a picture in another.

    Args:
        first: RGB in working light, in [0, 1].
        second: Likewise, of the same size.

    Returns:
        The flow from the first to the second in px, x first; its visibility, 0 to 1.
    """
    there, back = flow_both_ways(normalised(first), normalised(second))
    return there, visibility(there, back)
