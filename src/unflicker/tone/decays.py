"""Light that rises at once and dies away: explosions, fireworks, lightning with its afterglow, a
flash after which exposure recovers.

Such light is as quick as flicker where it rises, and for much of its fall. It is told from flicker
by its direction in time: light that flickers rises and falls alike, so the same shapes turned
around in time, or upside down, explain as much of it.

Source: generalised least squares and forward selection, as in `changes`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int

from unflicker.tone.change_shapes import shapes_everywhere
from unflicker.tone.selection import Judged, Unexplained
from unflicker.tone.weighing import residual

_PACES = (1.5, 2.5, 4.0, 6.0, 9.0, 13.0, 19.0)
"""Frames in which what an event adds falls to a third."""
_BRIGHTER = (0.3, 3.0)
"""Share of the light before that an event adds: log light of a weak one falls evenly, that of a
strong one slowly at first."""
_EARLY = (0.0, 0.5)
"""Share of the peak in the frame before it."""
_LAST_FRAMES = 4
"""Frames of an event that must be seen."""
_FEWEST_FRAMES = 32
"""Of a window: of shorter ones 1 % of white flicker have an event, and it costs a stop there."""
_MOST, _MOST_SHAPES = 6, 12
"""Events in a window, and shapes that are tried, at most."""
_LEAST = 0.2
"""Log light of the peak, at least."""
_CLEAR = 4.0
"""How much more an event must explain than any shape turned around."""
_STEP = 1.5
"""How much more than the clearest event a step or ramp may explain; else light is held."""
_AS_WELL = 3.0
"""In variances of the flicker, by how much more a step or a ramp may explain: it may be either."""
_LASTS = 1.2
"""How much more than its first bright frame alone."""
_OF_LARGEST = 0.25
"""Share of what the clearest event explains below which others do not count."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Shapes:
    """Possible events, then the same turned around in time, then light that is brighter for one
    frame, then steps and ramps."""

    shapes: Float[np.ndarray, "time shapes"]
    starts: Int[np.ndarray, " events"]
    """First frame of each event."""
    time: int

    @property
    def count(self) -> int:
        """How many events there are; as many turned ones follow them."""
        return len(self.starts)

    @property
    def first_step(self) -> int:
        """Index of the first step or ramp."""
        return 2 * self.count + self.time

    def single_near(self, event: int) -> slice:
        """Indices of the single bright frames where an event begins."""
        first = 2 * self.count + int(self.starts[event]) - 1
        return slice(first, first + 3)


def find_decays(
    tones: Float[np.ndarray, "time tones"],
    others: Float[np.ndarray, "time others"],
    *,
    smoothness: Float[np.ndarray, "time time"],
) -> Float[np.ndarray, "time events"]:
    """Shapes of the events of a path: zero before each, then at once 1, then falling.

    Args:
        tones: Log light of dark to bright tones, frame by frame.
        others: Log light of parts of the picture and of tints, where events may be clearer.
        smoothness: The matrix of the smooth curve's penalty, relative to the flicker's variance.
    """
    time = len(tones)
    found = np.zeros((time, 0))
    if time < _FEWEST_FRAMES:
        return found
    levels = np.concatenate([tones, others], axis=1)
    shapes, weigh = _shapes(time), np.eye(time)
    # Events look like memory, so it is believed once they are known.
    for doubt in (0.0, 1.0):
        flicker = Judged.of(residual(levels, found, weigh), smoothness=smoothness)
        weigh = flicker.weigh
        left = Unexplained.of(levels * flicker.scale, shapes.shapes, weigh)
        least = _LEAST * flicker.scale[: tones.shape[1]]
        which = _chosen(left, least, shapes, doubt=doubt, memory=flicker.memory)
        found = shapes.shapes[:, which]
        if not which:
            break
    return found


def _chosen(
    left: Unexplained,
    least: Float[np.ndarray, " tones"],
    among: _Shapes,
    *,
    doubt: float,
    memory: float,
) -> list[int]:
    """Indices of the events that levels show.

    Args:
        left: Levels of tones, then of other parts.
        least: The smallest heights in tones, in deviations of their flicker.
        among: Possible events and what they are compared with.
        doubt: Of light that flicker may explain as well, 0 to 1.
        memory: Of the flicker: with memory it dies away, too.
    """
    enough = left.significant / (1.0 - doubt * memory)
    chosen, steps, left = _tried(left, among, least, enough)
    explained = left.explained()
    falls = _heights(left, among, least) < 0.0
    turned = max(
        float((explained[: among.count] * falls).max()),
        float(explained[among.count : 2 * among.count].max()),
    )
    largest = max(chosen.values(), default=0.0)
    if len(chosen) > _MOST or max(steps, default=0.0) > _STEP * largest:
        return []
    clear = max(_OF_LARGEST * largest, _CLEAR**doubt * turned)
    return [event for event, much in chosen.items() if much > clear]


def _tried(
    left: Unexplained, among: _Shapes, least: Float[np.ndarray, " tones"], enough: float
) -> tuple[dict[int, float], list[float], Unexplained]:
    """Events with what each explains, the one that explains most first; what each step or ramp
    explains that explained more; and the unexplained rest."""
    chosen: dict[int, float] = {}
    steps: list[float] = []
    for _ in range(_MOST_SHAPES):
        explained = left.explained()
        rising = explained[: among.count] * (_heights(left, among, least) > 1.0)
        best = int(rising.argmax())
        much = float(rising[best])
        if much < enough:
            break
        step = among.first_step + int(explained[among.first_step :].argmax())
        near = among.single_near(best)
        single = near.start + int(explained[near].argmax())
        if explained[step] > much + _AS_WELL:
            best = step
            steps.append(float(explained[step]))
        elif _LASTS * explained[single] > much:
            best = single
        else:
            chosen[best] = much
        left = left.without(best)
    return chosen, steps, left


def _heights(
    left: Unexplained, among: _Shapes, least: Float[np.ndarray, " tones"]
) -> Float[np.ndarray, " events"]:
    """The height of each event in the middle tone, relative to the smallest."""
    heights = left.seen[: among.count, : len(least)] / least
    return np.median(heights, axis=1) / np.maximum(left.power[: among.count], 1e-9)


@lru_cache(maxsize=8)
def _shapes(time: int) -> _Shapes:
    frames = np.arange(time, dtype=float)
    columns, starts = [], []
    for start in range(1, time - _LAST_FRAMES):
        late = frames - start
        for pace in _PACES:
            share = np.exp(-np.maximum(late, 0.0) / pace)
            for brighter in _BRIGHTER:
                decay = np.log1p(brighter * share) / np.log1p(brighter)
                for early in _EARLY:
                    columns.append(np.where(late >= 0.0, decay, early * (late == -1.0)))
                    starts.append(start)
    events = np.stack(columns, axis=1)
    one = np.eye(time)
    others = shapes_everywhere(time).shapes
    return _Shapes(
        shapes=np.concatenate([events, events[::-1], one, others], axis=1),
        starts=np.array(starts),
        time=time,
    )
