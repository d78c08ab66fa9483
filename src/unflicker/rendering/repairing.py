"""The stage of rendering that repairs damage: items in, the same items repaired.

A picture is compared with the last picture before it and the next one after it that do not repeat
it. Pictures that stand for longer than `_LONGEST_RUN` frames, flashes and damaged frames are
unchanged, and nothing is compared across a cut.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from unflicker.frames.alpha import covered
from unflicker.frames.picture import Picture, same_samples
from unflicker.rendering.item import Item
from unflicker.repair.dirt import (
    DEGREES,
    Scouted,
    Tests,
    Trio,
    find_dirt,
    first_link,
    scouted,
    second_link,
    unscouted,
)
from unflicker.repair.filling import filled, with_margin
from unflicker.repair.links import Link
from unflicker.repair.looks import Look
from unflicker.repair.places import Box

_LONGEST_RUN = 3
"""Frames that may show one picture: films of 8 frames a second in video of 24."""
_REACH_FRAMES = 8
"""Frames around one on which its repair depends: two pictures either way, each as often as that,
and what shows that the outer one is not shown more often."""
_SHARE = 0.5
"""Correction share of a pixel from which it is repaired: a repair by halves is none."""


@dataclass(frozen=True, kw_only=True)
class Repair:
    """Repairs dirt."""

    degree: str
    """light, normal or strong (`repair.dirt.DEGREES`)."""
    look_ahead_frames: int = _REACH_FRAMES
    burn_in_frames: int = _REACH_FRAMES
    follows_texture: bool = False

    def __call__(self, items: Iterator[Item]) -> Iterator[Item]:
        """The items, each with its picture repaired."""
        return _Window(items, DEGREES[self.degree]).repaired()


@dataclass(kw_only=True, eq=False)
class _Entry:
    """An item in the window."""

    item: Item
    number: int
    """In the order of arrival."""
    run: int
    """Number of its picture; frames that repeat it have the same."""
    shot: int
    seen: Scouted | None = None
    """After the first look, once it was needed."""
    result: tuple[Picture, tuple[Box, ...]] | None = None
    """Its picture repaired, and boxes around the places."""

    @cached_property
    def look(self) -> Look:
        return Look(picture=covered(self.item.picture))

    @property
    def is_usable(self) -> bool:
        """Whether it may be compared with others."""
        return not (self.item.plan.keeps_light or self.item.plan.damaged)


class _Window:
    """The items around the one that is repaired."""

    def __init__(self, items: Iterator[Item], tests: Tests) -> None:
        self._items, self._tests = items, tests
        self._held: deque[_Entry] = deque()
        self._over = False
        self._count = self._runs = self._shots = 0
        self._links: dict[tuple[int, int, bool], Link] = {}

    def repaired(self) -> Iterator[Item]:
        """The items in order, each with its picture repaired."""
        at = 0
        while True:
            while not self._over and not self._is_ready(at):
                self._read()
            if at == len(self._held):
                return
            entry = self._held[at]
            entry.result = self._result(at)
            item, (picture, boxes) = entry.item, entry.result
            repairs = item.repairs.and_then(boxes, item.picture)
            yield replace(item, picture=picture, repairs=repairs)
            at += 1 - self._forget(at)

    def _read(self) -> None:
        item = next(self._items, None)
        if item is None:
            self._over = True
            return
        starts = item.plan.starts_shot
        self._runs += starts or not item.plan.repeats or not self._held
        self._shots += starts
        self._held.append(_Entry(item=item, number=self._count, run=self._runs, shot=self._shots))
        self._count += 1

    def _is_ready(self, at: int) -> bool:
        """Whether all is there on which the result of an item depends."""
        if at >= len(self._held):
            return False
        pictures = self._held[-1].run - self._held[at].run
        return pictures >= 2 or len(self._held) - 1 - at >= _REACH_FRAMES

    def _forget(self, at: int) -> int:
        """Drop what is not needed after this item; returns how many items were dropped."""
        dropped, run = 0, self._held[at].run
        while dropped < at and (self._held[0].run < run - 2 or at - dropped > _REACH_FRAMES):
            self._held.popleft()
            dropped += 1
        first = self._held[0].number
        self._links = {key: link for key, link in self._links.items() if key[0] >= first}
        return dropped

    def _result(self, at: int) -> tuple[Picture, tuple[Box, ...]]:
        """The picture of an item repaired, and boxes around the places."""
        entry, item = self._held[at], self._held[at].item
        last = self._held[max(at - 1, 0)]
        again = at > 0 and last.run == entry.run and last.item.strength == item.strength
        if again and last.result and same_samples(last.item.picture, item.picture):
            return last.result
        before, after = self._neighbours(at)
        if before is None or after is None or item.strength == 0.0:
            return item.picture, ()
        trio = Trio(
            before=self._scouted(before),
            now=self._scouted(at),
            after=self._scouted(after),
            back=self._link(before, at, clean=True),
            forth=self._link(at, after, clean=True),
        )
        mask = find_dirt(trio, self._tests)
        if mask is None:
            return item.picture, ()
        wide = with_margin(mask, item.picture.size)
        if item.share is not None:
            wide &= item.share >= _SHARE
        return filled(item.picture, trio, wide)

    def _scouted(self, at: int) -> Scouted:
        entry = self._held[at]
        if entry.seen is None:
            before, after = self._neighbours(at)
            if before is None or after is None:
                entry.seen = unscouted(entry.look)
            else:
                entry.seen = scouted(
                    self._held[before].look,
                    entry.look,
                    self._held[after].look,
                    back=self._link(before, at, clean=False),
                    forth=self._link(at, after, clean=False),
                )
        return entry.seen

    def _link(self, first: int, second: int, *, clean: bool) -> Link:
        """The motion between two items, of rough repairs or of the pictures as they are."""
        one, other = self._held[first], self._held[second]
        key = (one.number, other.number, clean)
        if key not in self._links:
            self._links[key] = (
                second_link(self._scouted(first), self._scouted(second))
                if clean
                else first_link(one.look, other.look)
            )
        return self._links[key]

    def _neighbours(self, at: int) -> tuple[int | None, int | None]:
        """The nearest items of other pictures, if this one can be compared with them."""
        entry = self._held[at]
        before, after = at, at
        while before >= 0 and self._held[before].run == entry.run:
            before -= 1
        while after < len(self._held) and self._held[after].run == entry.run:
            after += 1
        if not entry.is_usable or after - before - 1 > _LONGEST_RUN:
            return None, None
        return self._as_neighbour(before, entry), self._as_neighbour(after, entry)

    def _as_neighbour(self, place: int, entry: _Entry) -> int | None:
        """The place of an item, if there is one that an entry may be compared with."""
        if not 0 <= place < len(self._held):
            return None
        other = self._held[place]
        return place if other.is_usable and other.shot == entry.shot else None
