"""Change points of a trajectory of light: steps between held levels, and fades.

A path is modelled as a smooth curve, plus flicker with first-order autocorrelation ρ, plus a few
changes of level: a step from one frame to the next, or a ramp over up to two seconds, besides
light that rises at once and dies away (`decays`). They are
added one by one, the one that explains most first, as long as they are significant: the test is not
the size of a jump but whether the levels before and after it differ by more than the flicker around
them allows.

Source: generalised least squares under first-order autoregression; forward selection of change
points, e.g. Fryzlewicz, Wild binary segmentation, Annals of Statistics 42 (2014).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from unflicker.tone.change_shapes import shapes_around, shapes_everywhere, steps_everywhere
from unflicker.tone.decays import find_decays
from unflicker.tone.fades import Fade, exact_fade, tones_moved, usual_brightness
from unflicker.tone.flat_fades import apart, bridged, unexplained
from unflicker.tone.ramps import Ramp, believed
from unflicker.tone.selection import Judged, Unexplained
from unflicker.tone.weighing import deviation_of, heights_of, projector, residual

_MOST_CHANGES = 40
_ROUNDS = 2
_HELD_FRAMES = 3
"""Least duration of a held level."""
_LEAST_STEP = 0.02
"""Least log light of a step: a person who walks through the picture causes less."""
_LEVEL_FRAMES = 8
"""Frames on either side of a step that are compared."""
_ABOVE_UNREST = 4.0
"""Least height of a step over the deviation of light before and after it: held levels are quiet,
those of a wave or of wandering light are not."""
_MIDDLE_TONE = 1
"""Place of middle tones among the levels of tones."""
_NEAR_FRAMES, _SHARP = 3, 3.0
"""Frames around a step, and how far its leap must exceed their changes to give its height."""
_ECHO = 0.35
"""Of the largest leap within two frames, below which another is but its echo."""
_AT_ONCE = 0.6
"""Share of a step's height that must happen from one frame to the next."""
_MOSTLY = 0.6
"""Share of all leaping light that must lead from one held level to another; else no step does,"""
_CLEAR = 2.5
"""but those that leap so much farther than all others: light that flickers now and then leaps by
like amounts."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Changes:
    """Change points of a path."""

    steps: Int[np.ndarray, " steps"]
    """Frames after which the level is another, held for some frames on both sides."""
    sharp: Bool[np.ndarray, " steps"]
    """Which steps leap far above all changes around them: their height is that of the leap. The
    prior makes a path leak away from its level on both sides, so levels are less reliable."""
    ramps: tuple[Ramp, ...]
    """First and last frame of each fade."""
    shapes: Float[np.ndarray, "time all"]
    """Shapes of all of them: a column for each step, then those that make up the ramps."""
    weigh: Float[np.ndarray, "time time"]
    """Weights of deviations of a path from its best smooth curve."""
    exact: Float[np.ndarray, "time exact"]
    """The last of those columns: log light of the fades through black and white that are
    known exactly."""
    bent: tuple[Ramp, ...]
    """The ramps that no fade of a known shape explains."""
    moved: Float[np.ndarray, " time"]
    """By how much fades move the tones of each frame (`fades.tones_moved`)."""
    decays: Float[np.ndarray, "time events"]
    """Those of the columns that are light which rises at once and dies away."""
    flat: tuple[Ramp, ...] = ()
    """Fades from and to a flat picture."""
    kept: tuple[Ramp, ...] = ()
    """Those that no ramp explains; they keep their light."""

    def at_same_tones(self) -> Changes:
        """The same, for a path whose coefficients are not powers of tone."""
        return replace(self, moved=np.zeros_like(self.moved))

    def parted(
        self, path: Float[np.ndarray, "time any"], *, is_whole: bool = False
    ) -> tuple[Float[np.ndarray, "time any"], Float[np.ndarray, "time any"]]:
        """The steps and the ramps in each column of a path, fitted jointly.

        Args:
            path: Of light; its first column is that of the whole picture.
            is_whole: Whether the path has every change in full, as that of uncorrected pictures
                has: then exact fades are taken as they are, without a fit.
        """
        if not is_whole or not self.exact.shape[1]:
            return self._parts_of(path)
        known = np.zeros_like(path)
        known[:, 0] = self.exact.sum(axis=1)
        others = replace(self, shapes=self.shapes[:, : -self.exact.shape[1]])
        stairs, fades = others._parts_of(path - known)
        return stairs, fades + known

    def _parts_of(
        self, path: Float[np.ndarray, "time any"]
    ) -> tuple[Float[np.ndarray, "time any"], Float[np.ndarray, "time any"]]:
        sharp = np.zeros_like(path)
        for step in self.steps[self.sharp]:
            sharp[step + 1 :] += self._leap(path, int(step))
        heights = heights_of(path - sharp, self.shapes, self.weigh)
        heights[: len(self.steps)][self.sharp] = 0.0
        count = len(self.steps)
        stairs = sharp + self.shapes[:, :count] @ heights[:count]
        return stairs, self.shapes[:, count:] @ heights[count:]

    def _leap(self, path: Float[np.ndarray, "time any"], step: int) -> Float[np.ndarray, " any"]:
        """The leap of a path at a step, beyond its changes around it."""
        change = np.diff(path, axis=0)
        near = _beside(step, self.steps.tolist(), pairs=len(change))
        usual = change[near].mean(axis=0) if near else 0.0
        return change[step] - usual


def find_changes(
    tones: Float[np.ndarray, "time tones"],
    others: Float[np.ndarray, "time others"],
    *,
    smoothness: Float[np.ndarray, "time time"],
    brightness: Float[np.ndarray, " time"] | None = None,
    before: Changes | None = None,
    flat: tuple[Ramp, ...] = (),
) -> Changes:
    """The steps and ramps of a path.

    Args:
        tones: Log light of dark to bright tones, frame by frame: a fade moves them all.
        others: Log light of parts of the picture and of tints, which may step, too.
        smoothness: The matrix of the smooth curve's penalty, relative to the flicker's variance.
        brightness: Mean of each frame, in [0, 1], which identifies fades through white.
        before: Those of a path at other tones: then only the ends of ramps are fitted again.
        flat: From `flat_fades`; those that no ramp explains keep their light.
    """
    how = (smoothness, brightness, before)
    even, decays = _without_decays((tones, others), flat, how)
    (tones, others), (found, known, bent), kept = _beside_flat(even, flat, how)
    exact = np.array([fade.light for fade in known]).reshape(-1, len(tones)).T
    fades = np.concatenate([decays, found.of_ramps(bent), apart(kept, len(tones)), exact], axis=1)
    levels = residual(np.concatenate([tones, others], axis=1), fades, found.weigh)
    ramps = (*bent, *(fade.ramp for fade in known))
    held, weigh = _steps(levels, smoothness, ramps, before)
    return Changes(
        steps=np.array(held, int),
        sharp=np.array([_is_sharp(step, held, levels) for step in held], bool),
        ramps=ramps,
        shapes=np.concatenate([_stairs(held, len(levels)), fades], axis=1),
        weigh=weigh,
        exact=exact,
        bent=tuple(bent),
        moved=_moved(known, bent, brightness, time=len(tones)),
        decays=decays,
        flat=flat,
        kept=kept,
    )


def _stairs(steps: Sequence[int], time: int) -> Bool[np.ndarray, "time steps"]:
    return np.arange(time)[:, None] > np.array(steps, int)


def _without_decays(
    levels: tuple[np.ndarray, np.ndarray],
    flat: tuple[Ramp, ...],
    how: tuple[np.ndarray, np.ndarray | None, Changes | None],
) -> tuple[tuple[np.ndarray, np.ndarray], Float[np.ndarray, "time events"]]:
    """Levels without light that dies away, and that light's shapes; none where there are fades from
    and to a flat picture, in which light leaps, too."""
    (tones, others), (smoothness, _, before) = levels, how
    decays = np.zeros((len(tones), 0))
    if before is not None:
        decays = before.decays
    elif not flat:
        decays = find_decays(tones, others, smoothness=smoothness)
    if not decays.shape[1]:
        return levels, decays
    weigh = projector(len(tones), 0.0, smoothness)
    return (residual(tones, decays, weigh), residual(others, decays, weigh)), decays


def _beside_flat(
    levels: tuple[np.ndarray, np.ndarray],
    flat: tuple[Ramp, ...],
    how: tuple[np.ndarray, np.ndarray | None, Changes | None],
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[_Chosen, list[Fade], list[Ramp]], tuple[Ramp, ...]]:
    """Levels without the fades from and to a flat picture that no other fade explains, what is
    found in them (`_fades`), and those fades."""
    kept: tuple[Ramp, ...] = ()
    while True:
        found, known, bent = _fades(levels[0], *how)
        ramps = (*bent, *(fade.ramp for fade in known))
        unlike = set(unexplained(flat, ramps)) - set(kept)
        if not unlike:
            return levels, (found, known, bent), kept
        kept = (*kept, *sorted(unlike))
        levels = bridged(levels[0], kept), bridged(levels[1], kept)


def _fades(
    tones: Float[np.ndarray, "time tones"],
    smoothness: Float[np.ndarray, "time time"],
    brightness: Float[np.ndarray, " time"] | None,
    before: Changes | None,
) -> tuple[_Chosen, list[Fade], list[Ramp]]:
    """The changes that explain the levels of tones, the fades among them whose shape is known, and
    the other ramps."""
    found = _chosen(tones, smoothness, around=before.ramps if before else ())
    ramps = before.ramps if before else believed(found.ramps, tones)
    return found, *_exactly(ramps, found, tones, brightness)


def _steps(
    levels: Float[np.ndarray, "time parts"],
    smoothness: Float[np.ndarray, "time time"],
    ramps: Sequence[Ramp],
    before: Changes | None,
) -> tuple[list[int], Float[np.ndarray, "time time"]]:
    """Steps between held levels, none of them in a ramp; and weights of deviations."""
    found = _chosen(levels, smoothness, steps_alone=True)
    steps = [t for t in found.steps if not any(a - 1 <= t <= b for a, b in ramps)]
    return _held([t for t in steps if before is None or t in before.steps], levels), found.weigh


def _moved(
    known: Sequence[Fade],
    bent: Sequence[Ramp],
    brightness: Float[np.ndarray, " time"] | None,
    *,
    time: int,
) -> Float[np.ndarray, " time"]:
    return np.zeros(time) if brightness is None else tones_moved(known, bent, brightness)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Chosen:
    """Changes that are selected, and weights of deviations from the smooth curve."""

    shapes: Float[np.ndarray, "time some"]
    places: tuple[Ramp, ...]
    weigh: Float[np.ndarray, "time time"]

    @property
    def steps(self) -> list[int]:
        """The frames after which levels step."""
        return [start for start, stop in self.places if stop - start == 1]

    @property
    def ramps(self) -> list[Ramp]:
        """Ramps: where levels change more slowly."""
        return [place for place in self.places if place[1] - place[0] > 1]

    def of_ramps(self, ramps: Sequence[Ramp]) -> Float[np.ndarray, "time some"]:
        """The shapes of some ramps."""
        return self.shapes[:, [any(_lies_in(place, r) for r in ramps) for place in self.places]]


def _exactly(
    ramps: Sequence[Ramp],
    found: _Chosen,
    tones: Float[np.ndarray, "time tones"],
    brightness: Float[np.ndarray, " time"] | None,
) -> tuple[list[Fade], list[Ramp]]:
    """The fades whose shape is known, and the other ramps."""
    lies = np.array([[_lies_in(place, ramp) for place in found.places] for ramp in ramps], bool)
    lies = lies.reshape(len(ramps), len(found.places))
    heights = np.zeros((len(found.places), tones.shape[1]))
    within = lies.any(axis=0)
    heights[within] = heights_of(tones, found.shapes[:, within], found.weigh)
    beside = tones - found.shapes @ heights
    deviation = deviation_of(np.diff(beside, axis=0)) / np.sqrt(2.0)
    fades, inexact = [], []
    for ramp, own in zip(ramps, lies, strict=True):
        any_shape = found.shapes[:, own] @ heights[own]
        usual = None if brightness is None else usual_brightness(ramp, brightness)
        told = {"general": any_shape, "deviation": deviation, "weigh": found.weigh}
        fade = exact_fade(ramp, beside + any_shape, usual=usual, **told)
        (inexact if fade is None else fades).append(ramp if fade is None else fade)
    return fades, inexact


def _chosen(
    levels: Float[np.ndarray, "time parts"],
    smoothness: Float[np.ndarray, "time time"],
    *,
    steps_alone: bool = False,
    around: Sequence[Ramp] = (),
) -> _Chosen:
    """The changes that explain levels best."""
    time = len(levels)
    nothing = np.zeros((time, 0))
    chosen = _Chosen(shapes=nothing, places=(), weigh=np.eye(time))
    known = steps_everywhere(time) if steps_alone else shapes_everywhere(time)
    known = shapes_around(time, around) if around else known
    # Fades look like light with a memory, so both are judged again once the first are known; and
    # where the first are, they are looked for more exactly.
    for _ in range(_ROUNDS):
        flicker = Judged.of(residual(levels, chosen.shapes, chosen.weigh), smoothness=smoothness)
        which = _select(levels * flicker.scale, known.shapes, flicker.weigh)
        chosen = _Chosen(
            shapes=known.shapes[:, which],
            places=tuple(known.places[k] for k in which),
            weigh=flicker.weigh,
        )
        if not chosen.ramps:
            break
        known = shapes_around(time, chosen.ramps)
    return chosen


def _lies_in(place: Ramp, ramp: Ramp) -> bool:
    return place[1] - place[0] > 1 and ramp[0] <= place[0] and place[1] <= ramp[1]


def _select(
    levels: Float[np.ndarray, "time parts"],
    shapes: Float[np.ndarray, "time shapes"],
    weigh: Float[np.ndarray, "time time"],
) -> list[int]:
    """Indices of shapes, the one that explains most first, as long as they are significant."""
    left, chosen = Unexplained.of(levels, shapes, weigh), []
    least = left.significant
    for _ in range(min(_MOST_CHANGES, len(levels) // 2)):
        explained = left.explained()
        best = int(explained.argmax())
        if explained[best] < least:
            break
        chosen.append(best)
        left = left.without(best)
    return chosen


def _held(steps: list[int], levels: Float[np.ndarray, "time parts"]) -> list[int]:
    """Steps between held levels; others are flicker with large jumps."""
    leaps = np.abs(np.diff(levels, axis=0)).max(axis=1)
    # A path leaks away from its level next to a step, which looks like smaller ones.
    steps = sorted(
        step
        for step in steps
        if leaps[step] > max(_LEAST_STEP, _ECHO * leaps[max(step - 2, 0) : step + 3].max())
    )
    bounds = [-1, *steps, len(levels) - 1]
    held = []
    for before, step, after in zip(bounds[:-2], bounds[1:-1], bounds[2:], strict=True):
        if min(step - before, after - step) < _HELD_FRAMES:
            continue
        old = levels[max(before, step - _LEVEL_FRAMES) + 1 : step + 1]
        new = levels[step + 1 : min(after, step + _LEVEL_FRAMES) + 1]
        height = np.abs(new.mean(axis=0) - old.mean(axis=0))
        unrest = np.sqrt(0.5 * (old.var(axis=0) + new.var(axis=0)))
        # Content that changes bends dark and bright tones, too; but not at once.
        part = int(height.argmax()) if _is_sharp(step, steps, levels) else _MIDDLE_TONE
        leap = abs(float(levels[step + 1, part] - levels[step, part]))
        if min(height[part], leap / _AT_ONCE) > max(_LEAST_STEP, _ABOVE_UNREST * unrest[part]):
            held.append(step)
    if leaps[held].sum() >= _MOSTLY * leaps[steps].sum():
        return held
    # Light that flickers now and then has stretches that look held.
    usual = np.delete(leaps, held).max(initial=0.0)
    return [step for step in held if leaps[step] > _CLEAR * usual]


def _is_sharp(step: int, steps: list[int], levels: Float[np.ndarray, "time parts"]) -> bool:
    """Whether a step leaps far above the changes around it."""
    change = np.sqrt((np.diff(levels, axis=0) ** 2).sum(axis=1))
    others = [change[t] for t in _beside(step, steps, pairs=len(change))]
    return bool(change[step] > _SHARP * max(others, default=0.0))


def _beside(step: int, steps: Sequence[int], *, pairs: int) -> list[int]:
    """The pairs of frames around a step without other steps."""
    near = range(max(0, step - _NEAR_FRAMES), min(pairs, step + 1 + _NEAR_FRAMES))
    return [t for t in near if t not in steps]
