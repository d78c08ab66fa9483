"""Compiled inner loops that explain a spot by motion: of something that flies, or of its vicinity.

Arithmetic is in single precision throughout, hence the named constants.
"""

from __future__ import annotations

import numpy as np

from unflicker.compute.compiling import compiled, part_of_compiled

_ZERO, _QUARTER, _HALF, _ONE = (np.float32(number) for number in (0.0, 0.25, 0.5, 1.0))
_NOT = np.float32(9.0)
"""Score of what is not found."""
_ONE_SIDED = np.float32(0.3)
"""Added to the score of what enters or leaves the picture: it is seen in one neighbour only."""
_BEND = 5
"""A fifth of a displacement: what two displacements in a row may differ by, besides some px."""
_SAMPLES = 48
"""Pixels of a spot, of about this many, that are compared."""
_MOST_SURPLUS, _FEWEST = 0.3, 8
"""Share of the surroundings of a thing that may change where it is seen again, and of how many
pixels it is told."""


@part_of_compiled
def _unlike(now, other, change, spot, dy, dx, worst):  # noqa: PLR0913
    """How unlike a set of pixels is to the same set moved in another picture, 0 for equal.

    Squared differences over the squared change of these pixels; and the share of the change that
    the other picture lacks there. Pixels that would be out of the picture do not count.
    """
    height, width = now.shape
    unlike = moved = whole = all_of_it = _ZERO
    for index in range(spot.shape[1]):
        y, x = spot[0, index], spot[1, index]
        v, u = y + dy, x + dx
        changed = change[0, y, x] * change[0, y, x]
        all_of_it += changed
        if v < 0 or u < 0 or v >= height or u >= width:
            continue
        d = now[y, x] - other[v, u]
        unlike += d * d
        moved += min(abs(change[1, v, u] * change[0, y, x]), changed)
        whole += changed
        if unlike > worst * all_of_it and index > 16:  # it will not become the best
            return _NOT, _ONE
    if whole <= _HALF * all_of_it:  # most of it is out of the picture
        return _NOT, _ONE
    return unlike / whole, _ONE - moved / whole


@part_of_compiled
def _nearest(now, other, change, spot, around, radius, flies):  # noqa: PLR0913
    """The least `_unlike` within a radius of a displacement, and where it is.

    What flies must have changed the other picture, too: else it is something else of that colour.
    """
    best, best_y, best_x = _NOT, 0, 0
    stride = 2 if radius > 8 else 1
    for turn in range(2):
        top, bottom = around[0] - radius, around[0] + radius
        left, right, by = around[1] - radius, around[1] + radius, stride
        if turn == 1:
            if stride == 1 or best > _ONE:
                break
            top, bottom, left, right, by = best_y - 1, best_y + 1, best_x - 1, best_x + 1, 1
        for dy in range(top, bottom + 1, by):
            for dx in range(left, right + 1, by):
                score, still = _unlike(now, other, change, spot, dy, dx, best)
                score = max(score, still) if flies else score
                if score < best:
                    best, best_y, best_x = score, dy, dx
    return best, best_y, best_x


@part_of_compiled
def _surplus(change, rim, level, dy, dx):
    """The share of unchanged surroundings that, moved, are changed as the spot is."""
    height, width = change.shape[1:]
    still = more = 0
    for index in range(0, rim.shape[1], max(1, rim.shape[1] // _SAMPLES)):
        y, x = rim[0, index], rim[1, index]
        v, u = y + dy, x + dx
        if v < 0 or u < 0 or v >= height or u >= width:
            continue
        if abs(change[0, y, x]) < _QUARTER * level:
            still += 1
            more += abs(change[1, v, u]) > _HALF * level
    return more / still if still > _FEWEST else 0.0


@part_of_compiled
def _level(change, spot):
    """The mean change of a spot."""
    total = _ZERO
    for index in range(spot.shape[1]):
        total += abs(change[0, spot[0, index], spot[1, index]])
    return total / np.float32(max(spot.shape[1], 1))


@part_of_compiled
def _flying(now, others, changes, spot, rim, reach):
    """The score of a spot as a thing that flies through three frames, on one line.

    Where it is seen again, it is as large: else it is a part of something larger.
    """
    height, width = now.shape
    middle = spot.shape[1] // 2
    result = _NOT
    for side in range(2):
        found, dy, dx = _nearest(
            now,
            others[side],
            changes[side],
            spot,
            (0, 0),
            reach[0],
            True,  # noqa: FBT003
        )
        if found > _ONE:
            continue
        level = _level(changes[side], spot)
        if _surplus(changes[side], rim, level, dy, dx) > _MOST_SURPLUS:
            continue
        y, x = spot[0, middle] - dy, spot[1, middle] - dx
        edge = reach[1] + max(abs(dy), abs(dx)) // _BEND
        mirrored = found + _ONE_SIDED
        if edge <= y < height - edge and edge <= x < width - edge:
            mirrored, _, _ = _nearest(
                now,
                others[1 - side],
                changes[1 - side],
                spot,
                (-dy, -dx),
                edge,
                True,  # noqa: FBT003
            )
        result = min(result, max(found, mirrored))
    return result


@part_of_compiled
def _changed_rim(now, other, rim, level, dy, dx):
    """The share of the surroundings that differ where the spot is seen again."""
    height, width = now.shape
    seen = differ = 0
    for index in range(0, rim.shape[1], max(1, rim.shape[1] // _SAMPLES)):
        y, x = rim[0, index], rim[1, index]
        v, u = y + dy, x + dx
        if v < 0 or u < 0 or v >= height or u >= width:
            continue
        seen += 1
        differ += abs(now[y, x] - other[v, u]) > _QUARTER * level
    return differ / seen if seen > _FEWEST else 1.0


@part_of_compiled
def _carried(now, others, changes, spot, rim, flows, reach):  # noqa: PLR0913
    """The score of a spot as something that moves as its vicinity does, or that stands still.

    It may be seen in one neighbour only, if its surroundings are seen there as well.
    """
    height, width = now.shape
    rows, columns = flows.shape[1:3]
    middle = spot.shape[1] // 2
    result = _NOT
    for step in range(18):
        at_y = spot[0, middle] + (step // 3 % 3 - 1) * reach[2] * (1 + step // 9)
        at_x = spot[1, middle] + (step % 3 - 1) * reach[2] * (1 + step // 9)
        row = min(max(at_y * rows // height, 0), rows - 1)
        column = min(max(at_x * columns // width, 0), columns - 1)
        worst = _ZERO
        for side in range(2):
            flow = flows[side, row, column]
            dy = dx = 0
            if step != 4:  # the middle: standing still
                dy, dx = int(np.floor(flow[1] + _HALF)), int(np.floor(flow[0] + _HALF))
            found, dy, dx = _nearest(
                now,
                others[side],
                changes[side],
                spot,
                (dy, dx),
                1,
                False,  # noqa: FBT003
            )
            worst = max(worst, found)
            if found + _ONE_SIDED < result:
                level = _level(changes[side], spot)
                if _changed_rim(now, others[side], rim, level, dy, dx) < _MOST_SURPLUS:
                    result = found + _ONE_SIDED
        result = min(result, worst)
    return result


@compiled()
def unexplained(now, others, changes, flows, pieces, reach, scores, some):  # noqa: PLR0913 - three pictures
    """How badly each piece of a spot is explained by motion: 0 where it is, above 1 where not.

    Args:
        now: Luma with the spots, `(height, width)`, float32.
        others: The previous and the next luma, `(2, height, width)`.
        changes: `(2, 2, height, width)`: for either neighbour, what changed in this picture against
            it, and in it against this picture.
        flows: Motion to the previous and the next picture in their px, `(2, rows, columns, 2)`.
        pieces: Rows and columns of all pixels, `(2, pixels)`, and where each piece begins, one
            number more than there are pieces; the same of the pixels around them, and where those
            of each piece begin and end.
        reach: Farthest displacement in px, how far the displacements to both neighbours may be
            from opposite ones at least, and how far away motion is taken from.
        scores: To be filled, one for each piece.
        some: First piece, and the piece after the last.
    """
    pixels, starts, rims, rim_starts, rim_stops = pieces
    for piece in range(some[0], some[1]):
        first, last = starts[piece], starts[piece + 1]
        step = max(1, (last - first) // _SAMPLES)
        spot = pixels[:, first:last:step]
        rim = rims[:, rim_starts[piece] : rim_stops[piece]]
        carried = _carried(now, others, changes, spot, rim, flows, reach)
        scores[piece] = min(carried, _flying(now, others, changes, spot, rim, reach))
