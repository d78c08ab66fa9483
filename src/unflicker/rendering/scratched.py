"""The stage of rendering that fills scratches: items in, the same items without them.

A picture's lines are followed over the pictures around it. Frames that repeat another count once;
nothing is followed across a cut, a flash or a damaged frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from unflicker.frames.alpha import covered
from unflicker.frames.picture import same_samples
from unflicker.rendering.followed import AHEAD_FRAMES, BEHIND_FRAMES, SHARED_RUN, Seen, Window
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


@dataclass(frozen=True, kw_only=True)
class Scratches:
    """Fills scratches."""

    degree: str
    """light, normal or strong (`repair.scratches.RULES`)."""
    look_ahead_frames: int = AHEAD_FRAMES
    burn_in_frames: int = BEHIND_FRAMES + SHARED_RUN
    """More by those that are repaired as the one that they repeat."""
    follows_texture: bool = False

    def __call__(self, items: Iterator[Item]) -> Iterator[Item]:
        """The items, each with its picture repaired."""
        return _Window(RULES[self.degree]).through(items)


@dataclass(kw_only=True, eq=False)
class _Lined(Seen):
    lined: Lined | None
    """None for a frame whose lines are not followed."""
    moves: Sideways | None
    """From the frame before; None where nothing is followed."""


class _Window(Window[_Lined]):
    def __init__(self, rules: Rules) -> None:
        super().__init__()
        self._rules = rules
        self._last: tuple[Item, Look, Lined] | None = None

    def see(self, item: Item) -> _Lined:
        plan = item.plan
        if plan.keeps_light or plan.damaged:
            self._last = None
            return _Lined(lined=None, moves=None, run=0)
        last = None if plan.starts_shot else self._last
        if last is not None and plan.repeats and same_samples(last[0].picture, item.picture):
            return _Lined(lined=last[2], moves=None, run=self.seen[-1].run + 1)
        look = Look(picture=covered(item.picture))
        found = lined(look)
        moves = None if last is None else sideways(last[1], look)
        self._last = item, look, found
        return _Lined(lined=found, moves=moves, run=0)

    def repaired(self, item: Item, at: int) -> Item:
        lines = [] if item.strength == 0.0 else self._scratches(at)
        if not lines:
            return item
        picture, boxes = filled_across(item.picture, lines, item.share)
        return replace(item, picture=picture, repairs=item.repairs.and_then(boxes, item.picture))

    def _scratches(self, at: int) -> list[Line]:
        here = self.seen[at].lined
        if here is None or not here.lines:
            return []
        first = last = at
        while first > 0 and self._continues(first):
            first -= 1
        while last + 1 < len(self.seen) and self._continues(last + 1):
            last += 1
        # Pictures are followed, not their repeats.
        kept = [k for k in range(first, last + 1) if k == first or self.seen[k].run == 0]
        span = Span(
            lined=[found for k in kept if (found := self.seen[k].lined)],
            moves=[moves for k in kept[1:] if (moves := self.seen[k].moves) is not None],
            at=sum(k <= at for k in kept) - 1,
        )
        return scratches(span, self._rules)

    def _continues(self, at: int) -> bool:
        """Whether lines are followed from the frame before."""
        return self.seen[at].moves is not None or self.seen[at].run > 0
