"""Compiled inner loops of the repair: comparison with the neighbours along the motion, and filling.

Arithmetic is in single precision throughout, hence the named constants.
"""

from __future__ import annotations

import numba
import numpy as np

from unflicker.compute.compiling import compiled

_ZERO, _HALF, _ONE = (np.float32(number) for number in (0.0, 0.5, 1.0))
_compile = compiled(parallel=True)
_inline = compiled(inline="always")


@_inline
def _plan_row(plan, y, height, row):
    """The values of the plan at a row of the picture, between its nearest rows."""
    rows, columns, many = plan.shape
    at = min(max((y + 0.5) / height * rows - 0.5, 0.0), rows - 1.0)
    low = int(at)
    high = min(low + 1, rows - 1)
    down = np.float32(at - low)
    for column in range(columns):
        for k in range(many):
            upper = plan[low, column, k]
            row[column, k] = upper + (plan[high, column, k] - upper) * down


@_inline
def _sample(plane, x, y):
    """A plane between its pixels, bilinear; the border continues."""
    height, width = plane.shape
    x = min(max(x, _ZERO), np.float32(width - 1))
    y = min(max(y, _ZERO), np.float32(height - 1))
    x0, y0 = int(x), int(y)
    x1, y1 = min(x0 + 1, width - 1), min(y0 + 1, height - 1)
    across, down = x - np.float32(x0), y - np.float32(y0)
    upper = np.float32(plane[y0, x0]) + (np.float32(plane[y0, x1]) - np.float32(plane[y0, x0])) * (
        across
    )
    lower = np.float32(plane[y1, x0]) + (np.float32(plane[y1, x1]) - np.float32(plane[y1, x0])) * (
        across
    )
    return upper + (lower - upper) * down


@_inline
def _signed_least(one, other):
    """The smaller of two differences if they have one sign, else 0."""
    if one > _ZERO and other > _ZERO:
        return min(one, other)
    if one < _ZERO and other < _ZERO:
        return max(one, other)
    return _ZERO


@_compile
def compare(now, before, after, plan, unit, out):  # long: one pass over the pixels
    """Compare a picture with its motion-compensated neighbours.

    Args:
        now: Luma `(height, width)`, of any sample type.
        before: Three planes of the previous picture, `(3, height, width)`: luma, and its least
            and largest value of 3×3 pixels.
        after: The same of the next picture.
        plan: `(rows, columns, 6)`: motion to the previous and to the next picture in px, x first,
            and what is to be added to the light of each, in [0, 1].
        unit: What one step of a sample is worth in [0, 1], float32.
        out: To be filled, `(3, height, width)`, float32: how far the pixel lies outside the range
            of both neighbourhoods, signed; the smaller of its differences to both neighbours if
            they have one sign, else 0; the difference of the neighbours.

    Source: rank-ordered differences, Nadenau and Mitra 1997; SDIp, Biemond et al. 1999.
    """
    height, width = now.shape
    columns = plan.shape[1]
    far_x, far_y = np.float32(width) - _HALF, np.float32(height) - _HALF
    for y in numba.prange(height):
        row = np.empty((columns, 6), np.float32)
        _plan_row(plan, y, height, row)
        for x in range(width):
            at = min(
                max((x + _HALF) * np.float32(columns) / np.float32(width) - _HALF, _ZERO),
                np.float32(columns - 1),
            )
            left = int(at)
            right = min(left + 1, columns - 1)
            across = at - np.float32(left)
            bx = np.float32(x) + row[left, 0] + (row[right, 0] - row[left, 0]) * across
            by = np.float32(y) + row[left, 1] + (row[right, 1] - row[left, 1]) * across
            fx = np.float32(x) + row[left, 2] + (row[right, 2] - row[left, 2]) * across
            fy = np.float32(y) + row[left, 3] + (row[right, 3] - row[left, 3]) * across
            lift_b = row[left, 4] + (row[right, 4] - row[left, 4]) * across
            lift_f = row[left, 5] + (row[right, 5] - row[left, 5]) * across
            value = np.float32(now[y, x]) * unit
            past = _sample(before[0], bx, by) * unit + lift_b
            future = _sample(after[0], fx, fy) * unit + lift_f
            out[2, y, x] = abs(past - future)
            seen = min(bx, fx) > -_HALF and max(bx, fx) < far_x
            if not (seen and min(by, fy) > -_HALF and max(by, fy) < far_y):
                out[0, y, x] = out[1, y, x] = _ZERO
                continue
            out[1, y, x] = _signed_least(value - past, value - future)
            bc, br = int(bx + _HALF), int(by + _HALF)
            fc, fr = int(fx + _HALF), int(fy + _HALF)
            least = min(
                np.float32(before[1, br, bc]) * unit + lift_b,
                np.float32(after[1, fr, fc]) * unit + lift_f,
            )
            most = max(
                np.float32(before[2, br, bc]) * unit + lift_b,
                np.float32(after[2, fr, fc]) * unit + lift_f,
            )
            out[0, y, x] = max(value - most, _ZERO) + min(value - least, _ZERO)
