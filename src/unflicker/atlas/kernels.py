"""Compiled inner loops of painting and fitting.

In a module of their own, because the tests' shape checks cannot wrap compiled functions.
"""

from __future__ import annotations

import numpy as np

from unflicker.compute.compiling import compiled

_ONE = np.float32(1.0)


@compiled()
def splat(picture, texels, weight, sums):
    """Add each pixel to the four texels around its place, bilinear.

    Args:
        picture: `(height, width, 3)`.
        texels: Place of each pixel in texels, x first.
        weight: Of each pixel.
        sums: `(rows, columns, 4)`, changed in place; the last channel sums weights.
    """
    rows, columns = sums.shape[:2]
    height, width = weight.shape
    for y in range(height):
        for x in range(width):
            counts = weight[y, x]
            if counts <= 0.0:
                continue
            u, v = texels[y, x, 0], texels[y, x, 1]
            if not (0.0 <= u < columns - 1 and 0.0 <= v < rows - 1):
                continue
            column, row = int(u), int(v)
            across, down = u - column, v - row
            for right in range(2):
                part = counts * (across if right else _ONE - across)
                for below in range(2):
                    share = part * (down if below else _ONE - down)
                    for channel in range(3):
                        sums[row + below, column + right, channel] += share * picture[y, x, channel]
                    sums[row + below, column + right, 3] += share


@compiled()
def add_normal_equations(measured, every, step, shape, into):
    """Add the equations of pixels to the normal equations of a mesh's nodes, in lower bands.

    Args:
        measured: Values `(height, width, 2)` and weights `(height, width)`.
        every: Step in pixels, down and across.
        step: Distance of nodes in px, down and across.
        shape: Nodes down and across; they are numbered down each column.
        into: The bands `(nodes, bands)` and the right-hand side `(nodes, 2)`.
    """
    places, weight = measured
    rows, columns = shape
    bands, right = into
    height, width = weight.shape
    number = np.empty(4, np.int64)
    share = np.empty(4, np.float64)
    for y in range(0, height, every):
        row = min(int(y / step[0]), rows - 2)
        down = y / step[0] - row
        for x in range(0, width, every):
            counts = weight[y, x]
            if counts <= 0.0:
                continue
            column = min(int(x / step[1]), columns - 2)
            across = x / step[1] - column
            number[0] = column * rows + row
            number[1] = number[0] + 1
            number[2] = number[0] + rows
            number[3] = number[2] + 1
            share[0] = (1.0 - across) * (1.0 - down)
            share[1] = (1.0 - across) * down
            share[2] = across * (1.0 - down)
            share[3] = across * down
            for i in range(4):
                part = counts * share[i]
                right[number[i], 0] += part * places[y, x, 0]
                right[number[i], 1] += part * places[y, x, 1]
                for j in range(i + 1):
                    bands[number[j], number[i] - number[j]] += part * share[j]


@compiled(fastmath={"contract", "reassoc"})
def solve_banded(bands, right):
    """Solve a positive definite banded system in place: `right` becomes the solution.

    Cholesky's elimination without its roots.

    Args:
        bands: `(nodes, bands)`; `bands[j, d]` is the matrix at row j + d, column j.
        right: `(nodes, columns)`.
    """
    size, width = bands.shape
    columns = right.shape[1]
    for j in range(size):
        reach = min(width, size - j)
        pivot = 1.0 / bands[j, 0]
        for d in range(1, reach):
            factor = bands[j, d] * pivot
            if factor == 0.0:
                continue
            for e in range(d, reach):
                bands[j + d, e - d] -= factor * bands[j, e]
            for c in range(columns):
                right[j + d, c] -= factor * right[j, c]
    for j in range(size - 1, -1, -1):
        reach = min(width, size - j)
        for c in range(columns):
            value = right[j, c]
            for d in range(1, reach):
                value -= bands[j, d] * right[j + d, c]
            right[j, c] = value / bands[j, 0]
