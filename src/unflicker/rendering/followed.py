"""What scratches and hairs are followed in: the frames around the picture that is repaired.

Frames that repeat another have its repair, for a while; the rest is up to each repair.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np

from unflicker.frames.picture import same_samples
from unflicker.grade.mask import Share
from unflicker.rendering.item import Item

AHEAD_FRAMES, BEHIND_FRAMES = 8, 24
"""Frames around one in which its lines or hairs are followed: pictures wait for those ahead."""
SHARED_RUN = 4
"""Frames that show one picture up to which all have the repair of the first."""


@dataclass(kw_only=True, eq=False)
class Seen:
    """A frame in the window."""

    run: int
    """How many frames before it show the same picture."""


SeenT = TypeVar("SeenT", bound=Seen)


class Window(ABC, Generic[SeenT]):
    """The frames around the one that is repaired."""

    def __init__(self) -> None:
        self.waiting: deque[Item] = deque()
        """Items whose turn has not come."""
        self.seen: deque[SeenT] = deque()
        """These, and the frames before them."""
        self._done: tuple[Item, Item] | None = None
        """The last item that went out, and the same repaired."""

    @abstractmethod
    def see(self, item: Item) -> SeenT:
        """What is known of the frame of an item, which comes after all in the window."""

    @abstractmethod
    def repaired(self, item: Item, at: int) -> Item:
        """An item with its picture repaired.

        Args:
            item: Whose turn it is.
            at: Its place among those seen.
        """

    def through(self, items: Iterator[Item]) -> Iterator[Item]:
        """The items, each with its picture repaired."""
        for item in items:
            self.waiting.append(item)
            self.seen.append(self.see(item))
            if len(self.waiting) > AHEAD_FRAMES:
                yield self.next()
        while self.waiting:
            yield self.next()

    def next(self) -> Item:
        """The item whose turn it is, repaired."""
        at = len(self.seen) - len(self.waiting)
        item = self.waiting.popleft()
        repaired = self._as_before(item, at) or self.repaired(item, at)
        self._done = item, repaired
        while at >= BEHIND_FRAMES:
            self.seen.popleft()
            at -= 1
        return repaired

    def _as_before(self, item: Item, at: int) -> Item | None:
        """A repeat, repaired as the item before it; None if it is none, or alike for too long."""
        if self._done is None or not 0 < self.seen[at].run < SHARED_RUN:
            return None
        last, repaired = self._done
        alike = last.strength == item.strength and _equal(last.share, item.share)
        same = alike and same_samples(last.picture, item.picture)
        return replace(item, picture=repaired.picture, repairs=repaired.repairs) if same else None


def _equal(one: Share | None, other: Share | None) -> bool:
    if one is None or other is None:
        return one is other
    return np.array_equal(one, other)
