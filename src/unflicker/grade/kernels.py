"""Compiled loops that apply grades to rows of pictures.

The steps are: planes to RGB, a matrix where there is one, tone curves, gains by place and tone, RGB
to planes, rounding. All run in one pass over the picture, row by row, so that data stays in the
processor's cache. Subsampled chroma stands for a block of pixels: each pixel of the block is
corrected with its own luma, and the block's chroma is the mean of the results. A picture whose gain
is one is therefore unchanged.
"""

from __future__ import annotations

import numpy as np

from unflicker.compute.compiling import compiled
from unflicker.grade.row_steps import (
    add_colour,
    add_tint,
    changes_of,
    correct_row,
    masked_changes_of,
    means_of,
    numbers_of,
    row_of_gains,
    stored,
    tint_of,
    within,
)

_ZERO, _ONE = np.float32(0.0), np.float32(1.0)


@compiled()
def correct_light(light, gains, bins, where, tables, height, first, room):  # noqa: PLR0913 # long: one pass over the pixels
    """Grade rows of stored colour as numbers, in place; colour is kept within 0 and 1.

    Args:
        light: `(rows, width, 3)`, float32; of `(rows, width, 1)`, which is grey, each becomes the
            mean of the graded colour's channels.
        gains: The grid's gains by rows, flat, `(rows, numbers)`: four for each cell and
            tone, at least two columns and bins.
        bins: Of the grid.
        where: From `columns_of`.
        tables: Curves `(3, TABLE)`: by stored value, as working light, or factors if there is no
            inverse transfer or a matrix is applied first; inverse transfer and transfer `(TABLE)`,
            None where stored values are working light; the matrix, or None.
        height: Of the picture.
        first: Number of the first row in the picture.
        room: From `room_for`.
    """
    colour, weights, _, _, _, _, row, at = room
    grey, third = light.shape[2] == 1, _ONE / np.float32(3.0)
    for y in range(light.shape[0]):
        row_of_gains(gains, y + first, height, row)
        for channel in range(3):
            place = 0 if grey else channel
            for x in range(light.shape[1]):
                colour[channel, x] = light[y, x, place]
        correct_row(colour, where, row, bins, tables, at, weights)
        if grey:
            for x in range(light.shape[1]):
                light[y, x, 0] = (colour[0, x] + colour[1, x] + colour[2, x]) * third
        else:
            for channel in range(3):
                for x in range(light.shape[1]):
                    light[y, x, channel] = within(colour[channel, x], _ONE)


@compiled()
def grade_rgb(planes, out, gains, bins, where, tables, peak, mask, rows, room):  # noqa: PLR0913 # long: one pass over the pixels
    """Grade rows of three planes of equal size: red, green and blue.

    Args:
        planes: Red, green, blue, each with the samples from one row to the next: flat, read-only.
        out: Planes `(height, width)` of the same type, to be filled.
        gains: See `correct_light`; so for `bins`, `where`, `tables`, `room`.
        bins: Of the grid.
        where: From `columns_of`.
        tables: Curves and transfers.
        peak: Largest sample, float32.
        mask: Correction share of each pixel, or None for all.
        rows: First row, and the row after the last.
        room: From `room_for`.
    """
    height, width = out[0].shape
    unit = _ONE / peak
    colour, weights, _, _, luma, _, row, at = room
    for y in range(rows[0], rows[1]):
        row_of_gains(gains, y, height, row)
        for channel in range(3):
            samples, onward = planes[channel]
            numbers_of(samples[y * onward : y * onward + width], _ZERO, unit, colour[channel])
        correct_row(colour, where, row, bins, tables, at, weights)
        for channel in range(3):
            if mask is not None:
                samples, onward = planes[channel]
                numbers_of(samples[y * onward : y * onward + width], _ZERO, unit, luma)
                for x in range(width):
                    old = luma[x]
                    colour[channel, x] = old + (colour[channel, x] - old) * mask[y, x]
            stored(colour[channel], (peak, _ZERO, peak), (0, y), out[channel][y])


@compiled()
def grade_yuv(planes, out, gains, bins, where, tables, scale, chroma, mask, blocks, room):  # noqa: PLR0913 # long: one pass over the pixels
    """Grade rows of luma and of two chroma planes, which may be subsampled by whole factors.

    Args:
        planes: Y, U, V, each with the samples from one row to the next: flat, read-only.
        out: Planes `(height, width)` of the same type, to be filled.
        gains: See `correct_light`; so for `bins`, `where`, `tables`, `room`.
        bins: Of the grid.
        where: From `columns_of`, for the luma plane.
        tables: Curves and transfers.
        scale: Luma offset and span, chroma middle and span, peak; all float32.
        chroma: The matrices from YUV to RGB and back, float32, and the rows and columns of luma for
            each sample of chroma.
        mask: Correction share of each pixel, or None for all.
        blocks: First row of chroma, and the row after the last.
        room: From `room_for`.
    """
    (samples, onward), (us, u_onward), (vs, v_onward) = planes
    luma_out, u_out, v_out = out
    height, width = luma_out.shape
    offset, span, middle, chroma_span, peak = scale
    unit, chroma_unit = _ONE / span, _ONE / chroma_span
    to_rgb, to_yuv, tall, wide = chroma
    colour, weights, tints, totals, luma, narrow, row, at = room
    for block in range(blocks[0], blocks[1]):
        start = block * u_onward
        numbers_of(us[start : start + u_out.shape[1]], middle, chroma_unit, narrow[0])
        start = block * v_onward
        numbers_of(vs[start : start + u_out.shape[1]], middle, chroma_unit, narrow[1])
        for channel in range(3):
            tint_of(narrow, to_rgb[channel], wide, width, narrow[2], tints[channel])
            totals[channel] = _ZERO
        last = (block + 1) * tall if (block + 1) * tall < height else height
        for y in range(block * tall, last):
            row_of_gains(gains, y, height, row)
            numbers_of(samples[y * onward : y * onward + width], offset, unit, luma)
            for channel in range(3):
                add_tint(luma, to_rgb[channel, 0], tints[channel], colour[channel])
            correct_row(colour, where, row, bins, tables, at, weights)
            for channel in range(3):
                line, share, tint = colour[channel], to_rgb[channel, 0], tints[channel]
                if mask is None:
                    changes_of(line, luma, share, tint, totals[channel])
                else:
                    masked_changes_of(line, luma, share, tint, totals[channel], mask[y])
            add_colour(luma, colour, to_yuv[0])
            stored(luma, (span, offset, peak), (0, y), luma_out[y])
        for channel in range(3):
            means_of(totals[channel], width, wide, last - block * tall, narrow[3 + channel])
        add_colour(narrow[0], narrow[3:6], to_yuv[1])
        add_colour(narrow[1], narrow[3:6], to_yuv[2])
        stored(narrow[0], (chroma_span, middle, peak), (17, block + 31), u_out[block])
        stored(narrow[1], (chroma_span, middle, peak), (17, block + 31), v_out[block])
