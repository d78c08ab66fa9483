"""Compiled inner loops that apply grades to pictures, on all cores.

The steps are: planes to RGB, a matrix where there is one, tone curves, gains by place and tone, RGB
to planes, rounding. All run in one pass over the picture, so that data stays in the processor's
cache. Subsampled chroma stands for a block of pixels: each pixel of the block is corrected with its
own luma, and the block's chroma is the mean of the results. A picture whose gain is one is
therefore unchanged.

Arithmetic is in single precision throughout (a bare `0.5` would make it double, at half the speed),
hence the named constants.
"""

from __future__ import annotations

import numba
import numpy as np

from unflicker.compute.compiling import compiled
from unflicker.frames.colour import LUMA

TABLE = 4096
"""Entries of a curve's table, over working light from 0 to 1."""

_ZERO, _HALF, _ONE = np.float32(0.0), np.float32(0.5), np.float32(1.0)
_LAST = np.float32(TABLE - 1)
_RED, _GREEN, _BLUE = LUMA
_NOISE_X, _NOISE_Y = np.float32(0.06711056), np.float32(0.00583715)
_NOISE_SCALE, _NOISE_SPAN = np.float32(52.9829189), np.float32(0.98)

_compile = compiled(parallel=True)
_part = compiled()
"""A part of a loop. Inlined by numba (`inline="always"`), parts would take three times as long to
compile, and loops would run no faster."""


def columns_of(width: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Left grid column (int32) of each pixel of a row, and its weight towards the next, 0 to 1.

    Args:
        width: Pixels of the row.
        columns: Of the grid.
    """
    at = np.clip((np.arange(width) + 0.5) / width * columns - 0.5, 0.0, max(columns - 1.0, 0.0))
    left = np.minimum(at.astype(np.int32), max(columns - 2, 0)).astype(np.int32)
    return left, (at - left).astype(np.float32)


@_part
def _row_of_gains(gains, y, height, row):
    """The grid's gains at one height in the picture, between its two nearest rows of cells."""
    rows, columns, bins, _ = gains.shape
    at = min(max((y + 0.5) / height * rows - 0.5, 0.0), rows - 1.0)
    low = int(at)
    high = min(low + 1, rows - 1)
    part = np.float32(at - low)
    place = 0
    for column in range(columns):
        for tone in range(bins):
            for channel in range(3):
                first = gains[low, column, tone, channel]
                row[place] = first + (gains[high, column, tone, channel] - first) * part
                place += 1


@_part
def _noise(x, y):
    """A fixed pattern in (-½, ½) without visible texture, to round by.

    Source: interleaved gradient noise, Jimenez, SIGGRAPH 2014.
    """
    inner = _NOISE_X * np.float32(x) + _NOISE_Y * np.float32(y)
    outer = _NOISE_SCALE * (inner - np.floor(inner))
    return _NOISE_SPAN * (outer - np.floor(outer) - _HALF)


@_part
def _looked_up(line, curve, at, by_factor):
    """Apply a curve, whose entries are factors or values, to one channel of a row."""
    for x in range(line.shape[0]):
        at[x] = np.int32(min(max(line[x], _ZERO), _ONE) * _LAST + _HALF)
    if by_factor:
        for x in range(line.shape[0]):
            line[x] *= curve[np.uint32(at[x])]
    else:
        for x in range(line.shape[0]):
            line[x] = curve[np.uint32(at[x])]


@_part
def _between(line, table):
    """Apply a table to one channel of a row, with interpolation: to working light, or back."""
    for x in range(line.shape[0]):
        at = min(max(line[x], _ZERO), _ONE) * _LAST
        low = min(np.int32(at), np.int32(TABLE - 2))
        line[x] = table[low] + (table[low + 1] - table[low]) * (at - np.float32(low))


@_part
def _mixed(red, green, blue, matrix):
    """Multiply a row's channels by a matrix, in place."""
    for x in range(red.shape[0]):
        r, g, b = red[x], green[x], blue[x]
        red[x] = matrix[0, 0] * r + matrix[0, 1] * g + matrix[0, 2] * b
        green[x] = matrix[1, 0] * r + matrix[1, 1] * g + matrix[1, 2] * b
        blue[x] = matrix[2, 0] * r + matrix[2, 1] * g + matrix[2, 2] * b


@_part
def _correct_row(colour, where, row, bins, tables, at, weights):  # noqa: PLR0913 # long: one row's way
    """Put the grade on one row of stored colour `(3, width)`, in place.

    Loops that look something up are apart from those that calculate: a processor's vector units
    can have the latter then, which halves the time.

    Args:
        colour: Red, green, blue of the row.
        where: From `columns_of`.
        row: The grid at the row's height, flat.
        bins: Of the grid.
        tables: Curves, inverse transfer, transfer to working light and a matrix.
        at: Room for a place in a table for each pixel, int32.
        weights: Room for four numbers a pixel, float32.
    """
    left, part = where
    table, to_stored, to_light, matrix = tables
    red, green, blue = colour[0], colour[1], colour[2]
    stored_is_light = to_stored.shape[1] == 0
    mixes = matrix.shape[0] > 0
    if mixes:
        if not stored_is_light:
            _between(red, to_light[0])
            _between(green, to_light[0])
            _between(blue, to_light[0])
        _mixed(red, green, blue, matrix)
    by_factor = stored_is_light or mixes
    _looked_up(red, table[0], at, by_factor)
    _looked_up(green, table[1], at, by_factor)
    _looked_up(blue, table[2], at, by_factor)
    most, last = np.float32(bins - 1), np.int32(bins - 2)
    w00, w01, w10, w11 = weights[0], weights[1], weights[2], weights[3]
    for x in range(red.shape[0]):
        luma = _RED * red[x] + _GREEN * green[x] + _BLUE * blue[x]
        place = np.sqrt(min(max(luma, _ZERO), _ONE)) * most
        low = min(np.int32(place), last)
        tone = place - np.float32(low)
        both = part[x] * tone
        w00[x] = _ONE - part[x] - tone + both
        w01[x] = tone - both
        w10[x] = part[x] - both
        w11[x] = both
        at[x] = (left[x] * np.int32(bins) + low) * np.int32(3)
    one, three, onward = np.uint32(1), np.uint32(3), np.uint32(3 * bins)
    for x in range(red.shape[0]):
        i = np.uint32(at[x])
        j = i + onward
        a, b, c, d = w00[x], w01[x], w10[x], w11[x]
        red[x] *= a * row[i] + b * row[i + three] + c * row[j] + d * row[j + three]
        i, j = i + one, j + one
        green[x] *= a * row[i] + b * row[i + three] + c * row[j] + d * row[j + three]
        i, j = i + one, j + one
        blue[x] *= a * row[i] + b * row[i + three] + c * row[j] + d * row[j + three]
    if not stored_is_light:
        _between(red, to_stored[0])
        _between(green, to_stored[0])
        _between(blue, to_stored[0])


@_part
def _rounded(value, noise, peak):
    return np.floor(min(max(value + noise, _ZERO), peak) + _HALF)


@_compile
def grade_rgb(planes, out, gains, where, tables, scale, mask):  # noqa: PLR0913 # long: one pass over the pixels
    """Grade three planes of equal size: red, green and blue.

    Args:
        planes: Red, green, blue `(height, width)`.
        out: Planes of the same shape and type, to be filled.
        gains: The grid's gains `(rows, columns, bins, 3)`, at least two columns and bins.
        where: From `columns_of`.
        tables: Curves `(3, TABLE)`: by stored value, as working light, or factors if the inverse
            transfer is empty or a matrix is applied first; inverse transfer and transfer `(1,
            TABLE)`, empty where stored values are working light; the matrix, without rows if there
            is none.
        scale: Peak, size of the rounding noise, 1 to round or 0 for floats; all float32.
        mask: Correction share of each pixel, or one value for all.
    """
    red_in, green_in, blue_in = planes
    red_out, green_out, blue_out = out
    height, width = red_in.shape
    peak, noise_size, whole = scale
    unit = _ONE / peak
    everywhere = mask.shape[0] < height
    bins = gains.shape[2]
    for y in numba.prange(height):
        row = np.empty(gains.shape[1] * bins * 3, np.float32)
        colour, weights = np.empty((3, width), np.float32), np.empty((4, width), np.float32)
        at = np.empty(width, np.int32)
        _row_of_gains(gains, y, height, row)
        for x in range(width):
            colour[0, x] = np.float32(red_in[y, x]) * unit
            colour[1, x] = np.float32(green_in[y, x]) * unit
            colour[2, x] = np.float32(blue_in[y, x]) * unit
        _correct_row(colour, where, row, bins, tables, at, weights)
        if not everywhere:
            for x in range(width):
                share = mask[y, x]
                red = np.float32(red_in[y, x]) * unit
                green = np.float32(green_in[y, x]) * unit
                blue = np.float32(blue_in[y, x]) * unit
                colour[0, x] = red + (colour[0, x] - red) * share
                colour[1, x] = green + (colour[1, x] - green) * share
                colour[2, x] = blue + (colour[2, x] - blue) * share
        for x in range(width):
            r, g, b = colour[0, x], colour[1, x], colour[2, x]
            if whole > _ZERO:
                noise = _noise(x, y) * noise_size
                red_out[y, x] = _rounded(r * peak, noise, peak)
                green_out[y, x] = _rounded(g * peak, noise, peak)
                blue_out[y, x] = _rounded(b * peak, noise, peak)
            else:
                red_out[y, x] = min(max(r, _ZERO), peak)
                green_out[y, x] = min(max(g, _ZERO), peak)
                blue_out[y, x] = min(max(b, _ZERO), peak)


@_part
def _tint_row(u_row, v_row, to_rgb, scale, tinted):
    """The contribution of a row of chroma to red, green and blue, at each of the row's pixels."""
    middle, chroma_unit, wide = scale
    for block in range(u_row.shape[0]):
        u = (np.float32(u_row[block]) - middle) * chroma_unit
        v = (np.float32(v_row[block]) - middle) * chroma_unit
        for x in range(block * wide, min((block + 1) * wide, tinted.shape[1])):
            for channel in range(3):
                tinted[channel, x] = to_rgb[channel, 1] * u + to_rgb[channel, 2] * v


@_compile
def grade_yuv(planes, out, gains, where, tables, scale, chroma, mask):  # noqa: PLR0913 # long: one pass over the pixels
    """Grade luma and two chroma planes, which may be subsampled by whole factors.

    Args:
        planes: Y, U, V.
        out: Planes of the same shapes and type, to be filled.
        gains: See `grade_rgb`; so for `where`, `tables`, `mask`.
        where: From `columns_of`, for the luma plane.
        tables: See `grade_rgb`.
        scale: Luma offset and span, chroma middle and span, peak, noise's size; all float32.
        chroma: The matrices from YUV to RGB and back, float32, and the rows and columns of luma for
            each sample of chroma.
        mask: Correction shares.
    """
    luma_in, u_in, v_in = planes
    luma_out, u_out, v_out = out
    height, width = luma_in.shape
    rows, columns = u_in.shape
    offset, span, middle, chroma_span, peak, noise_size = scale
    unit, chroma_unit = _ONE / span, _ONE / chroma_span
    to_rgb, to_yuv, tall, wide = chroma
    everywhere, bins = mask.shape[0] < height, gains.shape[2]
    for block_y in numba.prange(rows):
        row = np.empty(gains.shape[1] * bins * 3, np.float32)
        colour, weights = np.empty((3, width), np.float32), np.empty((4, width), np.float32)
        at = np.empty(width, np.int32)
        tinted, change = np.empty((3, width), np.float32), np.zeros((3, width), np.float32)
        _tint_row(u_in[block_y], v_in[block_y], to_rgb, (middle, chroma_unit, wide), tinted)
        first, last = block_y * tall, min((block_y + 1) * tall, height)
        for y in range(first, last):
            _row_of_gains(gains, y, height, row)
            for x in range(width):
                luma = (np.float32(luma_in[y, x]) - offset) * unit
                colour[0, x] = to_rgb[0, 0] * luma + tinted[0, x]
                colour[1, x] = to_rgb[1, 0] * luma + tinted[1, x]
                colour[2, x] = to_rgb[2, 0] * luma + tinted[2, x]
            _correct_row(colour, where, row, bins, tables, at, weights)
            for x in range(width):
                luma = (np.float32(luma_in[y, x]) - offset) * unit
                colour[0, x] -= to_rgb[0, 0] * luma + tinted[0, x]
                colour[1, x] -= to_rgb[1, 0] * luma + tinted[1, x]
                colour[2, x] -= to_rgb[2, 0] * luma + tinted[2, x]
            if not everywhere:
                for x in range(width):
                    colour[0, x] *= mask[y, x]
                    colour[1, x] *= mask[y, x]
                    colour[2, x] *= mask[y, x]
            for x in range(width):
                r, g, b = colour[0, x], colour[1, x], colour[2, x]
                luma = (np.float32(luma_in[y, x]) - offset) * unit
                luma += to_yuv[0, 0] * r + to_yuv[0, 1] * g + to_yuv[0, 2] * b
                change[0, x] += r
                change[1, x] += g
                change[2, x] += b
                luma_out[y, x] = _rounded(luma * span + offset, _noise(x, y) * noise_size, peak)
        for block_x in range(columns):
            r, g, b = _ZERO, _ZERO, _ZERO
            start, stop = block_x * wide, min((block_x + 1) * wide, width)
            for x in range(start, stop):
                r, g, b = r + change[0, x], g + change[1, x], b + change[2, x]
            share = _ONE / np.float32((stop - start) * (last - first))
            r, g, b = r * share, g * share, b * share
            u = (np.float32(u_in[block_y, block_x]) - middle) * chroma_unit
            v = (np.float32(v_in[block_y, block_x]) - middle) * chroma_unit
            u += to_yuv[1, 0] * r + to_yuv[1, 1] * g + to_yuv[1, 2] * b
            v += to_yuv[2, 0] * r + to_yuv[2, 1] * g + to_yuv[2, 2] * b
            noise = _noise(block_x + 17, block_y + 31) * noise_size
            u_out[block_y, block_x] = _rounded(u * chroma_span + middle, noise, peak)
            v_out[block_y, block_x] = _rounded(v * chroma_span + middle, noise, peak)


@_compile
def grade_grey(plane, out, gains, where, tables, scale, mask):  # noqa: PLR0913 # long: one pass over the pixels
    """Grade a plane of grey by the mean of the graded colour's channels.

    Args:
        plane: Samples.
        out: Of the same shape and type, to be filled.
        gains: See `grade_rgb`; so for `where`, `tables`, `mask`.
        where: From `columns_of`.
        tables: See `grade_rgb`.
        scale: Offset, span, peak and the noise's size; all float32.
        mask: Correction shares.
    """
    height, width = plane.shape
    offset, span, peak, noise_size = scale
    unit, third = _ONE / span, _ONE / np.float32(3.0)
    everywhere, bins = mask.shape[0] < height, gains.shape[2]
    for y in numba.prange(height):
        row = np.empty(gains.shape[1] * bins * 3, np.float32)
        colour, weights = np.empty((3, width), np.float32), np.empty((4, width), np.float32)
        at = np.empty(width, np.int32)
        _row_of_gains(gains, y, height, row)
        for x in range(width):
            old = (np.float32(plane[y, x]) - offset) * unit
            colour[0, x], colour[1, x], colour[2, x] = old, old, old
        _correct_row(colour, where, row, bins, tables, at, weights)
        for x in range(width):
            new = (colour[0, x] + colour[1, x] + colour[2, x]) * third
            if not everywhere:
                old = (np.float32(plane[y, x]) - offset) * unit
                new = old + (new - old) * mask[y, x]
            out[y, x] = _rounded(new * span + offset, _noise(x, y) * noise_size, peak)
