"""Visible flicker of a film, without a clean version, in ΔE.

Every point is tracked along the motion, and the changes of its colour (CIELAB, which is about
perceptually uniform) are weighted by the eye's temporal sensitivity, a band-pass. The filter runs
from frame to frame, its state carried along the motion. Its output is averaged over a small
neighbourhood, since flicker fills an area while errors of the motion and grain cancel there.
"""

from __future__ import annotations

import math
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
    squares, weights = _measured(frames, motion, fps)
    total = weights.sum()
    return float(math.sqrt(squares.sum() / total)) if total > 0 else 0.0


def visible_flicker_by_frame(
    frames: Float32[np.ndarray, "time height width 3"], *, motion: FollowedMotion, fps: float
) -> Float64[np.ndarray, " time"]:
    """Visible flicker of each frame in ΔE; 0 where motion is unknown.

    Args:
        frames: RGB stored values, in [0, 1].
        motion: Between them.
        fps: Frames a second.
    """
    squares, weights = _measured(frames, motion, fps)
    return np.sqrt(squares / np.maximum(weights, 1e-9))


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


def _measured(
    frames: np.ndarray, motion: FollowedMotion, fps: float
) -> tuple[Float64[np.ndarray, " time"], Float64[np.ndarray, " time"]]:
    """For each frame the sum of squared visible changes, and of their weights."""
    if len(motion.backward) != max(len(frames) - 1, 0):
        raise ValueError(f"{len(motion.backward)} flows for {len(frames)} frames; pass one less")
    squares, weights = np.zeros(len(frames)), np.zeros(len(frames))
    if len(frames) < 3 or not fps > 0:
        return squares, weights
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
            squares[index], weights[index] = _visible_power(response)
    return squares, weights


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


def _visible_power(response: _Response) -> tuple[float, float]:
    """The summed square of the response averaged over neighbourhoods, and the summed weight."""
    deviation = response.trust.shape[1] * AREA_BLUR
    weight = response.trust
    weighted = cv2.GaussianBlur(response.lagging[1] * weight[..., None], (0, 0), deviation)
    amount = cv2.GaussianBlur(weight, (0, 0), deviation)
    mean = weighted / np.maximum(amount, 1e-3)[..., None]
    return float(np.sum(amount[..., None] * mean**2)), float(np.sum(amount))


def _lab(frame: Float32[np.ndarray, "height width 3"]) -> Float32[np.ndarray, "height width 3"]:
    """CIELAB of a slightly blurred picture, with stored values as sRGB."""
    soft = cv2.GaussianBlur(frame, (0, 0), max(frame.shape[1] * FINE_BLUR, 0.3))
    return cv2.cvtColor(soft, cv2.COLOR_RGB2Lab)
