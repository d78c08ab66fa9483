"""Colour matrices that preserve grey, parametrised by their logarithms.

Each row of such a logarithm sums to zero, and is given by two numbers:
    log matrix = log saturation · (own − grey)  +  hue · (last − next) / √3
where own is the row's channel, next and last those after it in red, green, blue, red. With the same
numbers in all rows it multiplies saturation and rotates hue about the grey axis; arbitrary mixing
of channels needs different numbers in each row.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

_TAYLOR_TERMS = 12
"""Of matrices whose elements are below 1/8, so many terms are exact in double precision."""


def log_matrix_of(
    log_saturation: Float[np.ndarray, "*shape 3"], hue: Float[np.ndarray, "*shape 3"]
) -> Float[np.ndarray, "*shape 3 3"]:
    """Logarithm of the matrix that scales saturation and rotates hue, row by row.

    Args:
        log_saturation: Natural logarithm of the factor on saturation.
        hue: Angle about the grey axis in radians, from red towards green.
    """
    saturation, turn, own = log_saturation / 3.0, hue / np.sqrt(3.0), np.arange(3)
    logarithm = np.zeros((*np.shape(saturation), 3))
    logarithm[..., own, own] = 2.0 * saturation
    logarithm[..., own, (own + 1) % 3] = -saturation - turn
    logarithm[..., own, (own + 2) % 3] = -saturation + turn
    return logarithm


def matrix_exponential(
    logarithms: Float[np.ndarray, "*shape 3 3"],
) -> Float[np.ndarray, "*shape 3 3"]:
    """The matrices whose logarithms these are.

    Source: Taylor series with scaling and squaring, Moler and Van Loan, Nineteen dubious ways to
    compute the exponential of a matrix, SIAM Review 45 (2003), method 3.
    """
    largest = max(float(np.abs(logarithms).max(initial=0.0)), 1e-9)
    halvings = max(0, int(np.ceil(np.log2(largest))) + 3)
    term = total = np.broadcast_to(np.eye(3), logarithms.shape)
    for order in range(1, _TAYLOR_TERMS):
        term = term @ logarithms / (order * 2.0**halvings)
        total = total + term
    for _ in range(halvings):
        total = total @ total
    return total
