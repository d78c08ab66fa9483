"""Exposure lock: exposure and white balance of a shot, held as they are in its first window.

A phone's automatic exposure drifts while the camera moves. The light of every frame of a shot, one
gain and one power of tone for each channel, is found from what neighbours say about each other and
from what anchors say, pictures that are remembered for the whole shot. All of a window is one
small least-squares problem; anchors and the frames of the window before are known in it, as well
as they are. When the camera comes back to an anchor, the drift of the chain between is taken out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np
from jaxtyping import Float, Float32

from unflicker.frames.colour import proxy_size
from unflicker.grade.grade import curve_inputs
from unflicker.tone.anchors import MIDDLE_GREY, Difference, Match, View, difference

_LOOK_PX = 128
_LOOKS_A_SECOND = 5.0
_MOST_ANCHORS = 24
_TRIED = 2
_NEW_BELOW = 0.6
_LEAST_SEEN = 0.25
_LEAST_ALIKE = 0.2
_NEIGHBOUR_ERROR, _ANCHOR_ERROR = 0.001, 0.01
_WANDER = 0.05
_POWER = 0.1
_SURE = 1e8
_OUTLIER = 3.0
_ROUNDS = 4
_MOST_LOG_GAIN = 1.4
_SHOULDER = 0.9
_NOISE = 0.02
_LEAST_LIGHT = 1e-3
_SMOOTH_SECONDS = 0.25


@dataclass(frozen=True, kw_only=True, eq=False)
class Anchor:
    """A picture of the shot that is remembered, and its light as well as it is known."""

    view: View
    light: Float[np.ndarray, "3 2"]
    covariance: Float[np.ndarray, "3 2 2"]
    last_used: int


@dataclass(frozen=True, kw_only=True, eq=False)
class _Edge:
    """What one look says: light of frame `to` less that of frame `since`, or less a known one."""

    since: int | None
    to: int
    light: np.ndarray
    information: np.ndarray


class ExposureLock:
    """The windows of a film in order, each brought to the light of its shot's first."""

    def __init__(self, *, match: Match) -> None:
        """Begin a shot; `match` estimates motion between two pictures (`motion.match`)."""
        self._match = match
        self._anchors: list[Anchor] = []
        self._kept: tuple[np.ndarray, np.ndarray] | None = None
        self._level: np.ndarray | None = None
        self._first = 0

    def light_of(
        self, pictures: list[Float32[np.ndarray, "height width 3"]], *, fps: float, overlap: int
    ) -> Float[np.ndarray, "time 3 2"]:
        """Exposure and white balance of each frame of a window, relative to the shot's level."""
        size = proxy_size(pictures[0].shape[:2], _LOOK_PX)
        views = [
            View(light=cv2.resize(p, size[::-1], interpolation=cv2.INTER_AREA)) for p in pictures
        ]
        edges = self._between(views)
        new, more = self._beside_anchors(views, every=max(1, round(fps / _LOOKS_A_SECOND)))
        known = len(self._kept[0]) if self._kept is not None else 0
        edges += more + [
            _Edge(since=None, to=t, light=self._kept[0][t], information=_inverse(self._kept[1][t]))
            for t in range(known)
        ]
        if not known:
            sure = np.broadcast_to(np.diag([_SURE, _SURE]), (3, 2, 2))
            edges.append(_Edge(since=None, to=0, light=np.zeros((3, 2)), information=sure))
        light, covariance = _solved(edges, len(views))
        for t in new:
            anchor = Anchor(
                view=views[t], light=light[t], covariance=covariance[t], last_used=self._first + t
            )
            self._anchors.append(anchor)
        self._forget()
        if self._level is None:
            self._level = np.median(light, axis=0)
        self._kept = (light[-overlap:], covariance[-overlap:]) if overlap else None
        self._first += len(views) - overlap
        return light - self._level

    def _between(self, views: list[View]) -> list[_Edge]:
        found = (difference(a, b, self._match, error=_NEIGHBOUR_ERROR) for a, b in pairwise(views))
        return [_edge(t, t + 1, each) for t, each in enumerate(found) if each is not None]

    def _beside_anchors(
        self, views: list[View], *, every: int
    ) -> tuple[list[int], list[_Edge]]:
        """What anchors say, old ones and such as are new in this window."""
        new: list[int] = []
        edges: list[_Edge] = []
        for t in range(0, len(views), every):
            view, most = views[t], 0.0
            places = [*range(len(self._anchors)), *(-1 - k for k in new)]
            others = [anchor.view for anchor in self._anchors] + [views[k] for k in new]
            shifts = [other.shift_to(view) for other in others]
            order = sorted(range(len(others)), key=lambda k: -shifts[k][1])[:_TRIED]
            for k in order:
                if shifts[k][1] < _LEAST_ALIKE:
                    continue
                found = difference(
                    others[k], view, self._match, shift=shifts[k][0], error=_ANCHOR_ERROR
                )
                if found is None or found.seen < _LEAST_SEEN:
                    continue
                most = max(most, found.seen)
                if places[k] >= 0:
                    anchor = self._anchors[places[k]]
                    self._anchors[places[k]] = replace(anchor, last_used=self._first + t)
                    edges.append(_beside(t, anchor, found))
                else:
                    edges.append(_edge(-1 - places[k], t, found))
            if most < _NEW_BELOW:
                new.append(t)
        return new, edges

    def _forget(self) -> None:
        """Keep the first anchor and those that were of use last."""
        rest = sorted(self._anchors[1:], key=lambda anchor: -anchor.last_used)
        self._anchors = self._anchors[:1] + rest[: _MOST_ANCHORS - 1]


def _edge(since: int, to: int, found: Difference) -> _Edge:
    return _Edge(since=since, to=to, light=found.light, information=found.information)


def _beside(to: int, anchor: Anchor, found: Difference) -> _Edge:
    covariance = _inverse(found.information) + anchor.covariance
    return _Edge(
        since=None, to=to, light=anchor.light + found.light, information=_inverse(covariance)
    )


def _inverse(matrices: np.ndarray) -> np.ndarray:
    return np.linalg.inv(matrices)


def _solved(edges: list[_Edge], frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Light of each frame, and its covariance, by least squares over all edges; robust."""
    trust = np.ones(len(edges))
    wander = np.diag([_WANDER**-2, _WANDER**-2])
    for _ in range(_ROUNDS):
        normal = np.zeros((3, frames, 2, frames, 2))
        right = np.zeros((3, frames, 2))
        for t in range(frames):
            normal[:, t, :, t] += np.diag([1e-4, _POWER**-2 * 1e-2])
        for t in range(frames - 1):
            _add(normal, t, t + 1, np.broadcast_to(wander, (3, 2, 2)))
        for edge, share in zip(edges, trust, strict=True):
            information = edge.information * share
            pull = np.einsum("ckl,cl->ck", information, edge.light)
            right[:, edge.to] += pull
            if edge.since is None:
                normal[:, edge.to, :, edge.to] += information
            else:
                right[:, edge.since] -= pull
                _add(normal, edge.since, edge.to, information)
        inverse = np.linalg.inv(normal.reshape(3, frames * 2, frames * 2))
        light = np.einsum("cab,cb->ca", inverse, right.reshape(3, -1)).reshape(3, frames, 2)
        for place, edge in enumerate(edges):
            before = light[:, edge.since] if edge.since is not None else 0.0
            miss = light[:, edge.to] - before - edge.light
            squared = np.einsum("ck,ckl,cl->", miss, edge.information, miss) / 6.0
            trust[place] = 1.0 / (1.0 + squared / _OUTLIER**2) ** 2
    blocks = inverse.reshape(3, frames, 2, frames, 2)
    covariance = np.stack([blocks[:, t, :, t] for t in range(frames)])
    return light.transpose(1, 0, 2), covariance


def _add(normal: np.ndarray, since: int, to: int, information: np.ndarray) -> None:
    normal[:, since, :, since] += information
    normal[:, to, :, to] += information
    normal[:, since, :, to] -= information
    normal[:, to, :, since] -= information


def locking_curves(light: Float[np.ndarray, "3 2"]) -> Float32[np.ndarray, "3 knots"]:
    """The curves that take exposure and white balance away, at `curve_inputs()`."""
    inputs = curve_inputs().astype(np.float64)
    tone = np.log(np.maximum(inputs, _LEAST_LIGHT) / MIDDLE_GREY)
    gain, power = light[:, :1], light[:, 1:]
    after = (tone * (1.0 - power / 2.0) - gain) / (1.0 + power / 2.0)
    lift = np.clip(after - tone, -_MOST_LOG_GAIN, _MOST_LOG_GAIN)
    lift = np.where(lift > 0.0, lift * inputs**2 / (inputs**2 + _NOISE**2), lift)
    curves = inputs * np.exp(lift)
    share = np.clip((inputs - _SHOULDER) / (1.0 - _SHOULDER), 0.0, 1.0)
    share = share**2 * (3.0 - 2.0 * share)
    curves = curves * (1.0 - share) + share * np.maximum(curves, inputs)
    return np.maximum.accumulate(np.clip(curves, 0.0, 2.0), axis=1).astype(np.float32)
