"""Compiled inner loops of the repair: comparison with the neighbours along the motion, and filling.

Arithmetic is in single precision throughout, hence the named constants.
"""

from __future__ import annotations

import numba
import numpy as np

from unflicker.compute.compiling import compiled

_ZERO, _HALF, _ONE = (np.float32(number) for number in (0.0, 0.5, 1.0))
_ONE_SIDED = np.float32(0.3)
"""Added to the score of what enters or leaves the picture: it is seen in one neighbour only."""
_BEND = 5
"""A fifth of a displacement: what two displacements in a row may differ by, besides some px."""
_NOT = np.float32(9.0)
"""Score of what is not found."""
_ARITHMETIC = {"contract", "reassoc", "nsz", "arcp", "afn"}
_compile = compiled(parallel=True, fastmath=_ARITHMETIC)
_inline = compiled(fastmath=_ARITHMETIC, inline="always")


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


@_inline
def _unlike(now, other, change, ys, xs, first, last, step, dy, dx, worst):  # noqa: PLR0913
    """How unlike a set of pixels is to the same set moved in another picture, 0 for equal.

    Squared differences over the squared change of these pixels; at least the share of the change
    that the other picture lacks there: what has not moved has not changed. Pixels that would be
    out of the picture do not count.
    """
    height, width = now.shape
    unlike = moved = whole = all_of_it = _ZERO
    for index in range(first, last, step):
        y, x = ys[index], xs[index]
        v, u = y + dy, x + dx
        all_of_it += change[0, y, x] * change[0, y, x]
        if v < 0 or u < 0 or v >= height or u >= width:
            continue
        d = now[y, x] - other[v, u]
        unlike += d * d
        moved += min(change[1, v, u] * change[1, v, u], change[0, y, x] * change[0, y, x])
        whole += change[0, y, x] * change[0, y, x]
        if unlike > worst * all_of_it and index > first + 16 * step:
            return _NOT
    if whole <= _HALF * all_of_it:  # most of it is out of the picture
        return _NOT
    return max(unlike / whole, _ONE - moved / whole)


@_inline
def _nearest(now, other, change, pixels, first, last, around, radius):  # noqa: PLR0913
    """The least `_unlike` within a radius of a displacement, and where it is."""
    ys, xs = pixels[0], pixels[1]
    step = max(1, (last - first) // 48)
    best, best_y, best_x = _NOT, 0, 0
    stride = 2 if radius > 8 else 1
    for dy in range(around[0] - radius, around[0] + radius + 1, stride):
        for dx in range(around[1] - radius, around[1] + radius + 1, stride):
            score = _unlike(now, other, change, ys, xs, first, last, step, dy, dx, best)
            if score < best:
                best, best_y, best_x = score, dy, dx
    if stride > 1 and best < _ONE:
        for dy in range(best_y - 1, best_y + 2):
            for dx in range(best_x - 1, best_x + 2):
                score = _unlike(now, other, change, ys, xs, first, last, step, dy, dx, best)
                if score < best:
                    best, best_y, best_x = score, dy, dx
    return best, best_y, best_x


@_compile
def pass_through(now, others, changes, pixels, starts, radius, scores):  # long: both ways
    """How well each spot is explained as a thing that flies through three frames.

    Args:
        now: Luma with the spots, `(height, width)`, float32.
        others: The previous and the next luma, `(2, height, width)`.
        changes: `(2, 2, height, width)`: for either neighbour, what changed in this picture against
            it, and in it against this picture.
        pixels: Rows and columns of all spots' pixels, `(2, pixels)`.
        starts: Where each spot's pixels begin, one more than there are spots.
        radius: Farthest displacement in px, and how far the displacements to both neighbours may
            be from opposite ones at least.
        scores: To be filled: 0 where it is found in both neighbours on one line, above 1 where not.
    """
    height, width = now.shape
    for spot in numba.prange(scores.shape[0]):
        first, last = starts[spot], starts[spot + 1]
        result = _NOT
        y, x = pixels[0, (first + last) // 2], pixels[1, (first + last) // 2]
        for side in range(2):
            found, dy, dx = _nearest(
                now, others[side], changes[side], pixels, first, last, (0, 0), radius[0]
            )
            if found > _ONE:
                continue
            back_y, back_x = y - dy, x - dx
            edge = radius[1] + max(abs(dy), abs(dx)) // _BEND
            inside = edge <= back_y < height - edge and edge <= back_x < width - edge
            mirrored = found + _ONE_SIDED
            if inside:
                mirrored, _, _ = _nearest(
                    now,
                    others[1 - side],
                    changes[1 - side],
                    pixels,
                    first,
                    last,
                    (-dy, -dx),
                    edge,
                )
            result = min(result, max(found, mirrored))
        scores[spot] = result
