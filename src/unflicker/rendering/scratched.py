"""The stage of rendering that fills scratches: items in, the same items without them.

A picture's lines are followed over the pictures around it. Frames that repeat another count once;
nothing is followed across a cut, a flash or a damaged frame.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from unflicker.frames.alpha import covered
from unflicker.frames.picture import same_samples
from unflicker.grade.mask import Share
from unflicker.rendering.item import Item
from unflicker.repair.across import filled_across
from unflicker.repair.lines import Line
from unflicker.repair.looks import Look
from unflicker.repair.scratches import (
    RULES,
    Lined,
    Rules,
    Sideways,
    Span,
    lined,
    scratches,
    sideways,
)

_AHEAD_FRAMES, _BEHIND_FRAMES = 8, 24
"""Frames around one in which its lines are followed: pictures wait for those ahead, of those behind
only the lines are held."""
_SHARED_RUN = 4
"""Frames that show one picture up to which all have the repair of the first."""


@dataclass(frozen=True, kw_only=True)
class Scratches:
    """Fills scratches."""

    degree: str
    """light, normal or strong (`repair.scratches.RULES`)."""
    look_ahead_frames: int = _AHEAD_FRAMES
    burn_in_frames: int = _BEHIND_FRAMES + _SHARED_RUN
    """More by those that are repaired as the one that they repeat."""
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

    lined: Lined | None
    """None for a frame whose lines are not followed."""
    moves: Sideways | None
    """From the frame before; None where nothing is followed."""
    run: int
    """How many frames before it show the same picture."""


class _Window:
    """The frames around the one that is repaired."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self.waiting: deque[Item] = deque()
        """Items whose turn has not come."""
        self._seen: deque[_Seen] = deque()
        """These, and the frames before them."""
        self._last: tuple[Item, Look, Lined] | None = None
        self._done: tuple[Item, Item] | None = None
        """The last item, and the same repaired."""

    def add(self, item: Item) -> None:
        """Take an item."""
        self.waiting.append(item)
        plan = item.plan
        if plan.keeps_light or plan.damaged:
            self._seen.append(_Seen(lined=None, moves=None, run=0))
            self._last = None
            return
        last = None if plan.starts_shot else self._last
        if last is not None and plan.repeats and same_samples(last[0].picture, item.picture):
            self._seen.append(_Seen(lined=last[2], moves=None, run=self._seen[-1].run + 1))
            return
        look = Look(picture=covered(item.picture))
        found = lined(look)
        moves = None if last is None else sideways(last[1], look)
        self._seen.append(_Seen(lined=found, moves=moves, run=0))
        self._last = item, look, found

    def next(self) -> Item:
        """The item whose turn it is, repaired."""
        at = len(self._seen) - len(self.waiting)
        item = self.waiting.popleft()
        repaired = self._as_before(item, at) or self._repaired(item, at)
        self._done = item, repaired
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
        lines = [] if item.strength == 0.0 else self._scratches(at)
        if not lines:
            return item
        picture, boxes = filled_across(item.picture, lines, item.share)
        return replace(item, picture=picture, repairs=item.repairs.and_then(boxes, item.picture))

    def _scratches(self, at: int) -> list[Line]:
        here = self._seen[at].lined
        if here is None or not here.lines:
            return []
        first = last = at
        while first > 0 and self._continues(first):
            first -= 1
        while last + 1 < len(self._seen) and self._continues(last + 1):
            last += 1
        # Pictures are followed, not their repeats.
        kept = [k for k in range(first, last + 1) if k == first or self._seen[k].run == 0]
        span = Span(
            lined=[found for k in kept if (found := self._seen[k].lined)],
            moves=[moves for k in kept[1:] if (moves := self._seen[k].moves) is not None],
            at=sum(k <= at for k in kept) - 1,
        )
        return scratches(span, self._rules)

    def _continues(self, at: int) -> bool:
        """Whether lines are followed from the frame before."""
        return self._seen[at].moves is not None or self._seen[at].run > 0


def _equal(one: Share | None, other: Share | None) -> bool:
    if one is None or other is None:
        return one is other
    return np.array_equal(one, other)
