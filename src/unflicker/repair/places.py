"""What was repaired in a picture, and where."""

from __future__ import annotations

from dataclasses import dataclass

from unflicker.frames.picture import Picture

Box = tuple[slice, slice]
"""Rows and columns."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Repairs:
    """The repairs of a picture."""

    boxes: tuple[Box, ...] = ()
    """Around each repaired place, in px of the picture."""
    before: Picture | None = None
    """The picture before the first of them; None without any."""

    def and_then(self, boxes: tuple[Box, ...], before: Picture) -> Repairs:
        """These and further ones.

        Args:
            boxes: Of the further ones.
            before: The picture before these.
        """
        if not boxes:
            return self
        return Repairs(boxes=self.boxes + boxes, before=self.before or before)


NONE = Repairs()
