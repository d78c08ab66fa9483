"""Dissolves: the frames in which one picture replaces another little by little.

In a dissolve each frame is a mixture of two unrelated pictures. Flicker multiplies mixtures, by
place, and leaves their shares: so shares are fitted in blocks, to detail alone. The change of light
that mixing alone makes is then subtracted from what was measured (`correspondences`).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import cv2
import numpy as np
from jaxtyping import Float, Float32

from unflicker.frames.colour import LUMA
from unflicker.frames.dissolve import Dissolve

_SIZE = (96, 54)
_BLOCKS = (4, 3)
"""Blocks across and down in which shares are fitted."""
_SMOOTH_PX, _BROAD_PX = 1.0, 6.0
"""Detail lies between these two blurs of the thumbnail."""
_SHORTEST, _LONGEST = 4, 60
"""Frames from one picture to the other."""
_UNLIKE = 0.25
"""Correlation of two pictures below which they have nothing in common; a cut has 0.5."""
_NEGATIVE = -0.15
_STRAIGHT = 0.15
"""How far shares may be from a straight line."""
_LEFT, _LEFT_OF_ONE = 0.15, 0.4
"""Largest share of a frame's structure that the mixture leaves; and over what the better of the two
pictures leaves alone, where that is most."""
_FAINT = 0.02
"""Least power of one picture's detail over the other's: less is a fade."""
_SIDE_FRAMES = 8
"""Frames on either side whose mean stands for the picture: their flicker averages out."""
_BESIDE = 3
"""Frames by which a dissolve may be longer than found, at either end; and as many more where its
pictures then still mix there,"""
_BEGUN = 0.03
"""the share of one in the other from which on they do,"""
_MOST_LONGER = 3
"""at most so many times."""


def find_dissolves(light: Float32[np.ndarray, "time height width 3"]) -> tuple[Dissolve, ...]:
    """The dissolves of a window, in order; one may begin before it, or end after it.

    Args:
        light: Proxies in working light.
    """
    if len(light) <= _SHORTEST:
        return ()
    products = _products(light)
    taken: list[tuple[int, int]] = []
    for _, first, last in sorted(_spans(products), reverse=True):
        if all(last <= other[0] or other[1] <= first for other in taken):
            taken.append((first, last))
    taken.sort()
    ends = [0, *(at for span in taken for at in span), len(light) - 1]
    pauses = list(zip(ends[::2], ends[1::2], strict=True))
    return tuple(
        _dissolve(products, before=before, after=after) for before, after in pairwise(pauses)
    )


def _products(
    light: Float32[np.ndarray, "time height width 3"],
) -> Float[np.ndarray, "blocks time time"]:
    """Products of the detail of all frames with each other, block by block."""
    across, down = _BLOCKS
    width, height = _SIZE[0] // across, _SIZE[1] // down
    detail = np.stack([_detail(frame) for frame in light])
    blocks = detail.reshape(len(light), down, height, across, width)
    blocks = blocks.transpose(1, 3, 0, 2, 4).reshape(across * down, len(light), -1)
    return (blocks @ blocks.swapaxes(1, 2)).astype(np.float64)


def _detail(frame: Float32[np.ndarray, "height width 3"]) -> Float32[np.ndarray, "rows columns"]:
    luma = cv2.resize(frame @ LUMA, _SIZE, interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(luma, (0, 0), _SMOOTH_PX) - cv2.GaussianBlur(luma, (0, 0), _BROAD_PX)


def _spans(
    products: Float[np.ndarray, "blocks time time"],
) -> Iterator[tuple[float, int, int]]:
    """Merit, first and last frame of pairs between which all frames are mixtures of the two, in
    shares that grow about evenly.

    Merit is the length, less where the mixtures leave something, or shares grow unevenly.
    """
    whole = products.sum(axis=0)
    power = np.maximum(np.diagonal(whole), 1e-12)
    unlike = whole < _UNLIKE * np.sqrt(np.outer(power, power))
    for length in range(_SHORTEST, min(_LONGEST, len(power) - 1) + 1):
        first = np.arange(len(power) - length)
        ends = power[first], power[first + length]
        shown = np.minimum(*ends) > _FAINT * np.maximum(*ends)
        first = first[unlike[first, first + length] & shown]
        if not len(first):
            continue
        last, between = first + length, first[:, None] + np.arange(1, length)
        shares, least, left, of_one = _mixture(products, first, last, between)
        bent = np.abs(shares - np.arange(1, length) / length).max(axis=1) / _STRAIGHT
        worst = left.max(axis=1)
        explained = worst < np.minimum(_LEFT, _LEFT_OF_ONE * of_one.max(axis=1))
        merit = length * (1.0 - worst / _LEFT) * (1.0 - bent**2)
        for k in np.nonzero((bent < 1.0) & explained & (least.min(axis=1) > _NEGATIVE))[0]:
            yield float(merit[k]), int(first[k]), int(last[k])


def _mixture(
    products: Float[np.ndarray, "blocks time time"],
    first: np.ndarray,
    last: np.ndarray,
    between: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Least squares in each block: frames between two as sums of both.

    Returns:
        For each pair and frame between: the share of the second; the lesser of both factors; the
        share of structure that the sum leaves; and that which the better of the two leaves alone.
    """
    one, other = products[:, first, first, None], products[:, last, last, None]
    both = products[:, first, last, None]
    seen = products[:, first[:, None], between], products[:, last[:, None], between]
    power = np.maximum(products[:, between, between].sum(axis=0), 1e-12)
    factors, weight = _factors((one, other, both), seen)
    early, late = ((weight * each).sum(axis=0) / weight.sum(axis=0) for each in factors)
    explained = (factors[0] * seen[0] + factors[1] * seen[1]).sum(axis=0)
    alone = [
        (part**2 / np.maximum(own, 1e-12)).sum(axis=0)
        for part, own in zip(seen, (one, other), strict=True)
    ]
    shares = late / np.maximum(early + late, 1e-9)
    left, of_one = 1.0 - explained / power, 1.0 - np.maximum(*alone) / power
    return shares, np.minimum(early, late), left, of_one


def _factors(
    known: tuple[np.ndarray, np.ndarray, np.ndarray], seen: tuple[np.ndarray, np.ndarray]
) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """The two factors of a sum, by block, and how well a block tells them apart."""
    one, other, both = known
    # A block without detail has no weight, and must not divide by zero.
    apart = np.maximum(one * other - both**2, 1e-6 * one * other + 1e-18)
    early = (seen[0] * other - seen[1] * both) / apart
    late = (seen[1] * one - seen[0] * both) / apart
    return (early, late), apart / np.maximum(one + other, 1e-9)


def _dissolve(
    products: Float[np.ndarray, "blocks time time"],
    *,
    before: tuple[int, int],
    after: tuple[int, int],
) -> Dissolve:
    """A dissolve, its shares fitted to the means of frames on both sides.

    Args:
        products: Of all frames.
        before: First and last frame since the dissolve before.
        after: First and last frame until the next.
    """
    for _ in range(_MOST_LONGER + 1):
        found = _mixed(products, before=before, after=after)
        early = bool(found.shares[1] > _BEGUN)
        late = bool(found.shares[-2] < 1.0 - _BEGUN)
        if not (early or late):
            break
        before = (before[0], max(before[1] - _BESIDE * early, before[0]))
        after = (min(after[0] + _BESIDE * late, after[1]), after[1])
    return found


def _mixed(
    products: Float[np.ndarray, "blocks time time"],
    *,
    before: tuple[int, int],
    after: tuple[int, int],
) -> Dissolve:
    """The same between two given frames or a little more."""
    first = max(before[1] - _BESIDE, (before[0] + before[1] + 1) // 2)
    last = min(after[0] + _BESIDE, (after[0] + after[1]) // 2)
    sides = (
        slice(max(first + 1 - _SIDE_FRAMES, before[0]), first + 1),
        slice(last, min(last + _SIDE_FRAMES, after[1] + 1)),
    )
    seen = tuple(products[:, side].mean(axis=1)[:, first : last + 1] for side in sides)
    one, other = (products[:, side, side].mean(axis=(1, 2))[:, None] for side in sides)
    both = products[:, sides[0], sides[1]].mean(axis=(1, 2))[:, None]
    (early, late), weight = _factors((one, other, both), (seen[0], seen[1]))
    early, late = ((weight * each).sum(axis=0) for each in (early, late))
    shares = np.clip(late / np.maximum(early + late, 1e-9), 0.0, 1.0)
    shares[0], shares[-1] = 0.0, 1.0
    rising = np.maximum.accumulate(shares) + np.minimum.accumulate(shares[::-1])[::-1]
    return Dissolve(earlier=sides[0], later=sides[1], shares=rising / 2.0)
