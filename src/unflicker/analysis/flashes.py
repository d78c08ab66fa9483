"""Flashes: light that leaps up, and comes back within a second.

Lightning, photographers' flashes, a strobe on a stage belong to the film. They are told from
flicker by their size: all excursions of the light above its running base are ranked, and those that
stand apart from the rest, far above what the frames between them do, are events. Flicker, even of
heavy tails, has excursions of every size and no such gap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32

_CELLS = (4, 3)
_TOE = 0.02
_BASE_SECONDS = 0.6
"""The base of light is looked for so far to either side."""
_BASE_QUANTILE = 0.35
_FEWEST_FRAMES = 7
_LASTS_SECONDS = 0.9
"""What lasts longer is a light that was switched on."""
_LEAST = 0.12
"""Log light of the peak of an event, at least: an eighth brighter."""
_ABOVE_FLICKER = 6.0
"""The same in deviations of the light between events."""
_TAILED = 0.7
"""Of the root mean square deviation, what the deviation between events is at the least: that of the
median is a third of it where tails are heavy."""
_APART = 1.8
"""The smallest event over the largest excursion that is none."""
_WEAK_ABOVE_FLICKER, _WEAK_APART = 4.0, 1.5
"""The same of further events, where there is one that is clear."""
_TAIL = 2.0
"""An event lasts while its light is above so many deviations,"""
_LEAST_TAIL = 0.01
"""and this much log light."""
_ABRUPT = 0.5
"""The largest change from frame to frame within an event, over its peak, at the least: a person who
walks through the picture changes its light little by little."""
_OFTEN_PER_SECOND, _STROBE = 3.0, 0.4
"""So many events a second are a strobe, if each is at least so much brighter (log light); weaker
pulses are a lamp that flickers."""
_SIDE_FRAMES, _BACK = 3, 0.5
"""Frames before and after an event, and the share of its peak that may be left after it."""
_DARKEST = 0.02
"""Light must not fall as far as events rise, but for this share of frames."""
_BRIEF_FRAMES = 3
_STROKE = 0.25
"""Log light of the peak of a longer event, at least: strokes of lightning are half as bright again
and more; a generated film that leaps by a fifth and drifts back is none."""
_DIED = 0.6
"""Light of the last frame of a longer event over its peak, at the most."""
_FLAT, _AGAIN = 0.15, 0.3
"""Of its peak: an event is over where it no longer falls below the first, and another begins where
light rises by the second."""
_MOST_OF_WINDOW = 0.75
"""Events that fill more of a window than this are no events."""


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
        """Whether it leaps up and dies away; a level that is held, or comes slowly, is none."""
        brief = self.stop - self.start <= _BRIEF_FRAMES
        dies = brief or (self.peak >= _STROKE and self.end < _DIED * self.peak)
        return self.leap >= _ABRUPT * self.peak and dies


def find_flashes(
    pictures: Sequence[Float32[np.ndarray, "height width 3"]], *, fps: float
) -> Bool[np.ndarray, " time"]:
    """Which frames of a shot are lit by a flash, its dying away included.

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
    # A quarter of the picture must take part: less is something that moves.
    excess = np.quantile(off, 0.75, axis=1)
    excess -= np.median(excess)
    whole, level = np.median(off, axis=1), np.median(light, axis=1)
    found = none
    for run_count in range(1, len(pictures) // 3):
        covered = _if_so_many(run_count, excess, (whole, level), fps)
        if covered is not None and covered.sum() > found.sum():
            found = covered
    return found


def _if_so_many(
    count: int,
    excess: Float[np.ndarray, " time"],
    seen: tuple[Float[np.ndarray, " time"], Float[np.ndarray, " time"]],
    fps: float,
) -> Bool[np.ndarray, " time"] | None:
    """The frames in flashes if the `count` largest excursions are flashes; None if they are not.
    `seen` are light above its base, and as it is, at the median over the picture."""
    whole, level = seen
    largest = _largest(excess, count, tail=_LEAST_TAIL)
    calm = whole[~_covered(largest, len(whole))]
    if len(largest) < count or not len(calm):
        return None
    # Of flicker with heavy tails the median deviation tells too little.
    around = 1.4826 * float(np.median(np.abs(calm - np.median(calm))))
    deviation = max(around, _TAILED * float(calm.std()))
    tail = max(_TAIL * min(deviation, _flicker(whole)), _LEAST_TAIL)
    flashes = [run for run in _events(excess, tail, deviation) if _comes_back(run, level)]
    longest = max(2, round(_LASTS_SECONDS * fps))
    # Only if what was left out of the deviation is what stands apart from it: without the
    # larger half of any light the rest is calm.
    if len(flashes) < count or any(run.stop - run.start > longest for run in flashes):
        return None
    often = len(flashes) > _OFTEN_PER_SECOND * len(whole) / fps
    if often and min(run.peak for run in flashes) < _STROBE:
        return None
    covered = _covered(flashes, len(whole))
    return covered if covered.mean() <= _MOST_OF_WINDOW else None


def _comes_back(run: _Run, level: Float[np.ndarray, " time"]) -> bool:
    """Whether light is back after an excursion, as it is not where somebody switched a lamp on; its
    last frame says so, too, for the next stroke may follow at once."""
    before = float(np.median(level[max(run.start - _SIDE_FRAMES, 0) : run.start]))
    after = float(level[run.stop - 1 : run.stop + _SIDE_FRAMES].min())
    return run.stop == len(level) or after - before < _BACK * run.peak


def _flicker(light: Float[np.ndarray, " time"]) -> float:
    """The deviation of light from frame to frame, to which what dies away evenly adds nothing."""
    return 1.4826 * float(np.median(np.abs(np.diff(light, 2)))) / np.sqrt(6.0)


def _largest(excess: Float[np.ndarray, " time"], count: int, *, tail: float) -> list[_Run]:
    """The `count` largest excursions; fewer where there are not so many."""
    return sorted(_runs(excess, tail), key=lambda run: -run.peak)[:count]


def _covered(runs: Sequence[_Run], time: int) -> Bool[np.ndarray, " time"]:
    covered = np.zeros(time, bool)
    for run in runs:
        covered[run.start : run.stop] = True
    return covered


def _events(excess: Float[np.ndarray, " time"], tail: float, deviation: float) -> list[_Run]:
    """The excursions that stand apart from the rest, and leap up as flashes do.

    Where there is one of them, weaker ones are believed, too: strokes of a storm differ.
    """
    runs = sorted(_runs(excess, tail), key=lambda run: -run.peak)
    darkest = float(-np.quantile(excess, _DARKEST))
    count = sum(run.peak >= max(_WEAK_ABOVE_FLICKER * deviation, _LEAST) for run in runs)
    usual = darkest
    while count:
        usual = max(darkest, runs[count].peak if count < len(runs) else 0.0)
        if runs[count - 1].peak >= _WEAK_APART * usual:
            break
        count -= 1
    if not count or runs[0].peak < max(_ABOVE_FLICKER * deviation, _APART * usual, _LEAST):
        return []
    return [run for run in runs[:count] if run.is_flash]


def _runs(excess: Float[np.ndarray, " time"], tail: float) -> list[_Run]:
    """Stretches that begin with a leap of light, and end where it is back at what it was, or has
    died away, or leaps again."""
    rise = np.diff(excess)
    runs, t = [], 1
    while t < len(excess):
        if rise[t - 1] <= 2.0 * tail or excess[t] <= 2.0 * tail:
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
