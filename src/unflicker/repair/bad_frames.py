"""Frames that are bad as a whole: lost, torn or grossly damaged, between two that agree.

Pictures are compared by structure, with light divided out: a flash or a dark frame of flicker has
the structure of its neighbours. In film that is whole, two frames agree less the farther apart they
are; if the neighbours of a frame agree better with each other than with it, it is looked at along
the motion.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, Float64

from unflicker.frames.colour import proxy_size
from unflicker.frames.flow import look_up, pixel_places
from unflicker.frames.picture import Picture
from unflicker.repair.dirt import Trio, unscouted
from unflicker.repair.filling import filled
from unflicker.repair.links import Link, Way, enlarged, linked
from unflicker.repair.looks import Look
from unflicker.repair.places import Box

Fine = Float32[np.ndarray, "rows columns"]
Blocks = Float64[np.ndarray, " blocks"]
_SMALL_PX = 160
"""Longest side at which frames are compared without motion."""
_DOWN, _ACROSS = 6, 8
"""Blocks in which they are compared."""
_TEXTURE = 0.015
"""Least deviation of luma in a block of a neighbour, of the whole range: below, there is nothing to
compare."""
_FEWEST = 12
"""Blocks with texture, without which nothing is said."""
_BETTER, _APART = 0.1, 0.15
"""Correlation of the neighbours with each other above that with the frame, and share of blocks in
which it must be so for a closer look."""
_AGREES, _DIFFERS = 0.8, 0.45
"""Correlation along the motion from which neighbours agree, and below which the frame differs."""
_BAD = 0.35
"""Share of blocks in which they agree and it differs."""
_STAYS_BAD = 0.4
"""Share of these blocks in which it must still differ along its own motion."""
_SOUND = 0.6
"""Share of blocks in which the neighbours must agree."""
_BRIGHTER = 1.05
"""Mean luma relative to the brighter neighbour's from which a frame may be lit by a flash."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Small:
    """A picture, small."""

    luma: Fine

    @classmethod
    def of(cls, look: Look) -> Small:
        """That of a picture."""
        fine = look.fine
        rows, columns = proxy_size((fine.shape[0], fine.shape[1]), _SMALL_PX)
        return cls(luma=cv2.resize(fine, (columns, rows), interpolation=cv2.INTER_AREA))


def stands_apart(before: Small, now: Small, after: Small) -> bool:
    """Whether a picture is worth a closer look: its neighbours agree with each other, not with it.

    Args:
        before: The previous picture.
        now: The picture.
        after: The next one.
    """
    around = _alike(before.luma, after.luma)
    nearest = np.fmax(_alike(now.luma, before.luma), _alike(now.luma, after.luma))
    seen = ~np.isnan(around)
    if seen.sum() < _FEWEST or _is_brighter(before.luma, now.luma, after.luma):
        return False
    apart = around[seen] > np.nan_to_num(nearest[seen]) + _BETTER
    return bool(apart.mean() >= _APART)


def rebuilt(before: Look, now: Look, after: Look) -> tuple[Picture, tuple[Box, ...]]:
    """A picture made again from both neighbours along the motion, if it is bad; else itself.

    Args:
        before: The previous picture.
        now: The picture.
        after: The next one.

    Returns:
        The picture, and a box around all of it if it was rebuilt.
    """
    across = linked(before.fine, after.fine, refine=True)
    if not _is_bad(before.fine, now.fine, after.fine, across):
        return now.picture, ()
    trio = Trio(
        before=unscouted(before),
        now=unscouted(now),
        after=unscouted(after),
        back=_half(across, forth=False),
        forth=_half(across, forth=True),
    )
    everything = np.ones(now.picture.size, bool)
    picture, _ = filled(now.picture, trio, everything)
    height, width = now.picture.size
    return picture, ((slice(0, height), slice(0, width)),)


def _is_bad(before: Fine, now: Fine, after: Fine, across: Link) -> bool:
    """Whether the neighbours agree with each other along the motion, and not with the picture."""
    size = now.shape[0], now.shape[1]
    half = 0.5 * enlarged(across.forth.flow, size)
    places = pixel_places(*size)
    sides = look_up(before, places - half), look_up(after, places + half)
    around = _alike(*sides)
    with_it = np.fmax(*(_alike(now, side) for side in sides))
    seen = ~np.isnan(around)
    if seen.sum() < _FEWEST or float((around[seen] > _AGREES).mean()) < _SOUND:
        return False
    bad = seen & (around > _AGREES) & (np.nan_to_num(with_it) < _DIFFERS)
    if bad.sum() < _BAD * seen.sum():
        return False
    # A frame that jumps, in the gate or with its camera, is whole: it agrees along its own motion.
    middle = 0.5 * (sides[0] + sides[1])
    # Halves of a torn frame leap: each would agree.
    own = linked(now, middle, refine=True, leaps=False)
    moved = look_up(middle, own.forth.places)
    return bool((_alike(now, moved)[bad] < _DIFFERS).mean() > _STAYS_BAD)


def _half(across: Link, *, forth: bool) -> Link:
    """The motion from the middle to one side, as a link of which that way alone is used."""
    flow = (0.5 if forth else -0.5) * across.forth.flow
    way = Way(flow=flow, lift=across.forth.lift, places=across.forth.places)
    return Link(forth=way, back=way)


def _alike(one: Fine, other: Fine) -> Blocks:
    """Correlation of each block of two pictures; NaN where neither has texture."""
    size = one.shape
    rows, columns = (np.linspace(0, n, many + 1).astype(int) for n, many in
                     zip(size, (_DOWN, _ACROSS), strict=True))  # fmt: skip
    found = np.full(_DOWN * _ACROSS, np.nan)
    for at in range(len(found)):
        down, across = divmod(at, _ACROSS)
        part = slice(rows[down], rows[down + 1]), slice(columns[across], columns[across + 1])
        a, b = (each[part].astype(np.float64) - each[part].mean() for each in (one, other))
        deviations = float(a.std()), float(b.std())
        if max(deviations) >= _TEXTURE:
            found[at] = (a * b).mean() / max(deviations[0] * deviations[1], 1e-9)
    return found


def _is_brighter(before: Fine, now: Fine, after: Fine) -> bool:
    return float(now.mean()) > _BRIGHTER * max(float(before.mean()), float(after.mean()))
