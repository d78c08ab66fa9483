"""Keeps how a process is scheduled while a library is opened that changes it.

SVT-AV1, called by root (as in most containers), makes its threads and the one that calls it
real-time, above all other work of the machine; what that process starts later inherits it. Two
browsers that tests started so held two processors for a quarter of an hour.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

_REAL_TIME = tuple(getattr(os, name, -1) for name in ("SCHED_FIFO", "SCHED_RR"))


@contextlib.contextmanager
def scheduling_kept() -> Iterator[None]:
    """Give all threads of this process the calling thread's scheduling of before, at the end.

    Only threads that have become real-time meanwhile are changed.
    """
    if sys.platform != "linux":
        yield
        return
    usual, how = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        if usual not in _REAL_TIME:
            for thread in _real_time_threads():
                # It may have ended meanwhile.
                with contextlib.suppress(OSError):
                    os.sched_setscheduler(thread, usual, how)


def _real_time_threads() -> list[int]:
    found = []
    for name in os.listdir("/proc/self/task"):
        with contextlib.suppress(OSError):
            if os.sched_getscheduler(int(name)) in _REAL_TIME:
                found.append(int(name))
    return found
