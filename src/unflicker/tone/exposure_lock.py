"""Exposure lock: exposure and white balance of a shot, held as they are in its first window.

Automatic exposure and white balance drift while a camera moves. The light of each frame, a gain and
a power of tone for each channel, is estimated from comparisons with neighbouring frames and with
anchors, pictures that are stored for the whole shot. A window is one small least-squares problem,
in which anchors, and frames shared with the previous window, enter with their covariance. When the
camera returns to a place, its anchor removes the drift that has accumulated since.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Float, Float32

from unflicker.compute.threads import in_parallel
from unflicker.frames.colour import proxy_size
from unflicker.grade.grade import curve_inputs
from unflicker.tone.anchors import (
    LEAST_LIGHT,
    MIDDLE_GREY,
    Difference,
    Match,
    View,
    difference,
    shift_between,
)
from unflicker.tone.light_graph import Equation, KnownLight, solved

_LOOK_PX = 128
"""Longest side of the compared pictures: global light needs no more."""
_LOOKS_A_SECOND = 5.0
"""How often frames are compared with anchors."""
_MOST_ANCHORS, _TRIED = 24, 2
"""Anchors stored, and those compared with a frame; each takes half a megabyte."""
_NEW_BELOW, _LEAST_SEEN = 0.6, 0.2
"""Share of a frame that the best anchor shows, below which the frame becomes one itself; and share
below which an anchor is not used."""
_LEAST_ALIKE = 0.2
_NEIGHBOUR_ERROR, _ANCHOR_ERROR = 0.001, 0.01
"""Errors of matches in log light when points are seen under another angle of the lens."""
_SURE = 1e8
_MOST_LOG_GAIN = 1.4
"""Two doublings of stored light: what is beyond is a fade, or a lamp."""
_FADING = 0.01
"""Log light a frame; a fade is followed to where it changes by less."""
_STEADIED_SECONDS = 0.2
"""Light that lasts less, such as a flash, is not exposure."""
_WHITES_SECONDS, _WHITES_DOUBTED = 0.5, 0.002
"""Over how long frames share measurements of highlights; and the share of a picture that must be
seen unclipped elsewhere to be believed as much as that white stays white."""
_SHOULDER = 0.88
"""Working light from which on curves blend into the target of clipped white."""
_NOISE = 0.02
"""Working light below which noise is not amplified."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Anchor:
    """A stored picture."""

    view: View
    frame: int
    """Its index in the shot."""
    seen: int
    """The last frame that showed it."""
    known: KnownLight | None = None
    """Its light, once its window is solved."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Look:
    """A frame of the window and an anchor."""

    place: int
    anchor: int
    found: Difference


class ExposureLock:
    """The windows of one shot, in order, each matched to the level of the first.

    The level of a shot is the median over its first window. Memory is bounded: of more than
    `_MOST_ANCHORS` anchors, the least recently seen are dropped.
    """

    def __init__(self, *, match: Match) -> None:
        """Begin a shot; `match` estimates the motion between two pictures."""
        self._match = match
        self._anchors: list[_Anchor] = []
        self._known: KnownLight | None = None
        self._level: Float[np.ndarray, "3 2"] | None = None
        self._first = 0

    def exposure_of(
        self,
        pictures: Sequence[Float32[np.ndarray, "height width 3"]],
        *,
        fps: float,
        overlap: int,
    ) -> Float[np.ndarray, "time 3 3"]:
        """Exposure and white balance of each frame of the next window.

        Args:
            pictures: The window's frames in working light, fast flicker removed.
            fps: Frames a second.
            overlap: Number of the last frames that the next window shares; 0 ends the shot.

        Returns:
            Of each channel: log gain at a middle grey and power of tone that the camera applied,
            relative to the level of the shot; target log light of clipped white.
        """
        size = proxy_size(pictures[0].shape[:2], _LOOK_PX)[::-1]
        views = [
            View(light=cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
            for picture in pictures
        ]
        looks = self._looks(views, every=max(1, round(fps / _LOOKS_A_SECOND)))
        equations = [*self._between(views), *(self._equation(look) for look in looks)]
        found = solved([*equations, *self._given()], frames=len(views))
        if self._level is None:
            self._level = np.median(found.light, axis=0)
        self._anchors = [self._solved(anchor, found) for anchor in self._anchors]
        whites = self._whites(looks, frames=len(views), reach_frames=fps * _WHITES_SECONDS)
        self._forget()
        self._known = found.part(len(views) - overlap, len(views)) if overlap else None
        self._first += len(views) - overlap
        slow = _slow(_without_fades(found.light - self._level), fps)
        return np.concatenate([slow, whites[..., None]], axis=-1)

    def _looks(self, views: list[View], *, every: int) -> list[_Look]:
        """Frames with their most similar anchors; frames that none shows become anchors."""
        looks: list[_Look] = []
        for place in range(0, len(views), every):
            frame = self._first + place
            shifts = [shift_between(anchor.view, views[place]) for anchor in self._anchors]
            order = sorted(range(len(shifts)), key=lambda k: -shifts[k][1])[:_TRIED]
            most = 0.0
            for at in (k for k in order if shifts[k][1] >= _LEAST_ALIKE):
                anchor, shift = self._anchors[at], shifts[at][0]
                found = difference(
                    anchor.view, views[place], self._match, shift=shift, error=_ANCHOR_ERROR
                )
                if found is not None and found.seen >= _LEAST_SEEN:
                    looks.append(_Look(place=place, anchor=at, found=found))
                    self._anchors[at] = replace(anchor, seen=frame)
                    most = max(most, found.seen)
            if most < _NEW_BELOW:
                self._anchors.append(_Anchor(view=views[place], frame=frame, seen=frame))
        return looks

    def _between(self, views: list[View]) -> Iterator[Equation]:
        """Comparisons of neighbouring frames."""

        def compare(one: View, two: View) -> Difference | None:
            return difference(one, two, self._match, error=_NEIGHBOUR_ERROR)

        for place, found in enumerate(in_parallel(compare, views[:-1], views[1:])):
            if found is not None:
                yield Equation(
                    since=place, to=place + 1, light=found.light, information=found.information
                )

    def _equation(self, look: _Look) -> Equation:
        """The comparison of a frame with an anchor."""
        anchor, found = self._anchors[look.anchor], look.found
        if anchor.known is None:
            since = anchor.frame - self._first
            return Equation(
                since=since, to=look.place, light=found.light, information=found.information
            )
        covariance = np.linalg.inv(found.information) + anchor.known.covariance[0]
        light = anchor.known.light[0] + found.light
        return Equation(to=look.place, light=light, information=np.linalg.inv(covariance))

    def _given(self) -> Iterator[Equation]:
        """Known light of the first frames: from the previous window, or by definition."""
        if self._known is None:
            sure = np.tile(np.eye(2) * _SURE, (3, 1, 1))
            yield Equation(to=0, light=np.zeros((3, 2)), information=sure)
            return
        pairs = zip(self._known.light, self._known.covariance, strict=True)
        for place, (light, covariance) in enumerate(pairs):
            yield Equation(to=place, light=light, information=np.linalg.inv(covariance))

    def _solved(self, anchor: _Anchor, found: KnownLight) -> _Anchor:
        """The anchor with its light, if it is one of this window's."""
        if anchor.known is not None:
            return anchor
        place = anchor.frame - self._first
        return replace(anchor, known=found.part(place, place + 1))

    def _forget(self) -> None:
        """Drop all anchors except the first, and the most recently seen."""
        rest = sorted(self._anchors[1:], key=lambda anchor: -anchor.seen)
        self._anchors = [*self._anchors[:1], *rest[: _MOST_ANCHORS - 1]]

    def _whites(
        self, looks: list[_Look], *, frames: int, reach_frames: float
    ) -> Float[np.ndarray, "time 3"]:
        """Target log light of clipped white, from anchors that show the same places.

        Where they are clipped as well, or do not show them, white stays white. It is the same for
        all channels, so that no white is tinted.
        """
        assert self._level is not None
        sums = np.zeros((frames, 2))
        near = np.arange(frames)
        for look in looks:
            known = self._anchors[look.anchor].known
            assert known is not None
            share, tone = look.found.whites.T
            gain, power = (known.light[0] - self._level).T
            log = np.log(MIDDLE_GREY) + _unexposed(tone, gain=gain, power=power)
            weight = np.exp(-0.5 * ((near - look.place) / reach_frames) ** 2)[:, None]
            sums += weight * [float(share @ np.minimum(log, 0.0)), float(share.sum())]
        white = sums[:, 0] / (sums[:, 1] + _WHITES_DOUBTED)
        return np.tile(white[:, None], (1, 3))


def _unexposed(
    tone: Float[np.ndarray, ...], *, gain: Float[np.ndarray, ...], power: Float[np.ndarray, ...]
) -> Float[np.ndarray, ...]:
    """Tone (log light over a middle grey) without an exposure's gain and power.

    The power acts at the mean tone of before and after, as in `anchors`.
    """
    return (tone * (1.0 - 0.5 * power) - gain) / (1.0 + 0.5 * power)


def _without_fades(light: Float[np.ndarray, "time 3 2"]) -> Float[np.ndarray, "time 3 2"]:
    """Light of frames, held during fades, which exceed the range of automatic exposure."""
    gain = np.abs(light[..., 0].mean(axis=1))
    beyond = gain > _MOST_LOG_GAIN
    if not beyond.any() or beyond.all():
        return light
    fading = beyond.copy()
    for t in range(1, len(gain)):
        fading[t] |= fading[t - 1] and gain[t - 1] - gain[t] > _FADING
    for t in range(len(gain) - 2, -1, -1):
        fading[t] |= fading[t + 1] and gain[t + 1] - gain[t] > _FADING
    frames, sound = np.arange(len(gain)), np.flatnonzero(~fading)
    if not len(sound):
        return light
    flat = light.reshape(len(light), -1)
    held = [np.interp(frames, sound, series[sound]) for series in flat.T]
    return np.stack(held, axis=1).reshape(light.shape)


def _slow(light: Float[np.ndarray, "time 3 2"], fps: float) -> Float[np.ndarray, "time 3 2"]:
    """Light without changes shorter than `_STEADIED_SECONDS`."""
    reach = max(1, round(fps * _STEADIED_SECONDS))
    padded = np.pad(light, ((reach, reach), (0, 0), (0, 0)), mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=0)
    middle = np.median(around, axis=-1)
    padded = np.pad(middle, ((reach, reach), (0, 0), (0, 0)), mode="edge")
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / (0.5 * reach)) ** 2)
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=0)
    return around @ (kernel / kernel.sum())


def locking_curves(exposure: Float[np.ndarray, "3 3"]) -> Float32[np.ndarray, "3 knots"]:
    """The curves that remove an exposure (`ExposureLock.exposure_of`), at `curve_inputs()`.

    Noise near black is not amplified. Near white they blend into the target of clipped white, and
    never make it darker than the rest.
    """
    inputs = curve_inputs().astype(np.float64)
    tone = np.log(np.maximum(inputs, LEAST_LIGHT) / MIDDLE_GREY)
    lift = _unexposed(tone, gain=exposure[:, :1], power=exposure[:, 1:2]) - tone
    lift = np.clip(lift, -_MOST_LOG_GAIN, _MOST_LOG_GAIN)
    lift = np.where(lift > 0.0, lift * inputs**2 / (inputs**2 + _NOISE**2), lift)
    share = np.clip((inputs - _SHOULDER) / (1.0 - _SHOULDER), 0.0, 1.0)
    share = share**2 * (3.0 - 2.0 * share)
    white = np.maximum(exposure[:, 2:], lift[:, -1:])
    lift += share * (np.maximum(white, lift) - lift)
    curves = np.clip(inputs * np.exp(lift), 0.0, 2.0)
    return np.maximum.accumulate(curves, axis=1).astype(np.float32)
