"""Fades through black and white.

A curve of light is determined at the tones that a frame shows. In a fade these are dark ones only,
and its polynomial extrapolates to brighter ones; in fades, curves are therefore evaluated at the
tones that the picture would have without the fade (`tones_without`). A fade is then the same for
all of them.

An editor's fade through black multiplies the whole picture by a share that grows linearly in time.
Only its beginning and end are unknown, so flicker within it is known far better than in a fade of
any shape, whose end might be flicker as well (`exact_fade`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, comb, floor

import numpy as np
from jaxtyping import Bool, Float

from unflicker.tone.illumination import IlluminationModel, tone_of

_SIDE_FRAMES = 6
"""Frames before or after a fade that give the brightness of the picture without it."""
_NEAR = 0.5
"""Tolerance of a fade's beginning and end, as a share of its length."""
_NEAR_FRAMES = 4.0
"""The least tolerance, in frames."""
_STEP_FRAMES = 0.5
_SHORTEST_FRAMES = 4.0
_DARK = 2.5
"""Log light below the usual from which on a path is inexact: a twelfth of the light, where codes
are rounded and black is lifted."""
_DOUBT = 15.0
"""In variances of the flicker, how much worse than a fade of any shape an exact one may explain
light: the other has some ten parameters more, each of which explains one of noise."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Fade:
    """A fade whose first and last frame are known to half a frame."""

    light: Float[np.ndarray, " time"]
    """Its log light by frame."""
    ramp: tuple[int, int]
    """First and last frame, rounded outwards."""
    is_of_middle: bool = False
    """Whether only middle tones follow it: all do through black, dark ones change more through
    white."""


def exact_fade(
    ramp: tuple[int, int],
    levels: Float[np.ndarray, "time tones"],
    *,
    general: Float[np.ndarray, "time tones"],
    deviation: Float[np.ndarray, " tones"],
    weigh: Float[np.ndarray, "time time"],
    usual: float | None,
) -> Fade | None:
    """The fade that explains a ramp; None if one of another shape explains much more.

    Args:
        ramp: First and last frame of the fade, about.
        levels: Log light of dark to bright tones, without other changes.
        general: The ramp as explained by a fade of any shape.
        deviation: Of the flicker of these tones.
        weigh: Weights of deviations of a level from its smooth curve (`weighing.projector`).
        usual: Mean value of the picture without the fade, in [0, 1], if it is known.
    """
    frames = np.arange(len(levels))
    middle = levels.mean(axis=1)
    near = (frames >= ramp[0] - _NEAR_FRAMES) & (frames <= ramp[1] + _NEAR_FRAMES)
    weigh = _without(weigh, near & (middle < np.median(middle) - _DARK))

    def misfit(fade: Float[np.ndarray, "time any"], *, of_middle: bool) -> float:
        left = (levels - fade) / deviation
        by_tone = (left * (weigh @ left)).sum(axis=0)
        return float(by_tone[len(by_tone) // 2] if of_middle else by_tone.mean())

    fades = [*_through_black(ramp, len(levels))]
    if usual is not None:
        fades += _through_white(ramp, len(levels), usual)
    if not fades:
        return None
    misfits = [misfit(fade.light[:, None], of_middle=fade.is_of_middle) for fade in fades]
    best = fades[int(np.argmin(misfits))]
    return best if min(misfits) < misfit(general, of_middle=best.is_of_middle) + _DOUBT else None


def _through_black(ramp: tuple[int, int], time: int) -> Iterator[Fade]:
    """Fades near a ramp that begin before the first frame, or end after the last: black frames show
    nothing and are not used."""
    for start, stop, share in _shares(ramp, time):
        whole = (floor(start), ceil(stop))
        if share[0] > 0.0 and stop < time - 1:
            yield Fade(light=np.log(share), ramp=whole)
        if share[-1] < 1.0 and start > 0:
            yield Fade(light=np.log(1.0 - share), ramp=whole)


def _through_white(ramp: tuple[int, int], time: int, usual: float) -> Iterator[Fade]:
    """The same for white, to or from a picture of a `usual` brightness."""
    for start, stop, share in _shares(ramp, time):
        whole = (floor(start), ceil(stop))
        if share[0] > 0.0 and stop < time - 1:
            yield Fade(light=np.log(share + (1.0 - share) / usual), ramp=whole, is_of_middle=True)
        if share[-1] < 1.0 and start > 0:
            yield Fade(light=np.log(1.0 - share + share / usual), ramp=whole, is_of_middle=True)


def _shares(
    ramp: tuple[int, int], time: int
) -> Iterator[tuple[float, float, Float[np.ndarray, " time"]]]:
    """Possible beginnings and ends of a fade that was found as a ramp, and its progress at each
    frame."""
    frames = np.arange(time, dtype=float)
    reach = max(_NEAR_FRAMES, _NEAR * (ramp[1] - ramp[0]))
    off = np.arange(-reach, reach + _STEP_FRAMES, _STEP_FRAMES)
    for start in ramp[0] + off:
        for stop in ramp[1] + off[ramp[1] + off - start >= _SHORTEST_FRAMES]:
            yield float(start), float(stop), np.clip((frames - start) / (stop - start), 0.0, 1.0)


def _without(
    weigh: Float[np.ndarray, "time time"], frames: Bool[np.ndarray, " time"]
) -> Float[np.ndarray, "time time"]:
    """Weights of deviations where some frames are not used."""
    if not frames.any():
        return weigh
    some = weigh[:, frames]
    inner = weigh[np.ix_(frames, frames)] + 1e-9 * np.eye(int(frames.sum()))
    return weigh - some @ np.linalg.solve(inner, some.T)


def usual_brightness(ramp: tuple[int, int], brightness: Float[np.ndarray, " time"]) -> float | None:
    """Mean value of the picture before or after a fade from or to black or white.

    Args:
        ramp: First and last frame of the fade.
        brightness: Mean value of each frame, in [0, 1].

    Returns:
        None where that side is not in the window, and where there is a picture on both sides.
    """
    sides = (
        brightness[max(ramp[0] - _SIDE_FRAMES, 0) : max(ramp[0], 0)],
        brightness[ramp[1] + 1 :],
    )
    seen = [side[:_SIDE_FRAMES] for side in sides if len(side) >= _SIDE_FRAMES]
    return float(seen[0].mean()) if len(seen) == 1 else None


def tones_moved(
    fades: Sequence[Fade],
    bent: Sequence[tuple[int, int]],
    brightness: Float[np.ndarray, " time"],
) -> Float[np.ndarray, " time"]:
    """The tone at which each frame's curves are evaluated, instead of zero.

    It is the tone of the picture's usual brightness, moved as by the fades. All zero without fades
    through black or white.

    Args:
        fades: Those whose shape is known.
        bent: Other ramps.
        brightness: Mean value of each frame, in [0, 1].
    """
    usual = {ramp: usual_brightness(ramp, brightness) for ramp in (*(f.ramp for f in fades), *bent)}
    known = sorted((ramp, light) for ramp, light in usual.items() if light is not None)
    if not known:
        return np.zeros(len(brightness))
    ends = np.array([end for ramp, _ in known for end in ramp])
    around = np.interp(
        np.arange(len(brightness)), ends, [light for _, light in known for _ in "se"]
    )
    shown = around.copy()
    for fade in fades:
        shown *= 1.0 if usual[fade.ramp] is None else np.exp(fade.light)
    for start, stop in (ramp for ramp in bent if usual[ramp] is not None):
        shown[max(start, 0) : stop + 1] = brightness[max(start, 0) : stop + 1]
    return tone_of(shown)


def tones_without(
    opponent: Float[np.ndarray, "time all"],
    moved: Float[np.ndarray, " time"],
    field: IlluminationModel,
) -> Float[np.ndarray, "time all"]:
    """A path with the curves of each frame evaluated at higher tones.

    Args:
        opponent: Coefficients of lightness and two tints.
        moved: Difference in tone, by frame (`tones_moved`).
        field: The functions the coefficients belong to.
    """
    if not moved.any():
        return opponent
    shift = np.zeros((len(moved), field.powers + 1, field.powers + 1))
    for power in range(field.powers + 1):
        for lower in range(power + 1):
            shift[:, lower, power] = comb(power, lower) * moved ** (power - lower)
    parts = opponent.reshape(len(opponent), 3, -1).copy()
    parts[:, :, field.whole] = np.einsum("tlp,top->tol", shift, parts[:, :, field.whole])
    return parts.reshape(opponent.shape)
