"""Compiled steps of grading one row, each a loop over its pixels that vector units can take.

Arithmetic is in single precision throughout (a bare `0.5` would make it double, at half the speed),
hence the named constants. Minima and maxima are written out: numba would compile a function for
each type of their arguments. A loop has few arrays, each of which has its samples next to each
other: else it is compiled for one pixel at a time.
"""

from __future__ import annotations

import numpy as np

from unflicker.compute.compiling import part_of_compiled
from unflicker.frames.colour import LUMA
from unflicker.grade.four_gains import CHANNELS, PIXELS, multiply_by_gains

TABLE = 4096
"""Entries of a curve's table, over working light from 0 to 1."""

_ZERO, _HALF, _ONE = np.float32(0.0), np.float32(0.5), np.float32(1.0)
_LAST, _BEFORE_LAST = np.float32(TABLE - 1), np.int32(TABLE - 2)
_RED, _GREEN, _BLUE = LUMA
_CHANNELS = np.int32(CHANNELS)
_NOISE_X, _NOISE_Y = np.float32(0.06711056), np.float32(0.00583715)
_NOISE_SCALE, _NOISE_SPAN = np.float32(52.9829189), np.float32(0.98)


def _padded(width: int) -> int:
    return -(-width // PIXELS) * PIXELS


def columns_of(width: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Left grid column (int32) of each pixel of a row, and its weight towards the next, 0 to 1.

    Both are as long as rows of `room_for`; those beyond the width are 0.

    Args:
        width: Pixels of the row.
        columns: Of the grid.
    """
    at = np.clip((np.arange(width) + 0.5) / width * columns - 0.5, 0.0, max(columns - 1.0, 0.0))
    left = np.minimum(at.astype(np.int32), max(columns - 2, 0)).astype(np.int32)
    both = np.zeros(_padded(width), np.int32), np.zeros(_padded(width), np.float32)
    both[0][:width], both[1][:width] = left, at - left
    return both


def room_for(width: int, numbers: int, *, block: int = 1) -> tuple[np.ndarray, ...]:
    """What a call of a kernel writes in on its way through some rows.

    Args:
        width: Pixels of a row.
        numbers: Of a row of the grid.
        block: Columns of pixels for each sample of chroma.
    """
    wide = _padded(width)
    lines, narrow = np.zeros((14, wide), np.float32), np.zeros((6, -(-width // block)), np.float32)
    return (
        lines[0:3], lines[3:7], lines[7:10], lines[10:13], lines[13], narrow,
        np.empty(numbers, np.float32), np.zeros(wide, np.int32),
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
def within(value, most):
    """A value, at least 0 and at most another one.

    Args:
        value: Any number; 0 if it is none.
        most: Upper bound.
    """
    value = value if value > _ZERO else _ZERO
    return value if value < most else most


@part_of_compiled
def row_of_gains(gains, y, height, row):
    """The grid's gains at one height in the picture, between its two nearest rows of cells.

    Args:
        gains: By rows, flat.
        y: Row of the picture.
        height: Of the picture.
        row: To be filled.
    """
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
    # 32 bits: vector units cannot convert longer integers.
    inner = _NOISE_X * np.float32(np.int32(x)) + _NOISE_Y * np.float32(y)
    outer = _NOISE_SCALE * (inner - np.floor(inner))
    return _NOISE_SPAN * (outer - np.floor(outer) - _HALF)


@part_of_compiled
def _find(line, at):
    """The entry of a curve's table for each pixel."""
    for x in range(line.shape[0]):
        at[x] = np.int32(within(line[x], _ONE) * _LAST + _HALF)


@part_of_compiled
def _multiply(line, curve, at):
    """Apply a curve whose entries are factors to one channel of a row."""
    _find(line, at)
    for x in range(line.shape[0]):
        line[x] *= curve[np.uint32(at[x])]


@part_of_compiled
def _replace(line, curve, at):
    """Apply a curve whose entries are values to one channel of a row."""
    _find(line, at)
    for x in range(line.shape[0]):
        line[x] = curve[np.uint32(at[x])]


@part_of_compiled
def _between(line, table):
    """Apply a table to one channel of a row, with interpolation: to working light, or back."""
    for x in range(line.shape[0]):
        at = within(line[x], _ONE) * _LAST
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
def _weigh(colour, where, bins, at, weights):
    """Each pixel's place in the grid, and the weights of its four corners there."""
    red, green, blue = colour[0], colour[1], colour[2]
    left, part = where
    most, last = np.float32(bins - 1), np.int32(bins - 2)
    w00, w01, w10, w11 = weights[0], weights[1], weights[2], weights[3]
    for x in range(red.shape[0]):
        luma = _RED * red[x] + _GREEN * green[x] + _BLUE * blue[x]
        place = np.sqrt(within(luma, _ONE)) * most
        low = np.int32(place)
        low = low if low < last else last
        tone = place - np.float32(low)
        both = part[x] * tone
        w00[x] = _ONE - part[x] - tone + both
        w01[x] = tone - both
        w10[x] = part[x] - both
        w11[x] = both
        at[x] = (left[x] * np.int32(bins) + low) * _CHANNELS


@part_of_compiled
def _curved(colour, table, to_stored, to_light, matrix, at):  # long: one step of a row
    """Apply the matrix and the curves; branches on what is None are not compiled."""
    if matrix is not None:
        if to_light is not None:
            for channel in range(3):
                _between(colour[channel], to_light)
        _mixed(colour, matrix)
    if matrix is None and to_stored is not None:
        for channel in range(3):
            _replace(colour[channel], table[channel], at)
    else:
        for channel in range(3):
            _multiply(colour[channel], table[channel], at)


@part_of_compiled
def _back(colour, to_stored):
    if to_stored is not None:
        for channel in range(3):
            _between(colour[channel], to_stored)


@part_of_compiled
def correct_row(colour, where, row, bins, tables, at, weights):  # noqa: PLR0913 # long: one row's way
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
    table, to_stored, to_light, matrix = tables
    _curved(colour, table, to_stored, to_light, matrix, at)
    _weigh(colour, where, bins, at, weights)
    onward = np.uint32(bins * _CHANNELS)
    for x in range(0, at.shape[0], PIXELS):
        multiply_by_gains(colour, row, at, weights, onward, x)
    _back(colour, to_stored)


@part_of_compiled
def numbers_of(samples, offset, unit, line):
    """Samples as numbers.

    Args:
        samples: Of one row.
        offset: Sample that is 0.
        unit: What a sample more adds.
        line: To be filled.
    """
    for x in range(samples.shape[0]):
        line[x] = (np.float32(samples[x]) - offset) * unit


@part_of_compiled
def add_tint(luma, share, tint, line):
    """One channel of colour, from luma and what chroma adds to the channel.

    Args:
        luma: Of one row.
        share: Of luma in the channel.
        tint: From `tint_of`.
        line: To be filled.
    """
    for x in range(line.shape[0]):
        line[x] = share * luma[x] + tint[x]


@part_of_compiled
def changes_of(line, luma, share, tint, total):
    """What was added to a channel since `add_tint`.

    Args:
        line: The channel now; then the changes.
        luma: As it was; so for `share` and `tint`.
        share: Of luma in the channel.
        tint: From `tint_of`.
        total: Sum over rows, to which the changes are added.
    """
    for x in range(line.shape[0]):
        line[x] = line[x] - (share * luma[x] + tint[x])
        total[x] += line[x]


@part_of_compiled
def masked_changes_of(line, luma, share, tint, total, mask):  # long: as above
    """The same by a correction share of each pixel.

    Args:
        line: See `changes_of`; so for `luma`, `share`, `tint`, `total`.
        luma: As it was.
        share: Of luma in the channel.
        tint: From `tint_of`.
        total: Sum over rows.
        mask: Correction shares of the row, 0 to 1.
    """
    for x in range(mask.shape[0]):
        line[x] = (line[x] - (share * luma[x] + tint[x])) * mask[x]
        total[x] += line[x]


@part_of_compiled
def add_colour(line, colour, shares):
    """Add a weighted sum of three channels.

    Args:
        line: To which it is added.
        colour: Red, green, blue.
        shares: Their weights.
    """
    red, green, blue = colour[0], colour[1], colour[2]
    a, b, c = shares[0], shares[1], shares[2]
    for x in range(line.shape[0]):
        line[x] += a * red[x] + b * green[x] + c * blue[x]


@part_of_compiled
def tint_of(chroma, shares, wide, width, narrow, tint):  # long: as above
    """What a row of chroma adds to a channel at each pixel.

    Args:
        chroma: U and V of the row.
        shares: Row of the matrix from YUV.
        wide: Pixels for each sample of chroma.
        width: Pixels of a row.
        narrow: Room for a number for each sample.
        tint: To be filled.
    """
    u, v = chroma[0], chroma[1]
    for x in range(u.shape[0]):
        narrow[x] = shares[1] * u[x] + shares[2] * v[x]
    pairs = width // 2 if wide == 2 else 0
    for x in range(pairs):
        tint[2 * x] = narrow[x]
        tint[2 * x + 1] = narrow[x]
    for x in range(2 * pairs, width):
        tint[x] = narrow[x // wide]


@part_of_compiled
def means_of(total, width, wide, tall, narrow):
    """Means over blocks of pixels, from sums over their rows.

    Args:
        total: The sums.
        width: Pixels of a row.
        wide: Columns of a block.
        tall: Its rows.
        narrow: To be filled.
    """
    share = _ONE / np.float32(wide * tall)
    pairs = width // 2 if wide == 2 else 0
    for x in range(pairs):
        narrow[x] = (total[2 * x] + total[2 * x + 1]) * share
    for x in range(pairs, -(-width // wide)):
        whole = _ZERO
        right = (x + 1) * wide if (x + 1) * wide < width else width
        for inside in range(x * wide, right):
            whole += total[inside]
        narrow[x] = whole * (_ONE / np.float32((right - x * wide) * tall))


@part_of_compiled
def stored(line, scale, place, out):
    """Numbers as samples, rounded with the noise of a place in the picture.

    Args:
        line: Numbers.
        scale: Span, offset and largest sample.
        place: Column of the first, and their row.
        out: Samples, to be filled.
    """
    span, offset, peak = scale
    x, y = place
    for sample in range(out.shape[0]):
        value = line[sample] * span + offset + _noise(sample + x, y)
        # Conversion to integers cuts the rest off.
        out[sample] = within(value, peak) + _HALF
