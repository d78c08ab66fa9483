"""Visible flicker of a film, without a clean version, in ΔE.

Every point is tracked along the motion, and the changes of its colour (CIELAB, which is about
perceptually uniform) are weighted by the eye's temporal sensitivity, a band-pass. The filter runs
from frame to frame, its state carried along the motion. Its output is averaged over a small
neighbourhood, since flicker fills an area while errors of the motion and grain cancel there.

A lamp that flickers in a corner hardly changes the mean over the picture, so its worst tenth is
reported too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import cv2
import numpy as np
from jaxtyping import Float32, Float64

from unflicker.compute.threads import check_stopped
from unflicker.frames.flow import warp

ADAPTATION_HERTZ = 2.5
"""Corner of the second-order high-pass: half of the peak sensitivity."""
INTEGRATION_SECONDS = 0.0056
"""Time constant of the four-stage low-pass: half of the peak sensitivity at about 20 Hz."""
_MATCHED_HERTZ = 20.0
FINE_BLUR = 1 / 256
"""Standard deviation of the blur before tracking, in widths of the picture."""
AREA_BLUR = 1 / 64
"""Standard deviation of the neighbourhood over which flicker is averaged, in widths of the picture.
"""
WORST_SHARE = 0.1
"""Share of the picture that counts as its worst part."""


@runtime_checkable
class FollowedMotion(Protocol):
    """The part of a motion that is needed: from each frame to the one before."""

    @property
    def backward(self) -> Float32[np.ndarray, "pairs height width 2"]:
        """Flow from frame t+1 to frame t, in px, x first."""
        ...

    @property
    def visible_backward(self) -> Float32[np.ndarray, "pairs height width"]:
        """Visibility of each pixel of frame t+1 in frame t, 0 to 1."""
        ...


@dataclass(frozen=True, kw_only=True)
class VisibleStrength:
    """Visible flicker of one clip in ΔE; 0 is steady, below about 0.5 hardly visible."""

    mean: float
    """Root mean square over all places and frames."""
    worst_tenth: float
    """The same over the tenth of the picture where it is largest; never below `mean`."""


def visible_strength(
    frames: Float32[np.ndarray, "time height width 3"], *, motion: FollowedMotion, fps: float
) -> VisibleStrength:
    """Visible flicker over the whole picture, and over its worst tenth.

    A place is a position in the picture, not a point of the scene. Its power is averaged over all
    frames, each weighted by how reliably it was tracked, before the worst tenth is chosen. A lamp
    that fills 3 % of the picture counts √0.03 = 17 % in the mean, and about half in the worst
    tenth.

    Args:
        frames: One shot, RGB in [0, 1] as stored, best about 256 px wide.
        motion: Its motion, at the same size.
        fps: Frames a second as shown.

    Source: as `visible_flicker`.
    """
    measured = _measured(frames, motion, fps)
    total = measured.weights.sum()
    if not total > 0:
        return VisibleStrength(mean=0.0, worst_tenth=0.0)
    mean = math.sqrt(measured.squares.sum() / total)
    return VisibleStrength(mean=mean, worst_tenth=max(mean, measured.worst))


def visible_flicker(
    frames: Float32[np.ndarray, "time height width 3"], *, motion: FollowedMotion, fps: float
) -> float:
    """Visible flicker in ΔE; 0 is steady, below about 0.5 hardly visible.

    The root mean square over places and frames of the change in CIELAB that is seen as flicker.
    A light that alternates every frame by ±A ΔE at 24 frames a second gives 0.72 A; a fade over
    seconds gives nearly nothing; levels held for ten frames that differ by A give about A / 6.

    Args:
        frames: One shot, RGB in [0, 1] as stored, best about 256 px wide.
        motion: Its motion, at the same size.
        fps: Frames a second as shown.

    Source: temporal sensitivity after de Lange, Research into the dynamic nature of the human
    fovea-cortex systems, JOSA 1958, and Kelly, Visual responses to time-dependent stimuli, JOSA
    1961: band-pass with its peak at about 8 Hz, here as simple filters with the same half points.
    """
    return visible_strength(frames, motion=motion, fps=fps).mean


def mean_strength(
    strengths: Sequence[VisibleStrength], *, frames: Sequence[int]
) -> VisibleStrength:
    """The root mean square over shots, of the mean and of the worst tenth; 0 without frames.

    Each shot has a worst tenth of its own, since places of different shots have nothing in common.

    Args:
        strengths: Of each shot.
        frames: Number of frames of each shot.
    """
    if not sum(frames):
        return VisibleStrength(mean=0.0, worst_tenth=0.0)
    squares = [(one.mean**2, one.worst_tenth**2) for one in strengths]
    mean, worst = np.sqrt(np.average(squares, axis=0, weights=frames))
    return VisibleStrength(mean=float(mean), worst_tenth=float(worst))


def visible_flicker_by_frame(
    frames: Float32[np.ndarray, "time height width 3"], *, motion: FollowedMotion, fps: float
) -> Float64[np.ndarray, " time"]:
    """Visible flicker of each frame in ΔE; 0 where motion is unknown.

    Args:
        frames: RGB stored values, in [0, 1].
        motion: Between them.
        fps: Frames a second.
    """
    measured = _measured(frames, motion, fps)
    return np.sqrt(measured.squares / np.maximum(measured.weights, 1e-9))


def visible_flicker_by_place(
    frames: Float32[np.ndarray, "time height width 3"], *, motion: FollowedMotion, fps: float
) -> Float64[np.ndarray, "height width"]:
    """Visible flicker of each place of the picture in ΔE; 0 where motion is unknown.

    Args:
        frames: RGB stored values, in [0, 1].
        motion: Between them.
        fps: Frames a second.
    """
    measured = _measured(frames, motion, fps)
    return np.sqrt(measured.power / np.maximum(measured.amount, 1e-9))


def eye_sensitivity(hertz: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
    """Sensitivity to sinusoidal flicker, 0 to about 0.75: the curve that the filters follow."""
    high = hertz**2 / (hertz**2 + ADAPTATION_HERTZ**2)
    return high / (1 + (2 * np.pi * hertz * INTEGRATION_SECONDS) ** 2) ** 2


@dataclass(frozen=True, kw_only=True)
class _EyeFilter:
    """The eye's curve as filters for one frame rate, exact at 0 Hz and at 20 Hz (or below it, at
    half the frame rate)."""

    adaptation: float
    """Share of a change that remains one frame later in each of two high-pass stages."""
    gain: float
    """Factor of each high-pass stage."""
    inertia: float
    """Lag of the response in each of two low-pass stages."""

    @classmethod
    def at_rate(cls, fps: float) -> _EyeFilter:
        """The filter for a number of frames a second."""
        # Below 10 frames a second the corner nears half the frame rate: then plain differences.
        fps = max(fps, 1.0)
        turn = math.tan(min(math.pi * ADAPTATION_HERTZ / fps, math.pi / 4))
        adaptation = (1 - turn) / (1 + turn)
        hertz = min(fps / 2, _MATCHED_HERTZ)
        melted = 1 / (1 + (2 * math.pi * hertz * INTEGRATION_SECONDS) ** 2) ** 2
        # The inertia for which two stages pass just that much at that frequency.
        half = 1 - melted * math.cos(2 * math.pi * hertz / fps)
        inertia = (half - math.sqrt(half**2 - (1 - melted) ** 2)) / (1 - melted)
        return cls(adaptation=adaptation, gain=(1 + adaptation) / 2, inertia=inertia)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Measured:
    """Squared visible changes and their weights, summed over places and summed over time."""

    squares: Float64[np.ndarray, " time"]
    weights: Float64[np.ndarray, " time"]
    power: Float64[np.ndarray, "height width"]
    """Weighted squared changes of each place, over all frames and the channels."""
    amount: Float64[np.ndarray, "height width"]
    """Weight of each place."""

    @property
    def worst(self) -> float:
        """The root mean square over the places with the largest, a tenth of the whole weight."""
        power, amount = self.power.ravel(), self.amount.ravel()
        order = np.argsort(-power / np.maximum(amount, 1e-9), kind="stable")
        power, amount = power[order], amount[order]
        before = np.cumsum(amount) - amount
        room = np.maximum(WORST_SHARE * amount.sum() - before, 0.0)
        # The last place counts in part, so that flicker of the whole picture gives the mean.
        part = np.minimum(1.0, room / np.maximum(amount, 1e-9))
        return math.sqrt(float(part @ power) / max(float(part @ amount), 1e-9))


def _measured(frames: np.ndarray, motion: FollowedMotion, fps: float) -> _Measured:
    """One pass of the eye's filters over a clip."""
    if len(motion.backward) != max(len(frames) - 1, 0):
        raise ValueError(f"{len(motion.backward)} flows for {len(frames)} frames; pass one less")
    found = _Measured(
        squares=np.zeros(len(frames)),
        weights=np.zeros(len(frames)),
        power=np.zeros(frames.shape[1:3]),
        amount=np.zeros(frames.shape[1:3]),
    )
    if len(frames) < 3 or not fps > 0:
        return found
    eye = _EyeFilter.at_rate(fps)
    before = _lab(frames[0])
    response = _Response.at_rest(before.shape)
    for index in range(1, len(frames)):
        check_stopped()
        now, flow = _lab(frames[index]), motion.backward[index - 1]
        change = now - warp(before, flow)
        response = response.next(
            change, flow=flow, seen=motion.visible_backward[index - 1], eye=eye
        )
        before = now
        if index > 1:
            power, amount = _visible_power(response)
            found.squares[index], found.weights[index] = np.sum(power), np.sum(amount)
            found.power[:] += power.sum(axis=2)
            found.amount[:] += amount
    return found


@dataclass(frozen=True, kw_only=True, eq=False)
class _Response:
    """State of the eye's filters for each point of a frame."""

    drift: Float32[np.ndarray, "height width 3"]
    """The change after the first high-pass stage: constant for a linear fade."""
    flicker: Float32[np.ndarray, "height width 3"]
    """After both stages."""
    lagging: tuple[Float32[np.ndarray, "height width 3"], Float32[np.ndarray, "height width 3"]]
    """After each low-pass stage."""
    trust: Float32[np.ndarray, "height width"]
    """How far a point has been tracked, 0 to 1."""
    started: bool

    @classmethod
    def at_rest(cls, shape: tuple[int, ...]) -> _Response:
        """The state before any change."""
        rest = np.zeros(shape, np.float32)
        trust = np.ones(shape[:2], np.float32)
        return cls(drift=rest, flicker=rest, lagging=(rest, rest), trust=trust, started=False)

    def next(
        self, change: np.ndarray, *, flow: np.ndarray, seen: np.ndarray, eye: _EyeFilter
    ) -> _Response:
        """The state one frame later; where a point was not visible, its filters restart."""
        follow = seen[..., None]
        change = change * (follow * eye.gain)
        if not self.started:
            # The first change may be part of a long fade: treat it as one.
            drift = change / (1 - eye.adaptation)
            return _Response(
                drift=drift, flicker=self.flicker, lagging=self.lagging, trust=seen, started=True
            )
        carried = warp(self.drift, flow) * follow
        drift = change + eye.adaptation * carried
        flicker = eye.gain * (drift - carried)
        flicker = flicker + eye.adaptation * follow * warp(self.flicker, flow)
        first = _lag(flicker, follow * warp(self.lagging[0], flow), eye.inertia)
        second = _lag(first, follow * warp(self.lagging[1], flow), eye.inertia)
        trust = seen * (0.5 + 0.5 * warp(self.trust, flow))
        return _Response(
            drift=drift, flicker=flicker, lagging=(first, second), trust=trust, started=True
        )


def _lag(now: np.ndarray, before: np.ndarray, inertia: float) -> np.ndarray:
    return (1 - inertia) * now + inertia * before


def _visible_power(
    response: _Response,
) -> tuple[Float32[np.ndarray, "height width 3"], Float32[np.ndarray, "height width"]]:
    """The weighted square of the response averaged over neighbourhoods, and the weight."""
    deviation = response.trust.shape[1] * AREA_BLUR
    weight = response.trust
    weighted = cv2.GaussianBlur(response.lagging[1] * weight[..., None], (0, 0), deviation)
    amount = cv2.GaussianBlur(weight, (0, 0), deviation)
    mean = weighted / np.maximum(amount, 1e-3)[..., None]
    return amount[..., None] * mean**2, amount


def _lab(frame: Float32[np.ndarray, "height width 3"]) -> Float32[np.ndarray, "height width 3"]:
    """CIELAB of a slightly blurred picture, with stored values as sRGB."""
    soft = cv2.GaussianBlur(frame, (0, 0), max(frame.shape[1] * FINE_BLUR, 0.3))
    return cv2.cvtColor(soft, cv2.COLOR_RGB2Lab)
