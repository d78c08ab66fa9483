"""The stage of rendering that removes gate weave: each picture moved to its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from unflicker.frames.shift import shifted
from unflicker.refinement.mixing import within_mask
from unflicker.rendering.item import Item


@dataclass(frozen=True, kw_only=True)
class Steadying:
    """Moves each picture by what its plan says; the last of all stages.

    Scratches and hairs keep their place in the gate, so they are repaired before.
    """

    look_ahead_frames: int = 0
    burn_in_frames: int = 0
    follows_texture: bool = False

    def __call__(self, items: Iterator[Item]) -> Iterator[Item]:
        """The items, each with its picture in its place; where shares are 0 nothing moves."""
        for item in items:
            weave = item.plan.weave_px
            if item.strength == 0.0 or weave == (0.0, 0.0):
                yield item
                continue
            moved = shifted(item.picture, (-weave[0], -weave[1]))
            if item.share is not None:
                moved = within_mask(item.picture, moved, item.share)
            yield replace(item, picture=moved, unmoved=item.picture)
