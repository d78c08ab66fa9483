"""How the process behaves: memory is given back, threads sleep while waiting, no home is needed."""

from __future__ import annotations

import ctypes
import os
import sys

from unflicker.compute.caches import cache_folder, is_home_writable

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGE_BYTES = 1024 * 1024
_SPINS = "2000"
_SPARE_BYTES = 8 * 1024 * 1024
"""Small blocks keep this much for the next ones: to fetch it anew takes 3 % of the time at 480p."""


def give_back_large_blocks() -> None:
    """Have arrays above 1 MB returned to the system when freed, where glibc is in charge.

    Left to itself, glibc keeps what several threads have freed: 70 MB more at 1080p. Were smaller
    ones returned too, an atlas would take a third longer.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _SPARE_BYTES)


def sleep_while_waiting() -> None:
    """Have the compiled loops' threads sleep between two pictures, unless the user says otherwise.

    OpenMP's spin instead for some milliseconds, which the encoder needs: 6 % of the time at 480p.
    GNU's may spin for some microseconds: networks wait no longer than that between two layers, and
    an atlas would take half as long again without. To be called before the first such loop.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.environ.setdefault("GOMP_SPINCOUNT", _SPINS)


def do_without_a_home() -> None:
    """Give libraries a place for their caches where the home cannot be written.

    Without one matplotlib and fontconfig complain, and list all fonts anew in every run. To be
    called before they load.
    """
    if is_home_writable():
        return
    folder = cache_folder()
    if folder is not None:
        os.environ["XDG_CACHE_HOME"] = str(folder)
        os.environ.setdefault("MPLCONFIGDIR", str(folder / "matplotlib"))
