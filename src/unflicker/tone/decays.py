"""Light that rises at once and dies away: explosions, fireworks, lightning with its afterglow, a
flash after which exposure recovers.

Such light is as quick as flicker where it rises, and for much of its fall. It is told from flicker
by its direction in time: light that flickers rises and falls alike, so the same shapes turned
around in time, or upside down, explain as much of it.

Source: generalised least squares and forward selection, as in `changes`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Float, Int

from unflicker.tone.change_shapes import shapes_everywhere
from unflicker.tone.weighing import deviation_of, memory_of, projector, residual

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
        calm = np.diff(residual(levels, found, weigh), axis=0)
        deviation = deviation_of(calm)
        memory = memory_of(calm / deviation)
        weigh = projector(time, memory, smoothness)
        scale = np.sqrt(2.0 - 2.0 * memory) / deviation
        least = _LEAST * scale[: tones.shape[1]]
        which = _chosen(levels * scale, least, shapes, (weigh, memory), doubt=doubt)
        found = shapes.shapes[:, which]
        if not which:
            break
    return found


def without_decays(
    levels: Float[np.ndarray, "time parts"],
    *,
    decays: Float[np.ndarray, "time events"],
    smoothness: Float[np.ndarray, "time time"],
) -> Float[np.ndarray, "time parts"]:
    """Levels without the events, whose heights are fitted.

    Args:
        levels: Of light.
        decays: From `find_decays`.
        smoothness: As there.
    """
    if not decays.shape[1]:
        return levels
    return residual(levels, decays, projector(len(levels), 0.0, smoothness))


def _chosen(
    levels: Float[np.ndarray, "time parts"],
    least: Float[np.ndarray, " tones"],
    among: _Shapes,
    flickers: tuple[Float[np.ndarray, "time time"], float],
    *,
    doubt: float,
) -> list[int]:
    """Indices of the events that levels show, in deviations of their flicker.

    Args:
        levels: Of tones, then of other parts.
        least: The smallest heights in tones.
        among: Possible events and what they are compared with.
        flickers: Weights of deviations, and the flicker's memory.
        doubt: Of light that flicker may explain as well, 0 to 1.
    """
    (weigh, memory), parts = flickers, levels.shape[1]
    many = np.log(10.0 * among.shapes.shape[1])
    # Flicker with memory dies away, too.
    enough = (parts + 2.0 * np.sqrt(parts * many) + 2.0 * many) / (1.0 - doubt * memory)
    chosen, steps, left = _tried(_Left.of(levels, among, weigh), among, least, enough)
    explained = left.explained()
    turned = max(
        float((explained[: among.count] * left.falls(least)).max()),
        float(explained[among.count : 2 * among.count].max()),
    )
    largest = max(chosen.values(), default=0.0)
    if len(chosen) > _MOST or max(steps, default=0.0) > _STEP * largest:
        return []
    clear = max(_OF_LARGEST * largest, _CLEAR**doubt * turned)
    return [event for event, much in chosen.items() if much > clear]


def _tried(
    left: _Left, among: _Shapes, least: Float[np.ndarray, " tones"], enough: float
) -> tuple[dict[int, float], list[float], _Left]:
    """Events with what each explains, the one that explains most first; what each step or ramp
    explains that explained more; and the unexplained rest."""
    chosen: dict[int, float] = {}
    steps: list[float] = []
    for _ in range(_MOST_SHAPES):
        explained = left.explained()
        rising = explained[: among.count] * left.rises(least)
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


@dataclass(frozen=True, kw_only=True, eq=False)
class _Left:
    """What of some levels no chosen shape explains, and the shapes' part in it."""

    levels: Float[np.ndarray, "time parts"]
    shapes: Float[np.ndarray, "time shapes"]
    weighed: Float[np.ndarray, "time shapes"]
    seen: Float[np.ndarray, "shapes parts"]
    power: Float[np.ndarray, " shapes"]
    alone: Float[np.ndarray, " shapes"]
    """Power of each shape before any was chosen."""
    count: int

    @classmethod
    def of(
        cls,
        levels: Float[np.ndarray, "time parts"],
        among: _Shapes,
        weigh: Float[np.ndarray, "time time"],
    ) -> _Left:
        """Everything."""
        weighed = weigh @ among.shapes
        power = np.maximum(np.einsum("ts,ts->s", among.shapes, weighed), 1e-9)
        return cls(
            levels=levels,
            shapes=among.shapes,
            weighed=weighed,
            seen=weighed.T @ levels,
            power=power,
            alone=power,
            count=among.count,
        )

    def explained(self) -> Float[np.ndarray, " shapes"]:
        """By how much each shape reduces the weighed squares."""
        explained = (self.seen**2).sum(axis=1) / np.maximum(self.power, 1e-9)
        # What the chosen ones make up already explains nothing more.
        return np.where(self.power < 1e-3 * self.alone, 0.0, explained)

    def _heights(self, least: Float[np.ndarray, " tones"]) -> Float[np.ndarray, " events"]:
        heights = self.seen[: self.count, : len(least)] / least
        return np.median(heights, axis=1) / np.maximum(self.power[: self.count], 1e-9)

    def rises(self, least: Float[np.ndarray, " tones"]) -> Bool[np.ndarray, " events"]:
        """Which events make the picture brighter by a least height."""
        return self._heights(least) > 1.0

    def falls(self, least: Float[np.ndarray, " tones"]) -> Bool[np.ndarray, " events"]:
        """Which make it darker."""
        return self._heights(least) < 0.0

    def without(self, shape: int) -> _Left:
        """The same when a shape is chosen, too."""
        along = self.weighed[:, shape] / np.sqrt(self.power[shape])
        shared = along @ self.shapes
        return replace(
            self,
            seen=self.seen - np.outer(shared, along @ self.levels),
            power=self.power - shared**2,
            weighed=self.weighed - np.outer(along, shared),
        )


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
