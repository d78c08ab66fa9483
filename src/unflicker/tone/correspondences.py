"""Correspondences: points of neighbouring frames, with their change of light."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.compute.threads import check_stopped
from unflicker.frames.colour import LUMA
from unflicker.frames.dissolve import Dissolve
from unflicker.frames.flow import Motion, look_up, visibility_at
from unflicker.tone.illumination import TOE
from unflicker.tone.ramps import Ramp

_STEP_PX = 6
_BLUR_PX = 1.5
_CLIPPED = 0.985
_DARK = 0.02
NOISE = 0.006
"""Noise of a blurred proxy value, in [0, 1] units: it weighs most in the dark."""
NOISE_OF_LIGHT = 0.01
_MISS_PX = 0.25
"""Error of the flow: where the picture is steep, it looks like a change of light."""
_MIXING_DOUBT = 0.15
"""Error of a change by mixing in a dissolve, as a share of it."""
_BROAD_PX = 17
_RELATED = 0.45
"""Correlation of detail along the motion below which two frames do not show the same things: cuts
after every frame or two, as in a montage. Neighbours of generated video come to 0.48 at least, of
all others to 0.57, unrelated photographs to 0.35 at most, blots to 0.44 (decision 44)."""
_FAINT = 0.012
"""Deviation of detail, in [0, 1], that counts as equal: a plain wall has noise alone."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Correspondences:
    """Points of one frame matched in the next."""

    there: Float32[np.ndarray, "samples 2"]
    """Places in the second frame in px, x first; in the first they are `sample_places`."""
    before: Float32[np.ndarray, "samples 3"]
    """Colours in the first frame, in [0, 1] working light, slightly blurred."""
    after: Float32[np.ndarray, "samples 3"]
    """Colours in the second."""
    change: Float32[np.ndarray, "samples 3"]
    """log(after + toe) - log(before + toe)."""
    sensitivity: Float32[np.ndarray, " samples"]
    """Derivative of `change` by log light: less than 1 near the toe."""
    weight: Float32[np.ndarray, " samples"]
    """One over the expected variance of `change`; 0 where clipped, dark or out of sight."""
    dissolves: bool = False
    """Whether one picture gives way to another between the frames; `change` is without that."""
    are_related: bool = True
    """Whether the frames show the same things and no fade that keeps its light; else no point has
    weight."""

    @property
    def show_light_alone(self) -> bool:
        """Whether the frames differ by light alone, apart from motion."""
        return self.are_related and not self.dissolves


def sample_places(height: int, width: int) -> Float32[np.ndarray, "samples 2"]:
    """The places at which every frame is sampled, in px, x first.

    Args:
        height: Of the proxy, in px.
        width: Likewise.
    """
    x, y = np.meshgrid(
        np.arange(min(_STEP_PX // 2, width - 1), width, _STEP_PX),
        np.arange(min(_STEP_PX // 2, height - 1), height, _STEP_PX),
    )
    return np.stack([x, y], -1).reshape(-1, 2).astype(np.float32)


def correspondences(
    frames: Float32[np.ndarray, "time height width 3"], motion: Motion
) -> list[Correspondences]:
    """Correspondences between each frame of a shot and the next.

    Args:
        frames: Proxies in working light, RGB.
        motion: Between them.

    Returns:
        One entry for each pair of neighbouring frames.
    """
    places = sample_places(*frames.shape[1:3])
    looks = pairwise(_look(frame) for frame in frames)
    ways = zip(motion.forward, motion.backward, strict=True)
    seen = [_pair(*look, places, *way) for look, way in zip(looks, ways, strict=True)]
    for dissolve in motion.dissolves:
        between = slice(dissolve.first, dissolve.last)
        seen[between] = _without_mixing(seen[between], frames, dissolve, places)
    return seen if motion.scene is None else of_scene(seen, motion.scene)


def _without_mixing(
    seen: list[Correspondences],
    frames: Float32[np.ndarray, "time height width 3"],
    dissolve: Dissolve,
    places: Float32[np.ndarray, "samples 2"],
) -> list[Correspondences]:
    """The pairs of a dissolve without the change that mixing alone makes, and less sure by a part
    of it."""
    one, other = (
        cv2.GaussianBlur(frames[side].mean(axis=0), (0, 0), _BLUR_PX)
        for side in (dissolve.earlier, dissolve.later)
    )
    onto = other - one
    one_here, onto_here = _sampled(one, places), _sampled(onto, places)
    pairs = []
    for pair, (before, after) in zip(seen, pairwise(dissolve.shares), strict=True):
        start = one_here + np.float32(before) * onto_here
        stop = _sampled(one, pair.there) + np.float32(after) * _sampled(onto, pair.there)
        mixing = np.log((stop + TOE) / (start + TOE))
        doubt = (_MIXING_DOUBT * mixing) ** 2
        weight = pair.weight / (1.0 + pair.weight * doubt.max(axis=1))
        pairs.append(replace(pair, change=pair.change - mixing, weight=weight, dissolves=True))
    return pairs


def of_scene(
    seen: list[Correspondences], scene: Float32[np.ndarray, "time height width"]
) -> list[Correspondences]:
    """The same without weight for points outside the scene at either end.

    Args:
        seen: One for each pair of neighbouring frames.
        scene: Share of each pixel of the frames that is scene, 0 to 1.
    """
    places = sample_places(*scene.shape[1:])
    return [_of_scene(*both, places) for both in zip(seen, pairwise(scene), strict=True)]


def _of_scene(
    seen: Correspondences,
    scene: tuple[Float32[np.ndarray, "height width"], Float32[np.ndarray, "height width"]],
    places: Float32[np.ndarray, "samples 2"],
) -> Correspondences:
    """The same, without points outside the scene at either end."""
    shown = _sampled(scene[0], places) * _sampled(scene[1], seen.there)
    return replace(seen, weight=seen.weight * shown)


def without_fades(seen: list[Correspondences], fades: Sequence[Ramp]) -> list[Correspondences]:
    """The same without any link to and between frames of fades that keep their light.

    Args:
        seen: One for each pair of neighbouring frames.
        fades: First and last frame of each.
    """
    within = {pair for start, stop in fades for pair in range(start - 1, stop + 1)}
    return [
        replace(pair, weight=np.zeros_like(pair.weight), are_related=False)
        if number in within
        else pair
        for number, pair in enumerate(seen)
    ]


def relative(seen: list[Correspondences], steady: list[Correspondences]) -> list[Correspondences]:
    """Correspondences of a film relative to its steady original, at the same points.

    Errors of the motion are in both, and cancel. Pairs that the original lacks get no weight.

    Args:
        seen: Of the processed film, by pair of frames.
        steady: Of the original, at the same points; may be shorter.
    """
    lacking = len(seen) - len(steady)
    both = [_difference(one, other) for one, other in zip(seen, steady, strict=False)]
    unseen = seen[len(both) :] if lacking > 0 else []
    return both + [replace(one, weight=np.zeros_like(one.weight)) for one in unseen]


def _difference(one: Correspondences, other: Correspondences) -> Correspondences:
    sum_of_both = one.weight + other.weight
    weight = one.weight * other.weight / np.maximum(sum_of_both, 1e-9)
    return replace(one, change=one.change - other.change, weight=weight)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Look:
    """A frame prepared for sampling: colour, clipping, gradient."""

    colour: Float32[np.ndarray, "height width 3"]
    clipped: Float32[np.ndarray, "height width"]
    steepness: Float32[np.ndarray, "height width"]
    detail: Float32[np.ndarray, "height width"]
    level: float
    """Mean luma, at least that of the dark."""


def _look(frame: Float32[np.ndarray, "height width 3"]) -> _Look:
    colour = cv2.GaussianBlur(frame, (0, 0), _BLUR_PX)
    luma = colour @ LUMA
    logarithm = cv2.log(luma + TOE)
    across = cv2.Sobel(logarithm, cv2.CV_32F, 1, 0, scale=0.125)
    down = cv2.Sobel(logarithm, cv2.CV_32F, 0, 1, scale=0.125)
    brightest = cv2.max(cv2.max(frame[..., 0], frame[..., 1]), frame[..., 2])
    saturated = (brightest > _CLIPPED).astype(np.float32)
    return _Look(
        colour=colour,
        clipped=cv2.blur(saturated, (5, 5)),
        steepness=across * across + down * down,
        detail=luma - cv2.blur(luma, (_BROAD_PX, _BROAD_PX)),
        level=max(float(luma.mean()), _DARK),
    )


def _pair(
    first: _Look,
    second: _Look,
    places: Float32[np.ndarray, "samples 2"],
    forward: Float32[np.ndarray, "height width 2"],
    backward: Float32[np.ndarray, "height width 2"],
) -> Correspondences:
    check_stopped()
    column, row = places.T.astype(np.intp)
    flow = forward[row, column]
    visible = visibility_at(places[:, None], flow[:, None], backward)[:, 0]
    there = places + flow
    before = first.colour[row, column]
    after = _sampled(second.colour, there)
    darker = np.minimum(before, after)
    unclipped = (1.0 - first.clipped[row, column]) * (1.0 - _sampled(second.clipped, there))
    variance = (
        (NOISE / (darker + TOE)) ** 2
        + NOISE_OF_LIGHT**2
        + _MISS_PX**2 * first.steepness[row, column][:, None]
    )
    related = _are_related(
        first.detail[row, column],
        _sampled(second.detail, there),
        brighter=second.level / first.level,
    )
    seen = (visible * unclipped)[:, None] * (darker > _DARK) * related
    return Correspondences(
        there=there,
        before=before,
        after=after,
        change=np.log((after + TOE) / (before + TOE)),
        sensitivity=(darker / (darker + TOE)).mean(axis=1),
        weight=(seen / variance).min(axis=1),
        are_related=related,
    )


def _are_related(
    first: Float32[np.ndarray, " samples"],
    second: Float32[np.ndarray, " samples"],
    *,
    brighter: float,
) -> bool:
    """Whether two frames show the same things: whether their detail agrees along the motion, in
    sight or not, since unrelated pictures agree where they seem to be in sight. A flat frame, lost
    or overexposed, is related to none with detail."""
    faint = _FAINT**2 * len(first)
    # As strong in both as at the light between them.
    power = (float(first @ first) * brighter + float(second @ second) / brighter) / 2.0
    return float(first @ second) + faint > _RELATED * (power + faint)


def _sampled(
    picture: Float32[np.ndarray, "height width *channels"],
    places: Float32[np.ndarray, "samples 2"],
) -> Float32[np.ndarray, "samples *channels"]:
    return look_up(picture, places[:, None, :])[:, 0]
