"""Kind and strength of a shot's flicker, and the part of a grade that corrects it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast

import numpy as np
from jaxtyping import Float

from unflicker.frames.colour import linear_stops
from unflicker.tone.estimate import SteadyTone
from unflicker.tone.illumination import IlluminationModel, tone_of

Kind = Literal[
    "none",
    "exposure",
    "tint",
    "gamma",
    "local",
    "local tint",
    "bands",
    "saturation",
    "hue",
    "held",
    "auto exposure",
]
Model = Literal[
    "nothing",
    "curves",
    "path",
    "curves+path",
    "matrix",
    "matrix+curves",
    "matrix+path",
    "matrix+curves+path",
]

_LEAST_SHARE = 0.03
"""A part of the grade with a smaller share of the light is not named."""
_GAMMA_OF_EXPOSURE = 0.25
_PERIODIC = 0.35
"""A period is named where one frequency and its neighbours carry this share of the light."""
_USUAL_CHROMA = 0.2
"""Root mean square of log light by which a channel of natural pictures differs from their grey:
0.1 indoors, 0.2 to 0.4 in colourful clips."""
_PARTS: tuple[Kind, ...] = (
    "exposure",
    "tint",
    "gamma",
    "local",
    "local tint",
    "bands",
    "saturation",
    "hue",
)
_TONES = np.linspace(0.05, 0.95, 19)


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """The flicker of one shot, in numbers."""

    kind: Kind
    """The most similar kind; a label for people, no stage depends on it."""
    model: Model
    """The simplest model that explains it, and that corrects the shot."""
    strength_stops: float
    """Root mean square of the removed light, in stops (doublings of working light)."""
    strength_delta_e: float
    """Visible flicker before correction, in ΔE (see `metrics`)."""
    period_frames: float | None
    """Period in frames, or None without periodicity."""
    frequency_hz: float | None
    """The same in cycles a second, or None."""
    confidence: float
    """0 to 1: how far flicker exceeds drift and noise, or how sure its absence is."""
    exposure_drift_stops: float = 0.0
    """Range of the drift of automatic exposure or white balance; 0 if neither drifts. It is removed
    only by the exposure lock."""


def diagnose(
    windows: Sequence[SteadyTone],
    *,
    fps: float,
    visible_delta_e: float,
    exposure_drift_stops: float = 0.0,
    locked: bool = False,
) -> Diagnosis:
    """The flicker of a shot from its windows, in order.

    Args:
        windows: Results of the tone stage; overlaps count twice, without effect.
        fps: Frames a second, those that repeat another among them.
        visible_delta_e: Visible flicker before correction, in ΔE.
        exposure_drift_stops: Of the shot's automatic exposure (`exposure_drift`).
        locked: Whether that drift is removed.
    """
    share = float(np.mean([window.flicker.share for window in windows]))
    energy = np.mean([_energy(window.coefficients, window.field) for window in windows], axis=0)
    total = float(energy.sum())
    drifts = exposure_drift_stops > 0.0
    if total == 0.0:
        steady = _steady(visible_delta_e, share)
        return _drifting(steady, exposure_drift_stops, locked=locked) if drifts else steady
    steps = sum(len(window.flicker.steps) for window in windows)
    period = _period(max((w.coefficients for w in windows), key=lambda light: np.abs(light).sum()))
    kind = "held" if _is_held(windows, steps) else _kind(energy)
    return Diagnosis(
        # A camera's exposure that moves by jerks looks like steps.
        kind="auto exposure" if drifts and kind == "held" else kind,
        model=_model(energy),
        strength_stops=float(linear_stops(np.sqrt(total))),
        strength_delta_e=visible_delta_e,
        period_frames=period,
        frequency_hz=fps / period if period else None,
        exposure_drift_stops=exposure_drift_stops,
        confidence=1.0 if steps or any(window.mixes for window in windows) else share,
    )


def _steady(visible_delta_e: float, share: float) -> Diagnosis:
    """The diagnosis of a shot that is not corrected."""
    return Diagnosis(
        kind="none",
        model="nothing",
        strength_stops=0.0,
        strength_delta_e=visible_delta_e,
        period_frames=None,
        frequency_hz=None,
        confidence=float(np.clip(1.0 - share, 0.0, 1.0)),
    )


def _drifting(steady: Diagnosis, stops: float, *, locked: bool) -> Diagnosis:
    """The diagnosis of a shot in which only automatic exposure drifts."""
    model = "curves" if locked else steady.model
    return replace(steady, kind="auto exposure", model=model, exposure_drift_stops=stops)


def _energy(
    coefficients: Float[np.ndarray, "time 3 size"], field: IlluminationModel
) -> Float[np.ndarray, " parts"]:
    """Mean squares of log light, in the order of `_PARTS`."""
    lightness = coefficients.mean(axis=1)
    tint = coefficients - lightness[:, None]
    places, power = len(field.waves), field.wave_power
    light = (lightness[:, :places] ** 2).mean(axis=0) * power
    colour = (tint[..., :places] ** 2).mean(axis=(0, 1)) * power
    bands = (field.waves[:, 0] == 0) & (field.waves[:, 1] > 0)
    elsewhere = field.waves[:, 0] > 0
    # A slow wave down the picture alone is as likely a lamp as a band; both are then counted.
    tones = tone_of(_TONES)[:, None] ** np.arange(1, field.powers + 1)
    curve = lightness[:, field.shared : field.size] @ (tones - tones.mean(axis=0)).T
    contrast = (lightness[:, places : field.shared] ** 2).mean(axis=0).sum() / 4.0
    mixing = (coefficients[..., field.size + 1 :] ** 2).mean(axis=(0, 1)) * _USUAL_CHROMA**2
    saturation, hue = mixing if len(mixing) else (0.0, 0.0)
    return np.array(
        [
            light[0],
            colour[0],
            float((curve**2).mean()),
            light[elsewhere].sum() + contrast,
            colour[elsewhere].sum(),
            light[bands].sum() + colour[bands].sum(),
            saturation,
            hue,
        ]
    )


def _kind(energy: Float[np.ndarray, " parts"]) -> Kind:
    weighed = energy.copy()
    if weighed[2] > _GAMMA_OF_EXPOSURE * weighed[0]:
        weighed[2] += weighed[0]  # a power leaves white alone, so it changes the middle as well
        weighed[0] = 0.0
    if weighed[5] < 2.0 * (weighed[3] + weighed[4]):
        weighed[3] += weighed[5]
        weighed[5] = 0.0
    return _PARTS[int(np.argmax(weighed))]


def _model(energy: Float[np.ndarray, " parts"]) -> Model:
    share = energy / energy.sum()
    parts = {"matrix": share[6:], "curves": share[:3], "path": share[3:6]}
    named = [name for name, part in parts.items() if part.sum() > _LEAST_SHARE]
    return cast(Model, "+".join(named))


def _is_held(windows: Sequence[SteadyTone], steps: int) -> bool:
    """Whether jumps of level, not change from frame to frame, carry the light."""
    if steps < 2:
        return False
    between = max(window.flicker.flickering for window in windows)
    overall = max(float(np.abs(window.coefficients[:, :, 0]).max()) for window in windows)
    return between < 0.3 * overall


def _period(coefficients: Float[np.ndarray, "time 3 size"]) -> float | None:
    """The period of the strongest frequency over all coefficients, in frames, if one stands out."""
    time = len(coefficients)
    if time < 12:
        return None
    series = coefficients.reshape(time, -1)
    window = np.hanning(time)[:, None]
    power = (np.abs(np.fft.rfft(series * window, axis=0)) ** 2).sum(axis=1)
    power[:2] = 0.0
    peak = int(np.argmax(power))
    around = power[max(peak - 1, 0) : peak + 2]
    if power.sum() == 0.0 or around.sum() < _PERIODIC * power.sum():
        return None
    places = np.arange(max(peak - 1, 0), max(peak - 1, 0) + len(around))
    return float(time / ((around * places).sum() / around.sum()))
