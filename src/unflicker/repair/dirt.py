"""Dirt: spots of single frames, found by comparison with both neighbours along the motion.

Twice: dirt disturbs the motion that is estimated on it. In a first look it is found roughly, on
small pictures, and taken out of them; then motion is estimated again, and each spot is tested. The
first look has two motions: the one from the picture to its neighbours, and the one between those.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from unflicker.repair.counterparts import NO_THINGS, Things, has_counterparts, things_of
from unflicker.repair.interpolated_motion import followed, interpolated, seen_again
from unflicker.repair.links import Link, Way, linked, scale_of
from unflicker.repair.looks import DRAWN_WIDTH_PX, Look, Mask, px, widened
from unflicker.repair.spots import (
    Compared,
    EachSpot,
    Scene,
    Spots,
    around,
    candidates,
    grown,
    unexplained,
)

Fine = Float32[np.ndarray, "rows columns"]


@dataclass(frozen=True, kw_only=True)
class Tests:
    """When a group of pixels is dirt."""

    contrast: float
    """Least difference of one of its pixels, of the whole range."""
    doubt: float
    """Largest doubt (`_doubt`) of a spot of `_USUAL_AREA`; it may grow with the spot's area."""
    most_doubt: float
    """Largest doubt of any spot."""
    unexplained: float
    """Least share of a spot that motion does not explain."""

    def surer(self) -> Tests:
        """With less doubt allowed (`_SURER`)."""
        return replace(self, doubt=_SURER * self.doubt, most_doubt=_SURER * self.most_doubt)


DEGREES = {
    "light": Tests(contrast=0.05, doubt=0.5, most_doubt=0.9, unexplained=0.5),
    "normal": Tests(contrast=0.03, doubt=0.7, most_doubt=1.1, unexplained=0.42),
    "strong": Tests(contrast=0.025, doubt=1.0, most_doubt=2.0, unexplained=0.4),
}
"""Chosen on every second of the 16 clean clips, with drawn dirt (lab notebook, 2026-11-29)."""
_UNREST, _WIDE_UNREST, _RING = 0.3, 0.25, 0.25
"""Differences around a spot, relative to its contrast, that are one unit of doubt: of the
neighbours, of the neighbours farther around, of the picture from both. Chosen as above."""
_USUAL_AREA, _BY_AREA = 25.0, 0.35
"""Area, in px of a picture 640 px wide, and the power of the area by which the doubt may grow:
motion that fails makes many small spots and few large ones."""
_AREAS = (5.0, 2000.0)
"""Least and largest area of dirt (50 px across), likewise. Larger ones are mostly light: in a
silent film fogged patches of one frame came to a tenth of the picture (lab notebook)."""
_LEVELS = (1.0, 4.0)
"""Contrasts at which spots are looked for, by that of the tests: light that is left joins faint
places to a spot, and a higher one parts it from them."""
_SURER = 0.7
"""Factor on the doubt of spots of the higher contrast: at 1, two clean clips lost 0.02 and 0.01 %
of their pixels; from 0.5 to 0.8 nothing differed."""
_BY_ENDS = 0.55
"""By how much less doubt is allowed for a spot that no neighbour on one side shows, since the
picture ends. True ones of the development clips have mostly a fifth of the usual limit, up to 0.6;
false ones of two clean clips 0.7 to 0.9."""
_BY_COUNTERPARTS = 0.5
"""Factor on the doubt of a spot that has counterparts in both neighbours. Of the area of drawn dirt
in eight clips 0.2 % has them and more doubt than that, of what clean ones lost half."""
_EXPLAINED, _TOGETHER = 0.7, 1.15
"""Weight of the share of a spot that motion explains, and the largest sum of it and of the doubt as
a share of what is allowed. Much of what clean clips lost was near both limits: a quarter of its
area is above this sum, and 0.1 % of that of drawn dirt in eight clips. With 1 and 1.1 it is a half
and 0.6 %, but the error left in the dirt grows by a tenth."""
_MOST_OF_IT = 0.08
"""Share of a picture above which spots are no dirt but light or motion. Drawn dirt of 40 spots
covers up to 0.05 (at 480 px, with flicker); a frame of six silent films up to 0.02."""
_FIRST_CONTRAST, _FIRST_UNREST = 0.05, 0.4
"""The first look misses little, and marks moving things here and there: it only changes the
pictures on which motion is estimated."""
_FOLLOWED = 0.5
"""Share of a spot that is seen again in a neighbour from which on the first look keeps it: 1 % of
the area of drawn dirt has more, and 55 % of what the second motion finds in clean clips."""
_AROUND = np.ones((3, 3), np.uint8)
_MARGIN_PX = 2.0
"""Width of the margin of the first look, in px of a picture 640 px wide."""


@dataclass(kw_only=True, eq=False)
class Scouted:
    """A picture after the first look."""

    look: Look
    clean: Fine
    """Its luma in [0, 1] with rough repairs, at the size on which motion is refined."""
    mask: Mask
    """Where these are."""
    things: Things = NO_THINGS
    """All that stands apart from both neighbours, dirt or not."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Trio:
    """A picture between its neighbours, after the first look, and the motion to them."""

    before: Scouted
    now: Scouted
    after: Scouted
    back: Link
    """Between the previous picture and this one."""
    forth: Link
    """Between this one and the next."""


def unscouted(look: Look) -> Scouted:
    """A picture that cannot be compared with two neighbours."""
    fine = look.fine
    return Scouted(look=look, clean=fine, mask=np.zeros(fine.shape, bool))


def scouted(before: Look, now: Look, after: Look, *, back: Link, forth: Link) -> Scouted:
    """The first look at a picture.

    Args:
        before: The previous picture.
        now: The picture.
        after: The next one.
        back: Motion between the previous picture and this one, not refined.
        forth: Motion between this one and the next.
    """
    fine, others = now.fine, (before.fine, after.fine)
    direct = back.back, forth.forth
    again = seen_again(fine, others, (back, forth))
    clean, mask = fine, np.zeros(fine.shape, bool)
    # The second wins: under dirt, the motion between the neighbours is right.
    for ways in (direct, interpolated(fine, others, (back, forth))):
        compared = _compared(fine, *others, ways)
        spots = candidates(compared, cells=_cells(ways), contrast=_FIRST_CONTRAST)
        which = spots.relative(spots.unrest) < _FIRST_UNREST
        if ways is not direct:
            which &= followed(spots, again) < _FOLLOWED
        which[0] = False
        if which.any():
            found = widened(which[spots.labels], px(_MARGIN_PX, fine.shape))
            # Its values, brought into the range of both neighbours.
            clean = np.where(found, fine - compared.least, clean)
            mask |= found
    things = things_of(spots, fine)
    return Scouted(look=now, clean=clean, mask=mask, things=things)


def first_link(first: Look, second: Look) -> Link:
    """The motion between two pictures for the first look.

    Args:
        first: A picture.
        second: The next one.
    """
    return linked(first.fine, second.fine, refine=False)


def second_link(first: Scouted, second: Scouted) -> Link:
    """The motion between two pictures after the first look, refined.

    Args:
        first: A picture.
        second: The next one.
    """
    return linked(first.clean, second.clean, refine=True)


def compared_with(trio: Trio) -> Compared:
    """A picture compared with its neighbours along the motion, at the size of `Look.fine`.

    Finer detail tells nothing: the smallest dirt is 3 px wide there, and grain is averaged.
    """
    ways = trio.back.back, trio.forth.forth
    before, after = trio.before, trio.after
    past = _restored(before, after.clean, (trio.back.forth, trio.forth.forth))
    future = _restored(after, before.clean, (trio.forth.back, trio.back.back))
    return _compared(trio.now.look.fine, past, future, ways)


def _restored(one: Scouted, other: Fine, ways: tuple[Way, Way]) -> Fine:
    """A neighbour without those rough repairs from which the other neighbour differs more.

    Where dirt is in this picture and in that beyond a neighbour, the neighbour between them looks
    like a spot.

    Args:
        one: The neighbour.
        other: The neighbour on the other side.
        ways: From the one to the picture, and from the picture to the other.
    """
    y, x = np.nonzero(one.mask)
    if not len(y):
        return one.clean
    ends = np.array([one.mask.shape[1] - 1, one.mask.shape[0] - 1])
    column, row = np.clip(np.rint(ways[0].places[y, x]), 0, ends).astype(int).T
    lift = ways[0].lift[y, x] + ways[1].lift[row, column]
    column, row = np.clip(np.rint(ways[1].places[row, column]), 0, ends).astype(int).T
    there = other[row, column] + lift
    raw, clean = one.look.fine[y, x], one.clean[y, x]
    values = one.clean.copy()
    values[y, x] = np.where(np.abs(raw - there) < np.abs(clean - there), raw, clean)
    return values


def find_dirt(trio: Trio, tests: Tests) -> Mask | None:
    """The mask of a picture's dirt at the size of `Look.fine`; None without any.

    Args:
        trio: The picture and its neighbours.
        tests: When a spot is dirt.
    """
    compared = compared_with(trio)
    cells = _cells((trio.back.back, trio.forth.forth))
    found, mask = None, np.zeros(compared.least.shape, bool)
    for factor in _LEVELS:
        spots = candidates(compared, cells=cells, contrast=factor * tests.contrast)
        if not spots.count:
            break
        which = _tested(spots, trio, tests if factor == 1.0 else tests.surer())
        mask |= which[spots.labels]
        rims = grown(spots, compared, which)
        found = rims if found is None else found | rims
        compared = compared.without(rims)
    return found if 0.0 < float(mask.mean()) < _MOST_OF_IT else None


def _tested(spots: Spots, trio: Trio, tests: Tests) -> np.ndarray:
    """Which spots are dirt, by number."""
    now, before, after = trio.now.look.fine, trio.before, trio.after
    here = [
        way.compared(now, other.clean)
        for way, other in ((trio.back.back, before), (trio.forth.forth, after))
    ]
    there = [
        way.compared(other.look.fine, trio.now.clean)
        for way, other in ((trio.back.forth, before), (trio.forth.back, after))
    ]
    ring = around(spots, np.float32(0.5) * (here[0] + here[1]))
    area = np.bincount(spots.labels.ravel()) * (DRAWN_WIDTH_PX / max(spots.labels.shape)) ** 2
    allowed = np.minimum(tests.doubt * (area / _USUAL_AREA) ** _BY_AREA, tests.most_doubt)
    ends = spots.share_in(~(trio.back.back.seen & trio.forth.forth.seen))
    allowed[1:][_counterparts(spots, trio)] *= _BY_COUNTERPARTS
    doubt = _doubt(spots, ring) / ((1.0 - _BY_ENDS * ends) * allowed)
    which = doubt < 1.0
    which &= (area >= _AREAS[0]) & (area <= _AREAS[1])
    which[0] = False
    if which.any():
        size = now.shape[0], now.shape[1]
        ways = trio.back.back, trio.forth.forth
        scene = Scene(
            now=now,
            others=np.stack([before.look.fine, after.look.fine]),
            changes=np.stack([np.stack(pair) for pair in zip(here, there, strict=True)]),
            flows=np.stack([way.flow * scale_of(way.flow, size) for way in ways]),
        )
        left = unexplained(spots, scene)
        which &= (left > tests.unexplained) & (doubt + _EXPLAINED * (1.0 - left) < _TOGETHER)
    return which


def _counterparts(spots: Spots, trio: Trio) -> Bool[np.ndarray, " things"]:
    """Which spots have counterparts in both neighbours, from number 1 on."""
    things = things_of(spots, trio.now.look.fine)
    return has_counterparts(things, before=trio.before.things, after=trio.after.things)


def _doubt(spots: Spots, ring: EachSpot) -> EachSpot:
    """How much the surroundings of each spot disagree, relative to its contrast.

    Args:
        spots: Of a picture.
        ring: Difference of the picture from its neighbours around each.
    """
    near = spots.relative(spots.unrest) / _UNREST
    wide = spots.relative(spots.wide_unrest) / _WIDE_UNREST
    return np.sqrt(near**2 + wide**2 + (spots.relative(ring) / _RING) ** 2)


def _compared(now: Fine, before: Fine, after: Fine, ways: tuple[Way, Way]) -> Compared:
    """A picture compared with its neighbours, whose borders continue where they end."""
    pairs = tuple(zip(ways, (before, after), strict=True))
    past, future = (way.aligned(other) for way, other in pairs)
    # Motion errs: a pixel may be any of those around it, not interpolated, which narrows the range.
    one, other = (way.nearest(other) for way, other in pairs)
    outside = np.maximum(now - cv2.dilate(np.maximum(one, other), _AROUND), 0.0)
    outside += np.minimum(now - cv2.erode(np.minimum(one, other), _AROUND), 0.0)
    least = _of_one_sign(now - past, now - future)
    return Compared(outside=outside, least=least, apart=cv2.absdiff(past, future))


def _of_one_sign(one: Fine, other: Fine) -> Fine:
    """The smaller of two differences where they have one sign, else 0."""
    return np.maximum(np.minimum(one, other), 0.0) + np.minimum(np.maximum(one, other), 0.0)


def _cells(ways: tuple[Way, Way]) -> tuple[int, int]:
    rows, columns = ways[0].flow.shape[:2]
    return rows, columns
