"""Applies a grade to a picture of any size and layout, in the picture's own planes."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Float32, Shaped
from numpy.lib.stride_tricks import as_strided

from unflicker.compute.bands import in_bands
from unflicker.frames.colour import sample_scale, to_working, yuv_to_rgb_matrix
from unflicker.frames.picture import ColourMeaning, Picture
from unflicker.grade import kernels
from unflicker.grade.four_gains import CHANNELS
from unflicker.grade.grade import KNOTS, Grade, curve_inputs
from unflicker.grade.row_steps import TABLE, columns_of, room_for, rounding_noise

_known: WeakKeyDictionary[Grade, Any] = WeakKeyDictionary()
_PIXELS_A_BAND = 1 << 14
"""Of rows that are converted to numbers and back: 192 KB, which stay in a processor's cache."""


def apply_grade(
    picture: Picture, grade: Grade, *, mask: Float32[np.ndarray, "height width"] | None = None
) -> Picture:
    """The picture with a grade applied; the same object if nothing changes.

    Results are rounded with a fixed, fine noise, so that a gain does not cause banding in 8 bits.

    Args:
        picture: Of any layout; transparency passes through.
        grade: To apply.
        mask: Correction share of each pixel, 0 to 1; 1 everywhere if None.

    Raises:
        ValueError: A mask of another size than the picture.
    """
    if grade.is_identity:
        return picture
    if mask is not None and mask.shape != picture.size:
        raise ValueError(f"a mask of {mask.shape} for a picture of {picture.size}; resize it")
    graded = _graded_planes(picture, grade, mask)
    planes = graded + picture.planes[picture.layout.colour_planes :]
    return Picture(planes=planes, layout=picture.layout, meaning=picture.meaning)


def _graded_planes(
    picture: Picture, grade: Grade, mask: Float32[np.ndarray, "_ _"] | None
) -> tuple[np.ndarray, ...]:
    layout, meaning, (height, width) = picture.layout, picture.meaning, picture.size
    colour = picture.planes[: layout.colour_planes]
    out = tuple(np.empty(plane.shape, plane.dtype) for plane in colour)
    gains = gains_of(grade)
    shared = _flat(gains, width, tables_of(grade, meaning))
    (peak,) = _singles(layout.peak)
    if layout.family == "grey":
        _grade_grey(picture, out[0], shared, mask)
        return out
    to_rgb = yuv_to_rgb_matrix(meaning)
    shift_x, shift_y = layout.chroma_shift
    chroma = (to_rgb, np.linalg.inv(to_rgb).astype(np.float32), 1 << shift_y, 1 << shift_x)
    scale = (*_singles(*sample_scale(layout, meaning)), peak)

    flat = tuple(_flat_plane(plane) for plane in colour)

    def work(start: int, stop: int) -> None:
        rows, room = (start, stop), _room(width, shared, block=1 << shift_x)
        if layout.family == "rgb":
            kernels.grade_rgb(flat, out, *shared, peak, mask, rows, room)
        else:
            kernels.grade_yuv(flat, out, *shared, scale, chroma, mask, rows, room)

    in_bands(work, rows=len(colour[1]), pixels=height * width)
    return out


def _flat(
    gains: Float32[np.ndarray, "rows columns bins 3"], width: int, tables: Tables
) -> tuple[Any, ...]:
    """What all kernels take: gains by rows, their bins, places of the columns, tables."""
    rows, columns, bins, channels = gains.shape
    padded = np.pad(gains, [(0, 0)] * 3 + [(0, CHANNELS - channels)])
    return padded.reshape(rows, -1), bins, columns_of(width, columns), tables


def _flat_plane(plane: Shaped[np.ndarray, "_ _"]) -> tuple[Shaped[np.ndarray, " _"], int]:
    """The samples of a plane as they lie in memory, read-only, and how many from row to row.

    Kernels are then compiled once for each type of sample, not for each kind of plane, and know
    that samples of a row lie next to each other.
    """
    height, width = plane.shape
    if plane.strides[1] != plane.itemsize or plane.strides[0] < width * plane.itemsize:
        plane = np.ascontiguousarray(plane)
    onward = plane.strides[0] // plane.itemsize
    if plane.strides[0] % plane.itemsize:
        plane, onward = plane.copy(), width
    shape = ((height - 1) * onward + width,)
    return as_strided(plane, shape, (plane.itemsize,), writeable=False), onward


def _grade_grey(
    picture: Picture,
    out: np.ndarray,
    shared: tuple[Any, ...],
    mask: Float32[np.ndarray, "_ _"] | None,
) -> None:
    """Grade a plane of grey by the mean of the graded colour's channels."""
    offset, span, _, _ = _singles(*sample_scale(picture.layout, picture.meaning))
    peak, half = _singles(picture.layout.peak, 0.5)
    plane = picture.planes[0]
    height, width = plane.shape

    def work(start: int, stop: int) -> None:
        old = (plane[start:stop].astype(np.float32) - offset) * (np.float32(1.0) / span)
        new = old.copy()
        kernels.correct_light(new[..., None], *shared, height, start, _room(width, shared))
        if mask is not None:
            new = old + (new - old) * mask[start:stop]
        new *= span
        new += offset
        new += rounding_noise(width, start, stop)
        np.clip(new, 0.0, peak, out=new)
        new += half
        np.floor(new, out=new)
        out[start:stop] = new

    _in_small_bands(work, plane.shape)


def _singles(*numbers: float) -> tuple[np.float32, ...]:
    """Numbers in single precision, the kernels' type."""
    return tuple(np.float32(number) for number in numbers)


def apply_to_light(
    light: Shaped[np.ndarray, "height width 3"], grade: Grade
) -> Shaped[np.ndarray, "height width 3"]:
    """A picture of working light, such as a proxy, with a grade applied, in its own type.

    Args:
        light: float32 in [0, 1], or uint8 or uint16, which are rounded without noise.
        grade: To apply.
    """
    if grade.is_identity:
        return light
    gains, tables = _for_light(grade)
    height, width, _ = light.shape
    shared, one = _flat(gains, width, tables), np.float32(1.0)
    out = np.empty(light.shape, light.dtype)

    def work(start: int, stop: int) -> None:
        rows = out[start:stop]
        rows[:] = light[start:stop]
        kernels.correct_light(rows, *shared, height, start, _room(width, shared))

    def work_in_integers(start: int, stop: int) -> None:
        peak = np.float32(np.iinfo(light.dtype).max)
        rows = light[start:stop].astype(np.float32)
        rows *= one / peak
        kernels.correct_light(rows, *shared, height, start, _room(width, shared))
        rows *= peak
        rows += np.float32(0.5)
        out[start:stop] = np.floor(rows, out=rows)

    if light.dtype == np.float32:
        in_bands(work, rows=height, pixels=height * width)
    else:
        _in_small_bands(work_in_integers, (height, width))
    return out


def _in_small_bands(work: Callable[[int, int], object], size: tuple[int, int]) -> None:
    """Do work on all rows of a picture, a few at a time."""
    step = max(1, _PIXELS_A_BAND // size[1])

    def several(start: int, stop: int) -> None:
        for first in range(start, stop, step):
            work(first, min(first + step, stop))

    in_bands(several, rows=size[0], pixels=size[0] * size[1])


def _room(width: int, shared: tuple[Any, ...], *, block: int = 1) -> tuple[np.ndarray, ...]:
    return room_for(width, shared[0].shape[1], block=block)


def _for_light(grade: Grade) -> tuple[Float32[np.ndarray, "rows columns bins 3"], Tables]:
    """The kernel's gains and tables for working light, kept as long as the grade: analysis applies
    one to several pictures of its frame."""
    known = _known.get(grade)
    if known is None:
        known = _known[grade] = gains_of(grade), tables_of(grade, ColourMeaning())
    return known


def gains_of(grade: Grade) -> Float32[np.ndarray, "rows columns bins 3"]:
    """The grid's gains, padded to at least two columns and two bins for the kernels."""
    _, columns, bins, _ = grade.log_gain.shape
    repeats = (1, 2 if columns == 1 else 1, 2 if bins == 1 else 1, 1)
    return np.exp(np.tile(grade.log_gain, repeats))


Tables = tuple[
    Float32[np.ndarray, "3 entries"],
    Float32[np.ndarray, " entries"] | None,
    Float32[np.ndarray, " entries"] | None,
    Float32[np.ndarray, "3 3"] | None,
]
"""Curves, inverse transfer, transfer to working light, and a matrix (`kernels.correct_light`)."""


def tables_of(grade: Grade, meaning: ColourMeaning) -> Tables:
    """The kernel's tables: curves, inverse transfer, transfer to working light, matrix.

    Where stored values are working light already, the curves are factors and there is no transfer:
    values outside [0, 1] (footroom, headroom) keep their meaning. Without a matrix the
    curves are indexed by stored value and include the transfer to working light; else they are
    factors.

    Args:
        grade: Of one frame.
        meaning: Of the picture's stored values.
    """
    light, at_light, at_stored = _entries(meaning)
    stored_is_light = meaning.transfer in ("power", "log")
    ratios = grade.curves[:, 1:] / curve_inputs()[1:]
    knots = at_stored if grade.mixes else at_light
    factors = np.stack([np.interp(knots, np.arange(1, KNOTS), ratio) for ratio in ratios])
    curves = factors if stored_is_light or grade.mixes else light * factors
    back = None if stored_is_light else _to_stored(meaning)
    there = light if grade.mixes and not stored_is_light else None
    matrix = grade.matrix if grade.mixes else None
    return curves.astype(np.float32), back, there, matrix


@lru_cache(maxsize=8)
def _entries(meaning: ColourMeaning) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Working light of the table's entries, and the knots of a curve at which it and they lie."""
    stored = np.linspace(0.0, 1.0, TABLE, dtype=np.float32)
    light = to_working(stored, meaning)
    at_light, at_stored = (np.sqrt(at.astype(np.float64)) * (KNOTS - 1) for at in (light, stored))
    return light, at_light, at_stored


@lru_cache(maxsize=8)
def _to_stored(meaning: ColourMeaning) -> Float32[np.ndarray, " entries"]:
    """Stored values at evenly spaced working light: the inverse of `to_working`, by table."""
    stored = np.linspace(0.0, 1.0, 1 << 16, dtype=np.float32)
    light = to_working(stored, meaning)
    wanted = np.linspace(0.0, 1.0, TABLE)
    return np.interp(wanted, light, stored).astype(np.float32)
