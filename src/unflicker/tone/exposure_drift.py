"""Whether automatic exposure drifts in a shot: light that changes with what the camera shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32

from unflicker.frames.flow import Motion, look_up, visibility_at
from unflicker.tone.observations import sample_places

_CLIPPED, _DARK, _SEEN = 0.97, 0.06, 0.5
_FEWEST = 50


@dataclass(frozen=True, kw_only=True, eq=False)
class Course:
    """How light, content and view of a stretch of frames change; sums from its first frame."""

    light: Float[np.ndarray, "time 3"]
    """Log light of what neighbouring frames both show."""
    content: Float[np.ndarray, " time"]
    """Log mean of the picture; less its light, how bright the scene in view is."""
    view: Float[np.ndarray, "time 2"]
    """How far the camera has turned, across and down, in widths and heights of the picture."""

    def followed_by(self, later: Course, overlap: int) -> Course:
        """Both together; the first `overlap` frames of the later one are this one's last."""
        if not overlap:
            return later
        parts = []
        for mine, others in (
            (self.light, later.light),
            (self.content, later.content),
            (self.view, later.view),
        ):
            step = (mine[-overlap:] - others[:overlap]).mean(axis=0)
            parts.append(np.concatenate([mine, others[overlap:] + step]))
        return Course(light=parts[0], content=parts[1], view=parts[2])


def course_of(pictures: Sequence[Float32[np.ndarray, "height width 3"]], motion: Motion) -> Course:
    """The course of a window; pictures in working light, and the motion between them."""
    height, width = pictures[0].shape[:2]
    places = sample_places(height, width)
    steps, moved = [np.zeros(3)], [np.zeros(2)]
    for t, (first, second) in enumerate(zip(pictures, pictures[1:], strict=False)):
        ways = motion.forward[t], motion.backward[t]
        there = _change(first, second, places, ways)
        back = _change(second, first, places, ways[::-1])
        # Interpolation makes the second picture smoother; there and back that cancels.
        steps.append(0.5 * (there - back))
        moved.append(np.median(ways[0][2::6, 2::6].reshape(-1, 2), axis=0) / (width, height))
    return Course(
        light=np.cumsum(steps, axis=0),
        content=np.log([picture[::4, ::4].mean() + 1e-3 for picture in pictures]),
        view=np.cumsum(moved, axis=0),
    )


def _change(
    first: Float32[np.ndarray, "height width 3"],
    second: Float32[np.ndarray, "height width 3"],
    places: Float32[np.ndarray, "samples 2"],
    ways: tuple[Float32[np.ndarray, "height width 2"], Float32[np.ndarray, "height width 2"]],
) -> Float[np.ndarray, " 3"]:
    """How much brighter samples are in a second picture, in log light; zero where too few are."""
    column, row = places.T.astype(np.intp)
    flow = ways[0][row, column]
    seen = visibility_at(places[:, None], flow[:, None], ways[1])[:, 0] > _SEEN
    before, after = first[row, column], look_up(second, (places + flow)[:, None])[:, 0]
    both = np.stack([before, after])
    seen &= (both.max(axis=(0, 2)) < _CLIPPED) & (both.min(axis=(0, 2)) > _DARK)
    if seen.sum() < _FEWEST:
        return np.zeros(3)
    change = np.log(after[seen] / before[seen]).astype(np.float64)
    middle = np.median(change, axis=0)
    reach = 3.0 * np.median(np.abs(change - middle), axis=0) + 0.002
    return (middle + np.clip(change - middle, -reach, reach).mean(axis=0)).astype(np.float64)
