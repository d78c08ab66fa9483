"""The inner loops that put a grade on pictures; compiled once, then run on all cores.

A sample meets: planes to RGB, tone curves, gains by place and tone, RGB to planes, rounding. All
in one pass over the picture, for no step then leaves the processor's nearest memory. Chroma
planes that are smaller stand for a block of pixels: each pixel of the block is corrected with its
own luma, and the block's chroma is the mean of what they became. So a picture whose gain is one
comes out as it went in.

Arithmetic is in single precision throughout (a bare `0.5` would make it double, at half the pace),
hence the named constants.
"""

from __future__ import annotations

import numba
import numpy as np

from unflicker.frames.colour import LUMA

TABLE = 4096
"""Entries of a curve's table, over working light from 0 to 1."""

_ZERO, _HALF, _ONE = np.float32(0.0), np.float32(0.5), np.float32(1.0)
_LAST = np.float32(TABLE - 1)
_RED, _GREEN, _BLUE = LUMA
_NOISE_X, _NOISE_Y = np.float32(0.06711056), np.float32(0.00583715)
_NOISE_SCALE, _NOISE_SPAN = np.float32(52.9829189), np.float32(0.98)

_ARITHMETIC = {"contract", "reassoc", "nsz", "arcp", "afn"}
"""Fast arithmetic, but for numbers that are none: assuming them away would let indices run wild."""
_compile = numba.njit(parallel=True, fastmath=_ARITHMETIC, cache=True, nogil=True)
_inline = numba.njit(fastmath=_ARITHMETIC, cache=True, nogil=True, inline="always")


def columns_of(width: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """For each pixel of a row, the grid column left of it (int32) and its way to the next."""
    at = np.clip((np.arange(width) + 0.5) / width * columns - 0.5, 0.0, max(columns - 1.0, 0.0))
    left = np.minimum(at.astype(np.int32), max(columns - 2, 0)).astype(np.int32)
    return left, (at - left).astype(np.float32)


@_inline
def _row_of_gains(gains, y, height, row):
    """The grid's gains at one height in the picture, between its two nearest rows of cells."""
    rows, columns, bins, _ = gains.shape
    at = min(max((y + 0.5) / height * rows - 0.5, 0.0), rows - 1.0)
    low = int(at)
    high = min(low + 1, rows - 1)
    part = np.float32(at - low)
    for column in range(columns):
        for tone in range(bins):
            for channel in range(3):
                first = gains[low, column, tone, channel]
                row[column, tone, channel] = (
                    first + (gains[high, column, tone, channel] - first) * part
                )


@_inline
def _noise(x, y):
    """A fixed pattern in (-½, ½) without visible texture, to round by.

    Source: interleaved gradient noise, Jimenez, SIGGRAPH 2014.
    """
    inner = _NOISE_X * np.float32(x) + _NOISE_Y * np.float32(y)
    outer = _NOISE_SCALE * (inner - np.floor(inner))
    return _NOISE_SPAN * (outer - np.floor(outer) - _HALF)


@_inline
def _entry(value):
    """The nearest entry of a table over 0 to 1."""
    return np.int32(min(max(value, _ZERO), _ONE) * _LAST + _HALF)


@_inline
def _between(table, value):
    at = min(max(value, _ZERO), _ONE) * _LAST
    low = min(np.int32(at), np.int32(TABLE - 2))
    return table[0, low] + (table[0, low + 1] - table[0, low]) * (at - np.float32(low))


@_inline
def _corrected(red, green, blue, left, part, row, table, to_stored):  # noqa: PLR0913 # long: one pass over the pixels
    """One pixel's stored colour after the grade.

    `row` is the grid at the pixel's height; `left` and `part` its place between columns.
    """
    stored_is_light = to_stored.shape[1] == 0
    if stored_is_light:
        red_light = red * table[0, _entry(red)]
        green_light = green * table[1, _entry(green)]
        blue_light = blue * table[2, _entry(blue)]
    else:
        red_light = table[0, _entry(red)]
        green_light = table[1, _entry(green)]
        blue_light = table[2, _entry(blue)]
    luma = _RED * red_light + _GREEN * green_light + _BLUE * blue_light
    bins = row.shape[1]
    place = np.sqrt(min(max(luma, _ZERO), _ONE)) * np.float32(bins - 1)
    low = min(np.int32(place), np.int32(bins - 2))
    tone = place - np.float32(low)
    right = left + 1
    both = part * tone
    w00, w01, w10 = _ONE - part - tone + both, tone - both, part - both
    red_light *= (
        w00 * row[left, low, 0]
        + w01 * row[left, low + 1, 0]
        + w10 * row[right, low, 0]
        + both * row[right, low + 1, 0]
    )
    green_light *= (
        w00 * row[left, low, 1]
        + w01 * row[left, low + 1, 1]
        + w10 * row[right, low, 1]
        + both * row[right, low + 1, 1]
    )
    blue_light *= (
        w00 * row[left, low, 2]
        + w01 * row[left, low + 1, 2]
        + w10 * row[right, low, 2]
        + both * row[right, low + 1, 2]
    )
    if not stored_is_light:
        red_light = _between(to_stored, red_light)
        green_light = _between(to_stored, green_light)
        blue_light = _between(to_stored, blue_light)
    return red_light, green_light, blue_light


@_inline
def _rounded(value, noise, peak):
    return np.floor(min(max(value + noise, _ZERO), peak) + _HALF)


@_compile
def grade_rgb(planes, out, gains, where, tables, scale, mask):  # noqa: PLR0913 # long: one pass over the pixels
    """Grade three planes of equal size that hold red, green and blue.

    Args:
        planes: Red, green, blue `(height, width)`.
        out: The like, to be filled.
        gains: The grid's gains `(rows, columns, bins, 3)`, at least two columns and bins.
        where: From `columns_of`.
        tables: Curves `(3, TABLE)`, as factors on stored values where the way back `(1, TABLE)`
            is empty, else as working light.
        scale: Peak, size of the rounding noise, 1 to round or 0 for floats; all float32.
        mask: Share of the change for each pixel, or one value for all.
    """
    red_in, green_in, blue_in = planes
    red_out, green_out, blue_out = out
    height, width = red_in.shape
    left, part = where
    table, to_stored = tables
    peak, noise_size, whole = scale
    unit = _ONE / peak
    everywhere = mask.shape[0] < height
    for y in numba.prange(height):
        row = np.empty(gains.shape[1:], np.float32)
        _row_of_gains(gains, y, height, row)
        for x in range(width):
            red = np.float32(red_in[y, x]) * unit
            green = np.float32(green_in[y, x]) * unit
            blue = np.float32(blue_in[y, x]) * unit
            r, g, b = _corrected(red, green, blue, left[x], part[x], row, table, to_stored)
            if not everywhere:
                share = mask[y, x]
                r, g, b = (
                    red + (r - red) * share,
                    green + (g - green) * share,
                    blue + (b - blue) * share,
                )
            if whole > _ZERO:
                noise = _noise(x, y) * noise_size
                red_out[y, x] = _rounded(r * peak, noise, peak)
                green_out[y, x] = _rounded(g * peak, noise, peak)
                blue_out[y, x] = _rounded(b * peak, noise, peak)
            else:
                red_out[y, x] = min(max(r, _ZERO), peak)
                green_out[y, x] = min(max(g, _ZERO), peak)
                blue_out[y, x] = min(max(b, _ZERO), peak)


@_compile
def grade_yuv(planes, out, gains, where, tables, scale, chroma, mask):  # noqa: PLR0913 # long: one pass over the pixels
    """Grade luma and two chroma planes, the latter smaller by whole factors.

    Args:
        planes: Y, U, V.
        out: The like, to be filled.
        gains: See `grade_rgb`; so for `where`, `tables`, `mask`.
        where: From `columns_of`, for the luma plane.
        tables: Curves and the way back.
        scale: Luma offset and span, chroma middle and span, peak, noise's size; all float32.
        chroma: The matrices from YUV to RGB and back, float32, and the rows and columns of luma
            for each sample of chroma.
        mask: Share of the change.
    """
    luma_in, u_in, v_in = planes
    luma_out, u_out, v_out = out
    height, width = luma_in.shape
    rows, columns = u_in.shape
    left, part = where
    table, to_stored = tables
    offset, span, middle, chroma_span, peak, noise_size = scale
    unit, chroma_unit = _ONE / span, _ONE / chroma_span
    to_rgb, to_yuv, tall, wide = chroma
    ru, rv, gu, gv, bu, bv = (
        to_rgb[0, 1],
        to_rgb[0, 2],
        to_rgb[1, 1],
        to_rgb[1, 2],
        to_rgb[2, 1],
        to_rgb[2, 2],
    )
    ry, gy, by = to_rgb[0, 0], to_rgb[1, 0], to_rgb[2, 0]
    everywhere = mask.shape[0] < height
    for block_y in numba.prange(rows):
        row = np.empty((tall, gains.shape[1], gains.shape[2], 3), np.float32)
        last = min((block_y + 1) * tall, height)
        for y in range(block_y * tall, last):
            _row_of_gains(gains, y, height, row[y - block_y * tall])
        for block_x in range(columns):
            u_old = (np.float32(u_in[block_y, block_x]) - middle) * chroma_unit
            v_old = (np.float32(v_in[block_y, block_x]) - middle) * chroma_unit
            red_of, green_of, blue_of = (
                ru * u_old + rv * v_old,
                gu * u_old + gv * v_old,
                bu * u_old + bv * v_old,
            )
            red_sum, green_sum, blue_sum, count = _ZERO, _ZERO, _ZERO, _ZERO
            for y in range(block_y * tall, last):
                for x in range(block_x * wide, min((block_x + 1) * wide, width)):
                    luma = (np.float32(luma_in[y, x]) - offset) * unit
                    red, green, blue = ry * luma + red_of, gy * luma + green_of, by * luma + blue_of
                    r, g, b = _corrected(
                        red,
                        green,
                        blue,
                        left[x],
                        part[x],
                        row[y - block_y * tall],
                        table,
                        to_stored,
                    )
                    r, g, b = r - red, g - green, b - blue
                    if not everywhere:
                        share = mask[y, x]
                        r, g, b = r * share, g * share, b * share
                    luma += to_yuv[0, 0] * r + to_yuv[0, 1] * g + to_yuv[0, 2] * b
                    red_sum += r
                    green_sum += g
                    blue_sum += b
                    count += _ONE
                    luma_out[y, x] = _rounded(luma * span + offset, _noise(x, y) * noise_size, peak)
            r, g, b = red_sum / count, green_sum / count, blue_sum / count
            u_new = u_old + to_yuv[1, 0] * r + to_yuv[1, 1] * g + to_yuv[1, 2] * b
            v_new = v_old + to_yuv[2, 0] * r + to_yuv[2, 1] * g + to_yuv[2, 2] * b
            noise = _noise(block_x + 17, block_y + 31) * noise_size
            u_out[block_y, block_x] = _rounded(u_new * chroma_span + middle, noise, peak)
            v_out[block_y, block_x] = _rounded(v_new * chroma_span + middle, noise, peak)


@_compile
def grade_grey(plane, out, gains, where, tables, scale, mask):  # noqa: PLR0913 # long: one pass over the pixels
    """Grade a single plane of grey by the mean of what the grade does to such a colour.

    `scale` is offset, span, peak and the noise's size; the rest as in `grade_rgb`.
    """
    height, width = plane.shape
    left, part = where
    table, to_stored = tables
    offset, span, peak, noise_size = scale
    third = _ONE / np.float32(3.0)
    everywhere = mask.shape[0] < height
    for y in numba.prange(height):
        row = np.empty(gains.shape[1:], np.float32)
        _row_of_gains(gains, y, height, row)
        for x in range(width):
            old = (np.float32(plane[y, x]) - offset) / span
            r, g, b = _corrected(old, old, old, left[x], part[x], row, table, to_stored)
            new = (r + g + b) * third
            if not everywhere:
                new = old + (new - old) * mask[y, x]
            out[y, x] = _rounded(new * span + offset, _noise(x, y) * noise_size, peak)
