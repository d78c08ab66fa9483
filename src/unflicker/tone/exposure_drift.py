"""Detection of drift of automatic exposure: light that changes with what the camera shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Float32

from unflicker.frames.colour import linear_stops
from unflicker.frames.flow import Motion, look_up, visibility_at
from unflicker.tone.correspondences import sample_places

_CLIPPED, _DARK, _SEEN = 0.97, 0.06, 0.5
_FEWEST = 50
_SLOW_SECONDS = 0.5
_LEAST_DRIFT = 0.15
"""Log light; of sixteen steady clips one that turns comes near (0.14), and that is a camera's own
exposure. Ken Burns clips drift by 0.005 in ten seconds, with noise by 0.08."""
_LEAST_TURN = 0.35
"""Of a picture's width or height; traffic that fills the picture comes to 0.22."""
_AGAINST_SCENE, _LEAST_SCENE = -0.75, 0.05
"""Correlation of light with how bright the scene is; synthetic automatic exposure comes to −0.92
and below, a real one to −0.89, films that only flicker to −0.57."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Course:
    """Change of light, content and view over some frames, summed from the first."""

    light: Float[np.ndarray, "time 3"]
    """Log light of the area that neighbouring frames share."""
    content: Float[np.ndarray, " time"]
    """Log mean of the picture; without its light, the brightness of the scene in view."""
    view: Float[np.ndarray, "time 2"]
    """Rotation of the camera, across and down, in widths and heights of the picture."""

    def followed_by(self, later: Course, overlap: int) -> Course:
        """The course of two overlapping windows.

        Args:
            later: The course of the later window.
            overlap: Number of its first frames that are this one's last.
        """
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
    """The course of light, content and view over a window.

    Args:
        pictures: Proxies in working light, RGB.
        motion: Between them.
    """
    height, width = pictures[0].shape[:2]
    places = sample_places(height, width)
    steps, moved = [np.zeros(3)], [np.zeros(2)]
    for t, (first, second) in enumerate(pairwise(pictures)):
        ways = motion.forward[t], motion.backward[t]
        there = _change(first, second, places, ways)
        back = _change(second, first, places, ways[::-1])
        # Interpolation smooths the second picture; the mean of both directions cancels that.
        steps.append(0.5 * (there - back))
        moved.append(np.median(ways[0][::6, ::6].reshape(-1, 2), axis=0) / (width, height))
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
    """Difference in log light of samples in a second picture; zero if there are too few."""
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


def drift_of(course: Course, *, fps: float) -> float:
    """By how many stops of linear light automatic exposure drifts in a shot, from least to most.

    0 if it does not.

    Light or tint that changes slowly while the camera turns is automatic if it falls as the scene
    in view gets brighter, or if it both rises and falls. A change in one direction may be a sunset,
    and a change before a static camera a lamp or a cloud.

    Args:
        course: Of the shot.
        fps: Frames a second.
    """
    reach = max(1, round(fps * _SLOW_SECONDS))
    light, content = _smooth(course.light, reach), _smooth(course.content[:, None], reach)[:, 0]
    lightness = light.mean(axis=1)
    tints = (light - lightness[:, None]).T
    drifts = [lightness, *tints]
    most = max(float(np.ptp(drift)) for drift in drifts)
    if most < _LEAST_DRIFT or np.ptp(course.view, axis=0).max() < _LEAST_TURN:
        return 0.0
    returns = max(_there_and_back(drift) for drift in drifts) >= _LEAST_DRIFT
    follows = np.ptp(lightness) >= _LEAST_DRIFT and _follows(lightness, content - lightness)
    return float(linear_stops(most)) if returns or follows else 0.0


def _follows(lightness: Float[np.ndarray, " time"], scene: Float[np.ndarray, " time"]) -> bool:
    if np.ptp(scene) < _LEAST_SCENE:
        return False
    return float(np.corrcoef(lightness, scene)[0, 1]) <= _AGAINST_SCENE


def _there_and_back(drift: Float[np.ndarray, " time"]) -> float:
    """The lesser of the greatest rise and the greatest fall."""
    rise = (drift - np.minimum.accumulate(drift)).max()
    fall = (np.maximum.accumulate(drift) - drift).max()
    return float(min(rise, fall))


def _smooth(series: Float[np.ndarray, "time size"], reach: int) -> Float[np.ndarray, "time size"]:
    padded = np.pad(series, ((reach, reach), (0, 0)), mode="edge")
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / (0.5 * reach)) ** 2)
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=0)
    return around @ (kernel / kernel.sum())
