"""Compiled inner loops that apply grades to rows of pictures.

The steps are: planes to RGB, a matrix where there is one, tone curves, gains by place and tone, RGB
to planes, rounding. All run in one pass over the picture, so that data stays in the processor's
cache. Subsampled chroma stands for a block of pixels: each pixel of the block is corrected with its
own luma, and the block's chroma is the mean of the results. A picture whose gain is one is
therefore unchanged.

Arithmetic is in single precision throughout (a bare `0.5` would make it double, at half the speed),
hence the named constants. Minima and maxima are written out: numba would compile a function for
each type of their arguments.
"""

from __future__ import annotations

import numpy as np

from unflicker.compute.compiling import compiled, part_of_compiled
from unflicker.frames.colour import LUMA

TABLE = 4096
"""Entries of a curve's table, over working light from 0 to 1."""

_ZERO, _HALF, _ONE = np.float32(0.0), np.float32(0.5), np.float32(1.0)
_LAST, _BEFORE_LAST = np.float32(TABLE - 1), np.int32(TABLE - 2)
_RED, _GREEN, _BLUE = LUMA
_NOISE_X, _NOISE_Y = np.float32(0.06711056), np.float32(0.00583715)
_NOISE_SCALE, _NOISE_SPAN = np.float32(52.9829189), np.float32(0.98)


def columns_of(width: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Left grid column (int32) of each pixel of a row, and its weight towards the next, 0 to 1.

    Args:
        width: Pixels of the row.
        columns: Of the grid.
    """
    at = np.clip((np.arange(width) + 0.5) / width * columns - 0.5, 0.0, max(columns - 1.0, 0.0))
    left = np.minimum(at.astype(np.int32), max(columns - 2, 0)).astype(np.int32)
    return left, (at - left).astype(np.float32)


def room_for(width: int, gains: np.ndarray) -> tuple[np.ndarray, ...]:
    """What a call of a kernel writes in on its way through some rows.

    Args:
        width: Pixels of a row.
        gains: The grid's gains `(rows, cells)`.
    """
    singles = np.empty((13, width), np.float32)
    return (
        singles[0:3], singles[3:7], singles[7:10], singles[10:13],
        np.empty(gains.shape[1], np.float32), np.empty(width, np.int32),
    )  # fmt: skip


def rounding_noise(width: int, first: int, last: int) -> np.ndarray:
    """`_noise` of some rows, `(rows, width)`, float32.

    Args:
        width: Pixels of a row.
        first: First row.
        last: The row after the last.
    """
    y = np.arange(first, last, dtype=np.float32)[:, None]
    inner = _NOISE_X * np.arange(width, dtype=np.float32) + _NOISE_Y * y
    outer = _NOISE_SCALE * (inner - np.floor(inner))
    return _NOISE_SPAN * (outer - np.floor(outer) - _HALF)


@part_of_compiled
def _within(value, most):
    """A value, at least 0 and at most another one."""
    value = value if value > _ZERO else _ZERO
    return value if value < most else most


@part_of_compiled
def _row_of_gains(gains, y, height, row):
    """The grid's gains at one height in the picture, between its two nearest rows of cells."""
    rows, cells = gains.shape
    at = (y + 0.5) / height * rows - 0.5
    at = at if at > 0.0 else 0.0
    at = at if at < rows - 1.0 else rows - 1.0
    low = np.int64(at)
    high = low + 1 if low + 1 < rows else low
    part = np.float32(at - low)
    for place in range(cells):
        first = gains[low, place]
        row[place] = first + (gains[high, place] - first) * part


@part_of_compiled
def _noise(x, y):
    """A fixed pattern in (-½, ½) without visible texture, to round by.

    Source: interleaved gradient noise, Jimenez, SIGGRAPH 2014.
    """
    inner = _NOISE_X * np.float32(x) + _NOISE_Y * np.float32(y)
    outer = _NOISE_SCALE * (inner - np.floor(inner))
    return _NOISE_SPAN * (outer - np.floor(outer) - _HALF)


@part_of_compiled
def _looked_up(line, curve, at, by_factor):
    """Apply a curve, whose entries are factors or values, to one channel of a row."""
    for x in range(line.shape[0]):
        at[x] = np.int32(_within(line[x], _ONE) * _LAST + _HALF)
    if by_factor:
        for x in range(line.shape[0]):
            line[x] *= curve[np.uint32(at[x])]
    else:
        for x in range(line.shape[0]):
            line[x] = curve[np.uint32(at[x])]


@part_of_compiled
def _between(line, table):
    """Apply a table to one channel of a row, with interpolation: to working light, or back."""
    for x in range(line.shape[0]):
        at = _within(line[x], _ONE) * _LAST
        low = np.int32(at)
        low = low if low < _BEFORE_LAST else _BEFORE_LAST
        line[x] = table[low] + (table[low + 1] - table[low]) * (at - np.float32(low))


@part_of_compiled
def _mixed(colour, matrix):
    """Multiply a row's channels by a matrix, in place."""
    for x in range(colour.shape[1]):
        r, g, b = colour[0, x], colour[1, x], colour[2, x]
        for channel in range(3):
            mixed = matrix[channel, 0] * r + matrix[channel, 1] * g
            colour[channel, x] = mixed + matrix[channel, 2] * b


@part_of_compiled
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
        _mixed(colour, matrix)
    by_factor = stored_is_light or mixes
    _looked_up(red, table[0], at, by_factor)
    _looked_up(green, table[1], at, by_factor)
    _looked_up(blue, table[2], at, by_factor)
    most, last = np.float32(bins - 1), np.int32(bins - 2)
    w00, w01, w10, w11 = weights[0], weights[1], weights[2], weights[3]
    for x in range(red.shape[0]):
        luma = _RED * red[x] + _GREEN * green[x] + _BLUE * blue[x]
        place = np.sqrt(_within(luma, _ONE)) * most
        low = np.int32(place)
        low = low if low < last else last
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


@part_of_compiled
def _rounded(value, noise, peak):
    return np.floor(_within(value + noise, peak) + _HALF)


@compiled()
def correct_light(light, gains, bins, where, tables, height, first, room):  # noqa: PLR0913 # long: one pass over the pixels
    """Grade rows of stored colour as numbers, in place; colour is kept within 0 and 1.

    Args:
        light: `(rows, width, 3)`, float32; of `(rows, width, 1)`, which is grey, each becomes the
            mean of the graded colour's channels.
        gains: The grid's gains by rows, flat, `(rows, cells)`, at least two columns and bins.
        bins: Of the grid.
        where: From `columns_of`.
        tables: Curves `(3, TABLE)`: by stored value, as working light, or factors if the inverse
            transfer is empty or a matrix is applied first; inverse transfer and transfer `(1,
            TABLE)`, empty where stored values are working light; the matrix, without rows if there
            is none.
        height: Of the picture.
        first: Number of the first row in the picture.
        room: From `room_for`.
    """
    colour, weights, _, _, row, at = room
    grey, third = light.shape[2] == 1, _ONE / np.float32(3.0)
    for y in range(light.shape[0]):
        _row_of_gains(gains, y + first, height, row)
        for channel in range(3):
            place = 0 if grey else channel
            for x in range(light.shape[1]):
                colour[channel, x] = light[y, x, place]
        _correct_row(colour, where, row, bins, tables, at, weights)
        if grey:
            for x in range(light.shape[1]):
                light[y, x, 0] = (colour[0, x] + colour[1, x] + colour[2, x]) * third
        else:
            for channel in range(3):
                for x in range(light.shape[1]):
                    light[y, x, channel] = _within(colour[channel, x], _ONE)


@compiled()
def grade_rgb(planes, out, gains, bins, where, tables, peak, mask, rows, room):  # noqa: PLR0913 # long: one pass over the pixels
    """Grade rows of three planes of equal size: red, green and blue.

    Args:
        planes: Red, green, blue `(height, width)`.
        out: Planes of the same shape and type, to be filled.
        gains: See `correct_light`; so for `bins`, `where`, `tables`, `room`.
        bins: Of the grid.
        where: From `columns_of`.
        tables: Curves and transfers.
        peak: Largest sample, float32.
        mask: Correction share of each pixel, or none for all.
        rows: First row, and the row after the last.
        room: From `room_for`.
    """
    height, width = planes[0].shape
    unit = _ONE / peak
    everywhere = mask.shape[0] < height
    colour, weights, _, _, row, at = room
    for y in range(rows[0], rows[1]):
        _row_of_gains(gains, y, height, row)
        for channel in range(3):
            plane = planes[channel]
            for x in range(width):
                colour[channel, x] = np.float32(plane[y, x]) * unit
        _correct_row(colour, where, row, bins, tables, at, weights)
        for channel in range(3):
            plane, filled = planes[channel], out[channel]
            if not everywhere:
                for x in range(width):
                    old = np.float32(plane[y, x]) * unit
                    colour[channel, x] = old + (colour[channel, x] - old) * mask[y, x]
            for x in range(width):
                filled[y, x] = _rounded(colour[channel, x] * peak, _noise(x, y), peak)


@part_of_compiled
def _tint_row(u_row, v_row, to_rgb, scale, tinted):
    """The contribution of a row of chroma to red, green and blue, at each of the row's pixels."""
    middle, chroma_unit, wide = scale
    for block in range(u_row.shape[0]):
        u = (np.float32(u_row[block]) - middle) * chroma_unit
        v = (np.float32(v_row[block]) - middle) * chroma_unit
        right = (block + 1) * wide
        right = right if right < tinted.shape[1] else tinted.shape[1]
        for x in range(block * wide, right):
            for channel in range(3):
                tinted[channel, x] = to_rgb[channel, 1] * u + to_rgb[channel, 2] * v


@compiled()
def grade_yuv(planes, out, gains, bins, where, tables, scale, chroma, mask, blocks, room):  # noqa: PLR0913 # long: one pass over the pixels
    """Grade rows of luma and of two chroma planes, which may be subsampled by whole factors.

    Args:
        planes: Y, U, V.
        out: Planes of the same shapes and type, to be filled.
        gains: See `correct_light`; so for `bins`, `where`, `tables`, `room`.
        bins: Of the grid.
        where: From `columns_of`, for the luma plane.
        tables: Curves and transfers.
        scale: Luma offset and span, chroma middle and span, peak; all float32.
        chroma: The matrices from YUV to RGB and back, float32, and the rows and columns of luma for
            each sample of chroma.
        mask: Correction share of each pixel, or none for all.
        blocks: First row of chroma, and the row after the last.
        room: From `room_for`.
    """
    luma_in, u_in, v_in = planes
    luma_out, u_out, v_out = out
    height, width = luma_in.shape
    offset, span, middle, chroma_span, peak = scale
    unit, chroma_unit = _ONE / span, _ONE / chroma_span
    to_rgb, to_yuv, tall, wide = chroma
    everywhere = mask.shape[0] < height
    colour, weights, tinted, change, row, at = room
    for block_y in range(blocks[0], blocks[1]):
        _tint_row(u_in[block_y], v_in[block_y], to_rgb, (middle, chroma_unit, wide), tinted)
        first, last = block_y * tall, (block_y + 1) * tall
        last = last if last < height else height
        for x in range(width):
            change[0, x] = change[1, x] = change[2, x] = _ZERO
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
                share = _ONE if everywhere else mask[y, x]
                r = (colour[0, x] - (to_rgb[0, 0] * luma + tinted[0, x])) * share
                g = (colour[1, x] - (to_rgb[1, 0] * luma + tinted[1, x])) * share
                b = (colour[2, x] - (to_rgb[2, 0] * luma + tinted[2, x])) * share
                luma += to_yuv[0, 0] * r + to_yuv[0, 1] * g + to_yuv[0, 2] * b
                change[0, x] += r
                change[1, x] += g
                change[2, x] += b
                luma_out[y, x] = _rounded(luma * span + offset, _noise(x, y), peak)
        for block_x in range(u_in.shape[1]):
            r, g, b = _ZERO, _ZERO, _ZERO
            left, right = block_x * wide, (block_x + 1) * wide
            right = right if right < width else width
            for x in range(left, right):
                r, g, b = r + change[0, x], g + change[1, x], b + change[2, x]
            share = _ONE / np.float32((right - left) * (last - first))
            r, g, b = r * share, g * share, b * share
            u = (np.float32(u_in[block_y, block_x]) - middle) * chroma_unit
            v = (np.float32(v_in[block_y, block_x]) - middle) * chroma_unit
            u += to_yuv[1, 0] * r + to_yuv[1, 1] * g + to_yuv[1, 2] * b
            v += to_yuv[2, 0] * r + to_yuv[2, 1] * g + to_yuv[2, 2] * b
            noise = _noise(block_x + 17, block_y + 31)
            u_out[block_y, block_x] = _rounded(u * chroma_span + middle, noise, peak)
            v_out[block_y, block_x] = _rounded(v * chroma_span + middle, noise, peak)
