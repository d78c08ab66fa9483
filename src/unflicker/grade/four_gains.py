"""One step of grading that compilers do not divide among a processor's vector units themselves.

The gain of a pixel lies between those of eight cells and tones: for each of three channels eight
numbers are fetched from places that differ from pixel to pixel. The channels of a cell are
neighbours in memory, so one fetch brings all three; four pixels are then turned from channels by
pixel to pixels by channel. numba leaves such loops as they are written (its SLP vectoriser is off),
hence instructions for LLVM: of vectors in general, not those of one kind of processor.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import config as numba_config
from numba.extending import intrinsic

CHANNELS = 4
"""Numbers of a cell and tone in the grid's gains: red, green, blue and one that is not used."""
PIXELS = 4
"""Rows are as long as a multiple of this."""

_SINGLE, _INDEX, _LANE = ir.FloatType(), ir.IntType(64), ir.IntType(32)
_FOUR = ir.VectorType(_SINGLE, 4)
_NO_VALUES = ir.Constant(_FOUR, ir.Undefined)


def _loaded(builder: Any, numbers: Any, at: Any) -> Any:
    """Four neighbours in memory."""
    place = builder.bitcast(builder.gep(numbers, [at]), _FOUR.as_pointer())
    four = builder.load(place)
    four.align = 4
    return four


def _times_four(builder: Any, number: Any) -> Any:
    """One number in all four places."""
    first = builder.insert_element(_NO_VALUES, number, ir.Constant(_LANE, 0))
    return _chosen(builder, first, _NO_VALUES, (0, 0, 0, 0))


def _chosen(builder: Any, one: Any, other: Any, places: tuple[int, ...]) -> Any:
    """Numbers of two vectors by their places in both."""
    mask = ir.Constant(ir.VectorType(_LANE, 4), list(places))
    return builder.shuffle_vector(one, other, mask)


def _gain(builder: Any, row: Any, corners: Any, weights: Any) -> Any:
    """The gains of one pixel: a weighted sum over four corners."""
    total = None
    for corner, weight in zip(corners, weights, strict=True):
        term = builder.fmul(_times_four(builder, weight), _loaded(builder, row, corner))
        total = term if total is None else builder.fadd(total, term)
    return total


def _by_channel(builder: Any, pixels: Any) -> list[Any]:
    """Red, green and blue of four pixels, from the channels of each."""
    a, b, c, d = pixels
    low, also_low = (_chosen(builder, *pair, (0, 4, 1, 5)) for pair in ((a, b), (c, d)))
    high, also_high = (_chosen(builder, *pair, (2, 6, 3, 7)) for pair in ((a, b), (c, d)))
    return [
        _chosen(builder, low, also_low, (0, 1, 4, 5)),
        _chosen(builder, low, also_low, (2, 3, 6, 7)),
        _chosen(builder, high, also_high, (0, 1, 4, 5)),
    ]


def _instructions(context: Any, builder: Any, signature: Any, given: Any) -> Any:
    """The code of `multiply_by_gains` for LLVM."""
    arrays = [
        context.make_array(kind)(context, builder, value)
        for kind, value in zip(signature.args[:4], given[:4], strict=True)
    ]
    colour, row, at, weights = (array.data for array in arrays)
    stride = builder.extract_value(arrays[0].shape, 1)
    onward, first = builder.zext(given[4], _INDEX), given[5]
    pixels = []
    for step in range(PIXELS):
        x = builder.add(first, ir.Constant(_INDEX, step))
        left = builder.zext(builder.load(builder.gep(at, [x])), _INDEX)
        right = builder.add(left, onward)
        corners = [
            builder.add(cell, ir.Constant(_INDEX, tone))
            for cell in (left, right)
            for tone in (0, CHANNELS)
        ]
        lines = [builder.mul(stride, ir.Constant(_INDEX, line)) for line in range(4)]
        places = [builder.add(x, line) for line in lines]
        numbers = [builder.load(builder.gep(weights, [place])) for place in places]
        pixels.append(_gain(builder, row, corners, numbers))
    for channel, gains in enumerate(_by_channel(builder, pixels)):
        place = builder.add(first, builder.mul(stride, ir.Constant(_INDEX, channel)))
        product = builder.fmul(_loaded(builder, colour, place), gains)
        pointer = builder.bitcast(builder.gep(colour, [place]), _FOUR.as_pointer())
        builder.store(product, pointer).align = 4
    return context.get_dummy_value()


@intrinsic  # pyright: ignore - its first parameter is numba's own
def _multiply_by_gains(typing, colour, row, at, weights, onward, first):  # noqa: PLR0913 # long: one step of a loop
    del typing, onward, first
    kinds = (colour, row, at, weights, types.uint32, types.int64)
    return types.void(*kinds), _instructions


def multiplied(colour, row, at, weights, onward, first):  # long: as above
    """`multiply_by_gains` by numpy, for where compilation is switched off.

    Args:
        colour: See `multiply_by_gains`; so for the others.
        row: The grid's gains at the row's height.
        at: Place of each pixel in it.
        weights: Of the four corners of each pixel.
        onward: Numbers from a cell to the next.
        first: The first of the four pixels.
    """
    for x in range(first, first + PIXELS):
        cells = (int(at[x]), int(at[x]) + CHANNELS)
        corners = (*cells, *(cell + int(onward) for cell in cells))
        terms = [weights[n, x] * row[place : place + 3] for n, place in enumerate(corners)]
        colour[:, x] *= terms[0] + terms[1] + terms[2] + terms[3]


multiply_by_gains: Any = (
    multiplied if getattr(numba_config, "DISABLE_JIT", False) else _multiply_by_gains
)
"""Multiplies four pixels of a row by their gains, in place; for compiled functions alone.

Args:
    colour: Red, green and blue of a row, `(3, width)`, float32, C-contiguous.
    row: The grid's gains at the row's height, flat, `CHANNELS` for each cell and tone.
    at: Place in `row` of each pixel's left cell and darker tone, int32.
    weights: `(4, width)`: of the left cell's darker and lighter tone, then of the right cell's.
    onward: Numbers from a cell to the next, uint32.
    first: The first of the four pixels.
"""
