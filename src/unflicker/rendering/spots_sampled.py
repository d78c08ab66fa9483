"""How much dirt a film has, from a few of its pictures, so that `--clean dirt` can be suggested.

Dirt is found on pictures whose light is steady, so the sampled ones are graded by their plans and
repaired as a run would; only the number of repairs is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from unflicker.compute.context import RunContext
from unflicker.grade.mask import FullShares
from unflicker.rendering.item import Item
from unflicker.rendering.planned import Ordered
from unflicker.rendering.stages import Stage, stages_of, through
from unflicker.settings import Settings
from unflicker.video import VideoSource, frames_from

_PLACES, _APART = 6, 24
"""Places of a film that are looked at, at most, and the least number of frames between them."""
_FRAMES = 7
"""Frames at each place; the repair of the first and last two lacks neighbours."""
_INNER = slice(2, -2)
_DIRTY = 5.0
"""Spots in a picture from which on they are named, in the median of the places: 16 clean clips have
0, six silent films 0.3 to 2.5, real rain 3.2, clips with drawn dirt 20 (lab notebook, 2026-11-30).
"""


def spots_of(
    film: VideoSource, settings: Settings, frames: Iterable[Ordered], context: RunContext
) -> float | None:
    """Spots of single pictures in each picture, in the median of a few places of a film.

    Args:
        film: Read again at these places; its number of frames by the header chooses them.
        settings: Of the run.
        frames: The plans of all frames.
        context: Of the run.

    Returns:
        None if the film is repaired anyway, or is too short.
    """
    places = _places(film, settings)
    for ordered in frames:
        for first, held in places.items():
            if first <= ordered.plan.index < first + _FRAMES:
                held.append(ordered)
    repair = settings.repair.only("dirt")
    refinement = replace(settings.refinement, used=False)
    still = replace(settings.stabilise, gate=False)
    sampled = replace(settings, repair=repair, refinement=refinement, stabilise=still)
    stages = stages_of(sampled, context)
    there = [held for held in places.values() if len(held) == _FRAMES]
    return float(np.median([_spots(film, held, stages) for held in there])) if there else None


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """A finding, and what the user may do about it."""

    what: str
    do: str


def suggestion(spots: float | None) -> Suggestion | None:
    """What to do about spots; None if there are few.

    Rain and snow are spots of single pictures, too; which they are, a person sees at once.
    """
    if spots is None or spots < _DIRTY:
        return None
    return Suggestion(
        what=f"about {spots:.0f} spots in each picture that its neighbours do not have",
        do="if they are dirt, and not rain or snow, --clean dirt repairs them",
    )


def notes_on(spots: float | None) -> tuple[str, ...]:
    """The suggestion as a note of a run; none if there are few."""
    found = suggestion(spots)
    return () if found is None else (f"{found.what}; {found.do}",)


def _places(film: VideoSource, settings: Settings) -> dict[int, list[Ordered]]:
    """The first frame of each place, with a list for its plans."""
    frames = film.estimated_frames or 0
    count = 0 if settings.repair.dirt else min(frames // _APART, _PLACES)
    middles = (np.arange(count) + 0.5) * frames / max(count, 1)
    return {int(at) - _FRAMES // 2: [] for at in middles}


def _spots(film: VideoSource, held: list[Ordered], stages: list[Stage]) -> float:
    """Spots in each picture of a place, on average."""
    repairs = [len(item.repairs.boxes) for item in through(_items(film, held), stages)]
    return float(np.mean(repairs[_INNER]))


def _items(film: VideoSource, held: list[Ordered]) -> Iterator[Item]:
    first, shares = held[0].plan, FullShares(None)
    frames = frames_from(film, first.index, round(first.seconds / film.traits.time_base))
    for ordered, frame in zip(held, frames, strict=False):
        yield ordered.item(frame, shares)
