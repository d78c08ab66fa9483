"""Compiled inner loops of the refinement: alignment and mixing.

Arithmetic is in single precision throughout, hence the named constants. Minima and maxima are
written out, as in `grade/kernels.py`.
"""

from __future__ import annotations

import numpy as np

from unflicker.compute.compiling import compiled, part_of_compiled

SPAN = 8
"""Pixels of a row that share one motion, which allows vector instructions."""
_ROOM = 16
"""Pixels fetched for a span: three more than it has, rounded up."""

_ZERO, _HALF, _ONE, _TWO = (np.float32(number) for number in (0.0, 0.5, 1.0, 2.0))
_N1, _N2, _N3 = np.uint64(1), np.uint64(2), np.uint64(3)
_SHARP = np.float32(-0.5)
_LEAST_SHARE = np.float32(0.004)
_LEAST_COUNT = np.float32(1e-6)
_OUTLIER = np.float32(1.0 / 0.08**2)


@part_of_compiled
def _held(value, least, most):
    """A value between two others."""
    value = value if value > least else least
    return value if value < most else most


@compiled()
def normal_equations(first, second, flow, sums, band):  # long: one pass over the pixels
    """Terms of a least-squares step of the motion, summed over each cell of a grid.

    Args:
        first: Luma `(height, width)`, float32.
        second: Luma of the other picture, of the same size.
        flow: From the first to the second, in their px, by cell `(rows, columns, 2)`.
        sums: To be filled, `(rows, columns, 9)`: products of the gradient and the difference (xx,
            xy, yy, xd, yd), their sums (x, y, d), and the squared difference. Pixels that differ
            much have little weight; sums are divided by the number of pixels.
        band: First row of cells, and the row after the last.
    """
    height, width = first.shape
    rows, columns, _ = flow.shape
    last_y, last_x, before_x = height - 1, width - 1, _held(width - 2, 0, width)
    for row in range(band[0], band[1]):
        top, bottom = row * height // rows, (row + 1) * height // rows
        for column in range(columns):
            left, right = column * width // columns, (column + 1) * width // columns
            step_x, step_y = flow[row, column, 0], flow[row, column, 1]
            xx = xy = yy = xd = yd = sx = sy = sd = dd = count = _ZERO
            for y in range(top, bottom):
                up, down = _held(y - 1, 0, last_y), _held(y + 1, 0, last_y)
                at_y = _held(np.float32(y) + step_y, _ZERO, np.float32(last_y))
                y0 = _held(np.int64(at_y), 0, _held(height - 2, 0, height))
                y1 = _held(y0 + 1, 0, last_y)
                part_y = at_y - np.float32(y0)
                for x in range(left, right):
                    at_x = _held(np.float32(x) + step_x, _ZERO, np.float32(last_x))
                    x0 = _held(np.int64(at_x), 0, before_x)
                    x1 = _held(x0 + 1, 0, last_x)
                    part_x = at_x - np.float32(x0)
                    upper = second[y0, x0] + (second[y0, x1] - second[y0, x0]) * part_x
                    lower = second[y1, x0] + (second[y1, x1] - second[y1, x0]) * part_x
                    d = upper + (lower - upper) * part_y - first[y, x]
                    right_of, left_of = _held(x + 1, 0, last_x), _held(x - 1, 0, last_x)
                    gx = _HALF * (first[y, right_of] - first[y, left_of])
                    gy = _HALF * (first[down, x] - first[up, x])
                    w = _ONE / (_ONE + d * d * _OUTLIER)
                    xx += w * gx * gx
                    xy += w * gx * gy
                    yy += w * gy * gy
                    xd += w * gx * d
                    yd += w * gy * d
                    sx += w * gx
                    sy += w * gy
                    sd += w * d
                    dd += w * d * d
                    count += w
            n = _ONE / (count if count > _LEAST_COUNT else _LEAST_COUNT)
            cell = sums[row, column]
            cell[0], cell[1], cell[2] = xx * n, xy * n, yy * n
            cell[3], cell[4] = xd * n, yd * n
            cell[5], cell[6], cell[7], cell[8] = sx * n, sy * n, sd * n, dd * n


@part_of_compiled
def _cubic(part, taps):
    """Weights of the four pixels around a place between the middle two.

    Source: Keys, Cubic convolution interpolation for digital image processing, 1981.
    """
    rest = _ONE - part
    taps[0] = _SHARP * part * rest * rest
    taps[3] = _SHARP * rest * part * part
    taps[1] = ((_SHARP + _TWO) * part - (_SHARP + _TWO + _ONE)) * part * part + _ONE
    taps[2] = _ONE - taps[0] - taps[1] - taps[3]


@part_of_compiled
def _spans(plan, y, height, width, spans):
    """The plan's values at the spans of a row, between its nearest cells."""
    rows, columns, many = plan.shape
    at = _held((y + 0.5) / height * rows - 0.5, 0.0, rows - 1.0)
    low = np.int64(at)
    high = _held(low + 1, 0, rows - 1)
    down = np.float32(at - low)
    for span in range(spans.shape[0]):
        place = (span * SPAN + 0.5 * SPAN) / width * columns - 0.5
        place = _held(place, 0.0, columns - 1.0)
        left = np.int64(place)
        right = _held(left + 1, 0, columns - 1)
        across = np.float32(place - left)
        for k in range(many):
            upper = plan[low, left, k] + (plan[low, right, k] - plan[low, left, k]) * across
            lower = plan[high, left, k] + (plan[high, right, k] - plan[high, left, k]) * across
            spans[span, k] = upper + (lower - upper) * down


@part_of_compiled
def _moved_row(plane, y, flow, share, scale, room, taps, into):  # noqa: PLR0913 # long: one row's way
    """Fetch a row of a plane along the motion, span by span; the border continues.

    Down first, then across, each in loops of a fixed length: ten times as fast as sixteen pixels
    for each.

    Args:
        plane: Where to fetch from.
        y: Of the row.
        flow: Motion of each span, in px of the plan.
        share: Of each span; those with a share of 0 are unchanged.
        scale: Px of the plane for one of the plan's, across and down.
        room: For each span 16 numbers, float32.
        taps: Room for four.
        into: To be filled.
    """
    height, width = plane.shape
    far_x, far_y = np.float32(width + SPAN), np.float32(height)
    for span in range(flow.shape[0]):
        if share[span] < _LEAST_SHARE:
            continue
        move = _held(flow[span, 1] * scale[1], -far_y, far_y)
        whole = np.floor(move)
        _cubic(move - whole, taps)
        a, b, c, d = taps[0], taps[1], taps[2], taps[3]
        top = y + np.int64(whole) - 1
        row0 = plane[np.uint64(_held(top, 0, height - 1))]
        row1 = plane[np.uint64(_held(top + 1, 0, height - 1))]
        row2 = plane[np.uint64(_held(top + 2, 0, height - 1))]
        row3 = plane[np.uint64(_held(top + 3, 0, height - 1))]
        move = _held(flow[span, 0] * scale[0], -far_x, far_x)
        left = span * SPAN + np.int64(np.floor(move)) - 1
        line = room[np.uint64(span)]
        if left >= 0 and left + _ROOM <= width:
            for i in range(_ROOM):
                j = np.uint64(left + i)
                upper = a * np.float32(row0[j]) + b * np.float32(row1[j])
                line[np.uint64(i)] = upper + c * np.float32(row2[j]) + d * np.float32(row3[j])
        else:
            for i in range(_ROOM):
                j = np.uint64(_held(left + i, 0, width - 1))
                upper = a * np.float32(row0[j]) + b * np.float32(row1[j])
                line[np.uint64(i)] = upper + c * np.float32(row2[j]) + d * np.float32(row3[j])
    for span in range(flow.shape[0]):
        if share[span] < _LEAST_SHARE:
            continue
        move = _held(flow[span, 0] * scale[0], -far_x, far_x)
        _cubic(move - np.floor(move), taps)
        a, b, c, d = taps[0], taps[1], taps[2], taps[3]
        line = room[np.uint64(span)]
        first = span * SPAN
        for i in range(SPAN):
            j = np.uint64(i)
            left = a * line[j] + b * line[j + _N1]
            into[np.uint64(first + i)] = left + c * line[j + _N2] + d * line[j + _N3]


@part_of_compiled
def _add_moved(base, moved, share, gate, added):
    """Add each span's share of the difference of a moved row, less where a pixel differs much."""
    for span in range(share.shape[0]):
        part = share[span]
        if part < _LEAST_SHARE:
            continue
        first = span * SPAN
        for i in range(SPAN):
            j = np.uint64(first + i)
            difference = moved[j] - base[j]
            added[j] += part * difference / (_ONE + difference * difference * gate)


@part_of_compiled
def _add_detail(share, base, moved, out, sums):
    """Add products of neighbouring pixels' differences, by span, to the sums of a row.

    Args:
        share: Of each span; those with a share of 0 are left out.
        base: The row.
        moved: The neighbour's row, laid over it.
        out: The row after the average.
        sums: `(4, spans)`: absolute differences before and after the average, weighted by the
            share; products of row and neighbour, and the root of the product of their squares.
    """
    for span in range(share.shape[0]):
        if share[span] < _LEAST_SHARE:
            continue
        first = span * SPAN
        square = other = product = before = after = _ZERO
        for i in range(SPAN - 1):
            j = np.uint64(first + i)
            a, b, c = base[j + _N1] - base[j], moved[j + _N1] - moved[j], out[j + _N1] - out[j]
            square += a * a
            other += b * b
            product += a * b
            before += np.abs(a)
            after += np.abs(c)
        sums[0, span] += share[span] * before
        sums[1, span] += share[span] * after
        sums[2, span] += product
        sums[3, span] += np.sqrt(square * other)


def room_for_mix(width: int) -> tuple[np.ndarray, ...]:
    """What a call of `mix` writes in on its way through some rows of that many pixels."""
    many = (width + SPAN - 1) // SPAN
    singles = np.empty((4, many * SPAN), np.float32)
    spans, lines = np.empty((many, 6), np.float32), np.empty((many, _ROOM), np.float32)
    return spans, lines, *singles, np.empty(4, np.float32)


@compiled()
def mix(now, past, future, out, plan, scale, sums, band, room):  # noqa: PLR0913 # long: one row's way
    """Blend a plane with its motion-compensated neighbours in time.

    Args:
        now: The plane `(height, width)`.
        past: The previous one; any plane of that size if its share is 0.
        future: The next one, likewise.
        out: To be filled; not rounded where detail is measured.
        plan: `(rows, columns, 6)`: motion to the past in px (x, y), to the future (x, y), share of
            the past, share of the future.
        scale: Pixels of this plane for one of the motion's, across and down; peak; and the
            difference, in samples, at which a pixel takes half of its share. All float32.
        sums: `(some rows, 4, spans)`, zeros: to be filled from rows that lie evenly over the
            plane (`_add_detail`); None where detail is not measured, which numba compiles alone.
        band: First row, and the row after the last.
        room: From `room_for_mix`.
    """
    height, width = now.shape
    many = (width + SPAN - 1) // SPAN
    peak, gate = scale[2], _ONE / (scale[3] * scale[3])
    spans, lines, base, before, after, added, taps = room
    for y in range(band[0], band[1]):
        for x in range(many * SPAN):
            base[x] = before[x] = after[x] = added[x] = _ZERO
        for x in range(width):
            base[x] = np.float32(now[y, x])
        _spans(plan, y, height, width, spans)
        _moved_row(past, y, spans[:, 0:2], spans[:, 4], scale, lines, taps, before)
        _add_moved(base, before, spans[:, 4], gate, added)
        _moved_row(future, y, spans[:, 2:4], spans[:, 5], scale, lines, taps, after)
        _add_moved(base, after, spans[:, 5], gate, added)
        for x in range(width):
            added[x] += base[x]
            value = _held(added[x], _ZERO, peak)
            out[y, x] = np.floor(value + _HALF) if sums is None else value
        if sums is not None:
            each = height // sums.shape[0]
            if y % each == 0 and y // each < sums.shape[0]:
                inside = width // SPAN
                _add_detail(spans[:inside, 4], base, before, added, sums[y // each])
                _add_detail(spans[:inside, 5], base, after, added, sums[y // each])


@part_of_compiled
def _binomial(a, b, c, d, e):
    return np.float32(0.0625) * (a + e) + np.float32(0.25) * (b + d) + np.float32(0.375) * c


def room_for_sharpening(width: int) -> tuple[np.ndarray, ...]:
    """What a call of `sharpen` writes in on its way through some rows of that many pixels."""
    many = (width + SPAN - 1) // SPAN
    return np.empty((many, 1), np.float32), np.empty(many * SPAN + 4, np.float32)


@compiled()
def sharpen(plane, out, plan, scale, band, room):
    """Amplify fine detail of a plane: its difference from a blur over five pixels.

    Args:
        plane: `(height, width)`, float32.
        out: To be filled, rounded.
        plan: `(rows, columns, 1)`: what is added of the difference, by place.
        scale: Peak, and the difference, in samples, of which half is added. Both float32.
        band: First row, and the row after the last.
        room: From `room_for_sharpening`.
    """
    height, width = plane.shape
    many = (width + SPAN - 1) // SPAN
    peak, gate = scale[0], _ONE / (scale[1] * scale[1])
    share, down = room
    for y in range(band[0], band[1]):
        _spans(plan, y, height, width, share)
        row0, row1 = plane[_held(y - 2, 0, height)], plane[_held(y - 1, 0, height)]
        row3, row4 = plane[_held(y + 1, 0, height - 1)], plane[_held(y + 2, 0, height - 1)]
        row2 = plane[y]
        for x in range(width):
            down[x + 2] = _binomial(row0[x], row1[x], row2[x], row3[x], row4[x])
        down[0] = down[1] = down[2]
        for x in range(width + 2, down.shape[0]):
            down[x] = down[width + 1]
        for span in range(many):
            part, first = share[span, 0], span * SPAN
            for x in range(first, _held(first + SPAN, 0, width)):
                around = _binomial(down[x], down[x + 1], down[x + 2], down[x + 3], down[x + 4])
                fine = row2[x] - around
                value = row2[x] + part * fine / (_ONE + fine * fine * gate)
                out[y, x] = np.floor(_held(value, _ZERO, peak) + _HALF)
