"""Finds flashes: rises of light that return within a second.

Lightning, photographers' flashes and strobes belong to the film. They are distinguished from
flicker by their size: all excursions of light above its running base are ranked, and those that are
separated from the others by a gap, far above the light between them, are events. Flicker, even with
heavy tails, has excursions of all sizes and no such gap.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32

from unflicker.settings import USUAL_KEEP_SECONDS
from unflicker.tone.decays import find_decays
from unflicker.tone.whittaker import stiffness

_CELLS = (4, 3)
_TOE = 0.02
_BASE_SECONDS = 0.6
"""Reach to either side over which the base of light is computed."""
_BASE_QUANTILE = 0.35
_FEWEST_FRAMES = 7
_LASTS_SECONDS = 0.9
"""A longer event is a light that was switched on."""
_LEAST = 0.12
"""Log light of the peak of an event, at least: an eighth brighter."""
_OF_SPREAD = (4.0, 2.0)
"""And so many standard deviations of the light between events more, for one and for further ones.
Flicker that only ever adds light has a long tail, and a short clip of it a gap by chance: in 24
frames of a silent film two, at 0.24 and 0.18 over a deviation of 0.044, were kept as flashes; the
weakest of real strokes are 0.4 (lab notebook, 2026-11-30)."""
_ABOVE_FLICKER = 6.0
"""The same in deviations of the light between events."""
_TAILED = 0.7
"""Lower limit of the deviation between events, relative to the root mean square one: with heavy
tails the deviation from the median is only a third of it."""
_APART = 1.8
"""Ratio of the smallest event to the largest other excursion, at least."""
_WEAK_ABOVE_FLICKER, _WEAK_APART = 4.0, 1.5
"""The same two limits for further events, if there is a clear one."""
_TAIL = 2.0
"""An event lasts while its light is above so many deviations,"""
_LEAST_TAIL = 0.01
"""and above this much log light."""
_ABRUPT = 0.5
"""The largest rise from frame to frame within an event, relative to its peak, at least: a person
who walks through the picture changes its light gradually."""
_OFTEN_PER_SECOND, _STROBE = 3.0, 0.4
"""So many events a second are a strobe, if each is at least so much brighter (log light); weaker
pulses are a lamp that flickers."""
_SIDE_FRAMES, _BACK = 3, 0.5
"""Frames before and after an event, and the share of its peak that may remain after it."""
_DARKEST = 0.02
"""Light must not fall as far as events rise, except in this share of frames."""
_BRIEF_FRAMES = 3
_STROKE = 0.25
"""Log light of the peak of a longer event, at least: strokes of lightning are brighter by half or
more; a generated film that rises by a fifth and drifts back has no event."""
_DIED = 0.6
"""Light of the last frame of a longer event relative to its peak, at most."""
_FLAT, _AGAIN = 0.15, 0.3
"""Relative to its peak: an event ends where it no longer falls and lies below the first, and
another starts where light rises by the second."""
_LONG_FRAMES, _FLICKERS = 8, 0.02
"""Frames of a long flash, more than this, and least flicker (log light) that is worth removing
within one."""
_MOST_OF_WINDOW = 0.75
"""Excursions that fill more of a window than this are no events."""


@dataclass(frozen=True, kw_only=True)
class _Run:
    start: int
    stop: int
    peak: float
    leap: float
    """The largest rise from one frame to the next within it."""
    end: float
    """The light of its last frame."""

    @property
    def is_flash(self) -> bool:
        """Whether it rises abruptly and decays; a level that is held, or rises slowly, is none."""
        brief = self.stop - self.start <= _BRIEF_FRAMES
        dies = brief or (self.peak >= _STROKE and self.end < _DIED * self.peak)
        return self.leap >= _ABRUPT * self.peak and dies


def find_flashes(
    pictures: Sequence[Float32[np.ndarray, "height width 3"]], *, fps: float
) -> Bool[np.ndarray, " time"]:
    """The frames of a shot that are lit by a flash, its decay included.

    Args:
        pictures: Proxies of one shot in working light, in order, none repeated.
        fps: Frames a second.
    """
    none = np.zeros(len(pictures), bool)
    if len(pictures) < _FEWEST_FRAMES:
        return none
    light = np.stack([_light(picture) for picture in pictures])
    reach = max(_FEWEST_FRAMES // 2, round(_BASE_SECONDS * fps))
    off = light - _running_base(light, reach)
    # At least a quarter of the picture must change: less is a moving object.
    excess = np.quantile(off, 0.75, axis=1)
    excess -= np.median(excess)
    whole, level = np.median(off, axis=1), np.median(light, axis=1)
    found = none
    for run_count in range(1, len(pictures) // 3):
        covered = _if_so_many(run_count, excess, (whole, level), fps)
        if covered is not None and covered.sum() > found.sum():
            found = covered
    return found & ~_followed(found, level, fps)


def _followed(
    flash: Bool[np.ndarray, " time"], level: Float[np.ndarray, " time"], fps: float
) -> Bool[np.ndarray, " time"]:
    """The frames of long flashes among flicker that are known to die away evenly (`tone.decays`):
    their flicker can be removed, so they are measured like all others."""
    followed = np.zeros_like(flash)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flash, [False]]).astype(int)))
    long = [(a, b) for a, b in edges.reshape(-1, 2).tolist() if b - a > _LONG_FRAMES]
    if not long or _flicker(level) < _FLICKERS or len(level) - 2 < _FEWEST_FRAMES:
        return followed
    smoothness = stiffness(np.full(len(level) - 2, USUAL_KEEP_SECONDS * fps))
    decays = find_decays(level[:, None], np.zeros((len(level), 0)), smoothness=smoothness)
    starts = decays.argmax(axis=0)
    for start, stop in long:
        followed[start:stop] = bool((np.abs(starts - start) <= 1).any())
    return followed


def _if_so_many(
    count: int,
    excess: Float[np.ndarray, " time"],
    seen: tuple[Float[np.ndarray, " time"], Float[np.ndarray, " time"]],
    fps: float,
) -> Bool[np.ndarray, " time"] | None:
    """The frames in flashes if the `count` largest excursions are flashes; None if they are not.

    `seen` has the light above its base and the light itself, both medians over the picture.
    """
    whole, level = seen
    largest = _largest(excess, count, tail=_LEAST_TAIL)
    calm = whole[~_covered(largest, len(whole))]
    if len(largest) < count or not len(calm):
        return None
    # For flicker with heavy tails the median deviation is too small.
    around = 1.4826 * float(np.median(np.abs(calm - np.median(calm))))
    deviation = max(around, _TAILED * float(calm.std()))
    tail = max(_TAIL * min(deviation, _flicker(whole)), _LEAST_TAIL)
    least = _LEAST + np.array(_OF_SPREAD) * float(calm.std())
    events = _events(excess, tail, deviation, least)
    flashes = [run for run in events if _comes_back(run, level)]
    longest = max(2, round(_LASTS_SECONDS * fps))
    # Only if the excursions left out of the deviation are the ones that exceed it: without the
    # larger half of its excursions any light is calm.
    if len(flashes) < count or any(run.stop - run.start > longest for run in flashes):
        return None
    often = len(flashes) > _OFTEN_PER_SECOND * len(whole) / fps
    if often and min(run.peak for run in flashes) < _STROBE:
        return None
    if _covered(flashes, len(whole)).mean() > _MOST_OF_WINDOW:
        return None
    return _covered(list(_died_away(flashes, level, tail)), len(whole))


def _died_away(runs: list[_Run], level: Float[np.ndarray, " time"], tail: float) -> Iterator[_Run]:
    """Events with the end of their decay: frames in which light falls on towards its level before
    the first of some in close succession. They lie below the running base that those raise."""
    stop, base = -_SIDE_FRAMES - 1, np.inf
    for run in sorted(runs, key=lambda run: run.start):
        before = _before(run, level)
        base = min(base, before) if run.start - stop <= _SIDE_FRAMES else before
        stop = run.stop
        while stop < len(level) and level[stop] < level[stop - 1] and level[stop] - base > tail:
            stop += 1
        yield replace(run, stop=stop)


def _before(run: _Run, level: Float[np.ndarray, " time"]) -> float:
    return float(np.median(level[max(run.start - _SIDE_FRAMES, 0) : run.start]))


def _comes_back(run: _Run, level: Float[np.ndarray, " time"]) -> bool:
    """Whether light returns after an excursion; it does not where a lamp was switched on.

    The last frame of the excursion counts too, since the next stroke may follow at once.
    """
    before = _before(run, level)
    after = float(level[run.stop - 1 : run.stop + _SIDE_FRAMES].min())
    return run.stop == len(level) or after - before < _BACK * run.peak


def _flicker(light: Float[np.ndarray, " time"]) -> float:
    """The deviation of light from frame to frame; an even decay does not contribute."""
    return 1.4826 * float(np.median(np.abs(np.diff(light, 2)))) / np.sqrt(6.0)


def _largest(excess: Float[np.ndarray, " time"], count: int, *, tail: float) -> list[_Run]:
    """The `count` largest excursions; fewer where there are not so many."""
    return sorted(_runs(excess, tail), key=lambda run: -run.peak)[:count]


def _covered(runs: Sequence[_Run], time: int) -> Bool[np.ndarray, " time"]:
    covered = np.zeros(time, bool)
    for run in runs:
        covered[run.start : run.stop] = True
    return covered


def _events(
    excess: Float[np.ndarray, " time"],
    tail: float,
    deviation: float,
    least: Float[np.ndarray, "2"],
) -> list[_Run]:
    """The excursions that are separated from the others and rise as abruptly as flashes.

    If there is one, weaker ones are accepted too: strokes of a storm differ.

    Args:
        excess: Light above its base.
        tail: Light above which an event lasts.
        deviation: Of the light between events.
        least: The peak of one event at least, and of further ones.
    """
    runs = sorted(_runs(excess, tail), key=lambda run: -run.peak)
    darkest = float(-np.quantile(excess, _DARKEST))
    count = sum(run.peak >= max(_WEAK_ABOVE_FLICKER * deviation, least[1]) for run in runs)
    usual = darkest
    while count:
        usual = max(darkest, runs[count].peak if count < len(runs) else 0.0)
        if runs[count - 1].peak >= _WEAK_APART * usual:
            break
        count -= 1
    if not count or runs[0].peak < max(_ABOVE_FLICKER * deviation, _APART * usual, least[0]):
        return []
    return [run for run in runs[:count] if run.is_flash]


def _runs(excess: Float[np.ndarray, " time"], tail: float) -> list[_Run]:
    """Intervals that start with a leap of light, and end where it has returned, has decayed, or
    leaps again."""
    rise = np.diff(excess)
    runs, t = [], 1
    while t < len(excess):
        if rise[t - 1] <= tail or excess[t] <= 2.0 * tail:
            t += 1
            continue
        stop = t + 1
        while stop < len(excess) and not _is_over(excess, rise, t, stop, tail):
            stop += 1
        runs.append(
            _Run(
                start=t,
                stop=stop,
                peak=float(excess[t:stop].max()),
                end=float(excess[stop - 1]),
                leap=float(rise[t - 1 : stop - 1].max()),
            )
        )
        t = stop
    return runs


def _is_over(
    excess: Float[np.ndarray, " time"],
    rise: Float[np.ndarray, " pairs"],
    start: int,
    now: int,
    tail: float,
) -> bool:
    """Whether an excursion that began at `start` has ended before `now`."""
    peak = float(excess[start:now].max())
    back = excess[now] <= excess[start - 1] + tail
    flat = rise[now - 1] > -0.5 * tail and excess[now] < _FLAT * peak
    again = rise[now - 1] > _AGAIN * peak and now - start > 1
    return bool(back or flat or again)


def _light(picture: Float32[np.ndarray, "height width 3"]) -> Float32[np.ndarray, " cells"]:
    cells = cv2.resize(picture, _CELLS, interpolation=cv2.INTER_AREA).mean(axis=2)
    return np.log(cells + np.float32(_TOE)).ravel()


def _running_base(
    light: Float32[np.ndarray, "time cells"], reach: int
) -> Float32[np.ndarray, "time cells"]:
    """A quantile around each frame, below the median: events only ever add light."""
    time = len(light)
    found = np.empty_like(light)
    for t in range(time):
        near = light[max(0, t - reach) : t + reach + 1]
        found[t] = np.quantile(near, _BASE_QUANTILE, axis=0)
    return found
