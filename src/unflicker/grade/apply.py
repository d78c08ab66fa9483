"""Applies a grade to a picture of any size and layout, in the picture's own planes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from typing import Any
from weakref import WeakKeyDictionary

import numba
import numpy as np
from jaxtyping import Float32, Shaped

from unflicker.compute.threads import thread_count
from unflicker.frames.colour import sample_scale, to_working, yuv_to_rgb_matrix
from unflicker.frames.picture import ColourMeaning, Picture
from unflicker.grade import kernels
from unflicker.grade.grade import KNOTS, Grade, curve_inputs

_EVERYWHERE = np.ones((0, 0), np.float32)
_AS_STORED = np.zeros((1, 0), np.float32)
_UNMIXED = np.zeros((0, 3), np.float32)
_known: WeakKeyDictionary[Grade, Any] = WeakKeyDictionary()
_ONE_AT_A_TIME = threading.Lock()
"""Not every threading layer of numba can be entered from two threads at once."""
_PIXELS_A_THREAD = 1 << 17
"""Waking a thread for fewer takes longer than it helps."""


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
    share = _EVERYWHERE if mask is None else mask
    with kernels_turn(picture.size):
        graded = _graded_planes(picture, grade, share)
    planes = graded + picture.planes[picture.layout.colour_planes :]
    return Picture(planes=planes, layout=picture.layout, meaning=picture.meaning)


@contextmanager
def kernels_turn(size: tuple[int, int]) -> Iterator[None]:
    """A context with the kernels' lock and with this thread's number of threads.

    Set on every call, because numba keeps it for each calling thread.
    """
    worth = 1 + size[0] * size[1] // _PIXELS_A_THREAD
    most = numba.config.NUMBA_NUM_THREADS  # pyright: ignore - numba sets its fields as it loads
    with _ONE_AT_A_TIME:
        _start_threads()
        numba.set_num_threads(min(thread_count(), worth, most))
        yield


@cache
def _start_threads() -> None:
    """Have numba start its threads, from a thread that then ends.

    With OpenMP it also tells torch, in the thread that it starts them from, to take all cores.
    """
    starter = threading.Thread(target=numba.get_num_threads)
    starter.start()
    starter.join()


def _graded_planes(
    picture: Picture, grade: Grade, share: Float32[np.ndarray, "_ _"]
) -> tuple[np.ndarray, ...]:
    layout, meaning = picture.layout, picture.meaning
    colour = picture.planes[: layout.colour_planes]
    out = tuple(np.empty_like(plane) for plane in colour)
    gains = gains_of(grade)
    shared = (gains, kernels.columns_of(picture.size[1], gains.shape[1]), tables_of(grade, meaning))
    offset, span, middle, chroma_span = _singles(*sample_scale(layout, meaning))
    peak, one = _singles(layout.peak, 1.0)
    if layout.family == "rgb":
        kernels.grade_rgb(colour, out, *shared, (peak, one, one), share)
    elif layout.family == "grey":
        kernels.grade_grey(colour[0], out[0], *shared, (offset, span, peak, one), share)
    else:
        to_rgb = yuv_to_rgb_matrix(meaning)
        shift_x, shift_y = layout.chroma_shift
        chroma = (to_rgb, np.linalg.inv(to_rgb).astype(np.float32), 1 << shift_y, 1 << shift_x)
        scale = (offset, span, middle, chroma_span, peak, one)
        kernels.grade_yuv(colour, out, *shared, scale, chroma, share)
    return out


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
    out = np.empty_like(light)
    views = tuple(light[..., channel] for channel in range(3))
    into = tuple(out[..., channel] for channel in range(3))
    gains, tables = _for_light(grade)
    where = kernels.columns_of(light.shape[1], gains.shape[1])
    whole = light.dtype != np.float32
    scale = _singles(np.iinfo(light.dtype).max if whole else 1.0, 0.0, whole)
    with kernels_turn(light.shape[:2]):
        kernels.grade_rgb(views, into, gains, where, tables, scale, _EVERYWHERE)
    return out


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
    Float32[np.ndarray, "one stored"],
    Float32[np.ndarray, "one light"],
    Float32[np.ndarray, "mixed 3"],
]
"""Curves, inverse transfer, transfer to working light, and a matrix (`kernels.grade_rgb`)."""


def tables_of(grade: Grade, meaning: ColourMeaning) -> Tables:
    """The kernel's tables: curves, inverse transfer, transfer to working light, matrix.

    Where stored values are working light already, the curves are factors and both transfers are
    empty: values outside [0, 1] (footroom, headroom) keep their meaning. Without a matrix the
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
    back = _AS_STORED if stored_is_light else _to_stored(meaning)
    there = light[None] if grade.mixes and not stored_is_light else _AS_STORED
    matrix = grade.matrix if grade.mixes else _UNMIXED
    return curves.astype(np.float32), back, there, matrix


@lru_cache(maxsize=8)
def _entries(meaning: ColourMeaning) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Working light of the table's entries, and the knots of a curve at which it and they lie."""
    stored = np.linspace(0.0, 1.0, kernels.TABLE, dtype=np.float32)
    light = to_working(stored, meaning)
    at_light, at_stored = (np.sqrt(at.astype(np.float64)) * (KNOTS - 1) for at in (light, stored))
    return light, at_light, at_stored


@lru_cache(maxsize=8)
def _to_stored(meaning: ColourMeaning) -> Float32[np.ndarray, "1 stored"]:
    """Stored values at evenly spaced working light: the inverse of `to_working`, by table."""
    stored = np.linspace(0.0, 1.0, 1 << 16, dtype=np.float32)
    light = to_working(stored, meaning)
    wanted = np.linspace(0.0, 1.0, kernels.TABLE)
    return np.interp(wanted, light, stored).astype(np.float32)[None]
