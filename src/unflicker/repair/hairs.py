"""Hairs in the gate: thin curved things at the border that keep their place while the scene moves.

A branch at the border of the picture is thin and dark, too. It moves as the picture around it does;
a hair stays, or sways by a pixel. So a thin thing is followed over frames, and the motion of the
scene across it is added up. Where the scene stands still there is no telling: it stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, Int

from unflicker.repair.lines import scale_of
from unflicker.repair.looks import Look, Mask, disc
from unflicker.repair.threads import SURE, TOGETHER, WIDEST_PX, Grid, Threads, Votes


@dataclass(frozen=True, kw_only=True)
class Rules:
    """When a thin thing at the border is a hair."""

    frames: int
    """Least number of frames of the window in which it is seen."""
    slides_px: float
    """How far the scene moves across it at least, in px of a picture 640 px wide."""
    share: float
    """Share of its length across which the scene does."""


RULES = {
    "light": Rules(frames=9, slides_px=10.0, share=0.7),
    "normal": Rules(frames=7, slides_px=7.5, share=0.6),
    "strong": Rules(frames=6, slides_px=5.0, share=0.5),
}
_CORE, _BODY = 0.6, 0.4
"""Mean vote of a hair's clear pixels, and of all of them."""
_SHORTEST_PX, _SLIMMEST = 12.0, 3.0
"""Least length, in px of a picture 640 px wide, and least length relative to the width."""
_SOFT_PX = 1.0
"""Px of `Look.fine` by which soft edges widen a thing."""
_WINDING = 3.0
"""Largest length relative to that of a straight one: texture is joined to nets."""
_CLEAR = 0.3
"""Share of a hair's pixels that are clear."""
_MOST = 8
"""Things of each sign that are followed in a picture."""
_INWARD_PX = 8.0
"""How far a hair reaches into the picture at least: what is nearer is the rim of the gate."""
_TOUCHES_PX = 3.0
"""Largest distance of its root to the border or the gate, in px of a picture 640 px wide."""
_BLACK = 0.1
"""Luma, of the stored range, below which what is joined to the border may be the gate."""
_SEEN, _MISSED = 0.35, 2
"""Mean vote of a hair's pixels in a frame in which it is seen, and frames in succession in which it
may be unseen."""
_SWAYS_PX = 1
"""Px of `Look.fine` by which it may be away from its place."""
_SAMPLES, _POINTS = 160, 24
"""Pixels of a hair that are followed, and at which the scene's motion across it is taken."""
_FLANKS_PX = (8.0, 14.0)
"""Distances to both sides of a hair at which that is, clear of the hair itself."""
_DISTINCT = 0.5
"""Least mean vote of a hair in its usual frame."""
_STEADY, _STEADY_SHARE = 0.8, 0.75
"""Mean vote of its faintest frame, relative to the usual one, above which a hair is steady; and
factor on the share of its length that has to be proved: some of it lies along the motion."""
_AT_ONCE = 0.7
"""Mean vote in the first and last frame of a hair relative to the usual one: it comes and goes at
once, while what is of the scene is lost bit by bit."""
_AROUND_PX = 10.0
"""How far around a pixel the hair's direction is measured."""
_BENT = 1.3
"""Factor on the width up to which a thing is thin, for one that bends."""
_NARROW = 0.6
"""Largest width there relative to the length, of the deviations of its pixels."""
_CHANGED, _OF_PICTURE = 0.03, 0.05
"""Difference of luma, and share of the picture that differs by more, without which nothing moves.
"""
_SLIDES_PX = 7.0
"""Px of `Look.fine` that the scene moves across a thing at least: what is of the scene is seen in
one place for about its width."""
_SCENE = 0.4
"""Share of the picture that has to move."""
_GROWS_PX = 2
"""Px of `Look.fine` around a thing in which pixels belong to it by their own votes."""
_SHAPED_BY = 5
"""Frames to either side whose votes say which pixels a hair has."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Thing:
    """A thin thing at the border of a picture that is there for some frames."""

    rows: Int[np.ndarray, " pixels"]
    columns: Int[np.ndarray, " pixels"]
    sign: int
    frames: Int[np.ndarray, " seen"]
    """In which pictures of the span it is seen, rising."""
    shifts: Int[np.ndarray, "seen 2"]
    """How far it is away there from its place, rows and columns."""
    means: Float64[np.ndarray, " seen"]
    """Mean vote of its pixels there, 0 to 1."""


def things(threads: Sequence[Threads], at: int, look: Look, rules: Rules) -> list[Thing]:
    """The thin things at the border of a picture that keep their place.

    Args:
        threads: Of consecutive pictures.
        at: Which of them.
        look: That picture.
        rules: How long they must last.
    """
    strongest = _together(threads, at)
    if strongest is None:
        return []
    gate, found = _gate(look.fine), []
    for sign, mean in zip((-1, 1), strongest, strict=True):
        for rows, columns in _long_ones(mean, gate):
            thing = _followed(threads, at, (rows, columns), sign)
            if thing is not None and len(thing.frames) >= rules.frames:
                found.append(thing)
    return found


def _together(threads: Sequence[Threads], at: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Dark and bright mean votes of five frames that begin, end or have their middle here."""
    ends = [at + ahead for ahead in (0, TOGETHER // 2, TOGETHER - 1) if at + ahead < len(threads)]
    whole = [threads[end].sums for end in ends if threads[end].length == TOGETHER]
    if not whole:
        return None
    low, high = whole[0], whole[0]
    for sums in whole[1:]:
        low, high = np.minimum(low, sums), np.maximum(high, sums)
    return -low, high


def _long_ones(mean: np.ndarray, gate: Mask) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rows and columns of long thin groups of pixels that begin at the gate, the largest first."""
    body = (mean > _BODY * TOGETHER * SURE).view(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(body, connectivity=8)
    scale = scale_of(gate.shape)
    shortest, widest = _SHORTEST_PX * scale, WIDEST_PX * scale + _SOFT_PX
    inside = cv2.distanceTransform((~gate).view(np.uint8), cv2.DIST_L2, 3)
    found = []
    for number in np.unique(labels[gate & (body > 0)]):
        left, top, across, down, area = (int(n) for n in stats[number])
        diagonal = float(np.hypot(across, down))
        if diagonal < shortest or area < shortest or area > _WINDING * widest * diagonal:
            continue
        box = slice(top, top + down), slice(left, left + across)
        part = labels[box] == number
        # What is nearer to the border is the rim of the gate.
        if inside[box][part].max() < _INWARD_PX * scale:
            continue
        if (mean[box][part] > _CORE * TOGETHER * SURE).mean() < _CLEAR:
            continue
        # Of a thin thing, the mean distance to its outside is a quarter of its width.
        deep = cv2.distanceTransform(np.pad(part, 1).view(np.uint8), cv2.DIST_L2, 3)
        width = max(4.0 * float(deep[1:-1, 1:-1][part].mean()) - 2.0, 1.0)
        length = area / width
        if width > widest or length < _SLIMMEST * width or length > _WINDING * diagonal:
            continue
        rows, columns = np.nonzero(part)
        found.append((rows + top, columns + left))
    return sorted(found, key=lambda pixels: -len(pixels[0]))[:_MOST]


def _gate(fine: Float32[np.ndarray, "rows columns"]) -> Bool[np.ndarray, "rows columns"]:
    """Pixels next to the border of a picture, or to black that is joined to it."""
    scale = scale_of(fine.shape)
    side = 2 * int(np.ceil(0.5 * WIDEST_PX * scale)) + 1
    black = (np.pad(fine, side) < _BLACK).astype(np.uint8)
    black = cv2.morphologyEx(black, cv2.MORPH_OPEN, np.ones((side, side), np.uint8))
    _, labels = cv2.connectedComponents(black, connectivity=4)
    joined = (labels == labels[0, 0]).astype(np.uint8)
    near = cv2.dilate(joined, disc(int(np.ceil(_TOUCHES_PX * scale))))
    return near[side:-side, side:-side] > 0


def _followed(
    threads: Sequence[Threads], at: int, pixels: tuple[np.ndarray, np.ndarray], sign: int
) -> Thing | None:
    """Where a thing is in the frames before and after."""
    rows, columns = pixels
    step = max(1, len(rows) // _SAMPLES)
    samples = rows[::step], columns[::step]
    places: dict[int, tuple[tuple[int, int], float]] = {}
    here = _best(threads[at].votes, samples, sign, (0, 0))
    if here is None:
        return None
    places[at] = here
    for way in (1, -1):
        frame, place, missed = at + way, here[0], 0
        while 0 <= frame < len(threads) and missed <= _MISSED:
            moved = _best(threads[frame].votes, samples, sign, place)
            if moved is None:
                missed += 1
            else:
                places[frame], place, missed = moved, moved[0], 0
            frame += way
    frames = np.array(sorted(places))
    shifts, means = zip(*(places[int(frame)] for frame in frames), strict=True)
    return Thing(
        rows=rows,
        columns=columns,
        sign=sign,
        frames=frames,
        shifts=np.array(shifts),
        means=np.array(means),
    )


def _best(
    votes: Votes, samples: tuple[np.ndarray, np.ndarray], sign: int, near: tuple[int, int]
) -> tuple[tuple[int, int], float] | None:
    """The shift at which a frame votes most for a thing, and how much; None if it does not."""
    height, width = votes.shape
    best, score = None, _SEEN * SURE
    # The nearest to its last place wins where two are equal.
    steps = sorted(
        ((y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)), key=lambda s: abs(s[0]) + abs(s[1])
    )
    for down, across in steps:
        shift = near[0] + down, near[1] + across
        if max(map(abs, shift)) > _SWAYS_PX:
            continue
        rows = np.clip(samples[0] + shift[0], 0, height - 1)
        columns = np.clip(samples[1] + shift[1], 0, width - 1)
        mean = sign * float(votes[rows, columns].mean())
        if mean > score + 1e-6:
            best, score = shift, mean
    return None if best is None else (best, score / SURE)


def anything_moves(threads: Sequence[Threads], at: int) -> bool:
    """Whether a picture differs from those around it, so that there can be evidence.

    Args:
        threads: Of the pictures.
        at: Which is the one.
    """
    here = threads[at].proxy[..., 0]
    return any(
        (np.abs(threads[other].proxy[..., 0] - here) > _CHANGED).mean() > _OF_PICTURE
        for other in {0, max(at - TOGETHER, 0), min(at + TOGETHER, len(threads) - 1)} - {at}
    )


def scene_moves(moves: Sequence[Grid], size: tuple[int, int], rules: Rules) -> bool:
    """Whether most of the picture moves: what passes behind a branch does not.

    Args:
        moves: Of the scene, from each picture to the next.
        size: Rows and columns of `Look.fine`.
        rules: How far it must move.
    """
    if not moves:
        return False
    whole = np.ptp(_summed([step[::4, ::4] for step in moves]), axis=0)
    return bool(
        (np.hypot(whole[..., 0], whole[..., 1]) > rules.slides_px * scale_of(size)).mean() >= _SCENE
    )


def is_hair(thing: Thing, moves: Sequence[Grid], size: tuple[int, int], rules: Rules) -> bool:
    """Whether the scene moves across a thing.

    Args:
        thing: Of a picture.
        moves: Of the scene, from each picture of its span to the next.
        size: Rows and columns of `Look.fine`.
        rules: When it is a hair.
    """
    least = max(rules.slides_px * scale_of(size), _SLIDES_PX)
    first, last = int(thing.frames[0]), int(thing.frames[-1])
    ends = [thing.means[0]] * (first > 0) + [thing.means[-1]] * (last < len(moves))
    usual = float(np.median(thing.means))
    if usual < _DISTINCT or any(mean < _AT_ONCE * usual for mean in ends):
        return False
    share = rules.share * (_STEADY_SHARE if thing.means.min() > _STEADY * usual else 1.0)
    steps = moves[first:last]
    points, normals = _directions(thing, size)
    across = _summed([_across(step, points, normals, size) for step in steps])
    own = thing.shifts[:, ::-1] @ normals.T
    at = thing.frames - thing.frames[0]
    slid = np.ptp(across[at] - own, axis=0) > least
    return bool(slid.mean() >= share)


def _summed(steps: Sequence[np.ndarray]) -> Float64[np.ndarray, "..."]:
    moved = np.cumsum(np.stack(steps), axis=0, dtype=np.float64)
    return np.concatenate([np.zeros_like(moved[:1]), moved])


def _directions(thing: Thing, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Some of a thing's places and the directions across it there, x first."""
    places = np.stack([thing.columns, thing.rows], axis=-1).astype(np.float64)
    points = places[:: max(1, len(places) // _POINTS)]
    reach, widest = _AROUND_PX * scale_of(size), _BENT * (WIDEST_PX * scale_of(size) + _SOFT_PX)
    normals = []
    for point in points:
        near = places[np.hypot(*(places - point).T) <= reach]
        wide, axes = np.linalg.eigh(np.cov(near.T) if len(near) > 2 else np.eye(2))
        # Where it is wide or has no direction, no motion is across it.
        is_thin = wide[0] < min(_NARROW**2 * wide[1], widest**2 / 12.0)
        normals.append(axes[:, 0] * is_thin)
    return points, np.array(normals)


def _across(
    step: Grid, points: np.ndarray, normals: np.ndarray, size: tuple[int, int]
) -> np.ndarray:
    """The scene's motion across a thing at its points, taken at both sides of it."""
    down, across = step.shape[:2]
    scale = scale_of(size)
    found = []
    for distance in (sign * px * scale for px in _FLANKS_PX for sign in (-1, 1)):
        x, y = (points + distance * normals).T
        rows = np.clip((y + 0.5) / size[0] * down, 0, down - 1).astype(int)
        columns = np.clip((x + 0.5) / size[1] * across, 0, across - 1).astype(int)
        found.append((step[rows, columns] * normals).sum(axis=-1))
    return np.median(found, axis=0)


def mask_of(thing: Thing, threads: Sequence[Threads], at: int) -> Mask:
    """The pixels of a thing in a picture.

    Args:
        thing: Of the picture.
        threads: Of the pictures of its span.
        at: Which is the picture.
    """
    height, width = threads[at].votes.shape
    here = thing.shifts[int(np.flatnonzero(thing.frames == at)[0])]
    reach = _SWAYS_PX + _GROWS_PX
    rows, columns = (
        np.arange(max(int(place.min()) - reach, 0), min(int(place.max()) + reach + 1, end))
        for place, end in ((thing.rows, height), (thing.columns, width))
    )
    total, many = np.zeros((len(rows), len(columns)), np.float32), 0
    for frame, shift in zip(thing.frames, thing.shifts, strict=True):
        if abs(int(frame) - at) <= _SHAPED_BY:
            down, across = shift - here
            there = np.clip(rows + down, 0, height - 1), np.clip(columns + across, 0, width - 1)
            total += threads[int(frame)].votes[np.ix_(*there)]
            many += 1
    own = np.zeros((len(rows), len(columns)), np.uint8)
    own_rows = np.clip(thing.rows + here[0] - rows[0], 0, len(rows) - 1)
    own[own_rows, np.clip(thing.columns + here[1] - columns[0], 0, len(columns) - 1)] = 1
    near = cv2.dilate(own, disc(_GROWS_PX)) > 0
    mask = np.zeros((height, width), bool)
    mask[np.ix_(rows, columns)] = near & (thing.sign * total > _BODY * SURE * many)
    return mask
