"""Compiled search for upright runs of votes, row by row.

Arithmetic is in single precision throughout, hence the named constants.
"""

from __future__ import annotations

import numpy as np

from unflicker.compute.compiling import compiled

_ZERO = np.float32(0.0)
_compile = compiled()


@_compile
def runs(votes, least, most_missing, length, score, step):
    """The longest chain of votes that ends at each pixel, from the top down.

    A chain goes from a pixel to one of the three below it, and may pass some rows without a vote.

    Args:
        votes: `(rows, columns)`, float32.
        least: Least vote that counts.
        most_missing: Rows in succession that may lack it.
        length: Rows of the chain that ends here, `(rows, columns)`, int32; written.
        score: Sum of its votes, float32; written.
        step: Column of its pixel in the row above, relative to this one, int8; written.
    """
    rows, columns = votes.shape
    missing = np.zeros((2, columns), np.int32)
    for row in range(rows):
        now, last = missing[row % 2], missing[1 - row % 2]
        for x in range(columns):
            n, total, side, lacks = 0, _ZERO, 0, 0
            if row > 0:
                # The one straight above wins where two are equal.
                for choice in (0, -1, 1):
                    at = x + choice
                    if 0 <= at < columns and score[row - 1, at] > total:
                        n, total, side = length[row - 1, at], score[row - 1, at], choice
                        lacks = last[at]
            vote = votes[row, x]
            if vote >= least:
                lacks = 0
            elif n == 0 or lacks >= most_missing:
                n, total = -1, _ZERO
            else:
                lacks += 1
            length[row, x] = n + 1
            score[row, x] = max(total + vote, _ZERO) if n >= 0 else _ZERO
            step[row, x] = side
            now[x] = lacks
