"""The stage of rendering that rebuilds frames which are bad as a whole: items in, whole items out.

A frame is looked at closely if it stands apart from the frames next to it, and no other frame near
it does: light that pulses makes frames stand apart again and again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from unflicker.frames.alpha import covered
from unflicker.refinement.mixing import within_mask
from unflicker.rendering.item import Item
from unflicker.repair.bad_frames import Small, rebuilt, stands_apart
from unflicker.repair.looks import Look

_ALONE_FRAMES = 3
"""Frames before and after one of which none may stand apart as well."""
_REACH_FRAMES = _ALONE_FRAMES + 1


@dataclass(frozen=True, kw_only=True)
class Rebuilding:
    """Rebuilds bad frames."""

    look_ahead_frames: int = _REACH_FRAMES
    burn_in_frames: int = _REACH_FRAMES
    follows_texture: bool = False

    def __call__(self, items: Iterator[Item]) -> Iterator[Item]:
        """The items, each with its picture rebuilt if it is bad."""
        held: deque[_Entry] = deque()
        at, last = 0, None
        for item in items:
            last = _Entry(item=item, before=last)
            held.append(last)
            if len(held) - at > _REACH_FRAMES:
                yield _whole(held, at)
                if at == _REACH_FRAMES:
                    held.popleft().before = None
                    held[0].before = None
                else:
                    at += 1
        for place in range(at, len(held)):
            yield _whole(held, place)


@dataclass(kw_only=True, eq=False)
class _Entry:
    """An item in the window."""

    item: Item
    before: _Entry | None
    after: _Entry | None = None
    apart: bool | None = None
    """Whether it stands apart, once that was asked."""

    def __post_init__(self) -> None:
        if self.before is not None:
            self.before.after = self

    @cached_property
    def look(self) -> Look:
        return Look(picture=covered(self.item.picture))

    @cached_property
    def small(self) -> Small:
        return Small.of(self.look)

    def stands_apart(self) -> bool:
        """Whether its neighbours agree with each other more than with it."""
        if self.apart is None:
            before, after = self.before, self.after
            self.apart = (
                before is not None
                and after is not None
                and self.may_be_compared(before, after)
                and stands_apart(before.small, self.small, after.small)
            )
        return self.apart

    def may_be_compared(self, before: _Entry, after: _Entry) -> bool:
        """Whether it lies between two sound frames of its shot."""
        starts = self.item.plan.starts_shot or after.item.plan.starts_shot
        sound = not any(one.item.plan.damaged for one in (before, after))
        return sound and not starts


def _whole(held: deque[_Entry], at: int) -> Item:
    """An item of the window, rebuilt if it is bad."""
    entry, item = held[at], held[at].item
    if item.strength == 0.0 or not entry.stands_apart():
        return item
    near = range(max(at - _ALONE_FRAMES, 0), min(at + _ALONE_FRAMES + 1, len(held)))
    if any(held[place].stands_apart() for place in near if place != at):
        return item
    assert entry.before is not None
    assert entry.after is not None
    picture, boxes = rebuilt(entry.before.look, entry.look, entry.after.look)
    if not boxes:
        return item
    if item.share is not None:
        picture = within_mask(item.picture, picture, item.share)
    return replace(item, picture=picture, repairs=item.repairs.and_then(boxes, item.picture))
