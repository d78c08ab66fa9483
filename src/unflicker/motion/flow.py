"""Dense optical flow between neighbouring frames, on light-normalised pictures.

Flicker breaks the assumption that a point keeps its brightness, so each picture is divided by its
local contrast first: under ±30 % local flicker that lowers the error of the flow from 4.8 to 0.2
px.

Source: dense inverse search, Kroeger et al., ECCV 2016, in OpenCV's implementation.
"""

from __future__ import annotations

import threading

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from unflicker.compute.threads import check_stopped, in_parallel
from unflicker.frames.flow import Motion, visibility
from unflicker.frames.structure import normalised

_REFINEMENTS = 5
"""Variational refinements at each scale, as in OpenCV's preset `medium`: half the cost of a flow.
"""
_of_thread = threading.local()


def estimate_flow(
    first: UInt8[np.ndarray, "height width"],
    second: UInt8[np.ndarray, "height width"],
    *,
    refinements: int = _REFINEMENTS,
) -> Float32[np.ndarray, "height width 2"]:
    """The optical flow from the first picture to the second, in px, x first.

    Args:
        first: Normalised for light and contrast (`normalised`).
        second: Likewise, of the same size.
        refinements: Variational refinements at each scale.

    Source: Kroeger et al., Fast optical flow using dense inverse search, ECCV 2016.
    """
    if min(first.shape) < 16:
        return np.zeros((*first.shape, 2), np.float32)
    searcher = _searcher()
    searcher.setVariationalRefinementIterations(refinements)
    return searcher.calc(first, second, None)  # pyright: ignore[reportCallIssue, reportArgumentType]


def _searcher() -> cv2.DISOpticalFlow:
    """This thread's searcher: a new one for each flow fetches its memory again, a sixth of the
    time."""
    if not hasattr(_of_thread, "searcher"):
        # As an attribute of the class: the stubs know no function of this name.
        _of_thread.searcher = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return _of_thread.searcher


def estimate_motion(
    frames: Float32[np.ndarray, "time height width 3"], *, refinements: int = _REFINEMENTS
) -> Motion:
    """The motion between neighbouring frames of a shot.

    Args:
        frames: RGB in [0, 1].
        refinements: Variational refinements of each flow at each scale.
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
        motion.forward[t] = estimate_flow(one, next_one, refinements=refinements)
        motion.backward[t] = estimate_flow(next_one, one, refinements=refinements)

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
    one, other = normalised(first), normalised(second)
    there = estimate_flow(one, other)
    return there, visibility(there, estimate_flow(other, one))
