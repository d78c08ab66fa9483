"""Whether a shot's texture flickers; a shot without such flicker is unchanged bit for bit.

Where the picture hardly moves, texture that belongs to things looks the same in three frames, apart
from sensor noise that a proxy averages away. Differences there, relative to light, are flicker or
independent motion; `coherence` distinguishes the two.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from unflicker.compute.threads import check_stopped
from unflicker.frames.flow import visibility, warp
from unflicker.refinement.coherence import Change, Coherence, coherence

LEAST = 0.0066
"""Texture flicker from which on a shot is refined whose light is steady (lab notebook)."""
_LEAST_LIT = 0.0025
"""The same where light flickers: old film whose texture hardly flickers comes to 0.0034 to 0.0044,
and is twice as steady for being refined (lab notebook)."""
_FULLY = 1.3
"""Times the least, from which on it is refined fully."""
_WEAK, _STRONG = 0.8, 1.15
"""Flicker of texture that counts as weak and as strong, in units of `LEAST`."""
_LEAST_SLOW = 0.30
"""Share of static places below which a shot's texture must flicker more to be refined."""
_LEAST_BOILING = 0.023
"""Share of static places from which on places that flicker independently speak for the whole
picture: 0.04 and 0.16 in generated film, 0.010 and 0.013 in confetti and grass under flicker."""
_LEAST_SEEN = 1e-4
"""Share of static places below which there is no result."""
_BEYOND_LEAST, _BEYOND_SHARE = 0.0008, 0.08
"""Texture flicker beyond an original's, and its share of the film's, from which on it is
significant: steady looks come to 0.0006 (lab notebook)."""
_LIGHT, _LIGHT_SURE = 0.24, 3.0
"""Change of light that cells share, relative to the difference of texture, and standard deviations
above independent change, from which on texture flickers where light does (decision 11)."""
_CONTRAST, _CONTRAST_SURE = 0.03, 6.0
"""The same for the strength of texture."""
_CONTRAST_ALONE = 0.3
"""The same, where light does not flicker."""
_RETURNING = -0.05
"""How far changes must be reverted in the next frame; motion comes to -0.1 to -0.6."""
_NOISE_RETURNING = 0.3
"""From here on they are noise, such as grain and rain; independent frames come to 0.5."""
_NATURAL_SHARED = 0.04
"""Shared change below which a place of a flickering window moves independently."""
_CELLS = 16
_LEAST_CELL_PX = 8
"""Cells along the longer side, and the least size of one, in px of the proxy."""
_STILL_PX = 1.0
_FINE_PX, _COARSE_PX = 1.0, 4.0
"""Texture is the band between these blurs: finer is noise, coarser is light, which tone corrects.
"""
_DARK = 0.1
_LIGHT_DARK = 0.02
_NOISE = 2e-6
"""Added to the square of texture, so that noise in flat places is no contrast."""
_MOST_TRIPLES = 12
LOOKED_AT = 24
"""Triples of frames used to find independent motion."""
_LEAST_WEIGHT = 0.02
"""Share of a cell that hardly moves, below which the cell is not used."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Triple:
    """Three consecutive proxies, and the motion from the middle one to both others."""

    light: Float32[np.ndarray, "3 height width 3"]
    """Working light, without smooth flicker."""
    back: Float32[np.ndarray, "height width 2"]
    forth: Float32[np.ndarray, "height width 2"]
    back_again: Float32[np.ndarray, "height width 2"]
    """From the previous frame to the middle one."""
    forth_again: Float32[np.ndarray, "height width 2"]
    """From the next frame to the middle one."""


def middles(frames: int, *, most: int = _MOST_TRIPLES) -> list[int]:
    """Indices of the frames of a window around which texture is measured, spread evenly.

    Args:
        frames: Number of frames of the window.
        most: Largest number of indices.
    """
    count = min(most, frames - 2)
    if count < 1:
        return []
    return [1 + (2 * k + 1) * (frames - 2) // (2 * count) for k in range(count)]


@dataclass(frozen=True, kw_only=True, eq=False)
class TextureFlicker:
    """Strength and places of a window's texture flicker."""

    amount: float
    """Relative to light: the mean absolute difference from the mean of both neighbours in time,
    between two blurs; 0.001 to 0.005 is usual for steady film. 0 if there is none to correct."""
    where: Float32[np.ndarray, "rows columns"] | None = None
    """Share of the refinement in each cell of the picture, 0 to 1; None is 1 everywhere."""
    boils: bool = False
    """Whether places flicker independently, as in generated film: their light needs an average over
    more frames and in smaller cells. A plan on disk does not hold it."""

    @property
    def strong(self) -> float:
        """How strongly texture flickers, 0 (as in film whose light flickers) to 1 (as in processed
        and generated film)."""
        return min(max((self.amount / LEAST - _WEAK) / (_STRONG - _WEAK), 0.0), 1.0)


NO_FLICKER = TextureFlicker(amount=0.0)


def texture_flicker(triples: Iterable[Triple], *, light_flickers: bool) -> TextureFlicker:
    """Strength and places of the flicker of a window's texture, relative to light.

    Independent change (water, leaves, rain, crowds, grain) is no flicker; see `coherence`.

    Args:
        triples: Around frames of the window, their light corrected.
        light_flickers: Whether light flickers in this window. If not, only texture whose contrast
            rises and falls in all places counts as flicker.
    """
    changes = [change for triple in triples if (change := _change(triple)) is not None]
    if not changes:
        return NO_FLICKER
    found = coherence(changes)
    moving = found.returning_by_cell < _RETURNING
    rest = coherence([change.without(moving) for change in changes])
    usual = _LEAST_LIT if light_flickers else LEAST
    least = usual * max(1.0, (_LEAST_SLOW / max(rest.slow_share, 1e-4)) ** 0.5)
    if rest.slow_share <= _LEAST_SEEN or rest.off <= least:
        return NO_FLICKER
    together = any(_as_one(part, light_flickers=light_flickers) for part in (rest, found))
    # The lower threshold is old film's, which flickers as one.
    alone = light_flickers and rest.off > LEAST and any(map(_independently, (rest, found)))
    if not (together or alone):
        return NO_FLICKER
    boils = not together and rest.slow_share >= _LEAST_BOILING
    degree = np.float32(min((rest.off / least - 1.0) / (_FULLY - 1.0), 1.0))
    where = degree * _where(found, moving, least=usual)
    if boils:  # then a cell that shares no change is no sign of nature
        where = np.full_like(where, degree)
    return TextureFlicker(amount=rest.off, where=where, boils=boils)


def _as_one(found: Coherence, *, light_flickers: bool) -> bool:
    """Whether the texture of a window changes as one."""
    if not light_flickers:
        return found.contrast.is_clear(size=_CONTRAST_ALONE, deviations=_CONTRAST_SURE)
    clear = found.light.is_clear(size=_LIGHT, deviations=_LIGHT_SURE)
    return clear or found.contrast.is_clear(size=_CONTRAST, deviations=_CONTRAST_SURE)


def _independently(found: Coherence) -> bool:
    """Whether places change independently, but neither as motion nor as noise does.

    Then flicker of light decides, unless it is clear that none is left.
    """
    neither = _RETURNING <= found.returning < _NOISE_RETURNING
    return neither and found.light.may_be(_LIGHT)


def _where(
    found: Coherence, moving: Bool[np.ndarray, "rows columns"], *, least: float
) -> Float32[np.ndarray, "rows columns"]:
    """Everywhere except where texture changes by more than the least and moves independently."""
    alone = (found.shared_by_cell < _NATURAL_SHARED) | moving
    natural = alone & (found.off_by_cell > least) & (found.weight_by_cell > _LEAST_WEIGHT)
    soft = cv2.GaussianBlur((~natural).astype(np.float32), (3, 3), 0.0)
    return np.where(natural, 0.0, soft).astype(np.float32)


def _change(triple: Triple) -> Change | None:
    """How cells of a frame differ from its neighbours; None where nothing can be compared."""
    check_stopped()
    slow = _slowness(triple)
    rows, columns = slow.shape
    side = max(_LEAST_CELL_PX, max(rows, columns) / _CELLS)
    size = max(1, round(columns / side)), max(1, round(rows / side))
    weight = _cells(slow, size)
    if weight.sum() <= 0.0:
        return None

    def mean(values: Float32[np.ndarray, "height width"]) -> Float32[np.ndarray, "rows columns"]:
        return _cells(values * slow, size) / np.maximum(weight, 1e-6)

    before, now, after = triple.light
    followed = warp(before, triple.back), now, warp(after, triple.forth)
    by_light = (slow / (now.mean(axis=2) + _DARK))[..., None]
    texture = [_texture(part * by_light, slow) for part in followed]
    light = [mean(np.log(part + _LIGHT_DARK).mean(axis=2)) for part in followed]
    # Strength is that of pictures as they are: to lay one over another softens it.
    around = cv2.GaussianBlur(triple.light.mean(axis=(0, 3)), (0, 0), _COARSE_PX) + _DARK
    alike = (slow / around)[..., None]
    strength = [
        0.5 * np.log(mean((_texture(part * alike, slow) ** 2).mean(axis=2)) + _NOISE)
        for part in triple.light
    ]
    to_before, to_after = texture[1] - texture[0], texture[1] - texture[2]
    return Change(
        weight=weight,
        light=light[1] - 0.5 * (light[0] + light[2]),
        contrast=strength[1] - 0.5 * (strength[0] + strength[2]),
        texture=mean(np.abs(texture[1]).mean(axis=2)),
        off=mean(0.5 * np.abs(to_before + to_after).mean(axis=2)),
        steps=mean(0.5 * (to_before**2 + to_after**2).mean(axis=2)),
        returns=mean((to_before * to_after).mean(axis=2)),
    )


def _cells(
    values: Float32[np.ndarray, "height width"], size: tuple[int, int]
) -> Float32[np.ndarray, "rows columns"]:
    made = cv2.resize(values, size, interpolation=cv2.INTER_AREA)
    return np.asarray(made, np.float32)


def texture_beyond(processed: Iterable[Triple], original: Iterable[Triple]) -> float:
    """Flicker of a film's texture beyond that of its steady original, relative to light.

    Noise of the original that is amplified together with its texture is no flicker; 0 unless there
    is clearly more.

    Args:
        processed: Triples of neighbouring frames of the film.
        original: The same triples of the original.
    """
    film, steady = _seen(processed), _seen(original)
    stronger = max(1.0, film.texture / max(steady.texture, 1e-6))
    beyond = film.change - stronger * steady.change
    clear = beyond > max(_BEYOND_LEAST, _BEYOND_SHARE * film.change)
    return beyond if clear and film.slow_share > _LEAST_SEEN else 0.0


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """Measurements in triples where things hardly move, relative to light."""

    change: float
    """Difference of texture from the neighbours in time."""
    texture: float
    """Strength of texture."""
    slow_share: float
    """Share of the picture that hardly moves."""


def _seen(triples: Iterable[Triple]) -> _Seen:
    sums, pixels = np.zeros(3), 0
    for triple in triples:
        check_stopped()
        slow = _slowness(triple)
        before, now, after = triple.light
        off = now - (warp(before, triple.back) + warp(after, triple.forth)) * 0.5
        by_light = (slow / (now.mean(axis=2) + _DARK))[..., None]
        found = [np.abs(_texture(part * by_light, slow)).mean(axis=2) * slow for part in (off, now)]
        sums += [float(values.sum(dtype=np.float64)) for values in (*found, slow)]
        pixels += slow.size
    change, texture, weight = (float(total) for total in sums)
    known = max(weight, 1e-9)
    return _Seen(change=change / known, texture=texture / known, slow_share=weight / max(pixels, 1))


def _texture(
    weighted: Float32[np.ndarray, "height width 3"], weight: Float32[np.ndarray, "height width"]
) -> Float32[np.ndarray, "height width 3"]:
    return _mean_around(weighted, weight, _FINE_PX) - _mean_around(weighted, weight, _COARSE_PX)


def _mean_around(
    weighted: Float32[np.ndarray, "height width 3"],
    weight: Float32[np.ndarray, "height width"],
    blur_px: float,
) -> Float32[np.ndarray, "height width 3"]:
    amount = np.maximum(cv2.GaussianBlur(weight, (0, 0), blur_px), 0.05)
    return cv2.GaussianBlur(weighted, (0, 0), blur_px) / amount[..., None]


def _slowness(triple: Triple) -> Float32[np.ndarray, "height width"]:
    """1 where a place is visible in all three frames and hardly moves, down to 0."""
    seen = visibility(triple.back, triple.back_again) * visibility(triple.forth, triple.forth_again)
    bend = triple.forth + triple.back
    square = (triple.back**2 + triple.forth**2 + 8.0 * bend**2).sum(axis=2)
    return np.where(seen > 0.5, seen, 0.0) * cv2.exp(-0.5 * square / _STILL_PX**2)
