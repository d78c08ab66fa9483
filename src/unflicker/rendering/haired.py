"""The stage of rendering that fills hairs in the gate: items in, the same items without them.

Thin things at the border are followed over the pictures around each, as scratches are. Frames that
repeat another count once; nothing is followed across a cut, a flash or a damaged frame.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from unflicker.frames.alpha import covered
from unflicker.frames.picture import same_samples
from unflicker.grade.mask import Share
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

_AHEAD_FRAMES, _BEHIND_FRAMES = 8, 24
"""Frames around one in which its thin things are followed; pictures are held of those ahead, and of
`_HELD_FRAMES` behind."""
_HELD_FRAMES = 8
_TOGETHER_FRAMES = 8
"""Frames before one whose thin things are added to its own; repeats among them count once."""
_SHARED_RUN = 4
"""Frames that show one picture up to which all have the repair of the first."""
_SHARE = 0.5
"""Correction share of a pixel from which it is repaired."""


@dataclass(frozen=True, kw_only=True)
class Hairs:
    """Fills hairs in the gate."""

    degree: str
    """light, normal or strong (`repair.hairs.RULES`)."""
    look_ahead_frames: int = _AHEAD_FRAMES
    burn_in_frames: int = _BEHIND_FRAMES + _TOGETHER_FRAMES + _SHARED_RUN
    """More by those whose thin things are added up, and by those that are repaired as the one that
    they repeat."""
    follows_texture: bool = False

    def __call__(self, items: Iterator[Item]) -> Iterator[Item]:
        """The items, each with its picture repaired."""
        window = _Window(RULES[self.degree])
        for item in items:
            window.add(item)
            if len(window.waiting) > _AHEAD_FRAMES:
                yield window.next()
        while window.waiting:
            yield window.next()


@dataclass(kw_only=True, eq=False)
class _Seen:
    """A frame in the window."""

    threads: Threads | None
    """None for a frame that is not followed."""
    look: Look | None
    """None once it is far behind."""
    continues: bool
    """Whether things are followed from the frame before."""
    run: int
    """How many frames before it show the same picture."""
    moves: Grid | None = None
    """Motion from the picture before, once it was needed."""


class _Window:
    """The frames around the one that is repaired."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self.waiting: deque[Item] = deque()
        """Items whose turn has not come."""
        self._seen: deque[_Seen] = deque()
        """These, and the frames before them."""
        self._last: Item | None = None
        """The last item whose picture is followed."""
        self._done: tuple[Item, Item] | None = None
        """The last item that went out, and the same repaired."""

    def add(self, item: Item) -> None:
        """Take an item."""
        self.waiting.append(item)
        plan, last = item.plan, self._last
        if plan.keeps_light or plan.damaged:
            self._seen.append(_Seen(threads=None, look=None, continues=False, run=0))
            self._last = None
            return
        last = None if plan.starts_shot else last
        if last is not None and plan.repeats and same_samples(last.picture, item.picture):
            self._seen.append(replace(self._seen[-1], continues=True, run=self._seen[-1].run + 1))
            return
        look = Look(picture=covered(item.picture))
        before = [] if last is None else self._threads_before()
        self._seen.append(
            _Seen(
                threads=threads(look, before),
                look=look,
                continues=last is not None,
                run=0,
            )
        )
        self._last = item

    def _threads_before(self) -> list[Threads]:
        """Those of the pictures of this shot, the last one last."""
        found: list[Threads] = []
        for seen in list(self._seen)[: -_TOGETHER_FRAMES - 1 : -1]:
            if seen.threads is None:
                break
            if not found or found[-1] is not seen.threads:
                found.append(seen.threads)
            if not seen.continues:
                break
        return found[::-1]

    def next(self) -> Item:
        """The item whose turn it is, repaired."""
        at = len(self._seen) - len(self.waiting)
        item = self.waiting.popleft()
        repaired = self._as_before(item, at) or self._repaired(item, at)
        self._done = item, repaired
        if at >= _HELD_FRAMES:
            self._seen[at - _HELD_FRAMES].look = None
        while at >= _BEHIND_FRAMES:
            self._seen.popleft()
            at -= 1
        return repaired

    def _as_before(self, item: Item, at: int) -> Item | None:
        """A repeat, repaired as the item before it; None if it is none, or alike for too long."""
        if self._done is None or not 0 < self._seen[at].run < _SHARED_RUN:
            return None
        last, repaired = self._done
        alike = last.strength == item.strength and _equal(last.share, item.share)
        same = alike and same_samples(last.picture, item.picture)
        return replace(item, picture=repaired.picture, repairs=repaired.repairs) if same else None

    def _repaired(self, item: Item, at: int) -> Item:
        own = self._seen[at]
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

    def _around(self, at: int) -> list[_Seen]:
        """The pictures around an item in its shot, each once."""
        first = last = at
        while first > 0 and self._seen[first].continues:
            first -= 1
        while last + 1 < len(self._seen) and self._seen[last + 1].continues:
            last += 1
        return [
            self._seen[k] for k in range(first, last + 1) if k == first or not self._seen[k].run
        ]


def _hairs(pictures: Sequence[_Seen], here: int, look: Look, rules: Rules) -> list[Thing]:
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


def _moves(pictures: Sequence[_Seen], first: int, last: int) -> list[Grid]:
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
    pictures: Sequence[_Seen], here: int, mask: Mask, hairs: Sequence[tuple[Thing, Mask]]
) -> list[Source]:
    """The pictures that hairs are filled from: the best before and the best after.

    Args:
        pictures: Those around the picture.
        here: Which is the one.
        mask: Of all hairs.
        hairs: Each with its mask.
    """
    found = []
    steps = _moves(pictures, max(here - _HELD_FRAMES, 0), here + _AHEAD_FRAMES)
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


def _equal(one: Share | None, other: Share | None) -> bool:
    if one is None or other is None:
        return one is other
    return np.array_equal(one, other)
