"""Upright lines of one picture: thin, and seen in most rows over a good part of the height.

Found by their profile across, as Kokaram (1998) finds scratches: the difference from a picture
without thin things. Rows vote for a line, each with its own measure of what is usual around it, so
that texture does not sum up to one (Newson et al. 2014 count pixels for the same reason).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int

from unflicker.repair import line_kernels
from unflicker.repair.looks import DRAWN_WIDTH_PX

Strips = Float32[np.ndarray, "strips width"]
"""Luma in [0, 1], averaged over some rows; the full width."""
STRIP_PX = 6.0
"""Height of a strip in px of a picture 640 px wide."""
_WIDEST_PX = 5.0
"""Width up to which something is thin, likewise; a scratch is 1 to 4 px wide, with soft edges."""
_BAND = 6
"""Strips that vote together."""
_VOTE = 0.6
"""Least mean vote of a band. 1 is a line in each strip; texture reaches 0.4."""
_MISSING = 2
"""Strips in succession in which a line may be unseen."""
_FLOOR, _USUAL_PX = 0.008, 32.0
"""Difference of luma that is not seen, and how far around (in px) it is compared."""
_LEAST_HEIGHT = 0.2
"""Least length of a line, of the picture's height."""
_TILT, _TILT_PX = 0.015, 1.0
"""How far a line may lean: px across for one down, and px in all."""
_RIM = 0.25
"""Share of a line's contrast that its rim has, and least vote at its ends."""
_LOOK_PX, _CENTRE_PX = 6.0, 2.0
"""Px to either side in which a line's rims, and its largest contrast, are searched for."""
_APART_PX = 4.0
"""Px to either side of a line in which no other one of the same sign is looked for."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Line:
    """A line in a picture."""

    top: int
    """Its first strip."""
    bottom: int
    """The strip after its last one."""
    middle: float
    """Column of its centre at the middle of its length, in px."""
    tilt: float
    """Px across for a strip down."""
    sign: int
    """1 for a bright line, -1 for a dark one."""
    strength: float
    """Mean vote, 0 to 1."""
    contrast: float
    """Its largest difference of luma, of the whole range."""
    rims: tuple[float, float]
    """Its first and last column, relative to the centre, in px."""

    def at(self, strip: Any) -> Any:
        """Column of its centre in a strip, or in many: a number or an array of them."""
        return self.middle + self.tilt * (strip - 0.5 * (self.top + self.bottom - 1))

    @property
    def strips(self) -> int:
        """Its length in strips."""
        return self.bottom - self.top


def strips_of(luma: Float32[np.ndarray, "height width"]) -> Strips:
    """A picture averaged over strips.

    Args:
        luma: In [0, 1].
    """
    height, width = luma.shape
    many = strip_count((height, width))
    return cv2.resize(luma, (width, many), interpolation=cv2.INTER_AREA)


def strip_count(size: tuple[int, int]) -> int:
    """Number of strips of a picture of some height and width."""
    return max(2 * _BAND, round(size[0] / (STRIP_PX * scale_of(size))))


def scale_of(size: tuple[int, int]) -> float:
    """Px of a picture for one of a picture `DRAWN_WIDTH_PX` wide."""
    return max(size) / DRAWN_WIDTH_PX


def thin_things(strips: Strips, scale: float) -> Strips:
    """The difference of strips from the same without thin things; edges do not count.

    Args:
        strips: Of a picture.
        scale: Of the picture (`scale_of`).
    """
    across = np.ones((1, 2 * int(np.ceil(0.5 * _WIDEST_PX * scale)) + 1), np.uint8)

    def after(*ways: int) -> Strips:
        made = strips
        for way in ways:
            made = cv2.morphologyEx(made, way, across, borderType=cv2.BORDER_REPLICATE)
        return made

    bright, dark = cv2.MORPH_OPEN, cv2.MORPH_CLOSE
    return strips - np.float32(0.5) * (after(bright, dark) + after(dark, bright))


def lines_of(strips: Strips, size: tuple[int, int]) -> list[Line]:
    """The upright lines of a picture, bright and dark.

    Args:
        strips: Of the picture.
        size: Height and width of the picture in px.
    """
    scale = scale_of(size)
    thin = thin_things(strips, scale)
    around = (2 * int(_USUAL_PX * scale) + 1, 3)
    usual = cv2.blur(np.abs(thin), around, borderType=cv2.BORDER_REPLICATE)
    votes = np.clip(thin / (2.0 * usual + _FLOOR), -1.0, 1.0).astype(np.float32)
    banded = cv2.blur(votes, (1, _BAND), borderType=cv2.BORDER_REPLICATE)
    found = []
    for sign in (1, -1):
        lines = (
            _line(thin, chain, sign, votes, scale)
            for chain in _chains(np.ascontiguousarray(banded * np.float32(sign)), scale)
        )
        found += [line for line in lines if line is not None]
    return found


@dataclass(frozen=True, kw_only=True, eq=False)
class _Chain:
    """Votes in succession."""

    top: int
    columns: Int[np.ndarray, " strips"]
    strength: float


def _chains(votes: Strips, scale: float) -> Iterator[_Chain]:
    """Chains of votes, the strongest first, apart from each other."""
    length, step = np.zeros(votes.shape, np.int32), np.zeros(votes.shape, np.int8)
    score = np.zeros(votes.shape, np.float32)
    line_kernels.runs(votes, np.float32(_VOTE), _MISSING, length, score, step)
    score[length < max(3, int(_LEAST_HEIGHT * len(votes)))] = 0.0
    apart = int(np.ceil(_APART_PX * scale))
    while True:
        bottom, column = (int(at) for at in np.unravel_index(np.argmax(score), score.shape))
        if score[bottom, column] <= 0.0:
            return
        many, strength = int(length[bottom, column]), float(score[bottom, column])
        columns = np.empty(many, np.int64)
        for up in range(many):
            columns[many - 1 - up] = column
            column += int(step[bottom - up, column])
        for strip, at in enumerate(columns, start=bottom + 1 - many):
            score[strip, max(at - apart, 0) : at + apart + 1] = 0.0
        yield _Chain(top=bottom + 1 - many, columns=columns, strength=strength / many)


def _line(thin: Strips, chain: _Chain, sign: int, votes: Strips, scale: float) -> Line | None:
    """A chain as a line; None if it is wide or leans."""
    many = len(chain.columns)
    tilt, _ = np.polyfit(np.arange(many), chain.columns, 1)
    if abs(tilt) * many > scale * (_TILT_PX + _TILT * STRIP_PX * many):
        return None
    near = int(_CENTRE_PX * scale) + 1
    look = max(round(_LOOK_PX * scale), near + 1)
    places = chain.columns[:, None] + np.arange(-look, look + 1)
    rows = np.arange(chain.top, chain.top + many)[:, None]
    profile = sign * np.median(thin[rows, np.clip(places, 0, thin.shape[1] - 1)], axis=0)
    peak = look - near + int(np.argmax(profile[look - near : look + near + 1]))
    rim = _RIM * profile[peak]
    if profile[peak] <= 0.0:
        return None
    below = np.flatnonzero(profile <= rim)
    first = int(max(below[below < peak], default=-1)) + 1
    last = int(min(below[below > peak], default=2 * look + 1)) - 1
    if last - first + 1 > np.ceil(_WIDEST_PX * scale):
        return None
    part = np.arange(first, last + 1)
    centre = float(np.average(part, weights=profile[first : last + 1] - 0.99 * rim)) - look
    # Bands reach beyond a line's ends by half of their height.
    at = np.clip(places[:, peak], 0, thin.shape[1] - 1)
    seen = sign * votes[rows[:, 0], at] > _RIM
    above = _unseen(seen[: _BAND // 2])
    below_it = _unseen(seen[: -1 - _BAND // 2 : -1])
    middle = float(chain.columns.mean()) + centre + 0.5 * tilt * (above - below_it)
    return Line(
        top=chain.top + above,
        bottom=chain.top + many - below_it,
        middle=float(middle),
        tilt=float(tilt),
        sign=sign,
        strength=chain.strength,
        contrast=float(profile[peak]),
        rims=(first - look - centre, last - look - centre),
    )


def _unseen(seen: Bool[np.ndarray, " strips"]) -> int:
    """How many strips pass before the first one in which something is seen."""
    return int(np.argmax(seen)) if seen.any() else len(seen)
