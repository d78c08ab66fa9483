"""Finds the cuts of a film, the boundaries of its shots.

A cut changes the structure of the picture; flicker and flashes change its light. So frames are
compared as thumbnails of zero mean and unit variance. A change is a cut only if the picture does
not return within a few frames, as it does after a flash.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.analysis.proxy import Proxy
from unflicker.frames.colour import LUMA

_THUMBNAIL = (96, 54)
_CUT_DISTANCE = 0.5
_CUT_CONTRAST = 1.6
_SAME_DISTANCE = 0.3
_FLASH_FRAMES = 4
RECENT_FRAMES = _FLASH_FRAMES + 1
"""Frames of a shot on which it depends whether the next one is a cut."""
LOOK_AHEAD_FRAMES = _FLASH_FRAMES + 1
"""Frames after one that are read before it is known whether a shot starts with it."""
_FLAT_DEVIATION = 0.004
_FLAT_CUT_STOPS = 0.75


def find_cuts(proxies: Iterable[Proxy]) -> list[int]:
    """Indices of the first frame of each shot but the first."""
    return [index for index, (_, cut) in enumerate(with_cuts(proxies)) if cut]


@dataclass(frozen=True, kw_only=True, eq=False)
class Thumbnail:
    """The structure of a picture, by which cuts are found."""

    structure: Float32[np.ndarray, " pixels"]
    """Zero mean, unit variance; zeros where the picture is flat."""
    flat: bool
    level: float


def thumbnail_of(proxy: Proxy) -> Thumbnail:
    """A proxy's structure without its light."""
    luma = cv2.resize(proxy.pixels @ LUMA, _THUMBNAIL, interpolation=cv2.INTER_AREA)
    broad = cv2.GaussianBlur(luma, (0, 0), 12)
    detail = (luma - broad) / (broad + 0.05)
    deviation = float(detail.std())
    flat = deviation < _FLAT_DEVIATION
    structure = np.zeros_like(detail) if flat else (detail - detail.mean()) / deviation
    return Thumbnail(structure=structure.ravel(), flat=flat, level=float(luma.mean()))


def distance(first: Thumbnail, second: Thumbnail) -> float:
    """Distance of two structures: 0 for the same, 1 for unrelated ones.

    Flat pictures are compared by their level.

    Args:
        first: One picture.
        second: The other.
    """
    if first.flat and second.flat:
        stops = abs(np.log2((first.level + 0.01) / (second.level + 0.01)))
        return 1.0 if stops > _FLAT_CUT_STOPS else 0.0
    if first.flat or second.flat:
        return 1.0
    return 1.0 - float(first.structure @ second.structure) / first.structure.size


def with_cuts(
    proxies: Iterable[Proxy], *, before: Iterable[Proxy] = ()
) -> Iterator[tuple[Proxy, bool]]:
    """Each proxy, and whether a shot starts with it; reads `LOOK_AHEAD_FRAMES` ahead.

    Args:
        proxies: Of a film, in order.
        before: Earlier ones of the same shot, the last `RECENT_FRAMES` that are not damaged at
            least; none at the beginning of a shot.
    """
    ahead: deque[tuple[Proxy, Thumbnail]] = deque()
    recent: deque[Thumbnail] = deque(maxlen=RECENT_FRAMES)
    recent.extend(thumbnail_of(proxy) for proxy in before if not proxy.damaged)
    for proxy in proxies:
        ahead.append((proxy, thumbnail_of(proxy)))
        if len(ahead) > LOOK_AHEAD_FRAMES:
            yield _decide(ahead, recent)
    while ahead:
        yield _decide(ahead, recent)


def _decide(ahead: deque[tuple[Proxy, Thumbnail]], recent: deque[Thumbnail]) -> tuple[Proxy, bool]:
    proxy, thumbnail = ahead.popleft()
    cut = False
    if recent and not proxy.damaged:
        unlike = distance(recent[-1], thumbnail)
        following = [thumbnail, *(item for _, item in ahead)]
        if unlike > _CUT_DISTANCE and unlike > _CUT_CONTRAST * _unrest(list(recent), following):
            cut = not _comes_back(list(recent), following)
    if cut:
        recent.clear()
    if not proxy.damaged:
        recent.append(thumbnail)
    return proxy, cut


def _unrest(before: list[Thumbnail], after: list[Thumbnail]) -> float:
    """The largest distance of neighbours before and after a frame: fast motion is not a cut."""
    sides = (before[-3:], after[:3])
    return max((distance(a, b) for side in sides for a, b in pairwise(side)), default=0.0)


def _comes_back(before: list[Thumbnail], after: list[Thumbnail]) -> bool:
    """Whether a picture from before is seen again after: then the change is a flash."""
    return any(
        distance(old, new) < _SAME_DISTANCE
        for old in before
        for new in after
        if not (old.flat and new.flat and abs(old.level - new.level) > 0.02)
    )
