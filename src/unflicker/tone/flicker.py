"""Separates flicker in an illumination trajectory from intended changes and drift.

Each coefficient of the path is modelled as a sum:
    intended       slower than `keep_slower`; removed by a high-pass that keeps straight lines
    changes        levels that are held, and fades (`changes`)
    flicker        first-order autocorrelation ρ (0: frames are independent)
    drift          a random walk: errors of the estimate add up, real light wanders
The variogram (mean squared difference over 1, 2, 3 … frames) separates flicker from drift:
flicker's is flat, a drift's grows in proportion. Given the variances, a Wiener filter estimates
flicker, coefficient by coefficient; what is within the noise is not corrected.

Source: local-level models, Durbin and Koopman, Time Series Analysis by State Space Methods, ch. 2;
the high-pass is one minus Whittaker's smoother (1923).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from unflicker.tone.axes import principal_axes
from unflicker.tone.changes import Changes, find_changes
from unflicker.tone.fades import tones_without
from unflicker.tone.flat_fades import flat_fades, without
from unflicker.tone.illumination import IlluminationModel, tone_of
from unflicker.tone.ramps import Ramp
from unflicker.tone.trajectory import IlluminationTrajectory
from unflicker.tone.variogram import variances, wiener
from unflicker.tone.whittaker import high_pass_of, stiffness

_OPPONENT = np.array([[1 / 3, 1 / 3, 1 / 3], [1.0, 0.0, -1.0], [-0.5, 1.0, -0.5]])
"""From red, green, blue to lightness and two tints, which separate flicker best."""
_REPEATED_STEPS = 3
"""From this number on, steps in a window are flicker; fewer may be lamps."""
_LAMP = 0.3
"""Log light of a single step from which on it is a switched lamp, and kept; below, the level of the
previous window is held, and released at the pace of light that is kept (`crossfade.LevelHold`)."""
_SPREAD = 3.0
"""A step that is not sharp is spread over this many times the period of kept light."""
_FADE_FRAMES = 24.0
"""Half-power period of intended change within a fade, in frames, besides its own shape."""
_BESIDE_FADE = 3
"""Frames by which a fade may be longer than found."""
_AWAY_FRAMES = 8.0
"""Distance from a fade at which a second analysis is trusted again."""
_BEND_FRAMES = 6.0
"""The same where a fade begins and ends."""
_NEAR_BLACK, _NEAR_WHITE = 0.15, 0.7
"""Mean value of a frame of a fade below and above which the correction fades, too."""
_TONES = np.array([0.1, 0.4, 0.75])
"""Values of dark, middle and bright tones at which light is evaluated; the middle one is tone zero.
"""
_TREND_DOUBTED, _TREND_SURE = 2.0, 4.0
"""Squared trend over its expectation under noise: flicker below, intended above."""
_FEWEST_FRAMES = 4
_MIDDLE_GREY = 0.4
_DRIFT_SHARE = 0.25
"""Share of possible drift that is not corrected where a shot flickers: wandering light is then more
often flicker than not. Measured: +0.1 dB, film and time-lapse most."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Flicker:
    """The flicker of a shot, and the evidence for it."""

    coefficients: Float[np.ndarray, "time 3 size"]
    """Light that flicker added, as coefficients of the illumination model, for each channel."""
    steps: Int[np.ndarray, " steps"]
    """Frames at which the level jumped from one quiet part to another."""
    flickering: float
    """Standard deviation of the change of log light between frames that is flicker."""
    drifting: float
    """Standard deviation of the change of log light between frames that is drift."""
    is_levelled: bool = False
    """Whether steps are corrected, too."""
    changes: Changes | None = None
    """Steps and fades of the path, if it was searched for them."""

    @property
    def share(self) -> float:
        """Share of the change between frames that is flicker, 0 to 1."""
        total = self.flickering**2 + self.drifting**2
        return self.flickering**2 / total if total > 0 else 0.0


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How slow light must be to be kept."""

    keep_slower_frames: float
    """Light that takes longer than this to change is kept, in frames."""
    usual_frames: float = np.inf
    """The default. A larger value removes slow light even where drift is as likely, because the
    user has seen it."""

    @property
    def asks_for_more(self) -> bool:
        """Whether slower light than by default is to be corrected."""
        return self.keep_slower_frames > self.usual_frames

    @property
    def quickly(self) -> float:
        """Frames: faster light is flicker in any case."""
        return min(self.keep_slower_frames, self.usual_frames)


def separate(
    path: IlluminationTrajectory,
    field: IlluminationModel,
    *,
    pace: Pace,
    quantiles: Float[np.ndarray, "time levels 3"] | None = None,
    changes: Changes | None = None,
    again: bool = False,
) -> Flicker:
    """The part of an illumination trajectory that is flicker.

    Args:
        path: From `illumination_trajectory`.
        field: The functions its coefficients belong to.
        pace: How slow light must be to be kept.
        quantiles: Of each frame's channels, in [0, 1]; a middle grey if None.
        changes: Steps and fades, if they are known from an earlier analysis; one of corrected
            pictures hardly finds them, because it doubts all common changes.
        again: Whether the path is from such an analysis.
    """
    if len(path.light) < _FEWEST_FRAMES:
        return _none(path)
    opponent, free = _opponent(path.light), _opponent(path.free)
    shown = np.full(len(opponent), _MIDDLE_GREY) if quantiles is None else quantiles.mean((1, 2))
    changes = changes or _changes(opponent, field, (shown, flat_fades(quantiles)), pace)
    told = tones_without(opponent, changes.moved, field)
    stairs, fades = changes.parted(told, is_whole=not again)
    moving = _quick_and_slow(told - stairs - fades, quantiles, changes.bent, pace, field)
    jumps = _unwanted(stairs, changes, field, pace.quickly)
    certain = (_beside if again else _certain)(changes.ramps, shown)
    found = tones_without(moving * certain[:, None] + jumps, -changes.moved, field)
    flickering, drifting = _evidence(_calm(free, changes, field, pace), field)
    return Flicker(
        coefficients=_channels(found),
        steps=changes.steps + 1,
        is_levelled=bool(jumps.any()),
        changes=changes,
        flickering=flickering,
        drifting=drifting,
    )


def _none(path: IlluminationTrajectory) -> Flicker:
    nothing = np.zeros_like(path.light)
    return Flicker(coefficients=nothing, steps=np.zeros(0, int), flickering=0.0, drifting=0.0)


def _changes(
    opponent: Float[np.ndarray, "time all"],
    field: IlluminationModel,
    shown: tuple[Float[np.ndarray, " time"], tuple[Ramp, ...]],
    pace: Pace,
) -> Changes:
    """Steps and fades of a path; found again at the right tones if there are fades.

    `shown` has the brightness of each frame, and the fades from and to a flat picture.
    """
    brightness, flat = shown
    slowly = stiffness(np.full(len(opponent) - 2, pace.quickly))
    tones, others = _levels(opponent, field)
    told = {"smoothness": slowly, "brightness": brightness, "flat": flat}
    changes = find_changes(tones, others, **told)
    if not changes.moved.any():
        return changes
    tones, others = _levels(tones_without(opponent, changes.moved, field), field)
    return find_changes(tones, others, **told, before=changes)


def _calm(
    path: Float[np.ndarray, "time all"], changes: Changes, field: IlluminationModel, pace: Pace
) -> Float[np.ndarray, "some all"]:
    """A path without its changes, by which it is judged whether there is flicker; and without the
    frames of fades from and to a flat picture, where the errors of a steady film are as large."""
    if changes.flat:
        path = without(path, changes.flat)
        if len(path) < _FEWEST_FRAMES:
            return path
        changes = _changes(path, field, (np.full(len(path), _MIDDLE_GREY), ()), pace)
    return path - sum(changes.parted(path))


def _quick_and_slow(
    even: Float[np.ndarray, "time all"],
    quantiles: Float[np.ndarray, "time levels 3"] | None,
    ramps: tuple[Ramp, ...],
    pace: Pace,
    field: IlluminationModel,
) -> Float[np.ndarray, "time all"]:
    """The flicker of a path without changes of level, its own random slow part included; judged
    along principal axes where tones are known."""
    axes = np.eye(even.shape[1])
    if quantiles is not None:
        axes = principal_axes(even, field, np.median(quantiles, axis=0).ravel())
    high_pass = high_pass_of(_yielding(pace.quickly, ramps, len(even)))
    turned, allowed = even @ axes, (axes**2).T @ _drift_allowed(field)
    memory, flicker, drift, wander = variances(turned, allowed)
    believed = drift * _DRIFT_SHARE
    parts = (flicker, believed, wander + drift - believed)
    quick = wiener(high_pass @ turned, high_pass, memory, parts)
    # By place drift is what it seems: errors of the motion lie there, and a trend of them is none.
    doubted = np.where(_is_of_whole(field), believed, drift)
    slow = _chance_trend(turned, high_pass, memory, (flicker + wander, doubted))
    return (quick + slow) @ np.linalg.inv(axes)


def _is_of_whole(field: IlluminationModel) -> Bool[np.ndarray, " all"]:
    """Which coefficients of a path are global, for lightness and tints."""
    whole = np.zeros(field.size, bool)
    whole[field.whole] = True
    return np.tile(whole, 3)


def beyond_original(path: IlluminationTrajectory, field: IlluminationModel) -> Flicker:
    """All of a path relative to a steady original except its mean, as flicker.

    Intended changes are in the original, so everything else is flicker, however slow.

    Args:
        path: Relative to the original (`correspondences.relative`).
        field: The functions its coefficients belong to.
    """
    time = len(path.light)
    found = path.light - path.light.mean(axis=0)
    flickering, drifting = 0.0, 0.0
    if time >= _FEWEST_FRAMES:
        flickering, drifting = _evidence(_opponent(path.free), field)
    return Flicker(
        coefficients=found, steps=np.zeros(0, int), flickering=flickering, drifting=drifting
    )


def _channels(found: Float[np.ndarray, "time all"]) -> Float[np.ndarray, "time 3 size"]:
    """From lightness and tints to red, green and blue."""
    parts = found.reshape(len(found), 3, -1)
    return np.einsum("co,tok->tck", np.linalg.inv(_OPPONENT), parts)


def _opponent(path: Float[np.ndarray, "time 3 size"]) -> Float[np.ndarray, "time all"]:
    return np.einsum("oc,tck->tok", _OPPONENT, path).reshape(len(path), -1)


def _evidence(free: Float[np.ndarray, "time all"], field: IlluminationModel) -> tuple[float, float]:
    """Standard deviations of changes of lightness between frames: of flicker, and of drift."""
    if len(free) < _FEWEST_FRAMES:
        return 0.0, 0.0
    memory, flicker, drift, wander = variances(free, _drift_allowed(field))
    light = slice(0, field.size)
    flickering = ((1.0 - memory) * flicker[light] + wander[light] / 2.0).sum()
    return float(np.sqrt(flickering)), float(np.sqrt((drift[light] / 2.0).sum()))


def _yielding(
    keep_slower_frames: float, ramps: tuple[Ramp, ...], time: int
) -> Float[np.ndarray, "time time"]:
    """The stiffness of intended light, which follows a fade closely and bends where it ends."""
    periods = np.full(time - 2, keep_slower_frames)
    for start, stop in ramps:
        around = slice(max(start - _BESIDE_FADE, 0), max(stop + _BESIDE_FADE - 1, 0))
        periods[around] = np.minimum(periods[around], _FADE_FRAMES)
        for end in (start, stop):
            bend = slice(max(end - 2, 0), max(end + 1, 0))
            periods[bend] = np.minimum(periods[bend], _BEND_FRAMES)
    return stiffness(periods)


def _certain(
    ramps: tuple[Ramp, ...], brightness: Float[np.ndarray, " time"]
) -> Float[np.ndarray, " time"]:
    """Confidence in each frame's flicker: in a fade less towards black and white, where it is
    weaker and less visible."""
    certain = np.ones(len(brightness))
    shows = np.clip(brightness / _NEAR_BLACK, 0.0, 1.0)
    shows = np.minimum(shows, np.clip((1.0 - brightness) / (1.0 - _NEAR_WHITE), 0.0, 1.0))
    for start, stop in ramps:
        around = slice(max(start - _BESIDE_FADE, 0), stop + _BESIDE_FADE + 1)
        certain[around] = shows[around]
    return certain


def _beside(
    ramps: tuple[Ramp, ...], brightness: Float[np.ndarray, " time"]
) -> Float[np.ndarray, " time"]:
    """Confidence in a second analysis of each frame: zero within a fade, because points whose light
    changes so fast are doubted there, and only its slow end is seen."""
    frames = np.arange(len(brightness))
    away = [np.maximum(np.maximum(start - frames, frames - stop), 0) for start, stop in ramps]
    return np.min(
        [np.ones(len(frames)), *(np.minimum(far / _AWAY_FRAMES, 1.0) for far in away)], axis=0
    )


def _levels(
    opponent: Float[np.ndarray, "time all"], field: IlluminationModel
) -> tuple[Float[np.ndarray, "time tones"], Float[np.ndarray, "time others"]]:
    """Log light of dark, middle and bright tones; differences from top to bottom and from side to
    side; the two tints: the low-frequency light of the picture, in which changes are detected."""
    parts = opponent.reshape(len(opponent), 3, -1)
    light = parts[:, 0]
    powers = tone_of(_TONES)[:, None] ** np.arange(field.powers + 1)
    tones = light[:, field.whole] @ powers.T
    sides = np.nonzero(field.waves.sum(axis=1) == 1)[0]
    return tones, np.concatenate([light[:, sides], parts[:, 1:, 0]], axis=1)


def _unwanted(
    stairs: Float[np.ndarray, "time all"],
    changes: Changes,
    field: IlluminationModel,
    keep_slower_frames: float,
) -> Float[np.ndarray, "time all"]:
    """The correction of held levels: all differences, unless one or two steps are large as lamps.

    The height of one or two that do not leap far above all else is correlated with an opposite
    slope, so of these only what is sudden is corrected.
    """
    few = len(changes.steps) < _REPEATED_STEPS
    tones, others = (np.abs(np.diff(part, axis=0)) for part in _levels(stairs, field))
    # A lamp lights all tones; contrast that stands otherwise moves the dark ones far.
    heights = np.concatenate([np.median(tones, axis=1, keepdims=True), others], axis=1)
    if few and heights.max() > _LAMP:
        return np.zeros_like(stairs)
    if few and not changes.sharp.all():
        periods = np.full(len(stairs) - 2, _SPREAD * keep_slower_frames)
        return high_pass_of(stiffness(periods)) @ stairs
    return stairs - stairs.mean(axis=0)


def _chance_trend(
    path: Float[np.ndarray, "time all"],
    high_pass: Float[np.ndarray, "time time"],
    memory: float,
    variances: tuple[np.ndarray, np.ndarray],
) -> Float[np.ndarray, "time all"]:
    """The slow part of a path where it is not intended light but flicker's own random slow part.

    Fifty frames of noise have a trend, too. A trend is intended only if it is well above the
    expectation from the flicker around it (an F test, with a soft edge). Where drift is as likely,
    or flicker so persistent that the two look alike, it is kept in proportion;
    `variances` are of flicker and of drift.
    """
    flicker, drift = variances
    quick = high_pass @ path
    slow = path - quick
    slow -= slow.mean(axis=0)
    time = len(path)
    freedom = max(time - float(np.trace(high_pass)) - 1.0, 0.5)
    lasting = (1.0 + memory) / (1.0 - memory)
    by_chance = freedom * lasting * (quick**2).sum(axis=0) / max(np.trace(high_pass), 1.0)
    excess = (slow**2).sum(axis=0) / (by_chance + 1e-12)
    wanted = np.clip((excess - _TREND_DOUBTED) / (_TREND_SURE - _TREND_DOUBTED), 0.0, 1.0)
    from_drift = drift * time**2 / 6.0
    likely = freedom * flicker / (freedom * flicker + from_drift + 1e-30)
    return slow * (1.0 - wanted) * likely * (1.0 - memory)


def _drift_allowed(field: IlluminationModel) -> Float[np.ndarray, " all"]:
    """The largest plausible variance of drift per frame, for each coefficient.

    Measured on steady clips, hand-held and with automatic exposure among them (lab notebook).
    """
    order = np.sqrt((field.waves**2).sum(1))
    by_place = 0.004 / (1.0 + order / 2.0)
    by_place[0] = 0.006
    by_contrast = np.full(len(field.contrasts), 0.005)
    by_tone = np.full(field.powers, 0.007)
    return np.tile(np.concatenate([by_place, by_contrast, by_tone]), 3) ** 2
