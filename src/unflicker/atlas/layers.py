"""Rough masks of independently moving foreground, from motion alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, Float32

from unflicker.frames.flow import Motion, pixel_places, warp

_MEASURED_STEP_PX = 4
_LOOKS = 12
_WIDEST_PX, _NARROWEST_PX = 4.0, 0.25
"""Difference in motion from the background with a quarter of the weight: at first, at last."""
_STANDS_OUT_PX = 0.6
_SPEED_ERROR = 0.08
"""Uncertainty of flow, as a share of its length."""
_MEMORY = 0.93
"""Decay of evidence of motion per frame, for an object that stands still."""
_SURELY_SEEN = 0.8
_SMALLEST_SHARE = 0.004
_SMOOTH_PX = 1.5
_DOUBTED = (0.02, 0.8)
"""Limit of a mask's confidence: it is wide at its border."""
_TELLING_ERROR, _LOUDEST = 0.03, 8.0
"""Colour error at which a layer's failure is evidence, and the limit of that evidence."""


def moving_masks(motion: Motion) -> Float32[np.ndarray, "time height width"] | None:
    """How far each pixel belongs to an independently moving object, 0 to 1; None without one."""
    evidence = _remembered(_evidence(motion), motion)
    masks = np.stack([_cleaned(frame) for frame in evidence])
    return masks if float(masks.mean()) > _SMALLEST_SHARE else None


def shares(alphas: Sequence[Any], everything: Any) -> list[Any]:
    """The weight of each layer, the lowest first: its alpha times the transparency of those above.

    Args:
        alphas: Of each layer but the lowest; arrays or tensors.
        everything: Ones, of their shape.
    """
    left, above_first = everything, []
    for alpha in reversed(alphas):
        above_first.append(left * alpha)
        left = left * (1.0 - alpha)
    return [left, *reversed(above_first)]


def settled(
    masks: tuple[Float32[np.ndarray, "time height width"], ...],
    errors: list[Float32[np.ndarray, "time height width"]],
) -> tuple[Float32[np.ndarray, "time height width"], ...]:
    """Masks updated by how well each layer explains each pixel.

    Args:
        masks: Of the layers above the lowest.
        errors: Squared colour error of each layer alone, the lowest first.
    """
    best_below = errors[0]
    better = []
    for mask, error in zip(masks, errors[1:], strict=True):
        prior = np.clip(mask, *_DOUBTED)
        said = np.clip((best_below - error) / np.float32(_TELLING_ERROR**2), -_LOUDEST, _LOUDEST)
        better.append((1.0 / (1.0 + (1.0 - prior) / prior * np.exp(-said))).astype(np.float32))
        best_below = np.minimum(best_below, error)
    return tuple(better)


def background_flow(
    flow: Float32[np.ndarray, "height width 2"], visible: Float32[np.ndarray, "height width"]
) -> Float32[np.ndarray, "height width 2"]:
    """The motion of the plane that most of the picture follows, by robust regression.

    Args:
        flow: Dense, in px, x first.
        visible: Visibility of each pixel in the other frame, 0 to 1.

    Source: the eight-parameter planar motion of Bergen et al., ECCV 1992, with Geman and McClure's
    weights, whose scale narrows from iteration to iteration.
    """
    height, width = visible.shape
    places = pixel_places(height, width)
    sparse = np.s_[::_MEASURED_STEP_PX, ::_MEASURED_STEP_PX]
    terms = _planar(places[sparse].reshape(-1, 2) / width)
    target = flow[sparse].reshape(-1, 2).astype(float)
    seen = visible[sparse].ravel().astype(float)
    weight = seen
    model = np.zeros(8)
    model[[0, 3]] = np.median(target, axis=0)
    for scale in np.geomspace(_WIDEST_PX, _NARROWEST_PX, _LOOKS):
        miss = ((target - np.einsum("nij,j->ni", terms, model)) ** 2).sum(axis=1)
        weight = seen / (1.0 + miss / scale**2) ** 2
        matrix = np.einsum("n,nij,nik->jk", weight, terms, terms)
        right = np.einsum("n,nij,ni->j", weight, terms, target)
        model = np.linalg.solve(matrix + 1e-9 * np.eye(8), right)
    everywhere = _planar(places.reshape(-1, 2) / width)
    return np.einsum("nij,j->ni", everywhere, model).reshape(height, width, 2).astype(np.float32)


def _planar(places: Float[np.ndarray, "points 2"]) -> Float[np.ndarray, "points 2 8"]:
    """The contribution of each of the eight parameters to the motion at places."""
    x, y = places.T
    one, none = np.ones_like(x), np.zeros_like(x)
    across = [one, x, y, none, none, none, x * x, x * y]
    down = [none, none, none, one, x, y, x * y, y * y]
    return np.stack([np.stack(across, -1), np.stack(down, -1)], axis=1)


def _evidence(motion: Motion) -> Float32[np.ndarray, "time height width"]:
    """Difference of each pixel's motion from the background's, in units of its uncertainty."""
    pairs, height, width = motion.visible_forward.shape
    evidence = np.zeros((pairs + 1, height, width), np.float32)
    for t in range(pairs):
        ways = (
            (t, motion.forward[t], motion.visible_forward[t]),
            (t + 1, motion.backward[t], motion.visible_backward[t]),
        )
        for frame, flow, visible in ways:
            miss = np.linalg.norm(flow - background_flow(flow, visible), axis=-1)
            doubt = _STANDS_OUT_PX + _SPEED_ERROR * np.linalg.norm(flow, axis=-1)
            evidence[frame] = np.maximum(evidence[frame], miss / doubt * (visible > 0.3))
    return np.minimum(evidence, 3.0)


def _remembered(
    evidence: Float32[np.ndarray, "time height width"], motion: Motion
) -> Float32[np.ndarray, "time height width"]:
    """Evidence carried along the motion, both ways: an object that moved once is still the same."""
    later, earlier = evidence.copy(), evidence.copy()
    for t in range(1, len(evidence)):
        carried = _carried(later[t - 1], motion.backward[t - 1], motion.visible_backward[t - 1])
        later[t] = np.maximum(later[t], carried)
    for t in range(len(evidence) - 2, -1, -1):
        carried = _carried(earlier[t + 1], motion.forward[t], motion.visible_forward[t])
        earlier[t] = np.maximum(earlier[t], carried)
    return np.maximum(later, earlier)


def _carried(
    evidence: Float32[np.ndarray, "height width"],
    flow: Float32[np.ndarray, "height width 2"],
    visible: Float32[np.ndarray, "height width"],
) -> Float32[np.ndarray, "height width"]:
    """Evidence one frame later, eroded at its border, where flow is too wide and would leave a
    trail."""
    kept = cv2.erode(warp(evidence, flow), np.ones((3, 3), np.uint8))
    return kept * np.float32(_MEMORY) * (visible > _SURELY_SEEN)


def _cleaned(evidence: Float32[np.ndarray, "height width"]) -> Float32[np.ndarray, "height width"]:
    """A soft mask without specks and pinholes."""
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    mask = (evidence > 1.0).astype(np.float32)
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, brush)
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, brush, iterations=2)
    return cv2.GaussianBlur(mask, (0, 0), _SMOOTH_PX)
