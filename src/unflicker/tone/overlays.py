"""Detection of overlays: timecode, logos, subtitles, and bars around the picture.

Flicker is in the film, and overlays added later do not have it. An overlay's pixel therefore keeps
its value from frame to frame while the light around it changes, and a correction makes it pulse. A
pixel of the scene does the opposite; one of a moving scene does neither. Frames a few apart are
compared, as stored and as corrected: the version that changes less decides. A digit of a running
clock is ink in some frames and ground in others, with the same values each time.

A single pixel of a single frame decides nothing: unless pixels stand out for long, the whole window
is scene (docs/decisions/0013-what-is-not-the-scene.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int8, Int16, UInt8

from unflicker.compute.threads import check_stopped
from unflicker.grade import Grade
from unflicker.tone.bars import may_be_framed, take_bars

_LAGS = (1, 2, 3, 5, 8, 13)
"""Distances of compared frames: few of these are whole periods of any one flicker."""
_MOST_CODES = 6
"""Changes are clipped to this number of codes of 8 bits: a larger one only shows that the content
is another. Coding leaves less than half of it in what stands still."""
_DOUBT = 0.25
"""Weight of pairs with other content, relative to informative ones."""
_LEAST_CODES = 1.5
"""Least change by the correction, in codes of 8 bits, that is informative."""
_LONG, _OFTEN, _MOSTLY = 10, 0.3, 0.3
"""A pixel stands out if it does in so many consecutive frames, in such a share of frames, or by
such a mean. A moving scene comes to 6, 0.2 and 0.11 in 55,000 pixels (lab notebook)."""
_HIT = 0.4
_FREE, _KEPT = 0.2, 0.5
"""Score up to which a place near an overlay is corrected in full, and from which on it is not
corrected; edges, which are a mixture, lie between."""
_DIGIT = 0.06
"""Height of a digit in heights of the picture, about: one that changes all the time is recognised
between static ones, by the luma of their ink."""
_INK_CODES, _INK_SHARE = 2, 0.15
_NOT_SCENE = -0.15
"""Score from which on a pixel of an ink's luma does not clearly follow the light."""
_KNOWN_CODES, _KNOWN_SHARE = 4, 0.6
"""An overlay of the previous frame is still present if such a share of its pixels differ by so few
codes of 8 bits."""
_CONSTANT, _CLEAR, _SURE_SHARE = 0.6, 0.55, 0.5
"""In such a share of the frames in which it stands out a pixel of an overlay has one value, with
such a mean score; so do such a share of its pixels. Overlays come to 0.6 and more, lamps and water
that the illumination model cannot follow to 0.46 and less (lab notebook)."""
_DARK_CODES = 20
"""Darker pixels are hardly changed by any correction."""
_LEAST_SHARE = 0.0005
"""Least share of the picture that an overlay covers."""
_BLOCK = 12
"""Frames that are summed in the first, coarse test."""
_TILE = 8
_MOST_TILES = 0.4
"""Largest share of the picture for the fine test: where more seems to stand still, the light is
wrong."""
_CHUNK = 1 << 11
"""Pixels whose scores are computed together: what one needs then stays in a core's cache."""


Luma = Sequence[UInt8[np.ndarray, "height width"]]
"""Of a window's frames, in codes of 8 bits."""
Share = UInt8[np.ndarray, "time height width"]
"""Correction share of each pixel: 255 all, 0 none, as for overlays and bars."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Laid:
    """Luma of a window, as stored and as corrected, in codes of 8 bits."""

    stored: UInt8[np.ndarray, "time height width"]
    corrected: UInt8[np.ndarray, "time height width"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Standing:
    """Overlays of the last frame of a window, to be recognised where evidence is missing: in the
    next window, or after a cut."""

    places: Bool[np.ndarray, "height width"]
    luma: UInt8[np.ndarray, "height width"]

    @classmethod
    def after(cls, share: Share | None, stored: Luma) -> Standing | None:
        """Overlays at the end of a window, for the next one; None without any.

        Args:
            share: Correction shares of the window, 0 to 255; below half is an overlay.
            stored: Luma of the window's frames.
        """
        places = None if share is None else share[-1] < 128
        return None if places is None or not places.any() else cls(places=places, luma=stored[-1])


def corrected_share(
    laid: Callable[[], Laid],
    stored: Luma,
    grades: list[Grade],
    *,
    standing: Standing | None = None,
) -> Share | None:
    """Correction share of each pixel of a window; None if all take all of it.

    Args:
        laid: Returns the same luma and the corrected one; slow.
        stored: The film's luma.
        grades: Of each frame.
        standing: Overlays of the frame before.
    """
    if all(grade.is_identity for grade in grades):
        return None
    tiles = _standing_tiles(stored, grades)
    framed = may_be_framed(stored)
    if not (tiles.any() or framed or standing):
        return None
    share = np.full((len(stored), *stored[0].shape), 255, np.uint8)
    if tiles.any() or framed:
        both = laid()
        _take_overlays(share, both, tiles)
        if framed:
            take_bars(share, both.stored, both.corrected, _scores)
    if standing is not None and standing.luma.shape == stored[0].shape:
        _take_known(share, stored, standing)
    return share if (share < 255).any() else None


def _take_known(share: Share, stored: Luma, standing: Standing) -> None:
    """Set the share to 0, in place, where an overlay of the previous frame is still present."""
    reach = _reach(standing.places.shape[0])
    groups, labels = _groups(_grown(standing.places, reach))
    where = labels[standing.places]
    counts = np.maximum(np.bincount(where, minlength=groups), 1)
    for frame, into in zip(stored, share, strict=True):
        apart = cv2.absdiff(frame, standing.luma)[standing.places]
        same = apart <= _KNOWN_CODES
        seen = np.bincount(where, weights=same, minlength=groups) >= _KNOWN_SHARE * counts
        into[standing.places] = np.where(same & seen[where], 0, into[standing.places])


def _standing_tiles(stored: Luma, grades: list[Grade]) -> Bool[np.ndarray, "rows columns"]:
    """Tiles of the picture with pixels that stand still for a while although the light changes."""
    height, width = stored[0].shape
    tiles = np.zeros((-(-height // _TILE), -(-width // _TILE)), bool)
    if len(stored) < _LONG:
        return tiles
    still, lit = (np.zeros((height, width), np.uint16) for _ in range(2))
    before = _roughly_corrected(stored[0], grades[0])
    for t in range(1, len(stored)):
        check_stopped()
        now = _roughly_corrected(stored[t], grades[t])
        still += _squared_change(stored[t - 1], stored[t])
        lit += _squared_change(before, now)
        before = now
        if t % _BLOCK == 0 or t == len(stored) - 1:
            tiles |= _crowded(still, lit, stored[t], tiles.shape)
            still[:], lit[:] = 0, 0
    wide = cv2.dilate(tiles.astype(np.uint8), np.ones((3, 5), np.uint8)) > 0
    return wide if wide.mean() <= _MOST_TILES else np.zeros_like(wide)


def _squared_change(
    one: UInt8[np.ndarray, "height width"], other: UInt8[np.ndarray, "height width"]
) -> UInt8[np.ndarray, "height width"]:
    change = cv2.min(cv2.absdiff(one, other), _MOST_CODES)  # pyright: ignore - a number is fine
    return cv2.multiply(change, change)


def _crowded(
    still: np.ndarray,
    lit: np.ndarray,
    luma: UInt8[np.ndarray, "height width"],
    shape: tuple[int, int],
) -> Bool[np.ndarray, "rows columns"]:
    """Tiles with at least three pixels that changed little, and would change much if corrected."""
    stands = (lit >= _BLOCK * _LEAST_CODES**2) & (still * np.float32(3.0) <= lit)
    stands &= luma >= _DARK_CODES
    if not stands.any():
        return np.zeros(shape, bool)
    rows, columns = shape
    whole = np.zeros((rows * _TILE, columns * _TILE), np.uint8)
    whole[: still.shape[0], : still.shape[1]] = stands
    counts = whole.reshape(rows, _TILE, columns, _TILE).sum(axis=(1, 3))
    return counts >= 3


def _roughly_corrected(
    luma: UInt8[np.ndarray, "height width"], grade: Grade
) -> UInt8[np.ndarray, "height width"]:
    """Luma with the gain of a grade by place for a middle tone; several times as fast."""
    if grade.is_identity:
        return luma
    rows, columns = grade.log_gain.shape[:2]
    gain = np.exp2(grade.working_stops_by_place(rows=rows, columns=columns))
    if gain.size == 1:
        return cv2.multiply(luma, float(gain[0, 0]))  # pyright: ignore - a number is fine
    wide = cv2.resize(gain, luma.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return cv2.multiply(luma, wide, dtype=cv2.CV_8U)


def _take_overlays(share: Share, laid: Laid, tiles: Bool[np.ndarray, "_ _"]) -> None:
    """Lower the share of static pixels within these tiles, in place."""
    if not tiles.any():
        return
    scores = _scores_within(tiles, laid)
    seeds = _seeds(scores)
    if seeds.any():
        seeds = _of_overlays(seeds, scores, laid.stored)
    if not seeds.any():
        return
    around = _grown(seeds, 5)
    solid = cv2.morphologyEx(seeds.astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    strokes = seeds & (np.asarray(solid) == 0)
    # Closed over the height of a digit, and wider by half of one.
    between = ~_grown(~_grown(strokes, 2 * _reach(seeds.shape[0]) - 1), _reach(seeds.shape[0]))
    inks = _inks(scores, laid.stored, strokes)
    for t, score in enumerate(scores):
        kept = np.clip((score - 100.0 * _FREE) / (100.0 * (_KEPT - _FREE)), 0.0, 1.0) * around
        ink = between & inks[laid.stored[t]] & (score > 100 * _NOT_SCENE)
        kept[ink | (_grown(ink, 3) & (score >= 0))] = 1.0
        share[t] = np.rint(255.0 * (1.0 - kept))


def _scores_within(
    tiles: Bool[np.ndarray, "_ _"], laid: Laid
) -> Int8[np.ndarray, "time height width"]:
    """`_scores` in hundredths for the pixels of these tiles, 0 elsewhere."""
    height, width = laid.stored.shape[1:]
    near = np.repeat(np.repeat(tiles, _TILE, axis=0), _TILE, axis=1)[:height, :width]
    scores = np.zeros(laid.stored.shape, np.int8)
    stored, corrected, into = (
        each.reshape(len(scores), -1) for each in (laid.stored, laid.corrected, scores)
    )
    places = np.flatnonzero(near)
    for first in range(0, len(places), _CHUNK):
        check_stopped()
        part = places[first : first + _CHUNK]
        found = _scores(stored.take(part, axis=1), corrected.take(part, axis=1))
        into[:, part] = np.rint(found * 100.0).astype(np.int8)
    return scores


def _grown(places: Bool[np.ndarray, "height width"], px: int) -> Bool[np.ndarray, "height width"]:
    """Places and their neighbourhood, a square of so many px across, an odd number."""
    return np.asarray(cv2.dilate(places.astype(np.uint8), np.ones((px, px), np.uint8))) > 0


def _scores(
    stored: UInt8[np.ndarray, "time pixels"], corrected: UInt8[np.ndarray, "time pixels"]
) -> Float32[np.ndarray, "time pixels"]:
    """Whether a pixel keeps its stored value (towards 1) or its corrected one (towards -1), for
    each frame from those around it; about 0 if neither, or if the light does not change."""
    light = stored.astype(np.int16) - corrected.astype(np.int16)
    says, known, asked = (np.zeros(stored.shape, np.int16) for _ in range(3))
    for lag in (lag for lag in _LAGS if lag < len(stored)):
        change, left = (_clipped_change(each, lag) for each in (stored, corrected))
        lit = np.minimum(np.abs(light[lag:] - light[:-lag]), _MOST_CODES)
        evidence = lit * lit
        same_thing = np.minimum(change, left) < _MOST_CODES
        for total, part in (
            (says, left * left - change * change),
            (known, evidence * same_thing),
            (asked, evidence),
        ):
            total[lag:] += part
            total[:-lag] += part
    least = np.float32(2 * len(_LAGS) * _LEAST_CODES**2)
    found = known + np.float32(_DOUBT) * asked + least
    return np.divide(says, found, dtype=np.float32)


def _clipped_change(
    values: UInt8[np.ndarray, "time pixels"], lag: int
) -> Int16[np.ndarray, "fewer pixels"]:
    """Changes over some frames, up to the most that count."""
    apart = cv2.absdiff(values[lag:], values[:-lag])
    return np.minimum(apart, np.uint8(_MOST_CODES)).astype(np.int16)


def _inks(
    scores: Int8[np.ndarray, "time height width"],
    stored: UInt8[np.ndarray, "time height width"],
    seeds: Bool[np.ndarray, "height width"],
) -> Bool[np.ndarray, " 256"]:
    """Which luma, in codes, is an ink of the overlays: the luma of much of what stands out."""
    sure = scores[:, seeds] >= 100 * _KEPT
    counts = np.bincount(stored[:, seeds][sure], minlength=256).astype(np.float32)
    width = 2 * _INK_CODES + 1
    around = np.convolve(counts, np.ones(width, np.float32), mode="same")
    peaks = (around >= _INK_SHARE * max(counts.sum(), 1.0)) & (counts == _greatest(counts, width))
    return np.convolve(peaks & (counts > 0), np.ones(width), mode="same") > 0


def _greatest(counts: Float32[np.ndarray, " 256"], width: int) -> Float32[np.ndarray, " 256"]:
    """The maximum around each count."""
    return cv2.dilate(counts[None], np.ones((1, width), np.uint8))[0]


def _seeds(scores: Int8[np.ndarray, "time height width"]) -> Bool[np.ndarray, "height width"]:
    """Pixels that surely belong to an overlay at some time, and have such neighbours."""
    ever = scores.max(axis=0) >= 100 * _HIT
    hits = scores[:, ever] >= 100 * _HIT
    on_end = longest = np.zeros(hits.shape[1], np.int16)
    for hit in hits:
        on_end = (on_end + 1) * hit
        longest = np.maximum(longest, on_end)
    stands = np.zeros(scores.shape[1:], bool)
    stands[ever] = (longest >= _LONG) | (hits.mean(axis=0) >= _OFTEN)
    count = cv2.boxFilter(stands.astype(np.float32), -1, (3, 3), normalize=False)
    return stands & (count >= 3)


def _of_overlays(
    seeds: Bool[np.ndarray, "height width"],
    scores: Int8[np.ndarray, "time height width"],
    stored: UInt8[np.ndarray, "time height width"],
) -> Bool[np.ndarray, "height width"]:
    """Of pixels that stand out, those in groups that are large enough and mostly of one value.

    A part of the scene that flickers less than its surroundings stands out as well, but changes.
    """
    groups, labels = _groups(_grown(seeds, _reach(seeds.shape[0])))
    where = labels[seeds]
    hits = scores[:, seeds] >= 100 * _HIT
    count = np.maximum(hits.sum(axis=0), 1)
    values = np.where(hits, stored[:, seeds].astype(np.float32), np.nan)
    usual = np.nanmedian(values, axis=0)
    constant = (np.abs(values - usual) <= _INK_CODES).sum(axis=0) >= _CONSTANT * count
    clear = np.where(hits, scores[:, seeds], 0).sum(axis=0) >= 100 * _CLEAR * count
    sure = constant & clear & (usual >= _DARK_CODES)
    sizes, good = (np.bincount(where, weights=each, minlength=groups) for each in (None, sure))
    keep = (sizes >= _LEAST_SHARE * seeds.size) & (good >= _SURE_SHARE * sizes)
    return seeds & keep[labels]


def _groups(places: Bool[np.ndarray, "height width"]) -> tuple[int, np.ndarray]:
    """Number of connected groups, and the group of each place, from 0 up."""
    groups, labels = cv2.connectedComponents(places.astype(np.uint8))
    return groups, np.asarray(labels, np.intp)


def _reach(height: int) -> int:
    """A digit's height in px, odd."""
    return max(5, round(height * _DIGIT)) | 1
