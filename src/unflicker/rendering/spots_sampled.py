"""Dirt and hairs of a film, from a few of its pictures, so that `--clean` can be suggested.

They are found on pictures whose light is steady, so the sampled ones are graded by their plans and
repaired as a run would; only the number of repairs is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

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
_HAIR_PLACES, _HAIR_FRAMES = 4, 21
"""The same for hairs, which are seen only over some frames."""
_HAIRY = 0.5
"""Hairs in a picture, on average of a place, from which on they are named."""
_DIRTY = 5.0
"""Spots in a picture from which on they are named, in the median of the places: 16 clean clips have
0, six silent films 0.3 to 2.5, real rain 3.2, clips with drawn dirt 20 (lab notebook, 2026-11-30).
"""


@dataclass(frozen=True, kw_only=True)
class Damage:
    """What was found in a few places of a film; None where it was not looked for."""

    spots: float | None
    """Spots of single pictures in each picture, in the median of the places."""
    hairs: float | None
    """Hairs in the gate in each picture, at the place that has most."""


def damage_of(
    film: VideoSource, settings: Settings, frames: Iterable[Ordered], context: RunContext
) -> Damage:
    """The damage at a few places of a film; nothing of what is repaired anyway.

    Args:
        film: Read again at these places; its number of frames by the header chooses them.
        settings: Of the run.
        frames: The plans of all frames.
        context: Of the run.
    """
    looked_for = {
        "dirt": _places(film, settings, "dirt", length=_FRAMES, apart=_APART, most=_PLACES),
        "hairs": _places(
            film, settings, "hairs", length=_HAIR_FRAMES, apart=2 * _APART, most=_HAIR_PLACES
        ),
    }
    for ordered in frames:
        for places in looked_for.values():
            for place in places:
                if place.first <= ordered.plan.index < place.first + place.length:
                    place.held.append(ordered)
    spots, hairs = (
        [
            place.repairs(film, stages_of(_only(settings, damage), context))
            for place in places
            if len(place.held) == place.length
        ]
        for damage, places in looked_for.items()
    )
    return Damage(
        spots=float(np.median([np.mean(many[_INNER]) for many in spots])) if spots else None,
        hairs=float(max(np.mean(many) for many in hairs)) if hairs else None,
    )


def _only(settings: Settings, damage: str) -> Settings:
    """Settings that repair nothing else."""
    refinement = replace(settings.refinement, used=False)
    still = replace(settings.stabilise, gate=False)
    repair = settings.repair.only(damage)
    return replace(settings, repair=repair, refinement=refinement, stabilise=still)


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """A finding, and what the user may do about it."""

    kind: str
    what: str
    do: str


def suggestions(*, spots: float | None, hairs: float | None) -> list[Suggestion]:
    """What to do about damage; nothing if there is little.

    Rain and snow are spots of single pictures, too; which they are, a person sees at once.

    Args:
        spots: Of `Damage`.
        hairs: Of `Damage`.
    """
    found = []
    if spots is not None and spots >= _DIRTY:
        found.append(
            Suggestion(
                kind="spots",
                what=f"about {spots:.0f} spots in each picture that its neighbours do not have",
                do="if they are dirt, and not rain or snow, --clean dirt repairs them",
            )
        )
    if hairs is not None and hairs >= _HAIRY:
        found.append(
            Suggestion(
                kind="hairs",
                what="thin things at the border that stay while the scene moves",
                do="if they are hairs or lint in the gate, --clean hairs repairs them",
            )
        )
    return found


def notes_on(damage: Damage) -> tuple[str, ...]:
    """The suggestions as notes of a run."""
    found = suggestions(spots=damage.spots, hairs=damage.hairs)
    return tuple(f"{one.what}; {one.do}" for one in found)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Place:
    """Frames in succession that are looked at."""

    first: int
    length: int
    held: list[Ordered] = field(default_factory=list)
    """Their plans."""

    def repairs(self, film: VideoSource, stages: list[Stage]) -> list[int]:
        """Repairs in each picture."""
        return [len(item.repairs.boxes) for item in through(_items(film, self.held), stages)]


def _places(
    film: VideoSource, settings: Settings, damage: str, *, length: int, apart: int, most: int
) -> list[_Place]:
    """The places of a film where one damage is looked for."""
    frames = film.estimated_frames or 0
    count = 0 if getattr(settings.repair, damage) else min(frames // apart, most)
    middles = (np.arange(count) + 0.5) * frames / max(count, 1)
    return [_Place(first=int(at) - length // 2, length=length) for at in middles]


def _items(film: VideoSource, held: list[Ordered]) -> Iterator[Item]:
    first, shares = held[0].plan, FullShares(None)
    frames = frames_from(film, first.index, round(first.seconds / film.traits.time_base))
    for ordered, frame in zip(held, frames, strict=False):
        yield ordered.item(frame, shares)
