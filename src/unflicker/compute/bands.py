"""Rows of a picture divided among threads, for loops that release the interpreter's lock."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

from unflicker.compute.threads import thread_count

_PIXELS_A_THREAD = 1 << 17
"""Waking a thread for fewer takes longer than it helps."""
_BANDS_A_THREAD = 2
"""More than one, so that a thread that other programs hold up does not hold up the others."""
_helpers: list[ThreadPoolExecutor] = []
"""Threads of all such loops of this process, or none yet."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_helpers.clear)


def in_bands(work: Callable[[int, int], object], *, rows: int, pixels: int) -> None:
    """Do work on all rows, in bands, by up to `thread_count` threads, this one among them.

    Args:
        work: Called with the first row of a band and the row after its last; bands do not overlap.
        rows: Of the picture.
        pixels: Of the picture; small ones are not divided.
    """
    threads = min(thread_count(), 1 + pixels // _PIXELS_A_THREAD, rows)
    if threads <= 1:
        work(0, rows)
        return
    bands, turns = min(threads * _BANDS_A_THREAD, rows), itertools.count()

    def draw() -> None:
        while (turn := next(turns)) < bands:
            work(turn * rows // bands, (turn + 1) * rows // bands)

    if not _helpers:
        _helpers.append(ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="unflicker-bands"))
    helping = [_helpers[0].submit(draw) for _ in range(threads - 1)]
    try:
        draw()
    finally:
        # One that has not begun finds nothing to do; all others still write into the picture.
        begun = [helper for helper in helping if not helper.cancel()]
        wait(begun)
    for helper in begun:
        helper.result()
