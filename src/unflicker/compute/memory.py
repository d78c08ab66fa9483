"""Memory: how much is free, and whether a film fits."""

from __future__ import annotations

import contextlib
from pathlib import Path

from unflicker.errors import InputError

_FRAMES_HELD = 32
"""Frames of a film that a run holds at most, with what is computed of them: 30 of 4:4:4 with
transparency and 36 of grey were measured, at 16 and 32 megapixels, one process, preset fast."""
_BASE_BYTES = 300 * 1024 * 1024
"""Of the program and its libraries."""
_GROUP_LIMITS = (
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
)
"""What a container may use, by versions 2 and 1 of Linux's control groups."""


def free_bytes() -> int | None:
    """Memory that a process may still use; None where the system does not tell."""
    found = [*_available(), *_limits()]
    return min(found) if found else None


def refuse_too_large(size: tuple[int, int], *, frame_bytes: int, name: str) -> None:
    """Refuse, before any work, a film whose frames do not fit into memory.

    Args:
        size: Height and width of its frames in px.
        frame_bytes: Of a decoded frame.
        name: Of the film, for the message.

    Raises:
        InputError: A run would take more memory than there is.
    """
    needed, free = _BASE_BYTES + _FRAMES_HELD * frame_bytes, free_bytes()
    if free is None or needed <= free:
        return
    height, width = size
    raise InputError(
        f"{name} has frames of {width}x{height} px: a run takes about {needed / 2**30:.1f} GB of "
        f"memory, and {free / 2**30:.1f} GB are free; scale it down first, or free memory"
    )


def _available() -> list[int]:
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return [int(line.split()[1]) * 1024]
    return []


def _limits() -> list[int]:
    """Limits of this process's addresses and of its container."""
    found = []
    with contextlib.suppress(ImportError, OSError, ValueError, IndexError):
        import resource

        most, _ = resource.getrlimit(resource.RLIMIT_AS)
        if most != resource.RLIM_INFINITY:
            used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            found.append(max(0, most - used))
    for place in _GROUP_LIMITS:
        with contextlib.suppress(OSError, ValueError):
            found.append(int(Path(place).read_text()))
    return found
