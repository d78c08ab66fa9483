"""The stage of rendering that fills hairs in the gate: items in, the same items without them.

Thin things at the border are followed over the pictures around each, as scratches are. Frames that
repeat another count once; nothing is followed across a cut, a flash or a damaged frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from unflicker.frames.alpha import covered
from unflicker.frames.picture import same_samples
from unflicker.rendering.followed import AHEAD_FRAMES, BEHIND_FRAMES, SHARED_RUN, Seen, Window
from unflicker.rendering.item import Item
from unflicker.repair.filling import with_margin
from unflicker.repair.hairs import (
    RULES,
    Rules,
    Thing,
    anything_moves,
    is_hair,
    mask_of,
    scene_moves,
    things,
)
from unflicker.repair.looks import Look, Mask
from unflicker.repair.threads import Grid, Threads, moves, threads
from unflicker.repair.uncovered import Source, best_of, without_hairs

_HELD_FRAMES = 8
"""Frames behind one of which pictures are held, to fill it from."""
_TOGETHER_FRAMES = 8
"""Frames before one whose thin things are added to its own; repeats among them count once."""
_SHARE = 0.5
"""Correction share of a pixel from which it is repaired."""


@dataclass(frozen=True, kw_only=True)
class Hairs:
    """Fills hairs in the gate."""

    degree: str
    """light, normal or strong (`repair.hairs.RULES`)."""
    look_ahead_frames: int = AHEAD_FRAMES
    burn_in_frames: int = BEHIND_FRAMES + _TOGETHER_FRAMES + SHARED_RUN
    """More by those whose thin things are added up, and by those that are repaired as the one that
    they repeat."""
    follows_texture: bool = False

    def __call__(self, items: Iterator[Item]) -> Iterator[Item]:
        """The items, each with its picture repaired."""
        return _Window(RULES[self.degree]).through(items)


@dataclass(kw_only=True, eq=False)
class _Threaded(Seen):
    threads: Threads | None
    """None for a frame that is not followed."""
    look: Look | None
    """None once it is far behind."""
    continues: bool
    """Whether things are followed from the frame before."""
    moves: Grid | None = None
    """Motion from the picture before, once it was needed."""


class _Window(Window[_Threaded]):
    def __init__(self, rules: Rules) -> None:
        super().__init__()
        self._rules = rules
        self._last: Item | None = None
        """The last item whose picture is followed."""

    def see(self, item: Item) -> _Threaded:
        plan, last = item.plan, self._last
        if plan.keeps_light or plan.damaged:
            self._last = None
            return _Threaded(threads=None, look=None, continues=False, run=0)
        last = None if plan.starts_shot else last
        if last is not None and plan.repeats and same_samples(last.picture, item.picture):
            return replace(self.seen[-1], continues=True, run=self.seen[-1].run + 1)
        look = Look(picture=covered(item.picture))
        before = [] if last is None else self._threads_before()
        self._last = item
        found = threads(look, before)
        return _Threaded(threads=found, look=look, continues=last is not None, run=0)

    def _threads_before(self) -> list[Threads]:
        """Those of the pictures of this shot, the last one last."""
        found: list[Threads] = []
        for seen in list(self.seen)[: -_TOGETHER_FRAMES - 1 : -1]:
            if seen.threads is None:
                break
            if not found or found[-1] is not seen.threads:
                found.append(seen.threads)
            if not seen.continues:
                break
        return found[::-1]

    def next(self) -> Item:
        """The item whose turn it is, repaired; pictures far behind it are given up."""
        at = len(self.seen) - len(self.waiting)
        far = self.seen[at - _HELD_FRAMES] if at >= _HELD_FRAMES else None
        done = super().next()
        if far is not None:
            far.look = None
        return done

    def repaired(self, item: Item, at: int) -> Item:
        own = self.seen[at]
        if item.strength == 0.0 or own.threads is None or own.look is None:
            return item
        pictures = self._around(at)
        here = next(k for k, seen in enumerate(pictures) if seen.threads is own.threads)
        hairs = _hairs(pictures, here, own.look, self._rules)
        if not hairs:
            return item
        every = [seen.threads for seen in pictures if seen.threads is not None]
        masks = [mask_of(hair, every, here) for hair in hairs]
        mask = np.logical_or.reduce(masks)
        wide = with_margin(mask, item.picture.size)
        if item.share is not None:
            wide &= item.share >= _SHARE
        sources = _sources(pictures, here, mask, list(zip(hairs, masks, strict=True)))
        picture, boxes = without_hairs(item.picture, own.look, mask, wide, sources)
        return replace(item, picture=picture, repairs=item.repairs.and_then(boxes, item.picture))

    def _around(self, at: int) -> list[_Threaded]:
        """The pictures around an item in its shot, each once."""
        first = last = at
        while first > 0 and self.seen[first].continues:
            first -= 1
        while last + 1 < len(self.seen) and self.seen[last + 1].continues:
            last += 1
        return [self.seen[k] for k in range(first, last + 1) if k == first or not self.seen[k].run]


def _hairs(pictures: Sequence[_Threaded], here: int, look: Look, rules: Rules) -> list[Thing]:
    """The hairs of a picture.

    Args:
        pictures: Those around it.
        here: Which is the one.
        look: That one.
        rules: When a thing is a hair.
    """
    every = [seen.threads for seen in pictures if seen.threads is not None]
    if not anything_moves(every, here):
        return []
    found = things(every, here, look, rules)
    if not found:
        return []
    first = min(int(thing.frames[0]) for thing in found)
    last = max(int(thing.frames[-1]) for thing in found)
    steps = _moves(pictures, first, last)
    size = look.fine.shape[0], look.fine.shape[1]
    if not scene_moves(steps[first:last], size, rules):
        return []
    return [thing for thing in found if is_hair(thing, steps, size, rules)]


def _moves(pictures: Sequence[_Threaded], first: int, last: int) -> list[Grid]:
    """Motion from each picture to the next; none before the first one, nor after the last one."""
    every = [seen.threads for seen in pictures if seen.threads is not None]
    still = np.zeros((*every[0].proxy.shape[:2], 2), np.float32)
    found = []
    for at, (one, other) in enumerate(pairwise(every)):
        seen = pictures[at + 1]
        if seen.moves is None and first <= at < last:
            seen.moves = moves(one, other)
        found.append(still if seen.moves is None else seen.moves)
    return found


def _sources(
    pictures: Sequence[_Threaded], here: int, mask: Mask, hairs: Sequence[tuple[Thing, Mask]]
) -> list[Source]:
    """The pictures that hairs are filled from: the best before and the best after.

    Args:
        pictures: Those around the picture.
        here: Which is the one.
        mask: Of all hairs.
        hairs: Each with its mask.
    """
    found = []
    steps = _moves(pictures, max(here - _HELD_FRAMES, 0), here + AHEAD_FRAMES)
    for way in (-1, 1):
        moved, there, sources = np.float32(0.0), here + way, []
        while 0 <= there < len(pictures) and (look := pictures[there].look) is not None:
            moved = moved + np.float32(way) * steps[min(there, there - way)]
            covers = [_moved_to(thing, own, there, here) for thing, own in hairs]
            sources.append(Source(look=look, mask=np.logical_or.reduce(covers), moved=moved))
            there += way
        best = best_of(mask, sources)
        if best is not None:
            found.append(best)
    return [source for share, source in found if share > 0.0]


def _moved_to(thing: Thing, mask: Mask, there: int, here: int) -> Mask:
    """The mask of a hair in another picture; empty where it has not come or has gone."""
    frames = thing.frames
    if not frames[0] <= there <= frames[-1]:
        return np.zeros_like(mask)
    nearest = [thing.shifts[int(np.argmin(np.abs(frames - at)))] for at in (there, here)]
    down, across = (int(n) for n in nearest[0] - nearest[1])
    return np.roll(mask, (down, across), (0, 1))
