"""Process set-up and end: returned memory, sleeping threads, a missing home, no teardown."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import os
import sys
from collections.abc import Callable

from unflicker.compute.caches import cache_folder, is_home_writable

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGE_BYTES = 1024 * 1024
_REPAIR_BYTES = 6 * 1024 * 1024
"""Above the largest array of the repair, a flow of 960 × 720 px."""
_SPINS = "2000"
_SPARE_BYTES = 8 * 1024 * 1024
"""Free memory kept for the next small blocks: fetching it again takes 3 % of the time at 480p."""


def give_back_large_blocks() -> None:
    """Make glibc return arrays above 1 MB to the system when they are freed.

    By default it keeps memory that several threads have freed: 70 MB more at 1080p. With a smaller
    limit, an atlas would take a third longer.
    """
    _tell_glibc(_M_MMAP_THRESHOLD, _LARGE_BYTES)
    _tell_glibc(_M_TRIM_THRESHOLD, _SPARE_BYTES)


def keep_blocks_of_repair() -> None:
    """Make glibc keep the arrays that a repair frees and needs again a moment later.

    Fetched again each time, they take a fifth of the time that `--clean dirt` adds at 1080p; kept,
    they take 70 to 110 MB.
    """
    _tell_glibc(_M_MMAP_THRESHOLD, _REPAIR_BYTES)


def _tell_glibc(option: int, value: int) -> None:
    """Set an option of glibc's memory; other libraries of C have none."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(option, value)


def sleep_while_waiting() -> None:
    """Let threads of OpenMP sleep while they wait, unless the user has set otherwise.

    torch has such threads. By default they spin for some milliseconds, in which the encoder could
    run: 6 % of the time at 480p. GNU's may spin for some microseconds, as long as networks wait
    between two layers; without that an atlas would take half as long again. Call it before torch is
    loaded.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.environ.setdefault("GOMP_SPINCOUNT", _SPINS)


def hush_opencv() -> None:
    """Have OpenCV write no log, such as a line for each private tag of a TIFF, unless the user has
    set otherwise; pictures that it cannot read are reported by us. Call it before it is loaded."""
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")


def open_closed_streams() -> None:
    """Open standard streams that the caller has closed, on a place without content.

    Otherwise the next file that is opened would become standard output, and receive messages.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number is given to a new file: it is this one.
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", encoding="utf-8", closefd=False)


def do_without_a_home() -> None:
    """Set a cache folder for libraries where the user's home cannot be written.

    Without one matplotlib and fontconfig print warnings and list all fonts in every run. Call it
    before they are loaded.
    """
    if is_home_writable():
        return
    folder = cache_folder()
    if folder is not None:
        os.environ["XDG_CACHE_HOME"] = str(folder)
        os.environ.setdefault("MPLCONFIGDIR", str(folder / "matplotlib"))


def end_without_teardown() -> Callable[[int], None]:
    """Prepare an end of the process that does not wait for libraries to be taken apart.

    Python's teardown takes 0.5 to 1.3 s once torch is loaded, and a user who pressed Ctrl-C waits
    for it. Functions registered with `atexit` after this call, as by libraries, still run.

    Returns:
        A function that takes the exit code; the process then ends with it as soon as it exits.
    """
    codes: list[int] = []

    def end() -> None:
        if codes:
            for written in (sys.stdout, sys.stderr):
                # Its reader may have ended, and a closed file has no more to write.
                with contextlib.suppress(OSError, ValueError, AttributeError):
                    written.flush()
            os._exit(codes[-1])

    atexit.register(end)
    return codes.append
